"""What a gallery holds: pictures that do not depend on their company, and the truth about dead units."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from small_networks import Counter, Threshold, as_model
from torch import nn

import lucidtorch as lt
from lucidtorch.base.errors import (
    BadInputError,
    LucidtorchWarning,
    OutputError,
    UnitError,
    UnknownLayerError,
    UnknownModelError,
)
from lucidtorch.base.images import read_png_text
from lucidtorch.models.model import Model

VARIANTS = ("channel", "negative", "diversity")
SETTINGS: dict[str, Any] = {"layers": ["conv2_1"], "units": "0-4", "batch": 3, "steps": 2}


def made(model: Any, folder: Path, **changes: Any) -> dict[str, Any]:
    """Makes a gallery and gives its data."""
    lt.gallery(model, folder, **({"param": lt.param.image(24)} | SETTINGS | changes))
    data: dict[str, Any] = json.loads((folder / "data.json").read_text())
    return data


def shown(data: dict[str, Any]) -> dict[tuple[str, int, str], dict[str, Any]]:
    """Every picture's entry by layer, unit and variant."""
    return {
        (layer["address"], unit["index"], picture["variant"]): picture
        for layer in data["layers"]
        for unit in layer["units"]
        for picture in unit["pictures"]
    }


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image).copy()


def test_a_picture_does_not_depend_on_the_other_units(demo: Model, tmp_path: Path) -> None:
    """Other units, other layers, another place in the batch, a padded batch: the same pixels."""
    every = shown(made(demo, tmp_path / "every", layers=["conv1_1", "conv2_1"], units="0-4,8", variants=VARIANTS))
    some = shown(made(demo, tmp_path / "some", units=[1, 3, 4, 8], variants=["diversity", "negative", "channel"]))
    one = shown(made(demo, tmp_path / "one", units="8", variants=VARIANTS))
    assert len(some) == 4 * 3
    for folder, found in (("some", some), ("one", one)):
        for key, picture in found.items():
            other = every[key]
            assert np.array_equal(
                pixels(tmp_path / folder / picture["file"]), pixels(tmp_path / "every" / other["file"])
            )
            for name in ("file", "objective", "seed", "score", "curve", "dead"):
                assert picture[name] == other[name], (key, name)


def test_units_and_variants_have_pictures_that_differ(demo: Model, tmp_path: Path) -> None:
    found = shown(made(demo, tmp_path, variants=VARIANTS))
    several = [pixels(tmp_path / picture["file"]).tobytes() for picture in found.values()]
    assert len(set(several)) == 5 * 3
    sizes = {variant: pixels(tmp_path / found["conv2_1", 0, variant]["file"]).shape for variant in VARIANTS}
    assert sizes == {"channel": (24, 24, 3), "negative": (24, 24, 3), "diversity": (50, 50, 3)}


def test_a_tile_is_what_render_makes_of_its_batch(demo: Model, tmp_path: Path) -> None:
    found = shown(made(demo, tmp_path, units="0-2"))
    seeds = [found["conv2_1", unit, "channel"]["seed"] for unit in range(3)]
    param = lt.param.image(24, batch=3)
    rendering = lt.render(demo, "conv2_1:[0, 1, 2]", param=param, steps=2, seed=seeds, progress=False)
    for unit in range(3):
        picture = found["conv2_1", unit, "channel"]
        tile = torch.from_numpy(pixels(tmp_path / picture["file"])).permute(2, 0, 1)
        assert torch.equal(tile, (rendering.images[unit].double() * 255).round().to(torch.uint8))
        assert picture["objective"] == f"channel('conv2_1', {unit})"
        assert picture["score"] == pytest.approx(float(rendering.values[unit]), rel=1e-4)
        assert picture["curve"] == pytest.approx(rendering.history["objective"][unit].tolist(), rel=1e-4)
        assert picture["dead"] is False


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_tile_makes_itself_again(demo: Model, tmp_path: Path, variant: str) -> None:
    found = shown(made(demo, tmp_path, layers=["relu1_2"], units="0-3", variants=[variant], transforms="jitter(2)"))
    for number, picture in enumerate(found.values()):
        tile = tmp_path / picture["file"]
        lt.recipes.rerun(tile, tmp_path / f"{number}.png")
        assert (tmp_path / f"{number}.png").read_bytes() == tile.read_bytes()
        assert picture["recipe"] == read_png_text(tile)


