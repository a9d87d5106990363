"""Bad input ends with 2, says in a line or a few what is wrong and what instead, and nothing was computed."""

from __future__ import annotations

import os
import pickle
import re
import shlex
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import safetensors.torch
import torch
from PIL import Image
from small_networks import as_model, mixing

import lucidtorch as lt
from lucidtorch.base.images import encode_png

CLICK = tuple(map(int, metadata.version("click").split(".")[:2]))
RENDER = "render demo conv2_1:3 --weights random --device cpu --size 24 --steps 2 -o x.png"
GALLERY = "gallery demo --layers conv2_1 --weights random --device cpu --size 24 --steps 2 --workers 1 -o pages"
# The command, and what it must say. A word that is given twice counts as it was given last.
CASES: dict[str, tuple[str, str]] = {
    "model": ("render vgg61 conv1_1:0", r"'vgg61'.*Did you mean.*'vgg16'"),
    "no model": ("render '' conv1_1:0", "no network ''"),
    "model of layers": ("layers demmo", "Did you mean 'demo'"),
    "model of gallery": ("gallery demmo", "Did you mean 'demo'"),
    "layer": ("render demo conv2_l:3 --weights random", r"'conv2_l'.*Did you mean.*'conv2_1'.*lucidtorch layers demo"),
    "layer of gallery": (f"{GALLERY} --layers conv1_1,conv9", "'conv9'.*Did you mean"),
    "empty layer of gallery": (f"{GALLERY} --layers ''", "layer"),
    "channel": ("render demo conv2_1:48 --weights random", r"48 channels.*0 to 47"),
    "neuron": ("render demo \"neuron('conv2_1', 3, x=99)\" --weights random --size 48", "columns"),
    "class": ("render demo 'logit(999)' --weights random", "no class 999: it has 51, 0 to 50"),
    "label": ("render demo \"logit('strpes')\" --weights random", "'strpes'.*Did you mean 'stripes'"),
    "label of a network without": ("render lines \"logit('a')\" --weights random", "label|logits"),
    "objective": ("render demo 'conv2_1:3 + + )'", r"does not parse.*column 15"),
    "empty objective": ("render demo ''", "empty"),
    "number as objective": ("render demo 5", "'5'"),
    "code as objective": ("render demo \"__import__('os').mkdir('proof')\"", r"\^"),
    "word as objective": ("render demo \"chanel('conv2_1', 3)\"", "no 'chanel'.*Did you mean 'channel'"),
    "size 0": (f"{RENDER} --size 0", "0 x 0"),
    "size text": (f"{RENDER} --size large", "96x128.*'large'"),
    "size in three": (f"{RENDER} --size 1x2x3", "'1x2x3'"),
    "too small": ("render demo conv4_2:0 --weights random --size 8 --transforms 'identity()'", "8 x 8.*larger size"),
    "too small in gallery": (f"{GALLERY} --layers logits --size 8 --transforms 'identity()'", "8 x 8.*larger size"),
    "size twice": (f"{RENDER} --param 'image(24)'", "--size"),
    "steps 0": (f"{RENDER} --steps 0", "whole number from 1.*0"),
    "steps -1": (f"{RENDER} --steps -1", "-1"),
    "steps text": (f"{RENDER} --steps many", "many"),
    "steps 0 of gallery": (f"{GALLERY} --steps 0", "whole number from 1.*0"),
    "batch 0": (f"{RENDER} --batch 0", "batch.*0"),
    "batch 0 of gallery": (f"{GALLERY} --batch 0", "batch.*0"),
    "compute batch 0": (f"{RENDER} --compute-batch 0", "compute_batch.*0|--compute-batch.*0"),
    "compute batch text": (f"{RENDER} --compute-batch few", "--compute-batch.*few"),
    "compute batch 0 of gallery": (f"{GALLERY} --compute-batch 0", "compute_batch.*0|--compute-batch.*0"),
    "batch that does not fit": ("render demo conv2_1:[1,2] --weights random --size 24 --batch 3", "batch=2"),
    "lr 0": (f"{RENDER} --lr 0", "lr.*0"),
    "lr nan": (f"{RENDER} --lr nan", "lr.*nan"),
    "seed": (f"{RENDER} --seed -1", "seed.*-1"),
    "seed of gallery": (f"{GALLERY} --seed -1", "seed.*-1"),
    "param": ("render demo conv2_1:3 --weights random --param 'pixels(3)'", "pixels"),
    "empty param": ("render demo conv2_1:3 --weights random --param ''", "empty"),
    "transforms": (f"{RENDER} --transforms 'pad(12) | blur(3)'", r"blur.*\^"),
    "snapshots text": (f"{RENDER} --snapshots 1,x", "--snapshots.*'1,x'"),
    "snapshot beyond the steps": (f"{RENDER} --snapshots 1,9", "9"),
    "snapshot 0": (f"{RENDER} --snapshots 0", "0"),
    "no snapshots": (f"{RENDER} --snapshots ''", "--snapshots"),
    "movie without snapshots": (f"{RENDER} -o x.gif", "snapshots"),
    "film without snapshots": (f"{RENDER} -o x.mp4", "snapshots"),
    "mean text": (f"{RENDER} --mean grey", "--mean.*'grey'"),
    "mean of two": (f"{RENDER} --mean 0.5,0.5", "2 numbers for 3 channels"),
    "mean nan": (f"{RENDER} --mean nan,0,0", "nan"),
    "std 0": (f"{RENDER} --std 0,1,1", "above 0"),
    "range": (f"{RENDER} --range 1,0", "lo below hi"),
    "range of three": (f"{RENDER} --range 0,1,2", "lo, hi"),
    "labels": (f"{RENDER} --labels none.txt", "none.txt"),
    "labels that are no text": (f"{RENDER} --labels photo.jpg", "photo.jpg"),
    "device": (f"{RENDER} --device abacus", "'abacus'.*cpu"),
    "device without numbers": (f"{RENDER} --device meta", "'meta'.*cpu"),
    "device without a library": (f"{RENDER} --device privateuseone", "'privateuseone'.*cpu"),
    "device that is not here": (f"{RENDER} --device cuda:77", "'cuda:77'.*cpu"),
    "weights that are not there": (f"{RENDER} --weights none.safetensors", "no weights file none.safetensors"),
    "weights by a word": (f"{RENDER} --weights best", "'best'.*default.*random.*safetensors"),
    "weights that are a folder": (f"{RENDER} --weights folder.pth", "folder.pth"),
    "corrupt weights": (f"{RENDER} --weights corrupt.safetensors", "corrupt.safetensors is broken"),
    "corrupt pickle": (f"{RENDER} --weights corrupt.pth", "corrupt.pth is broken"),
    "cut pickle": (f"{RENDER} --weights cut.pth", "cut.pth is broken"),
    "pickle with code": (f"{RENDER} --weights code.pth", "code.pth.*mkdir.*not opened"),
    "weights of another network": (
        f"{RENDER} --weights other.safetensors",
        "another network than demo; missing in the file: conv1_1.weight.* and [0-9]+ more; unknown.*0.weight",
    ),
    "network without weights": ("render inceptionv1 mixed4a:8", "--weights FILE"),
    "output without an ending": (f"{RENDER} -o x", r"\.png"),
    "output of another kind": (f"{RENDER} -o x.jpg", r"'x.jpg'.*x\.png"),
    "output that is a folder": (f"{RENDER} -o folder.png", "is a folder"),
    "output under a file": (f"{RENDER} -o file/x.png", "Cannot write into"),
    "output where nobody writes": (f"{RENDER} -o /proc/x.png", "Cannot write into /proc"),
    "gallery in a file": (f"{GALLERY} -o file", "file is a file"),
    "gallery under a file": (f"{GALLERY} -o file/pages", "Cannot write into"),
    "gallery where nobody writes": (f"{GALLERY} -o /proc/pages", "Cannot write into /proc/pages"),
    "demo in a file": ("demo -o file", "file is a file"),
    "units": (f"{GALLERY} --units some", "0-63.*'some'"),
    "units that are not there": (f"{GALLERY} --units 48-50", "48 channels"),
    "no units": (f"{GALLERY} --units ''", "0-63"),
    "variants": (f"{GALLERY} --variants channel,mirror", "channel, negative, diversity.*'mirror'"),
    "workers": (f"{GALLERY} --workers 0", "workers.*0"),
    "rerun of nothing": ("rerun none.png", "no file none.png"),
    "rerun of a picture without a recipe": ("rerun plain.png", "plain.png carries no recipe"),
    "rerun of a photograph": ("rerun photo.jpg", "photo.jpg carries no recipe"),
    "rerun of a text": ("rerun file", "file is not a PNG"),
    "rerun a folder": ("rerun .", "PNG"),
    "rerun of no name": ("rerun ''", "PNG"),
    "rerun of a broken recipe": ("rerun broken.png", "broken.png is broken"),
    "rerun of a recipe from the future": ("rerun future.png", "future.png.*'kind'"),
    "rerun of a module of one's own": ("rerun own.png", r"Sequential.*rerun\(path, model=...\)"),
    "rerun into a name without an ending": ("rerun good.png -o again", r"\.png"),
    "rerun into another kind": ("rerun good.png -o again.txt", r"'again.txt'.*again\.png"),
    "rerun into a movie without snapshots": ("rerun good.png -o again.gif", "snapshots"),
    "rerun under a file": ("rerun good.png -o file/again.png", "Cannot write into"),
}


