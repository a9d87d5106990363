"""Every bad input has an error of its own, before any step: the network runs for the dry run and the probe at most."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from small_networks import Counter, as_model, mixing
from torch import nn

import lucidtorch as lt
from lucidtorch.base.errors import (
    BadInputError,
    DownloadError,
    ExpressionError,
    ImageError,
    OutputError,
    RecipeError,
    SizeError,
    UnitError,
    UnknownLabelError,
    UnknownLayerError,
    UnknownModelError,
    WeightsError,
)
from lucidtorch.base.files import check_output_file, check_output_folder
from lucidtorch.base.images import encode_png, read_png_text
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model
from lucidtorch.objectives import channel, direction, logit
from lucidtorch.transforms import identity, jitter

Case = tuple[dict[str, Any], type[BadInputError], str]
IMAGE = lt.param.image
BAD: dict[str, Case] = {
    "unknown layer": ({"objective": "conv9_9:1"}, UnknownLayerError, "no layer 'conv9_9'.*Did you mean"),
    "misspelt layer": ({"objective": "conv1_l:1"}, UnknownLayerError, "'conv1_1'"),
    "channel": ({"objective": "conv1_1:9999"}, UnitError, "has [0-9]+ channels"),
    "negative channel": ({"objective": channel("conv1_1", -1)}, UnitError, "has [0-9]+ channels"),
    "one of several channels": ({"objective": "conv1_1:[0, 9999]"}, UnitError, "has [0-9]+ channels"),
    "channel that is no number": ({"objective": "channel('conv1_1', 'a')"}, ExpressionError, "'a'"),
    "channel that is no whole number": ({"objective": "channel('conv1_1', 1.5)"}, ExpressionError, "1.5"),
    "no channels": ({"objective": channel("conv1_1", [])}, BadInputError, "conv1_1|channel"),
    "position": ({"objective": "neuron('conv1_1', 0, x=999)"}, UnitError, "columns"),
    "direction": ({"objective": direction("conv1_1", [1, 2])}, UnitError, "channels"),
    "label": ({"objective": "logit('no such class')"}, UnknownLabelError, "no such class"),
    "class": ({"objective": "logit(9999)"}, UnitError, "9999"),
    "no class": ({"objective": "logit(-1)"}, UnitError, "-1"),
    "text": ({"objective": "conv1_1:1 + + )"}, ExpressionError, r"\^"),
    "empty text": ({"objective": ""}, ExpressionError, "empty"),
    "number": ({"objective": "5"}, ExpressionError, "5"),
    "no objective": ({"objective": 5}, BadInputError, r"\(objective\) takes an objective or a text, but 5"),
    "contradiction": ({"objective": "each(conv1_1:0, conv1_1:1) + conv1_1:[0, 1, 2]"}, BadInputError, "2|3"),
    "batch": ({"objective": "each(conv1_1:0, conv1_1:1)", "param": IMAGE(32, batch=3)}, BadInputError, "batch=2"),
    "image that is not there": ({"objective": "conv1_1:0.on(4)", "param": IMAGE(32, batch=3)}, BadInputError, "5|4"),
    "size 0": ({"param": "image(0)"}, ExpressionError, "0 x 0"),
    "negative size": ({"param": "image((32, -1))"}, ExpressionError, "32 x -1"),
    "too small": ({"objective": logit(0), "param": IMAGE(8), "transforms": identity()}, SizeError, "8 ?x ?8"),
    "steps 0": ({"steps": 0}, BadInputError, "steps"),
    "steps -1": ({"steps": -1}, BadInputError, "steps"),
    "steps 1.5": ({"steps": 1.5}, BadInputError, "steps"),
    "lr 0": ({"lr": 0}, BadInputError, "lr"),
    "lr nan": ({"lr": float("nan")}, BadInputError, "lr"),
    "lr text": ({"lr": "fast"}, BadInputError, "lr"),
    "snapshot": ({"snapshots": [9]}, BadInputError, "9"),
    "snapshot 0": ({"snapshots": [0]}, BadInputError, "0"),
    "snapshots that are no list": ({"snapshots": 1}, BadInputError, "1"),
    "optimizer": ({"optimizer": "adamw"}, BadInputError, "adamw"),
    "optimizer that is no text": ({"optimizer": []}, BadInputError, r"\(optimizer=\) takes a text, but \[\] was"),
    "seed": ({"seed": -1}, BadInputError, "-1"),
    "seed 1.5": ({"seed": 1.5}, BadInputError, "1.5"),
    "seed True": ({"seed": True}, BadInputError, "True"),
    "no seed": ({"seed": None}, BadInputError, "None"),
    "seeds": ({"seed": [1, 2, 3]}, BadInputError, "3 seeds"),
    "param": ({"param": 5}, BadInputError, "5"),
    "param text": ({"param": "pixels(3)"}, ExpressionError, "pixels"),
    "channels of the image": ({"param": IMAGE(32, channels=1)}, ImageError, "channels=3"),
    "transforms": ({"transforms": 5}, BadInputError, "5"),
    "transforms text": ({"transforms": "pad(12) | blur(3)"}, ExpressionError, "blur"),
    "transform": ({"transforms": "pad(-1)"}, ExpressionError, "pad"),
    "list of transforms": ({"transforms": [jitter(4), "pad(3)"]}, BadInputError, "pad"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_before_any_step(case: str, demo: Model, fingerprint: Callable[[nn.Module], Any]) -> None:
    change, kind, words = BAD[case]
    settings = {"objective": "conv1_1:0", "param": IMAGE(32), "steps": 2, "progress": False} | change
    before = fingerprint(demo.module)
    steps: list[int] = []
    with Counter(demo.module) as counter, pytest.raises(kind, match=words) as caught:
        lt.render(demo, settings.pop("objective"), callbacks=[lambda step: steps.append(1)], **settings)
    assert isinstance(caught.value, lt.LucidtorchError)
    assert steps == []
    assert counter.calls.get("", 0) <= 2
    assert not counter.learning
    assert fingerprint(demo.module) == before


@pytest.mark.parametrize("case", BAD)
def test_the_iterator_refuses_the_same_before_it_is_given(case: str, demo: Model) -> None:
    change, kind, words = BAD[case]
    settings = {"objective": "conv1_1:0", "param": IMAGE(32), "steps": 2} | change
    if "snapshots" in settings:
        return
    with pytest.raises(kind, match=words):
        lt.optimize(demo, settings.pop("objective"), **settings)


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(UnknownModelError, match=r"Did you mean.*'vgg16'"):
        lt.render("vgg61", "conv1_1:0", steps=1)
    for model in (5, None):
        with pytest.raises(BadInputError, match=rf"render\(model\) takes .* but {model} was given"):
            lt.render(model, "conv1_1:0", steps=1)  # type: ignore[arg-type]


def test_a_network_of_fixed_size_says_what_it_takes() -> None:
    with torch.random.fork_rng(devices=[]):
        module = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1), nn.Flatten(), nn.Linear(2 * 24 * 24, 3))
    model = as_model(module, size=24)
    with pytest.raises(SizeError, match=r"24 ?x ?24"):
        lt.render(model, "2:0", param=IMAGE(32), transforms=identity(), steps=1, progress=False)
    found = lt.render(model, "2:0", param=IMAGE(32), steps=1, progress=False)  # the default brings it to size
    assert found.recipe["canvas"] == [24, 24]
    assert found.recipe["transforms"].endswith("crop_or_pad_to(24, 24, odd_cut='end')")
    shallow = lt.render(model, "0:0", param=IMAGE(32), transforms=identity(), steps=1, progress=False)
    assert shallow.recipe["canvas"] == [32, 32]


class Runs:
    """A pickle that runs code when it is opened."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.proof),))