def test_a_negative_says_that_it_was_taken_before_the_relu(demo: Model, tmp_path: Path) -> None:
    found = shown(made(demo, tmp_path, layers=["relu1_2"], units="0", variants=["channel", "negative"]))
    negative, plain = found["relu1_2", 0, "negative"], found["relu1_2", 0, "channel"]
    assert "conv1_2" in negative["note"]
    assert negative["objective"] == "-channel('conv1_2', 0)"
    assert plain["note"] == ""
    assert negative["note"] in (tmp_path / "layers" / "relu1_2" / "unit-0.html").read_text()


def test_dead_units_are_marked_in_the_data_on_the_pages_and_in_the_picture(tmp_path: Path) -> None:
    """Unit 1 is ReLU(the sum of three colours - 9): nothing wakes it."""
    model = as_model(Threshold(0.5, 9.0, 1.0))
    found = lt.gallery(model, tmp_path, layers=["after"], param=lt.param.image(16), steps=20, batch=2)
    assert (found.units, found.dead) == (3, 1)
    data = shown(json.loads((tmp_path / "data.json").read_text()))
    assert [data["after", unit, "channel"]["dead"] for unit in range(3)] == [False, True, False]
    assert data["after", 1, "channel"]["score"] == 0
    pages = {unit: (tmp_path / "layers" / "after" / f"unit-{unit}.html").read_text() for unit in range(3)}
    assert ["<strong>Dead.</strong>" in pages[unit] for unit in range(3)] == [False, True, False]
    assert ['<article class="variant dead">' in pages[unit] for unit in range(3)] == [False, True, False]
    layer = (tmp_path / "layers" / "after" / "index.html").read_text()
    assert layer.count('<a class="tile dead"') == 1
    assert "1 dead" in layer
    assert len(np.unique(pixels(tmp_path / data["after", 1, "channel"]["file"]))) == 2
    assert len(np.unique(pixels(tmp_path / data["after", 0, "channel"]["file"]))) > 9


def test_the_data_tells_the_layers_in_the_order_of_the_network(demo: Model, tmp_path: Path) -> None:
    data = made(demo, tmp_path, layers=["logits", "conv1_1"], units="0-1", variants=["diversity", "channel"])
    assert [layer["address"] for layer in data["layers"]] == ["conv1_1", "logits"]
    first, last = data["layers"]
    record = demo.layers["conv1_1"]
    assert (first["kind"], first["shape"]) == (record.kind, list(record.shape or ()))
    assert str(record.receptive_field) == first["receptive_field"]
    assert [unit["label"] for unit in first["units"]] == [None, None]
    assert [unit["label"] for unit in last["units"]] == (demo.labels or [])[:2]
    assert [picture["variant"] for picture in first["units"][0]["pictures"]] == ["diversity", "channel"]
    summary = data["summary"]
    assert summary["steps"] == "2"
    assert summary["param"] == "image(24)"
    assert summary["picture"] == "24 x 24 pixels"
    assert "torch" in summary["versions"]


@pytest.mark.parametrize("layer", ["logits", "fc"])
def test_the_last_layer_shows_class_names_by_any_name(resnet18: Model, tmp_path: Path, layer: str) -> None:
    data = made(resnet18, tmp_path, layers=[layer, "layer1.0.conv1"], units="0-1", batch=2, steps=1)
    labels = {one["address"]: [unit["label"] for unit in one["units"]] for one in data["layers"]}
    assert labels == {layer: ["tench", "goldfish"], "layer1.0.conv1": [None, None]}


def test_a_long_curve_is_thinned_and_ends_where_the_picture_does(demo: Model, tmp_path: Path) -> None:
    picture = shown(made(demo, tmp_path, layers=["conv1_1"], units="0", batch=1, steps=150))["conv1_1", 0, "channel"]
    assert 32 <= len(picture["curve"]) <= 64
    assert picture["steps"] == 150
    assert picture["score"] > picture["curve"][0]


def test_neither_time_nor_place_is_in_a_gallery(demo: Model, tmp_path: Path) -> None:
    made(demo, tmp_path)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert str(tmp_path).encode() not in path.read_bytes(), path