class Runs:
    """A pickle that makes a folder when it is opened."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, ("proof",))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Files that commands are given."""
    folder = tmp_path_factory.mktemp("files")
    settings: dict[str, Any] = {"param": lt.param.image(16), "steps": 1, "progress": False}
    torch.save(mixing().state_dict(), folder / "cut.pth")
    safetensors.torch.save_file(mixing().state_dict(), folder / "other.safetensors")
    Image.new("RGB", (8, 8)).save(folder / "photo.jpg")
    lt.render(as_model(mixing()), "4:1", **settings).save(folder / "own.png")
    model = lt.load_model("demo", weights="random", device="cpu")
    lt.render(model, "conv1_1:1", **settings).save(folder / "good.png")
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    grey = torch.full((3, 4, 4), 0.5)
    return whole | {
        "file": b"a text",
        "cut.pth": whole["cut.pth"][:500],
        "corrupt.safetensors": bytes(range(256)) * 8,
        "corrupt.pth": bytes(range(256)) * 8,
        "code.pth": pickle.dumps({"conv1_1.weight": Runs()}, protocol=2),
        "plain.png": encode_png(grey),
        "broken.png": encode_png(grey, "{'kind'"),
        "future.png": encode_png(grey, '{"kind": "caricature"}'),
    }


