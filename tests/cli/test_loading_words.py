"""What is said of a network on the command line reaches `load_model`, and no weights are read twice in a shell."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

import lucidtorch as lt
from lucidtorch.cli.loading import Loading, Workbench, open_model
from lucidtorch.cli.reading import numbers_or_file

Cli = Callable[..., Any]
RENDER = "render demo conv2_1:3 --weights random --device cpu --size 24 --steps 1 -o x.png"


def source_of(path: Path) -> Any:
    source = lt.recipes.read_recipe(path).model
    assert source is not None
    return source


def test_every_word_is_written_down(cli: Cli, tmp_path: Path) -> None:
    found = cli(*shlex.split(f"{RENDER} --channel-order bgr --mean 1,2,3 --std 4 --range 0,255 --input-size 32x48"))
    assert found.code == 0, found.err
    source = source_of(tmp_path / "x.png")
    assert (source.channel_order, source.mean, source.std) == ("bgr", (1, 2, 3), (4, 4, 4))
    assert (source.value_range, source.size) == ((0, 255), (32, 48))


def test_a_mean_image_is_a_file(cli: Cli, tmp_path: Path) -> None:
    np.save(tmp_path / "mean.npy", np.full((3, 4, 4), 0.25, dtype=np.float32))
    found = cli(*shlex.split(f"{RENDER} --mean mean.npy"))
    assert found.code == 0, found.err
    assert source_of(tmp_path / "x.png").mean == "mean.npy"


def test_a_file_that_looks_like_numbers_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert numbers_or_file("1,2", "--mean") == (1.0, 2.0)
    Path("1,2").write_bytes(b"")
    assert numbers_or_file("1,2", "--mean") == Path("1,2")
    assert numbers_or_file(None, "--mean") is None


@pytest.mark.parametrize(
    ("spec", "weights", "wanted"),
    [
        ("vgg16", "default", "random"),
        ("timm/resnet18", "default", "random"),
        ("vgg16", "mine.pth", "mine.pth"),
        ("folder/net.py:make", "default", "default"),
        ("C:\\folder\\net.py:make", "default", "default"),
        ("net.py", "default", "default"),
        ("net.pt2", "default", "default"),
        ("net.pt", "default", "default"),
    ],
)
def test_only_what_would_be_downloaded_is_left_out(spec: str, weights: str, wanted: str) -> None:
    assert Loading(spec, weights).untrained() == Loading(spec, wanted)


def test_the_network_of_a_shell_is_given_for_just_its_words(demo: lt.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    monkeypatch.setattr("lucidtorch.cli.loading.load_model", lambda spec, **words: loaded.append(words["weights"]))
    bench = Workbench(Loading("demo"), demo)
    with click.Context(click.Command("render"), obj=bench):
        assert open_model(Loading("demo")) is demo
        assert open_model(Loading("demo"), trained=False) is demo
        assert not loaded
        open_model(Loading("demo", "random"))
        open_model(Loading("digits"), trained=False)
    open_model(Loading("demo"))
    assert loaded == ["random", "random", "default"]


def test_a_size_of_a_clip_is_refused_for_images(cli: Cli) -> None:
    found = cli(*shlex.split(f"{RENDER} --size 4x24x24"))
    assert found.code == 2
    assert "demo takes images and no clips" in found.err


def test_one_side_of_a_clip_keeps_its_frames(cli: Cli, tmp_path: Path) -> None:
    code = "from torch import nn\ndef net():\n    return nn.Sequential(nn.Conv3d(3, 4, 3), nn.ReLU())\n"
    (tmp_path / "clips.py").write_text(code)
    line = "render clips.py:net 0:1 --mean 0 --input-size 6x20x20 --steps 1 --transforms identity() -o x.png"
    for size, wanted in (("12", "image([6, 12, 12])"), ("5x10x12", "image([5, 10, 12])")):
        found = cli(*line.split(), "--size", size)
        assert found.code == 0, found.err
        assert lt.recipes.read_recipe(tmp_path / "x.png").param.startswith(f"{wanted[:-1]}, batch=1, channels=3")


def test_precision_is_taken_and_checked(cli: Cli, tmp_path: Path) -> None:
    found = cli(*shlex.split(f"{RENDER} --precision bfloat16"))
    assert found.code == 0, found.err
    found = cli(*shlex.split(f"{RENDER} --precision float8"))
    assert found.code == 2
    assert "float8" in found.err