@pytest.mark.parametrize("kind", ["missing", "corrupt", "cut", "pickle", "other", "text"])
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_bad_weights_files_are_refused(kind: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"weights{suffix}"
    if kind == "corrupt":
        path.write_bytes(bytes(range(256)) * 8)
    elif kind == "text":
        path.write_text("hello")
    elif kind == "pickle":
        path.write_bytes(pickle.dumps({"weight": Runs(tmp_path / "proof")}, protocol=2))
    elif kind in ("cut", "other"):
        state = mixing().state_dict()
        if suffix == ".pth":
            torch.save(state, path)
        else:
            safetensors.torch.save_file(state, path)
        if kind == "cut":
            path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(WeightsError, match=path.name):
        load_model("demo", weights=path)
    assert not (tmp_path / "proof").exists()


def test_weights_of_another_architecture_name_the_keys_that_differ(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    safetensors.torch.save_file({"conv1_1.weight": torch.zeros(2, 2), "extra.bias": torch.zeros(3)}, path)
    with pytest.raises(WeightsError) as caught:
        load_model("demo", weights=path)
    assert "extra.bias" in str(caught.value)
    assert "conv1_1.bias" in str(caught.value)


def test_weights_that_cannot_be_downloaded_say_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*args: object, **kwargs: object) -> object:
        raise OSError("no network")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.load_state_dict_from_url", refuse)
    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", refuse)
    with pytest.raises(DownloadError, match="weights"):
        load_model("resnet18")


def test_output_places_are_tried(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    for path in (tmp_path / "file", tmp_path / "file" / "inside"):
        with pytest.raises(OutputError):
            check_output_folder(path)
    for path in (tmp_path, tmp_path / "file" / "x.png"):
        with pytest.raises(OutputError):
            check_output_file(path)
    assert (tmp_path / "file").read_text() == "kept"


def test_a_png_without_a_recipe_is_refused(tmp_path: Path) -> None:
    plain = tmp_path / "plain.png"
    plain.write_bytes(encode_png(torch.rand(3, 4, 4)))
    other = tmp_path / "other.png"
    other.write_bytes(b"no picture")
    for path in (plain, other, tmp_path / "missing.png", tmp_path):
        with pytest.raises(RecipeError):
            read_png_text(path)
