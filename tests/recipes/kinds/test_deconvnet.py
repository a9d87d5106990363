from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from recipe_runs import Bench, contents, pixels
from small_networks import as_model
from torch import Tensor, nn

from lucidtorch.base.images import sheet
from lucidtorch.models.backward import backward, deconvnet, guided, saliency
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model
from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.inputs import Drawing, read_image
from lucidtorch.recipes.kinds.deconvnet import deconvnet as recipe
from lucidtorch.recipes.parts.projections.projection_pictures import enlarged, framed_box, in_cell, signed
from lucidtorch.scanning.layer_scan import Box
from lucidtorch.scanning.patches import cut, patch
from lucidtorch.scanning.result import load_scan
from lucidtorch.scanning.source import Item

STAR: dict[str, Any] = {"drawing": "star", "number": 1}
FISH: dict[str, Any] = {"drawing": "fish"}
DATA: dict[str, Any] = {"drawings": "test", "length": 40}
RULES = {
    "deconvnet": deconvnet,
    "deconvnet_without_switches": lambda: deconvnet(switches=False),
    "guided": guided,
    "saliency": saliency,
}


def drawn(side: tuple[int, int] = (24, 24), channels: int = 3, **words: Any) -> Tensor:
    return torch.tensor(read_image(Drawing(**words), side, channels, Path()).numpy(), dtype=torch.float32)


def arrived(model: Model, image: Tensor, layer: str, unit: int, way: str) -> Tensor:
    """The signal of a unit's highest place, at the pixels."""
    found = backward(
        model, image[None], lambda seen: seen[layer][:, unit].flatten(1).amax(1), [layer], rule=RULES[way]()
    )
    return found.gradients["input"][0]


def assert_shows(file: Tensor, image: Tensor) -> None:
    """A PNG holds an image, in steps of 1/255."""
    torch.testing.assert_close(file, image, atol=0.51 / 255, rtol=0)


def test_the_strongest_units_of_each_layer_stand_in_rows(bench: Bench, demo: Model) -> None:
    run = bench.run("deconvnet", layers=["relu2_1", "relu1_1"], images=[STAR, FISH], count=2, size=[24, 32])
    first, second, ways = run.story.sections
    assert [first.heading, second.heading] == ["star 1", "fish"]
    image = drawn((24, 32), **FISH)
    names = []
    for layer in ("relu1_1", "relu2_1"):
        best = demo.activations(image[None], layer)[layer][0].flatten(1).amax(1)
        names += [f"{layer}:{unit}" for unit in sorted(range(len(best)), key=lambda one: -float(best[one]))[:2]]
    assert second.row_names == tuple(names)
    assert second.column_names[:3] == ("in the image", "what the unit sees", "deconvnet")
    assert second.columns == len(second.column_names) == 6
    assert len(second.figures) == 24
    assert ways.table is not None
    assert [row[0] for row in ways.table.rows] == list(second.column_names[2:])
    assert run.story.main == "sheet-0001.png"
    assert (run.folder / "sheet-0002.png").is_file()
    assert len(json.loads((run.folder / "data.json").read_text())["facts"]["rows"]) == 8


def test_each_picture_is_the_signal_around_grey_cut_to_what_the_unit_sees(bench: Bench, demo: Model) -> None:
    run = bench.run("deconvnet", layers="relu2_1", units=[3, 7], image=STAR, size=48)
    image = drawn((48, 48), **STAR)
    for unit, facts in zip((3, 7), run.story.facts["rows"], strict=True):
        values = demo.activations(image[None], "relu2_1")["relu2_1"][0, unit]
        row, column = divmod(int(values.argmax()), 12)
        assert (facts["row"], facts["column"]) == (row, column)
        assert facts["activation"] == float(values.max())
        top, left = 4 * row - 8, 4 * column - 8  # the receptive field: 19 pixels, stride 4, from -8
        clipped = [max(top, 0), max(left, 0), min(top + 19, 48), min(left + 19, 48)]
        assert facts["box"] == clipped
        stem = f"maps/relu2_1/{unit:05d}-0001"
        assert_shows(pixels(run, f"{stem}-place.png"), framed_box(image, Box(*clipped)))
        window = Box(top, left, top + 19, left + 19)
        assert_shows(pixels(run, f"{stem}-image.png"), enlarged(cut(image, window)))
        for way in RULES:
            picture, scale = signed(arrived(demo, image, "relu2_1", unit, way))
            assert_shows(pixels(run, f"{stem}-{way}.png"), enlarged(cut(picture, window)))
            assert facts["ways"][way]["scale"] == pytest.approx(scale, rel=1e-4)
            assert facts["ways"][way]["inside"] == 1
    assert run.story.facts["layers"] == {"relu2_1": {"relus": 3, "max_poolings": 1}}