def test_one_process_renders_a_module_that_only_it_has_and_several_are_refused(tmp_path: Path) -> None:
    model = as_model(Threshold(0.5, 0.6, 0.7))
    settings: dict[str, Any] = {"layers": ["after"], "param": lt.param.image(16), "steps": 2, "batch": 2}
    found = lt.gallery(model, tmp_path / "one", workers=1, **settings)
    assert found.units == 3
    with Counter(model.module) as counter, pytest.raises(BadInputError, match="worker"):
        lt.gallery(model, tmp_path / "two", workers=2, **settings)
    assert counter.calls.get("", 0) <= 1
    assert not list((tmp_path / "two").rglob("*.*"))


def test_a_module_itself_does_as_well(tmp_path: Path) -> None:
    with torch.random.fork_rng(devices=[]):
        module = nn.Sequential(nn.Conv2d(1, 2, 3))
    with pytest.warns(LucidtorchWarning, match="does not say what input"):
        found = lt.gallery(module, tmp_path, param=lt.param.image(8, channels=1), steps=1)
    assert (found.units, found.index) == (2, tmp_path / "index.html")


def test_one_channel_and_odd_sides(tmp_path: Path) -> None:
    model = lt.load_model("digits", weights="random", device="cpu")
    data = made(model, tmp_path, layers=["conv1"], units="0-1", param=lt.param.image((33, 40), channels=1))
    for picture in shown(data).values():
        assert pixels(tmp_path / picture["file"]).shape == (33, 40)


def test_the_network_is_left_as_it_was(demo: Model, tmp_path: Path, fingerprint: Any) -> None:
    before, threads = fingerprint(demo.module), torch.get_num_threads()
    made(demo, tmp_path, units="0", batch=1, steps=1, threads=2)
    assert fingerprint(demo.module) == before
    assert torch.get_num_threads() == threads


BAD: dict[str, tuple[dict[str, Any], type[BadInputError], str]] = {
    "layer": ({"layers": ["conv9"]}, UnknownLayerError, "Did you mean"),
    "second layer": ({"layers": ["conv1_1", "conv9"]}, UnknownLayerError, "conv9"),
    "no layers": ({"layers": []}, BadInputError, "layer"),
    "unit": ({"units": "48"}, UnitError, "48 channels"),
    "units": ({"units": "x"}, BadInputError, "0-63"),
    "variant": ({"variants": ["twice"]}, BadInputError, "twice"),
    "batch": ({"batch": 0}, BadInputError, "batch"),
    "steps": ({"steps": 0}, BadInputError, "steps"),
    "lr": ({"lr": -1}, BadInputError, "lr"),
    "workers": ({"workers": 0}, BadInputError, "workers"),
    "half a worker": ({"workers": 1.5}, BadInputError, "workers"),
    "threads": ({"threads": 0}, BadInputError, "threads"),
    "half a thread": ({"threads": 1.5}, BadInputError, "threads"),
    "seed": ({"seed": -1}, BadInputError, "seed"),
    "seed 1.5": ({"seed": 1.5}, BadInputError, "seed"),
    "seed text": ({"seed": "x"}, BadInputError, "seed"),
    "param": ({"param": "pixels(3)"}, BadInputError, "pixels"),
    "channels": ({"param": lt.param.image(24, channels=1)}, BadInputError, "channels=3"),
    "transforms": ({"transforms": "blur(3)"}, BadInputError, "blur"),
    "too small": ({"param": lt.param.image(4), "transforms": "identity()", "layers": ["logits"]}, BadInputError, "4"),
    "too small for the second layer": (
        {"param": lt.param.image(4), "transforms": "identity()", "layers": ["conv1_1", "logits"]},
        BadInputError,
        "4 ?x ?4",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_numbers_that_do_not_fit_are_refused(demo: Model, tmp_path: Path, case: str) -> None:
    change, kind, words = BAD[case]
    with Counter(demo.module) as counter, pytest.raises(kind, match=words):
        made(demo, tmp_path / "folder", **change)
    assert counter.calls.get("", 0) <= 2
    assert not list(tmp_path.rglob("*.png"))


def test_a_folder_that_is_a_file_is_refused(demo: Model, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    for folder in (tmp_path / "file", tmp_path / "file" / "inside"):
        with Counter(demo.module) as counter, pytest.raises(OutputError):
            made(demo, folder)
        assert counter.calls.get("", 0) <= 1
    assert (tmp_path / "file").read_text() == "kept"


def test_an_unknown_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError):
        made("demmo", tmp_path)