@pytest.mark.usefixtures("no_steps")
@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_before_any_step(
    case: str, cli: Callable[..., Any], files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    for name in ("folder.png", "folder.pth"):
        (tmp_path / name).mkdir()
    command, words = CASES[case]
    found = cli(*shlex.split(command))
    assert (found.code, found.out) == (2, "")
    assert re.search(words, found.err, re.DOTALL), found.err
    assert len(found.err.splitlines()) <= 4, found.err
    assert "Traceback" not in found.err
    assert found.err.startswith(("lucidtorch: ", "Usage: "))
    for name, data in files.items():
        assert (tmp_path / name).read_bytes() == data
    new = {path.name for path in tmp_path.rglob("*") if path.is_file()} - set(files)
    assert not new
    assert not (tmp_path / "proof").exists()


def test_the_caret_stands_under_the_column(cli: Callable[..., Any]) -> None:
    text = "conv2_1:3 - 0.5 * chanel('conv2_1', 3)"
    found = cli("render", "demo", text)
    lines = found.err.splitlines()
    assert lines[-2].strip() == text
    assert lines[-1].index("^") - lines[-2].index(text) == text.index("chanel")


@pytest.mark.usefixtures("no_steps")
def test_a_network_of_torchvision_that_cannot_take_so_small_an_image(cli: Callable[..., Any]) -> None:
    words = ("render", "alexnet", "logit(0)", "--weights", "random", "--size", "8", "--transforms", "identity()")
    found = cli(*words)
    assert found.code == 2
    assert re.search(r"alexnet.*8 x 8.*224 x 224", found.err)


@pytest.mark.usefixtures("no_steps")
@pytest.mark.parametrize("command", ["render resnet18 layer1.0.conv1:0", "gallery resnet18 --layers layer1.0.conv1"])
def test_without_a_network_connection_it_says_what_to_do(
    command: str, cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*facts: object, **more: object) -> None:
        raise URLError("Name or service not known")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    monkeypatch.setattr("urllib.request.urlopen", refuse)
    found = cli(*command.split())
    assert found.code == 2
    assert re.search(r"resnet18.*Name or service not known.*weights.*random.*https://.*cache", found.err)
    assert len(found.err.splitlines()) == 1
    assert not list((tmp_path / "cache").rglob("*.pth"))


def test_layers_downloads_nothing(cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*facts: object, **more: object) -> None:
        raise AssertionError("a download began")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    monkeypatch.setattr("urllib.request.urlopen", refuse)
    found = cli("layers", "resnet18")
    assert found.code == 0
    assert "layer1.0.conv1" in found.out


USAGE = {
    "unknown command": (["rendr"], "rendr"),
    "no model": (["layers"], "MODEL"),
    "no objective": (["render", "demo"], "OBJECTIVE"),
    "no picture": (["rerun"], "PICTURE"),
    "too many words": (["layers", "demo", "demo"], "demo"),
    "unknown option": (["layers", "demo", "--color"], "--color"),
    "option without a value": (["layers", "demo", "--weights"], "--weights"),
}


@pytest.mark.parametrize("case", USAGE)
def test_words_that_are_no_command_show_how_it_is_used(case: str, cli: Callable[..., Any]) -> None:
    words, said = USAGE[case]
    found = cli(*words)
    assert (found.code, found.out) == (2, "")
    assert said in found.err
    assert re.search(r"^(Usage: lucidtorch|Error: )", found.err, re.MULTILINE)
    assert "Traceback" not in found.err


def test_without_a_command_the_help_is_shown(cli: Callable[..., Any]) -> None:
    found = cli()
    assert (found.code, found.out if found.code else found.err) == (2 if CLICK >= (8, 2) else 0, "")
    assert re.search(r"^Usage: lucidtorch.*^Commands:", found.out + found.err, re.MULTILINE | re.DOTALL)
