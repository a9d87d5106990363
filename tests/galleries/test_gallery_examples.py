"""Galleries with a scan: real images beside the pictures, whatever happened on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from gallery_runs import Killed, contents, made, stopping

from lucidtorch.base.errors import BadInputError, LucidtorchWarning
from lucidtorch.datasets import drawings, scan
from lucidtorch.galleries.look import picture_pixels
from lucidtorch.models.model import Model
from lucidtorch.scanning.patches import patch
from lucidtorch.scanning.result import Scan

LAYERS = ["conv1_1", "relu2_1"]
SETTINGS: dict[str, Any] = {
    "layers": LAYERS,
    "units": "0-2",
    "batch": 2,
    "variants": ["channel", "negative", "diversity"],
    "steps": 2,
}


@pytest.fixture(scope="module")
def seen(demo: Model, tmp_path_factory: pytest.TempPathFactory) -> Scan:
    """A scan that knows the value before the ReLU, which negatives are taken of, in layer 2_1."""
    data = drawings("test", length=20, size=32)
    return scan(demo, data, tmp_path_factory.mktemp("scan"), layers=[*LAYERS, "conv2_1"], size=32)


@pytest.fixture(scope="module")
def whole(demo: Model, seen: Scan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    made(demo, folder, SETTINGS, scan=seen)
    return folder


def shown(folder: Path) -> dict[tuple[str, int, str], dict[str, Any]]:
    data = json.loads((folder / "data.json").read_text())
    return {
        (layer["address"], unit["index"], picture["variant"]): picture
        for layer in data["layers"]
        for unit in layer["units"]
        for picture in unit["pictures"]
    }


def test_every_unit_has_its_examples(demo: Model, seen: Scan, whole: Path) -> None:
    source = seen.open()
    for (layer, unit, variant), picture in shown(whole).items():
        before = {"conv1_1": "conv1_1", "relu2_1": "conv2_1"}[layer] if variant == "negative" else layer
        wanted = seen[before].bottom(unit) if variant == "negative" else seen[before].top(unit)
        beside = picture["beside"]
        assert (beside["layer"], beside["unit"], beside["down"]) == (before, unit, variant == "negative")
        assert [one["image"] for one in beside["images"]] == [one.image for one in wanted]
        assert [one["class_name"] for one in beside["images"]] == [one.class_name for one in wanted]
        strip = picture_pixels(whole / beside["file"])
        first = patch(source, seen[before], wanted[0])
        assert torch.allclose(strip[:3, :, : first.shape[2]], first, atol=0.51 / 255)


def test_what_a_picture_reaches_is_measured_on_its_file(demo: Model, seen: Scan, whole: Path) -> None:
    for (layer, unit, variant), picture in shown(whole).items():
        pixels, beside = picture_pixels(whole / picture["file"]), picture["beside"]
        four = [pixels[:, top : top + 24, left : left + 24] for top in (0, 26) for left in (0, 26)]
        tiles = four if variant == "diversity" else [pixels]
        assert all(tile.shape == (3, 24, 24) for tile in tiles)
        values = demo.activations(torch.stack(tiles), beside["layer"])[beside["layer"]][:, unit]
        reached = float(values.min() if variant == "negative" else values.max())
        assert beside["reached"] == pytest.approx(reached, rel=1e-4, abs=1e-5), (layer, unit, variant)
        percentile = seen[beside["layer"]].percentile(unit, reached)
        assert beside["percentile"] == pytest.approx(percentile, abs=0.1)


def test_pages_show_the_images_once_for_each_unit_and_side(whole: Path) -> None:
    page = (whole / "layers" / "relu2_1" / "unit-1.html").read_text()
    picture = shown(whole)["relu2_1", 1, "channel"]
    strip = picture["beside"]["file"]
    assert page.count(f'<img src="../../{strip}"') == len(picture["beside"]["images"])
    assert page.count("The same real images as before") == 1
    assert page.count('<p class="title">') == 3
    assert all(one["class_name"] in page for one in picture["beside"]["images"])
    assert shown(whole)["relu2_1", 1, "diversity"]["beside"]["again"]
    index = (whole / "index.html").read_text()
    assert "20 drawings" in index
    assert len(index.encode()) < 20_000


def test_pictures_are_those_of_a_gallery_without_and_a_scan_can_come_later(
    demo: Model, seen: Scan, whole: Path, tmp_path: Path
) -> None:
    made(demo, tmp_path, SETTINGS)
    assert not (tmp_path / "examples").exists()
    assert all(one["beside"] is None for one in shown(tmp_path).values())
    made(demo, tmp_path, SETTINGS, scan=seen.folder)
    assert contents(tmp_path) == contents(whole)


@pytest.mark.parametrize("after", [1, 4])
@pytest.mark.parametrize("error", [Killed(), KeyboardInterrupt()])
def test_a_gallery_that_was_stopped_ends_the_same(
    demo: Model, seen: Scan, whole: Path, tmp_path: Path, after: int, error: BaseException
) -> None:
    if isinstance(error, Killed):
        with pytest.raises(Killed):
            made(demo, tmp_path, SETTINGS, scan=seen, report=stopping(after, error))
    else:
        assert made(demo, tmp_path, SETTINGS, scan=seen, report=stopping(after, error)).interrupted
        assert all(one["beside"] is not None for one in shown(tmp_path).values())
    made(demo, tmp_path, SETTINGS, scan=seen)
    assert contents(tmp_path) == contents(whole)


def test_what_was_lost_or_damaged_is_made_again(demo: Model, seen: Scan, whole: Path, tmp_path: Path) -> None:
    made(demo, tmp_path, SETTINGS, scan=seen)
    (first, second, *_) = sorted((tmp_path / "examples").rglob("*.png"))
    first.unlink()
    second.write_bytes(second.read_bytes()[:-30])
    (third, fourth, *_) = sorted(tmp_path.glob("batches/*.beside.json"))
    third.write_text("{")
    fourth.write_text('{"key": 1}')
    made(demo, tmp_path, SETTINGS, scan=seen)
    assert contents(tmp_path) == contents(whole)


def test_a_gallery_that_is_interrupted_again_shows_the_examples_of_before(
    demo: Model, seen: Scan, whole: Path, tmp_path: Path
) -> None:
    made(demo, tmp_path, SETTINGS, scan=seen)
    assert made(demo, tmp_path, SETTINGS, scan=seen, report=stopping(1, KeyboardInterrupt())).interrupted
    assert shown(tmp_path) == shown(whole)


def test_a_layer_that_the_scan_lacks_goes_without(demo: Model, seen: Scan, tmp_path: Path) -> None:
    made(demo, tmp_path, {"layers": ["conv1_1", "conv1_2"], "units": "0", "batch": 1, "steps": 1}, scan=seen)
    assert shown(tmp_path)["conv1_1", 0, "channel"]["beside"] is not None
    assert shown(tmp_path)["conv1_2", 0, "channel"]["beside"] is None
    assert "beside-it" not in (tmp_path / "layers" / "conv1_2" / "unit-0.html").read_text()


def test_scans_that_do_not_fit_are_refused_before_any_work(demo: Model, seen: Scan, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="holds no scan"):
        made(demo, tmp_path / "out", SETTINGS, scan=tmp_path)
    with pytest.raises(BadInputError, match="another network"), pytest.warns(LucidtorchWarning):
        made(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3)), tmp_path / "out", {"steps": 1}, scan=seen)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_several_workers_end_the_same(seen: Scan, whole: Path, tmp_path: Path) -> None:
    made("demo", tmp_path, SETTINGS, scan=seen.folder, workers=2)
    assert contents(tmp_path) == contents(whole)
