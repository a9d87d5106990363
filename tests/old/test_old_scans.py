"""Scans and galleries of version 0.1.0: they open, go on, and are read by what is made today."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from old_files import FINE_SHARE, OLD, check_values, command, files

import lucidtorch as lt
from lucidtorch.datasets import Scan, lines, load_scan, scan
from lucidtorch.scanning.answers import right_answers

CALLS: dict[str, dict[str, Any]] = json.loads((OLD / "calls.json").read_text(encoding="utf-8"))
IMAGES = np.load(OLD / "scans" / "images.npy")

pytestmark = pytest.mark.filterwarnings("ignore")  # other versions may have computed here


@pytest.fixture(scope="module")
def digits_today(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    return scan_digits(tmp_path_factory.mktemp("digits"))


def scan_digits(folder: Path, report: Any = None) -> Scan:
    return scan(loaded("digits"), IMAGES, folder, report=report, **CALLS["digits"])


def scan_lines(folder: Path, report: Any = None) -> Scan:
    network, data = loaded("lines"), lines("test", length=24, head="colour")
    answers = right_answers(network, data.classes)
    return scan(network, data, folder, answers=answers, report=report, **CALLS["lines"])


def loaded(name: str) -> lt.Model:
    return lt.load_model(name, device="cpu")


def test_a_finished_scan_opens_and_says_what_a_new_one_says(digits_today: Scan) -> None:
    check_same_scan(load_scan(OLD / "scans" / "digits"), digits_today)


def test_a_scan_of_named_data_opens_with_its_images(tmp_path: Path) -> None:
    old = load_scan(OLD / "scans" / "lines")
    check_same_scan(old, scan_lines(tmp_path / "today"))
    assert old.classes[:2] == ("red", "yellow")
    assert old.accuracy(0) == 1
    source = old.open()
    assert source.read(old["colour"].top(0)[0].image).pixels.shape == (3, 64, 64)  # type: ignore[union-attr]


@pytest.mark.parametrize(("name", "again"), [("digits", scan_digits), ("lines", scan_lines)])
def test_a_finished_scan_is_not_made_again(name: str, again: Any, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(OLD / "scans" / name, tmp_path / "scan"))
    found = again(folder, report=lambda done, total: pytest.fail("worked"))
    assert found.done == found.images
    (folder / "provenance.json").unlink()  # which that version did not write
    assert contents(folder) == contents(OLD / "scans" / name)


def test_an_interrupted_scan_goes_on_where_it_was_stopped(digits_today: Scan, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(OLD / "scans" / "interrupted", tmp_path / "scan"))
    assert (load_scan(folder).done, load_scan(folder).images) == (16, 32)
    seen: list[int] = []
    scan_digits(folder, report=lambda done, total: seen.append(done))
    assert seen == [20, 24, 28, 32]
    check_same_scan(load_scan(folder), digits_today)


def test_a_recipe_reads_an_old_scan(tmp_path: Path) -> None:
    words = {"model": "lines", "data": "null", "scan": OLD / "scans" / "lines", "layers": "[trunk.conv2, colour]"}
    words |= {"units": "0-1", "top": 2}
    said = [word for name, value in words.items() for word in ("--set", f"{name}={value}")]
    command("run", "top_patches", *said, "-q", "-o", tmp_path / "run")
    found = json.loads((tmp_path / "run" / "data.json").read_text(encoding="utf-8"))
    best = load_scan(OLD / "scans" / "lines")["colour"].top(0)[0]
    assert found["facts"]["layers"]["colour"]["units"]["0"]["maximum"] == pytest.approx(best.value)


def test_a_finished_gallery_is_finished_again(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(OLD / "galleries" / "lines", tmp_path / "gallery"))
    made = lt.gallery(loaded("lines"), folder, scan=OLD / "scans" / "lines", **CALLS["gallery of lines"])
    assert (made.units, made.interrupted) == (8, False)
    check_gallery(folder, {"trunk.conv2": 2, "length": 2}, 2)
    check_real_images(OLD / "galleries" / "lines", folder)


@pytest.mark.parametrize("killed", [False, True])
def test_an_interrupted_gallery_goes_on(killed: bool, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(OLD / "galleries" / "interrupted", tmp_path / "gallery"))
    if killed:  # before any page was written
        for name in ("assets", "layers"):
            shutil.rmtree(folder / name)
        for name in ("index.html", "data.json"):
            (folder / name).unlink()
    seen = {"scan": OLD / "scans" / "digits", "data": IMAGES}
    made = lt.gallery(loaded("digits"), folder, **seen, **CALLS["gallery of digits"])
    assert (made.units, made.interrupted) == (16, False)
    check_gallery(folder, {"conv2": 4, "logits": 4}, 2)
    check_real_images(OLD / "galleries" / "interrupted", folder)


def check_gallery(folder: Path, units: dict[str, int], variants: int) -> None:
    """Refuse a gallery that lacks a unit, its pictures, or its page."""
    found = document(folder)
    assert {one["address"]: len(one["units"]) for one in found["layers"]} == units
    index = (folder / "index.html").read_text(encoding="utf-8")
    pages = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.html"))
    for layer in found["layers"]:
        assert layer["address"] in index
        for unit in layer["units"]:
            assert len(unit["pictures"]) == variants
            for picture in unit["pictures"]:
                assert (folder / picture["file"]).is_file()
                assert picture["file"] in pages


def check_real_images(old: Path, new: Path) -> None:
    """Refuse a gallery that sets other images or numbers of the data beside a picture than the old one did."""
    now = {one["file"]: one["beside"] for one in pictures(new)}
    for one in pictures(old):
        known, again = one["beside"], now[one["file"]]
        assert (again["layer"], again["unit"], again["down"]) == (known["layer"], known["unit"], known["down"])
        assert [image["image"] for image in again["images"]] == [image["image"] for image in known["images"]]
        check_values(known["best"], again["best"], one["file"], FINE_SHARE)
        assert (new / again["file"]).is_file()


def check_same_scan(old: Scan, new: Scan) -> None:
    """Refuse a scan that differs from the old one by more than rounding."""
    assert (old.done, old.images, old.classes, list(old.layers)) == (
        new.done,
        new.images,
        new.classes,
        list(new.layers),
    )
    assert old.class_counts.tolist() == new.class_counts.tolist()
    assert old.right.tolist() == new.right.tolist()
    for layer, before in old.layers.items():
        now = new[layer]
        for word in ("mean", "variance", "low", "high"):
            check_values(getattr(before.moments, word), getattr(now.moments, word), f"{layer} {word}", FINE_SHARE)
        check_values(before.sample.values, now.sample.values, f"{layer} sample", FINE_SHARE)
        for word in ("images", "rows", "columns"):
            assert getattr(before.sample, word).tolist() == getattr(now.sample, word).tolist()
        for unit in range(before.units):
            for ends in ("top", "bottom"):
                was, found = getattr(before, ends)(unit), getattr(now, ends)(unit)
                values = [[one.value for one in row] for row in (was, found)]
                check_values(*values, f"{layer} {unit} {ends}", FINE_SHARE)
                assert [one.image for one in was] == [one.image for one in found]
            middle = float(before.moments.mean[unit])
            assert abs(before.percentile(unit, middle) - now.percentile(unit, middle)) <= 1


def pictures(folder: Path) -> list[dict[str, Any]]:
    return [one for layer in document(folder)["layers"] for unit in layer["units"] for one in unit["pictures"]]


def document(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    return found


def contents(folder: Path) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in files(folder).items()}
