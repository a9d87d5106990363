"""How pages speak of units, and where their pictures start."""

from __future__ import annotations

from pathlib import Path

import pytest

import lucidtorch as lt
from lucidtorch.base.seeds import picture_seed
from lucidtorch.models.model import Model
from lucidtorch.objectives.images import single
from lucidtorch.recipes.kinds.layer_sheet import LayerSheet
from lucidtorch.recipes.parts.unit_pictures import (
    counted,
    numbers_text,
    objective_name,
    objective_seed,
    unit_of,
)
from lucidtorch.recipes.runs.stage import Stage


@pytest.fixture
def stage(demo: Model) -> Stage:
    return Stage.of(LayerSheet(model="demo", layers="conv1_1", seed=6), demo, Path())


@pytest.mark.parametrize(
    ("numbers", "text"),
    [([], ""), ([4], "4"), ([0, 1, 2], "0-2"), ([0, 2, 3, 9], "0, 2-3, 9"), (range(300), "0-299")],
)
def test_numbers_are_written_as_ranges(numbers: list[int], text: str) -> None:
    assert numbers_text(numbers) == text


def test_one_is_no_plural() -> None:
    assert [counted(count, "unit") for count in (0, 1, 2)] == ["0 units", "1 unit", "2 units"]


def test_a_single_channel_is_a_unit_and_nothing_else_is(demo: Model) -> None:
    assert unit_of(lt.parse("conv1_1:3")) == ("conv1_1", 3)
    assert objective_name(demo, lt.parse("conv1_1:3")) == "conv1_1:3"
    for text in ("-channel('conv1_1', 3)", "channel('conv1_1', [3, 4])", "neuron('conv1_1', 3)", "2 * channel('a', 3)"):
        assert unit_of(lt.parse(text)) is None
        assert objective_name(demo, lt.parse(text)) == text


def test_classes_are_named(demo: Model) -> None:
    assert objective_name(demo, lt.parse("logits:2")) == f"logits:2 {(demo.labels or [])[2]}"


def test_a_unit_has_one_seed_in_all_recipes_and_other_objectives_their_own(stage: Stage) -> None:
    assert objective_seed(stage, lt.parse("conv1_1:3"), 2) == picture_seed(6, "conv1_1", 3, "channel", 2)
    assert objective_seed(stage, lt.parse("-conv1_1:3")) == picture_seed(6, "-channel('conv1_1', 3)", 0)


@pytest.mark.parametrize(
    ("batch", "parts"),
    [
        ("each(conv1_1:3, logit('star'))", ["channel('conv1_1', 3)", "logit('star')"]),
        ("channel('conv1_1', [3, 5])", ["channel('conv1_1', 3)", "channel('conv1_1', 5)"]),
        ("conv1_1:3", ["channel('conv1_1', 3)"] * 2),
        ("conv1_1:3 - diversity('conv1_1')", ["channel('conv1_1', 3) - diversity('conv1_1')"] * 2),
    ],
)
def test_each_image_is_told_its_own_part(batch: str, parts: list[str]) -> None:
    assert [repr(single(lt.parse(batch), image)) for image in range(2)] == parts
