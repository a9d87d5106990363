"""Files that are broken on purpose end with one line and exit code 2, start no program and never hang."""

from __future__ import annotations

import hashlib
import io
import json
import os
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from trust.forgery import opened, picture, record_of

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError, LucidtorchError

Cli = Callable[..., tuple[int, str]]
EPS = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n0 0 10 10 rectfill showpage\n"
LAYERS = ("--set", "model=demo", "--set", "layers=conv1_1", "--set", "size=32")


def one_line(outcome: tuple[int, str]) -> None:
    status, said = outcome
    assert status == 2, said
    assert said.startswith("lucidtorch: ")
    assert len(said.splitlines()) == 1
    assert len(said) < 400


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The programs that are started."""
    found: list[object] = []
    monkeypatch.setattr("subprocess.Popen", lambda *words, **_: found.append(words))
    monkeypatch.setattr("subprocess.check_call", lambda *words, **_: found.append(words))
    return found


def test_postscript_is_no_picture(inside: Path, cli: Cli, started: list[object]) -> None:
    (inside / "eps.png").write_text(EPS)
    one_line(cli("rerun", inside / "eps.png"))
    one_line(cli("run", "activations", *LAYERS, "--set", f"image={inside / 'eps.png'}", "-o", "o"))
    with pytest.raises(BadInputError, match="cannot be read as an image"):
        lt.parse(f"caricature('conv1_1', photo('{inside / 'eps.png'}', 16))")
    assert started == []


def test_a_picture_of_a_billion_pixels_is_refused(inside: Path, cli: Cli) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    (inside / "bomb.png").write_bytes(data)
    one_line(cli("rerun", inside / "bomb.png"))
    one_line(cli("run", "activations", *LAYERS, "--set", f"image={inside / 'bomb.png'}", "-o", "o"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_pipes_are_not_waited_for(inside: Path, cli: Cli, plain: Path) -> None:
    os.mkfifo(inside / "fifo.png")
    os.mkfifo(inside / "fifo.npy")
    os.mkfifo(inside / "fifo.txt")
    one_line(cli("rerun", inside / "fifo.png"))
    one_line(cli("run", "activations", *LAYERS, "--set", f"image={inside / 'fifo.png'}", "-o", "o"))
    one_line(cli("layers", "demo", "--labels", inside / "fifo.txt"))
    one_line(cli("scan", "demo", inside / "fifo.npy", "-o", "s"))
    for name, words in (("gallery.json", ("gallery", "demo")), ("scan.json", ("scan", "demo", "drawings"))):
        (inside / name.partition(".")[0]).mkdir()
        os.mkfifo(inside / name.partition(".")[0] / name)
        one_line(cli(*words, "-o", inside / name.partition(".")[0]))


def header(text: bytes) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.npy", b"")
    return stream.getvalue()


ARRAYS = {
    "the start of a zip": b"PK\x03\x04",
    "a zip": zipped(),
    "brackets": header(b"(" * 9000),
    "an open mapping": header(b"{'descr': '<f4', "),
    "quotes": header(b"'''"),
    "signs": header(b"-" * 9000),
    "endless": header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,)}\n"),
    "objects": header(b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}\n") + b"cos\nsystem\n(S'true'\ntR.",
    "nothing": b"",
}


@pytest.mark.parametrize("what", ARRAYS)
def test_broken_arrays_are_told_in_one_line(what: str, inside: Path, cli: Cli, plain: Path) -> None:
    path = inside / "a.npy"
    path.write_bytes(ARRAYS[what])
    checksum = hashlib.sha256(ARRAYS[what]).hexdigest()
    text = f"caricature('conv1_1', array('a.npy', sha256='{checksum}'))"
    assert cli("rerun", picture(inside / "p.png", record_of(plain, objective=text)))[0] == 2
    one_line(cli("layers", "demo", "--mean", path))
    one_line(cli("scan", "demo", path, "-o", "s"))


@pytest.mark.parametrize("text", ["[" + "9" * 5000 + "]", '{"' + "9" * 5000 + '": "a"}', "[" * 100_000, '{"a": 1e999}'])
def test_broken_labels_are_told_in_one_line(text: str, inside: Path, cli: Cli) -> None:
    (inside / "l.json").write_text(text)
    one_line(cli("layers", "demo", "--labels", inside / "l.json"))


def test_weights_in_themselves_end(inside: Path, cli: Cli) -> None:
    held: dict[str, Any] = {}
    held["model"] = held
    torch.save(held, inside / "loop.pth")
    one_line(cli("layers", "demo", "--weights", inside / "loop.pth"))


@pytest.mark.parametrize(
    "make",
    [lambda: torch.zeros(1).expand(3, 1000, 1000), lambda: torch.zeros(3).to_sparse()],
    ids=["expanded", "sparse"],
)
def test_means_that_are_no_plain_numbers_are_refused(make: Callable[[], torch.Tensor], inside: Path, cli: Cli) -> None:
    torch.save(make(), inside / "m.pt")
    one_line(cli("layers", "demo", "--mean", inside / "m.pt"))


@pytest.mark.parametrize(
    "text",
    [
        'title: "\\ud800"',
        'title: "\\U00110000"',
        "seed: 0x" + "f" * 5000,
        '"\\u001b]0;owned\\u0007\\nlucidtorch: x": 1',
    ],
)
def test_broken_letters_and_numbers_of_a_recipe(text: str, inside: Path, cli: Cli) -> None:
    path = inside / "r.yaml"
    path.write_text(f"recipe: layer_sheet\nmodel: demo\nlayers: conv1_1\nunits: '0'\nsize: 12\nsteps: 1\n{text}\n")
    outcome = cli("run", path, "-o", "o")
    one_line(outcome)
    assert "\x1b" not in outcome[1]


def test_numbers_of_the_command_line_have_bounds(cli: Cli) -> None:
    one_line(cli("gallery", "demo", "--layers", "conv1_1", "--units", "9" * 5000, "-o", "g"))
    assert cli("render", "demo", "conv1_1:3", "--constraints", "blur(1e300)", "-o", "x.png")[0] == 2
    one_line(cli("layers", "demo", "--weights", "~nobody-of-that-name/x.pth"))
    one_line(cli("layers", "~nobody-of-that-name/x.py:f"))
    one_line(cli("render", "demo", "conv1_1:3", "-o", "a" * 300 + ".png"))
    status, said = cli("render", "demo", "conv1_1:3", "--seed", "9" * 5000, "-o", "x.png")
    assert (status, max(map(len, said.splitlines())) < 300) == (2, True), said


def test_a_wide_blur_of_a_picture_is_refused(inside: Path, plain: Path, cli: Cli) -> None:
    for constraints in ("blur(1e300)", "blur(100000)"):
        assert cli("rerun", picture(inside / "p.png", record_of(plain, constraints=constraints)))[0] == 2
    said = cli("rerun", picture(inside / "p.png", record_of(plain, objective="2**2**2**2**2**2*conv1_1:3")))[1]
    assert "cannot be computed" in said


def test_keys_of_folders_lead_nowhere(inside: Path, tmp_path: Path, cli: Cli) -> None:
    words = ("gallery", "demo", "--layers", "conv1_1", "--units", "0", "--size", "12", "--steps", "1", "-q")
    for key in ("../../evil", "\0x", "\ud800", ""):
        folder = inside / f"g{len(key)}"
        folder.mkdir()
        record = {"format": "lucidtorch-gallery-folder", "version": 1, "key": key, "layers": [], "variants": []}
        (folder / "gallery.json").write_text(json.dumps(record))
        one_line(cli(*words, "-o", folder))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "inside"]


def test_lists_in_themselves_are_refused() -> None:
    held: list[object] = []
    held.append(held)
    for call in (
        lambda: lt.render("demo", held),
        lambda: lt.render("demo", "conv1_1:3", transforms=held),
        lambda: lt.load_model("demo", mean=held),
        lambda: lt.param.image(held),
        lambda: lt.objectives.direction("conv1_1", held),
        lambda: lt.render("demo", "conv1_1:3", transforms=np.array(3)),
        lambda: lt.render("demo", "conv1_1:3", constraints=torch.zeros(2, device="meta")),
    ):
        with pytest.raises(LucidtorchError):
            call()  # type: ignore[no-untyped-call]


@pytest.fixture
def hub_folder(inside: Path) -> Path:
    """A small network as `save_pretrained` writes it."""
    transformers = pytest.importorskip("transformers")
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    config = transformers.ViTConfig(**sizes, image_size=32, patch_size=16)
    transformers.ViTModel(config).save_pretrained(inside / "net")
    return inside / "net"


def test_a_folder_of_hugging_face_names_no_files_outside(
    hub_folder: Path, outside: Path, inside: Path, plain: Path, cli: Cli
) -> None:
    weights = (hub_folder / "model.safetensors").read_bytes()
    names = list(safetensors.torch.load(weights))
    (outside / "model.safetensors").write_bytes(weights)
    network = {"spec": "hf/net", "sha256": hashlib.sha256(weights).hexdigest()}
    path = picture(
        inside / "p.png", record_of(plain, model=network, objective="channel('embeddings', 1)", param="image(32)")
    )
    forged = "../../outside/model.safetensors"
    for forge in (
        lambda: (hub_folder / "model.safetensors").symlink_to(outside / "model.safetensors"),
        lambda: (hub_folder / "model.safetensors.index.json").write_text(
            json.dumps({"weight_map": dict.fromkeys(names, forged)})
        ),
    ):
        (hub_folder / "model.safetensors").unlink(missing_ok=True)
        forge()
        with opened() as files:
            status, said = cli("rerun", path, "-o", "again.png")
        assert status == 2, said
        assert str(outside / "model.safetensors") not in [str(Path(one).resolve()) for one in files]


def test_a_known_file_of_weights_opens_no_folder_around_it(
    outside: Path, inside: Path, plain: Path, weights: Path, cli: Cli
) -> None:
    lt.load_model("demo", weights=weights)  # the user has named it: its checksum is no secret
    (outside / "secret.txt").write_text("secret\n" * 51)
    checksum = hashlib.sha256(weights.read_bytes()).hexdigest()
    network = {"spec": "hf/net", "sha256": checksum, "labels": str(outside / "secret.txt")}
    path = picture(inside / "p.png", record_of(plain, model=network))
    with opened() as files:
        assert cli("rerun", path, "-o", "again.png")[0] == 2
    assert str(outside / "secret.txt") not in files


CONFIGS: dict[str, dict[str, Any]] = {
    "a class that is no network": {"architectures": ["Trainer"]},
    "no class": {"architectures": [5]},
    "labels of a list": {"id2label": [1]},
    "a size that is a text": {"hidden_size": "a"},
}


@pytest.mark.parametrize("what", CONFIGS)
def test_hostile_configurations_are_told_in_one_line(what: str, hub_folder: Path, cli: Cli) -> None:
    config = json.loads((hub_folder / "config.json").read_text())
    (hub_folder / "config.json").write_text(json.dumps({**config, **CONFIGS[what]}))
    status, said = cli("layers", f"hf/{hub_folder}", "--weights", "random")
    assert status in (0, 2), said
    assert "Traceback" not in said


def test_it_says_what_a_trusted_folder_would_need(inside: Path, plain: Path) -> None:
    path = picture(inside / "p.png", record_of(plain, model={"spec": "net.py:build"}))
    with pytest.raises(BadInputError) as caught:
        lt.recipes.rerun(path)
    assert "p.png" in str(caught.value)
    assert sys.modules.get("net") is None
