from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from recipe_runs import Bench, contents, pixels
from small_networks import as_model
from torch import nn
from torchvision.models import VGG

import lucidtorch as lt
from lucidtorch.base.errors import LucidtorchWarning, RenderError
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model
from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.inputs import Drawing, read_image

STAR: dict[str, Any] = {"drawing": "star", "number": 1}
FISH: dict[str, Any] = {"drawing": "fish"}
MARGIN = 0.35  # how bright the line round each map is
HALF_A_STEP = 0.5 / 255 + 1e-6


def drawn(size: tuple[int, int], **words: Any) -> torch.Tensor:
    return torch.tensor(read_image(Drawing(**words), size, 3, Path()).numpy(), dtype=torch.float32)


def plain(text: object) -> str:
    """A text of the page with the signs of a keyboard."""
    signs = {"\N{NO-BREAK SPACE}": " ", "\N{EN DASH}": "-", "\N{MULTIPLICATION SIGN}": "x"}
    return str(text).translate(str.maketrans(signs))


def tiny() -> Model:
    """Two units that pass the red of the image on: one as it is, the other half of what is above 0.5."""
    layer = nn.Conv2d(3, 2, 1)
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[:, 0] = torch.tensor([1.0, 0.5])[:, None, None]
        layer.bias[:] = torch.tensor([0.0, -0.25])
    return as_model(nn.Sequential(layer, nn.ReLU()))


RED = torch.tensor([[1.0, 0.5, 0.25, 0.0], [0.0, 0.002, 0.75, 0.0]])
IMAGE = torch.stack([RED, torch.zeros(2, 4), torch.ones(2, 4)])


def seen(bench: Bench, **fields: Any) -> lt.recipes.Run:
    """The tiny network's answer to the image, which is 2 high and 4 wide."""
    given = {"layers": "1", "image": IMAGE, "size": [2, 4]} | fields
    return lt.recipes.activations(tiny(), **given, output=bench.folder / "tiny", progress=False)


def tiles(run: lt.recipes.Run, file: str, shape: tuple[int, int], grid: tuple[int, int]) -> torch.Tensor:
    """`[rows, columns, C, h, w]`: the middle of each enlarged pixel of each map of a mosaic."""
    picture = pixels(run, file)
    rows, columns = grid
    height, width = picture.shape[1] // rows, picture.shape[2] // columns
    assert picture.shape[1:] == (rows * height, columns * width)
    times = (height - 2) // shape[0]
    assert (height - 2, width - 2) == (times * shape[0], times * shape[1])
    cut = picture.reshape(-1, rows, height, columns, width).permute(1, 3, 0, 2, 4)
    border = torch.cat([cut[..., 0, :].flatten(), cut[..., -1, :].flatten(), cut[..., 0].flatten()])
    assert border == pytest.approx(MARGIN, abs=HALF_A_STEP)
    inner = cut[..., 1:-1, 1:-1]
    assert torch.equal(inner, inner[..., ::times, ::times].repeat_interleave(times, -2).repeat_interleave(times, -1))
    return inner[..., ::times, ::times]


FIRST, SECOND = RED, (0.5 * RED - 0.25).clamp(min=0)


@pytest.mark.parametrize(("scale", "peaks"), [("unit", (1.0, 0.25)), ("layer", (1.0, 1.0))])
def test_the_mosaic_holds_every_map_against_its_own_peak_or_the_layers(
    bench: Bench, scale: str, peaks: tuple[float, float]
) -> None:
    run = seen(bench, colours="grey", scale=scale)
    found = tiles(run, "maps/picture-0001/1.png", (2, 4), (2, 1))
    assert found.shape == (2, 1, 1, 2, 4)
    assert found[0, 0, 0].flatten() == pytest.approx((FIRST / peaks[0]).flatten(), abs=HALF_A_STEP)
    assert found[1, 0, 0].flatten() == pytest.approx((SECOND / peaks[1]).flatten(), abs=HALF_A_STEP)


def test_zero_is_middle_grey_where_values_are_below_it(bench: Bench) -> None:
    run = seen(bench, layers="0", colours="grey", scale="layer")
    found = tiles(run, "maps/picture-0001/0.png", (2, 4), (2, 1))
    assert found[1, 0, 0].flatten() == pytest.approx((0.5 + (0.5 * RED - 0.25) / 2).flatten(), abs=HALF_A_STEP)