def test_the_sheet_holds_all_pictures_in_cells_of_one_size(bench: Bench) -> None:
    run = bench.run("deconvnet", layers="relu2_1", units=3, images=[STAR, FISH], ways=["guided"], size=48)
    files = [figure.file for figure in run.story.sections[0].figures]
    shown = [pixels(run, file) for file in files]
    assert [one.shape[1:] for one in shown[:3]] == [(48, 48), (95, 95), (95, 95)]
    cells = torch.stack([in_cell(one, 95, 95) for one in shown])
    assert_shows(pixels(run, "sheet-relu2_1-00003.png"), sheet(cells, 3))


def test_a_whole_channel_goes_down_each_place_as_strong_as_it_is(bench: Bench, demo: Model) -> None:
    run = bench.run("deconvnet", layers=["conv2_1"], units=[5], image=STAR, place="all", size=32)
    image = drawn((32, 32), **STAR)
    weights = demo.activations(image[None], "conv2_1")["conv2_1"][0, 5].clamp(min=0)
    weights = weights / weights.max()
    found = backward(demo, image[None], lambda seen: (seen["conv2_1"][:, 5] * weights).sum((1, 2)), ["conv2_1"])
    assert run.story.sections[0].column_names[:2] == ("the image", "deconvnet")
    picture = enlarged(signed(found.gradients["input"][0])[0])
    assert_shows(pixels(run, "maps/conv2_1/00005-0001-saliency.png"), picture)
    assert run.story.facts["rows"][0]["box"] == [0, 0, 32, 32]


def test_of_data_the_best_patches_of_each_unit_are_taken(bench: Bench, demo: Model) -> None:
    run = bench.run("deconvnet", layers=["relu3_1", "logits"], units=[2], data=DATA, top=3, size=96)
    section, logits, *_ = run.story.sections
    assert section.column_names[0] == "what the unit sees"
    assert logits.column_names[0] == "the image"
    scan = load_scan(run.folder / "scan")
    source = scan.open()
    examples = scan["relu3_1"].top(2)
    assert section.row_names == tuple(one.class_name for one in examples)
    for number, (example, facts) in enumerate(zip(examples, run.story.facts["rows"], strict=False), 1):
        assert (facts["activation"], facts["box"]) == (example.value, list(example.box))
        seen = patch(source, scan["relu3_1"], example)
        assert_shows(pixels(run, f"maps/relu3_1/00002-{number:04d}-image.png"), enlarged(seen))
        item = source.read(example.image)
        assert isinstance(item, Item)
        picture, _ = signed(arrived(demo, item.pixels, "relu3_1", 2, "guided"))
        shown = enlarged(cut(picture, scan["relu3_1"].window(example.row, example.column)))
        assert_shows(pixels(run, f"maps/relu3_1/00002-{number:04d}-guided.png"), shown)


def test_the_strongest_units_of_data_are_those_that_some_image_excites_most(bench: Bench) -> None:
    run = bench.run("deconvnet", layers="relu2_1", data=DATA, top=1, count=2, ways=["deconvnet"], size=24)
    high = load_scan(run.folder / "scan")["relu2_1"].moments.high
    order = sorted(range(len(high)), key=lambda unit: -high[unit])[:2]
    assert [one.heading for one in run.story.sections[:2]] == [f"relu2_1:{unit}" for unit in order]


def test_a_scan_that_stands_is_taken(bench: Bench) -> None:
    first = bench.run("deconvnet", layers="relu2_1", units=4, data=DATA, top=2, size=24)
    fields: dict[str, Any] = {"layers": "relu2_1", "units": 4, "top": 2}
    second = bench.run("deconvnet", "second", **fields, scan=str(first.folder / "scan"), size=None)
    assert not (second.folder / "scan").exists()
    assert second.story.facts == first.story.facts
    with pytest.raises(FieldError, match=r"top: The scan holds 2 "):
        bench.plan("deconvnet", **fields | {"top": 3}, scan=str(first.folder / "scan"), size=None)


