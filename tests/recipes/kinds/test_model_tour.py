from __future__ import annotations

from typing import Any

import pytest
import torch
from recipe_runs import Bench, contents, pixels, shown
from small_networks import as_model
from torch import nn
from torchvision.models.vgg import VGG

import lucidtorch as lt
from lucidtorch.base.seeds import picture_seed
from lucidtorch.recipes.blame import FieldError

EVERY = ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv4_1", "conv4_2", "fc", "logits")


def test_every_layer_in_order_if_none_are_named(bench: Bench) -> None:
    plan = bench.plan("model_tour", unit=3)
    assert [repr(task.objective) for task in plan.tasks] == [f"channel({layer!r}, 3)" for layer in EVERY]
    assert shown(plan.tasks[1]) == [("pictures/001-conv1_2-00003.png", picture_seed(0, "conv1_2", 3, "channel", 0))]
    assert plan.fields == {"layers": EVERY, "unit": 3}


def test_units_go_with_the_layers_as_they_were_written(bench: Bench) -> None:
    plan = bench.plan("model_tour", layers=["conv3_1", "conv1_1"], unit=[90, 20])
    assert [repr(task.objective) for task in plan.tasks] == ["channel('conv1_1', 20)", "channel('conv3_1', 90)"]
    assert plan.fields == {"layers": ("conv1_1", "conv3_1"), "unit": (20, 90)}


class SmallVgg(VGG):
    """Of the family, with two convolutions and one linear layer."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        convolutions = [nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)]
        self.features = nn.Sequential(convolutions[0], nn.ReLU(), nn.MaxPool2d(2), convolutions[1], nn.ReLU())
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Linear(4, 3))


def test_layers_bear_the_names_of_the_literature(bench: Bench) -> None:
    run = lt.recipes.model_tour(as_model(SmallVgg()), size=16, steps=1, unit=[1, 2, 0], output=bench.folder / "vgg")
    assert run.recipe.layers == ("conv1_1", "conv2_1", "fc6")
    assert [figure.caption for figure in run.figures[1:]] == ["conv1_1:1", "conv2_1:2", "fc6:0"]


def test_the_tour_is_one_sheet_with_a_table(bench: Bench) -> None:
    run = bench.run("model_tour", layers=["conv1_1", "conv2_1", "fc"], unit=[1, 2, 3], columns=3)
    whole, *each = run.figures
    sheet = pixels(run, whole.file)
    assert sheet.shape == (3, 24, 3 * 24 + 4)
    for place, figure in enumerate(each):
        assert torch.equal(sheet[:, :, place * 26 : place * 26 + 24], pixels(run, figure.file))
    assert [figure.caption for figure in each] == ["conv1_1:1", "conv2_1:2", "fc:3"]
    table = run.story.sections[0].table
    assert table is not None
    assert table.rows == (
        ("conv1_1", 1, "Conv2d", "24 x 48 x 48", "5 x 5 pixels"),
        ("conv2_1", 2, "Conv2d", "48 x 24 x 24", "19 x 19 pixels"),
        ("fc", 3, "Linear", "128", "the whole picture"),
    )
    assert "96 x 96" in table.caption
    assert run.story.main == "tour.png"
    assert run.story.facts == {"layers": ["conv1_1", "conv2_1", "fc"], "units": [1, 2, 3]}


def test_a_tour_of_one_layer(bench: Bench) -> None:
    run = bench.run("model_tour", layers="conv1_1", size=[20, 16])
    assert torch.equal(pixels(run, "tour.png"), pixels(run, "pictures/000-conv1_1-00000.png"))
    assert pixels(run, "tour.png").shape == (3, 20, 16)
    assert run.story.title == "A tour of demo: one unit of each of 1 layer"


def test_a_unit_looks_as_in_a_sheet_of_its_layer(bench: Bench) -> None:
    tour = bench.run("model_tour", "tour", layers="conv2_1", unit=5, batch=1)
    layer = bench.run("layer_sheet", "sheet", layers="conv2_1", units=[5], batch=1)
    assert torch.equal(pixels(tour, "tour.png"), pixels(layer, "pictures/conv2_1/00005.png"))


@pytest.mark.parametrize(
    "fields", [{"unit": 1, "steps": 1, "size": 16}, {"layers": ["conv2_1", "conv1_1"], "unit": [4, 2]}]
)
def test_the_resolved_recipe_gives_the_same_folder(bench: Bench, fields: dict[str, Any]) -> None:
    first = bench.run("model_tour", **fields)
    assert contents(bench.again(first).folder) == contents(first.folder)


@pytest.mark.parametrize(
    ("fields", "key", "words"),
    [
        ({"layers": "conv9_9"}, ("layers",), "conv9_9"),
        ({"layers": ["conv1_1", "conv9_9"]}, ("layers", 1), "conv9_9"),
        ({"unit": 30}, ("unit",), "'conv1_1' has 24 channels, 0 to 23, but 30 was given; write one unit for each"),
        ({"layers": ["conv2_1", "conv1_1"], "unit": [5, 24]}, ("unit", 1), "'conv1_1' has 24 channels"),
        ({"layers": ["conv2_1", "conv1_1"], "unit": [5]}, ("unit",), "there are 2 layers, but 1 unit"),
        ({"unit": [1, 2]}, ("unit",), "there are 10 layers, but 2 units"),
        ({"layers": ["conv1_1", "conv1_1"], "unit": [1, 2]}, ("layers",), "named twice"),
        ({"unit": -1}, ("unit",), "-1"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_field(
    bench: Bench, fields: dict[str, Any], key: tuple[str | int, ...], words: str
) -> None:
    with pytest.raises(FieldError) as caught:
        bench.plan("model_tour", **fields)
    assert caught.value.key[: len(key)] == key
    assert words in caught.value.problem


def test_a_network_without_convolutions_is_refused(bench: Bench) -> None:
    with pytest.raises(FieldError, match="no convolution or linear layer; name layers"):
        lt.recipes.model_tour(as_model(nn.Sequential(nn.ReLU())), output=bench.folder / "none")
