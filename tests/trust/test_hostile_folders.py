"""Folders of scans, galleries and runs can come from anybody too: what they name is read inside them alone."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trust.forgery import opened

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError, LucidtorchWarning, UntrustedError
from lucidtorch.datasets import load_scan

Cli = Callable[..., tuple[int, str]]
WORDS = ("--layers", "conv1_1", "--size", "32", "--top", "2", "--bottom", "1", "-q")
PAGES = ("--layers", "conv1_1", "--units", "0-1", "--size", "16", "--steps", "1", "--workers", "1", "-q")


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished scan of pictures in a folder, and the folder."""
    place = tmp_path_factory.mktemp("kept")
    lt.datasets.drawings("test", length=4, size=32).save(place / "photos")
    lt.datasets.scan(
        "demo", lt.datasets.folder(place / "photos"), place / "scan", layers=["conv1_1"], size=32, top=2, bottom=1
    )
    return place


@pytest.fixture
def scanned(kept: Path, inside: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The scan as a stranger hands it on, on a machine that has not made it."""
    monkeypatch.setenv("LUCIDTORCH_CACHE", str(tmp_path / "another machine"))
    return Path(shutil.copytree(kept / "scan", inside / "scan"))


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_a_scan_names_no_place_but_in_its_provenance(kept: Path) -> None:
    written = (kept / "scan" / "scan.json").read_text()
    assert str(kept) not in written
    assert json.loads(written)["data"] == "photos"
    assert json.loads((kept / "scan" / "provenance.json").read_text())["data"] == str(kept / "photos")
    assert len(load_scan(kept / "scan").open()) == 4  # this machine knows the place


@pytest.mark.parametrize("file", ["scan.json", "provenance.json"])
@pytest.mark.parametrize("sort", ["a folder", "a list", "a mapping", "an array", "climbing"])
def test_images_outside_are_not_opened(file: str, sort: str, scanned: Path, outside: Path, kept: Path) -> None:
    shutil.copytree(kept / "photos", outside / "photos")
    np.save(outside / "a.npy", np.zeros((4, 3, 32, 32)))
    secret = {
        "a folder": str(outside / "photos"),
        "a list": [str(path) for path in sorted((outside / "photos").rglob("*.png"))],
        "a mapping": {"folder": str(outside / "photos")},
        "an array": str(outside / "a.npy"),
        "climbing": "../../outside/photos",
    }[sort]
    if file == "scan.json":
        (scanned / "provenance.json").unlink()
    change(scanned / file, data=secret)
    with opened() as files, pytest.raises(UntrustedError, match="outside of its folder"):
        load_scan(scanned).open()
    assert not [one for one in files if Path(one).resolve().is_relative_to(outside)]
    if sort == "a folder":
        assert len(load_scan(scanned).open(trust=True)) == 4


def test_links_among_its_images_are_not_followed(scanned: Path, kept: Path, outside: Path) -> None:
    shutil.copytree(kept / "photos", scanned / "photos")
    assert len(load_scan(scanned).open()) == 4  # beside it is inside
    first = next(scanned.rglob("*.png"))
    shutil.copy(first, outside / "secret.png")
    first.unlink()
    first.symlink_to(outside / "secret.png")
    with pytest.raises(UntrustedError):
        load_scan(scanned).open()


def test_a_gallery_and_a_recipe_open_no_images_outside(scanned: Path, outside: Path, kept: Path, cli: Cli) -> None:
    shutil.copytree(kept / "photos", outside / "photos")
    change(scanned / "provenance.json", data=str(outside / "photos"))
    with opened() as files:
        assert cli("gallery", "demo", "--scan", scanned, "-o", "g", *PAGES)[0] == 0  # without the real images
        assert not Path("g/examples").exists()
        shown = ("run", "top_patches", "--set", "model=demo", "--set", "data=null", "--set", f"scan={scanned}")
        status, said = cli(*shown, "--set", "layers=conv1_1", "--set", "top=2", "-o", "r", "-q")
        assert (status, Path("r").exists()) == (2, False), said
        assert "--trust" in said
    assert not [one for one in files if Path(one).resolve().is_relative_to(outside)]
    assert cli("gallery", "demo", "--scan", scanned, "-o", "h", *PAGES, "--trust")[0] == 0
    assert Path("h/examples").exists()
    status, said = cli(*shown, "--set", "layers=conv1_1", "--set", "top=2", "-o", "r", "-q", "--trust")
    assert status == 0, said


def test_a_gallery_says_why_it_shows_no_images(scanned: Path, outside: Path, demo: Any) -> None:
    change(scanned / "provenance.json", data=str(outside))
    with pytest.warns(LucidtorchWarning, match="trust"):
        lt.gallery(demo, "g", layers=["conv1_1"], units="0-1", param="image(16)", steps=1, scan=scanned)


def compressed(data: bytes) -> bytes:
    """Write tables so that they unpack to much more than the file."""
    stream = io.BytesIO()
    with np.load(io.BytesIO(data)) as tables:
        np.savez_compressed(stream, **{name: np.zeros(1 << 26, dtype=np.uint8) for name in tables.files})
    return stream.getvalue()


def endless(data: bytes) -> bytes:
    """Write tables whose headers claim more numbers than any machine holds."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            header = io.BytesIO()
            shape = {"descr": "<f4", "fortran_order": False, "shape": (1 << 20, 1 << 20)}
            np.lib.format.write_array_header_1_0(header, shape)
            new.writestr(name, header.getvalue())
    return stream.getvalue()


def other_shapes(data: bytes) -> bytes:
    """Write tables of another layer."""
    stream = io.BytesIO()
    with np.load(io.BytesIO(data)) as tables:
        np.savez(stream, **{name: tables[name][:1] for name in tables.files})
    return stream.getvalue()


def nothing(data: bytes) -> bytes:
    return b""


def pickled(data: bytes) -> bytes:
    """Write a table that is a pickle."""
    stream = io.BytesIO()
    np.savez(stream, **{"0/top.values": np.array([{"a": 1}], dtype=object)})
    return stream.getvalue()


@pytest.mark.parametrize("forge", [compressed, endless, other_shapes, nothing, pickled])
def test_hostile_tables_are_refused(forge: Callable[[bytes], bytes], scanned: Path, cli: Cli) -> None:
    import hashlib

    tables = next(scanned.glob("tables-*.npz"))
    tables.write_bytes(forge(tables.read_bytes()))
    named = {"file": tables.name, "sha256": hashlib.sha256(tables.read_bytes()).hexdigest()}
    change(scanned / "scan.json", tables=named)
    with pytest.raises(BadInputError, match="is damaged"):
        load_scan(scanned)


HOSTILE: dict[str, Any] = {
    "nesting": "[" * 100_000,
    "nested mappings": '{"format": 2, "identity": ' + '{"a":' * 5000 + "1" + "}" * 5001,
    "a list": "[]",
    "a number of 10,000 digits": '{"format": 2, "done": 1' + "0" * 10_000 + "}",
    "tables elsewhere": {"tables": {"file": "../../outside/secret", "sha256": "0" * 64}},
    "absolute tables": {"tables": {"file": "/etc/passwd", "sha256": "0" * 64}},
    "more done than there is": {"done": 10**9},
    "a shape": {"layers": [{"layer": "conv1_1", "shape": [1 << 31, 4, 4], "receptive_field": None}]},
    "no layers": {"layers": []},
    "a word for a number": {"total": "many"},
    "an unknown field": {"exec": "import os"},
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_summary_is_refused_in_one_line(what: str, scanned: Path, outside: Path, cli: Cli) -> None:
    (outside / "secret").write_text("secret")
    if isinstance(HOSTILE[what], str):
        (scanned / "scan.json").write_text(HOSTILE[what])
    else:
        change(scanned / "scan.json", **HOSTILE[what])
    before = {path: path.read_bytes() for path in scanned.iterdir()}
    with opened() as files:
        status, said = cli("run", "top_patches", "--set", "data=null", "--set", f"scan={scanned}", "-o", "r", "-q")
        assert (status, Path("r").exists()) == (2, False), said
        assert len(said.splitlines()[0]) < 300
        status, said = cli("scan", "demo", "drawings", "-o", scanned, *WORDS)
        assert status == 2, said
        assert len(said.splitlines()[0]) < 300
    assert str(outside / "secret") not in files
    assert {path: path.read_bytes() for path in scanned.iterdir()} == before


FORGED: dict[str, dict[str, Any]] = {
    "absolute": {"file": "/etc/passwd"},
    "climbing": {"file": "../../outside/secret"},
    "a number": {"file": 7},
    "an unknown field": {"exec": "import os"},
    "no file": {"file": ""},
}


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_batch_of_a_gallery_is_rendered_again(what: str, inside: Path, outside: Path, cli: Cli) -> None:
    (outside / "secret").write_text("secret")
    assert cli("gallery", "demo", "-o", "g", *PAGES)[0] == 0
    page = Path("g/data.json").read_bytes()
    for path in Path("g/batches").glob("*.json"):
        record = json.loads(path.read_text())
        record["pictures"] = [{**one, **FORGED[what]} for one in record["pictures"]]
        path.write_text(json.dumps(record))
    with opened() as files:
        assert cli("gallery", "demo", "-o", "g", *PAGES)[0] == 0
    assert str(outside / "secret") not in [str(Path(one).resolve()) for one in files]
    assert Path("g/data.json").read_bytes() == page
    for text in ("[" * 100_000, "{", '{"key": null}', "null"):
        for path in Path("g/batches").glob("*.json"):
            path.write_text(text)
        assert cli("gallery", "demo", "-o", "g", *PAGES)[0] == 0
        assert Path("g/data.json").read_bytes() == page