def test_what_is_counted_is_right(bench: Bench) -> None:
    run = seen(bench)
    facts = run.story.facts["layers"]["1"]
    # The first unit: 1, .5, .25, 0, 0, .002, .75, 0; the second: .25, 0, 0, 0, 0, 0, .125, 0.
    (found,) = facts["pictures"]
    assert found["zero"] == 9 / 16
    assert found["near"] == 10 / 16
    assert found["mean"] == found["size"] == pytest.approx((2.502 + 0.375) / 16)
    assert (found["low"], found["high"]) == (0, pytest.approx(1))
    assert facts["silent"] == []
    assert facts["strongest"] == {"1:0": pytest.approx(2.502 / 8), "1:1": pytest.approx(0.375 / 8)}
    assert (facts["kind"], facts["shape"]) == ("ReLU behind 0", [2, 2, 4])
    row = run.story.sections[1].table
    assert row is not None
    assert [plain(cell) for cell in row.rows[0][2:6]] == ["2 x 2 x 4", "56.2 %", "62.5 %", "0 of 2"]


def test_several_pictures_are_counted_together_and_shown_one_by_one(bench: Bench) -> None:
    dark = IMAGE * torch.tensor([0.4, 1, 1])[:, None, None]  # the second unit is silent here
    run = seen(bench, image=None, images=[dark, dark / 2])
    facts = run.story.facts["layers"]["1"]
    assert facts["silent"] == [1]
    assert list(facts["strongest"]) == ["1:0"]
    assert [one["high"] for one in facts["pictures"]] == [pytest.approx(0.4), pytest.approx(0.2)]
    assert [one.heading for one in run.story.sections] == [
        "What was looked at",
        "How sparse it is, layer by layer",
        "The maps of picture 1",
        "The maps of picture 2",
    ]
    table = run.story.sections[1].table
    assert table is not None
    assert plain(table.rows[0][7]) == "0.3 (0.2 - 0.4)"
    assert [one.file for one in run.story.sections[3].figures] == ["maps/picture-0002/1.png"]


def test_heads_are_bars_with_the_names_of_the_classes(bench: Bench, demo: Model) -> None:
    run = bench.run("activations", layers=["logits", "relu4_2"], image=STAR, size=96)
    values = demo.activations(drawn((96, 96), **STAR)[None], "logits")["logits"][0]
    maps, bars = run.story.sections[2].figures
    assert (maps.file, bars.file) == ("maps/picture-0001/relu4_2.png", "maps/picture-0001/logits.png")
    best = int(values.argmax())
    assert f"Highest: {best} {demo.labels[best]} (" in bars.note
    picture = pixels(run, bars.file)
    wide = picture.shape[2] // 51
    blue = (picture[0] < 0.3).sum(0).reshape(51, wide)[:, 0]
    span = float(values.max().clamp(min=0) - values.min().clamp(max=0))
    assert blue.tolist() == pytest.approx((values.abs() / span * 180).tolist(), abs=1.01)


def test_the_first_units_are_shown_and_all_are_counted(bench: Bench) -> None:
    run = bench.run("activations", layers="relu1_1", image=STAR, most=6, colours="grey")
    found = tiles(run, "maps/picture-0001/relu1_1.png", (12, 12), (2, 3))
    assert found.shape[:2] == (2, 3)
    (figure,) = run.story.sections[2].figures
    assert "Units 0-5 from left to right, 3 in a row; the rows begin with 0, 3;" in plain(figure.note)
    assert "the other 18 are not shown" in figure.note
    assert run.story.facts["layers"]["relu1_1"]["shape"] == [24, 12, 12]


def test_the_relus_and_the_heads_are_looked_at_if_nothing_is_named(bench: Bench) -> None:
    relus = [f"relu{stage}_{place}" for stage in (1, 2, 3, 4) for place in (1, 2)]
    assert bench.plan("activations", image=STAR).fields["layers"] == (*relus, "relu_fc", "logits")
    bare = as_model(nn.Sequential(nn.Conv2d(3, 4, 3), nn.GELU(), nn.Conv2d(4, 2, 3)))
    run = lt.recipes.activations(bare, image=IMAGE.repeat(1, 8, 4), size=16, output=bench.folder / "bare")
    assert run.recipe.to_dict()["layers"] == ["0", "2"]