@pytest.mark.parametrize("fields", [{"images": "folder"}, {"data": DATA, "top": 2}], ids=["pictures", "data"])
def test_the_resolved_recipe_gives_the_same_folder(bench: Bench, tmp_path: Path, fields: dict[str, Any]) -> None:
    (tmp_path / "folder").mkdir()
    for name, seed in (("a.png", 0), ("b.png", 1)):
        pattern = torch.rand(70, 90, 3, generator=torch.Generator().manual_seed(seed))
        Image.fromarray((pattern * 255).byte().numpy()).save(tmp_path / "folder" / name)
    given = {key: str(tmp_path / value) if value == "folder" else value for key, value in fields.items()}
    first = bench.run("deconvnet", layers=["relu2_1", "relu1_1"], **given, size=[64, 48])
    assert contents(bench.again(first).folder) == contents(first.folder)


def test_a_unit_that_no_image_moves_is_said_to_be_so(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU())
    with torch.no_grad():
        network[0].weight.fill_(1)
        network[0].bias.copy_(torch.tensor([-10.0, 0.0]))
    bench = Bench(as_model(network), tmp_path)
    run = bench.run("deconvnet", layers="1", units="all", data=torch.rand(4, 3, 16, 16), top=2, size=16)
    dead, alive, ways = run.story.sections
    assert dead.text == ("No image moves this unit.",)
    assert dead.figures[0].dead
    assert len(alive.row_names) == 2
    assert "no max pooling" in " ".join(ways.text)
    run = bench.run("deconvnet", "picture", layers=["0", "1"], units=[0], image=STAR, size=16)
    captions = [[figure.caption for figure in one.figures[2:]] for one in run.story.sections[:2]]
    assert (
        captions[0] == ["\N{PLUS-MINUS SIGN}1"] * 4
    )  # before the ReLU it is below zero, and still depends on the image
    assert captions[1] == ["nothing arrives"] * 4
    assert run.story.facts["rows"][1]["ways"]["guided"] == {"scale": 0, "inside": None}
    assert "no ReLU on the way to 0:" in " ".join(run.story.sections[-1].text)


def test_networks_of_one_channel(tmp_path: Path) -> None:
    bench = Bench(load_model("digits", device="cpu"), tmp_path)
    run = bench.run("deconvnet", layers=["relu2", "logits"], image=STAR, size=None)
    assert pixels(run, next(one.file for one in run.figures if one.file.endswith("guided.png"))).shape[0] == 1
    assert pixels(run, "sheet-0001.png").shape[0] == 3
    data = torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    run = bench.run("deconvnet", "data", layers="relu2", units=1, data=data, top=2, size=None)
    assert "image 2" in run.story.sections[0].row_names


@pytest.mark.parametrize(
    ("fields", "key", "said"),
    [
        ({"image": None}, "image", "or `data`"),
        ({"data": DATA}, "data", "not both"),
        ({"scan": "somewhere"}, "scan", "not both"),
        ({"images": [FISH]}, "images", "not both"),
        ({"image": {"drawing": "dragon"}}, "image", "dragon"),
        ({"image": None, "data": "nowhere"}, "data", "nowhere"),
        ({"image": None, "scan": "nowhere"}, "scan", "nowhere"),
        ({"layers": ["relu1_1", "relu9"]}, "layers[1]", "relu9"),
        ({"units": [24]}, "units", "24 channels"),
        ({"units": "weakest"}, "units", "weakest"),
        ({"count": 0}, "count", "from 1 to 64"),
        ({"top": 0}, "top", "from 1 to 100"),
        ({"ways": []}, "ways", "least one"),
        ({"ways": ["guided", "guided"]}, "ways", "once"),
        ({"ways": ["guided", "backwards"]}, "ways[1]", "backwards"),
        ({"place": "centre"}, "place", "centre"),
        ({"size": [4, 32, 32]}, "size", "height and width"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_does_not_fit_is_refused_with_its_field(bench: Bench, fields: dict[str, Any], key: str, said: str) -> None:
    with pytest.raises(FieldError, match=said) as caught:
        bench.plan("deconvnet", **{"layers": "relu1_1", "image": STAR, **fields})
    assert str(caught.value).startswith(key)


def test_all_ways_are_the_default() -> None:
    assert recipe.kind.model_fields["ways"].default == tuple(RULES)