def test_the_literatures_names_are_used(bench: Bench) -> None:
    network = VGG.__new__(VGG)  # its own first layers would be a hundred million weights
    nn.Module.__init__(network)
    network.features = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU())
    network.avgpool = nn.AdaptiveAvgPool2d(1)
    network.classifier = nn.Sequential(nn.Linear(4, 2))
    run = lt.recipes.activations(as_model(network), image=STAR, size=[32, 40], output=bench.folder / "vgg")
    assert run.recipe.to_dict()["layers"] == ["relu1_1", "logits"]
    assert run.story.facts["layers"]["relu1_1"]["kind"] == "ReLU behind conv1_1"
    assert run.story.facts["layers"]["relu1_1"]["shape"] == [4, 32, 40]


def test_colours_grow_lighter_with_the_value(bench: Bench) -> None:
    run = seen(bench, layers="0", scale="layer")
    found = tiles(run, "maps/picture-0001/0.png", (2, 4), (2, 1))
    light = (found[0, 0] * torch.tensor([0.2126, 0.7152, 0.0722])[:, None, None]).sum(0).flatten()
    assert torch.equal(light.argsort(), RED.flatten().argsort()) or light.sort().values.diff().min() >= 0
    below, above = found[1, 0, :, 0, 3], found[0, 0, :, 0, 0]  # -0.25 of 1, and 1
    assert below[2] > below[0]  # blue
    assert above[0] > above[2]  # orange
    assert max(found[1, 0, :, 0, 1]) < 0.1  # zero is black


def test_networks_of_one_channel_and_pictures_that_are_not_square(bench: Bench) -> None:
    digits = load_model("digits", device="cpu")
    run = lt.recipes.activations(digits, image=STAR, size=[64, 48], layers="relu1", output=bench.folder / "digits")
    assert pixels(run, "image-1.png").shape == (1, 64, 48)
    assert run.story.facts["layers"]["relu1"]["shape"] == [16, 64, 48]


def test_the_resolved_recipe_gives_the_same_folder(bench: Bench) -> None:
    fields = {"images": [STAR, FISH], "layers": ["relu2_1", "relu_fc"], "size": [64, 48], "most": 7}
    first = bench.run("activations", **fields)
    assert contents(bench.again(first).folder) == contents(first.folder)


def test_values_that_are_not_finite_are_not_drawn(bench: Bench) -> None:
    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU())
    with torch.no_grad():
        network[0].bias[1] = float("inf")
    with pytest.raises(RenderError, match="'1' has values"):
        lt.recipes.activations(as_model(network), layers="1", image=IMAGE, size=[2, 4], output=bench.folder / "inf")


def test_fields_of_optimization_are_left_out_with_a_warning(bench: Bench) -> None:
    with pytest.warns(LucidtorchWarning, match="steps"):
        bench.plan("activations", image=STAR, steps=2)


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({}, ("image",)),
        ({"image": STAR, "images": [FISH]}, ("images",)),
        ({"image": STAR, "layers": "conv9_9"}, ("layers",)),
        ({"image": STAR, "layers": ["relu1_1", "conv9_9"]}, ("layers", 1)),
        ({"image": STAR, "scale": "map"}, ("scale",)),
        ({"image": STAR, "colours": "green"}, ("colours",)),
        ({"image": STAR, "most": 0}, ("most",)),
        ({"image": {"drawing": "nothing"}}, ("image",)),
        ({"image": STAR, "size": [8, 8, 8]}, ("size",)),
    ],
)
def test_what_does_not_fit_is_refused_with_its_field(
    bench: Bench, fields: dict[str, Any], key: tuple[str | int, ...]
) -> None:
    with pytest.raises(FieldError) as caught:
        bench.plan("activations", **fields)
    assert caught.value.key[: len(key)] == key


def test_a_size_at_which_a_layer_is_not_reached_is_refused(bench: Bench) -> None:
    network = as_model(nn.Sequential(nn.Conv2d(3, 2, 3), nn.Conv2d(2, 2, 9)))
    with pytest.raises(FieldError) as caught:
        lt.recipes.activations(network, layers="1", image=IMAGE, size=[2, 4], output=bench.folder / "small")
    assert caught.value.key == ("size",)
