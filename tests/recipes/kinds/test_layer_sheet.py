from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from recipe_runs import Bench, contents, pixels, shown
from small_networks import as_model

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.seeds import picture_seed
from lucidtorch.recipes.blame import FieldError

GAP, DARK = 2, round(0.1 * 255) / 255  # between the pictures of a sheet


def test_units_are_cut_into_batches_each_with_the_seed_of_what_it_shows(bench: Bench) -> None:
    plan = bench.plan("layer_sheet", layers=["conv2_1", "conv1_1"], units=[7, 0, 3], seed=5)
    assert [repr(task.objective) for task in plan.tasks] == [
        "channel('conv1_1', [0, 3])",
        "channel('conv1_1', [7, 7])",
        "channel('conv2_1', [0, 3])",
        "channel('conv2_1', [7, 7])",
    ]
    assert shown(plan.tasks[0]) == [
        ("pictures/conv1_1/00000.png", picture_seed(5, "conv1_1", 0, "channel", 0)),
        ("pictures/conv1_1/00003.png", picture_seed(5, "conv1_1", 3, "channel", 0)),
    ]
    assert [len(task.pieces) for task in plan.tasks] == [2, 1, 2, 1]
    assert plan.fields == {"layers": ("conv1_1", "conv2_1")}


def test_all_units_of_a_layer_are_shown_if_none_are_chosen(bench: Bench) -> None:
    pieces = [piece for task in bench.plan("layer_sheet", layers="conv1_1", batch=5).tasks for piece in task.pieces]
    assert [piece.file for piece in pieces] == [f"pictures/conv1_1/{unit:05d}.png" for unit in range(24)]


def test_the_sheet_holds_the_pictures_row_by_row(bench: Bench) -> None:
    run = bench.run("layer_sheet", layers="conv1_1", units="0-4", columns=3, size=[20, 16])
    sheet = pixels(run, "sheet-conv1_1.png")
    assert sheet.shape == (3, 2 * 20 + GAP, 3 * 16 + 2 * GAP)
    for unit in range(5):
        top, left = (unit // 3) * (20 + GAP), (unit % 3) * (16 + GAP)
        assert torch.equal(sheet[:, top : top + 20, left : left + 16], pixels(run, f"pictures/conv1_1/{unit:05d}.png"))
    assert sheet[:, -20:, -16:] == pytest.approx(DARK)


def test_the_page_says_which_unit_stands_where(bench: Bench) -> None:
    run = bench.run("layer_sheet", layers=["conv1_1", "logits"], units="0-4", columns=2)
    first, second = run.story.sections
    assert [figure.caption for figure in first.figures] == [
        "conv1_1: units 0-4 from left to right, 2 in a row; the rows begin with 0, 2, 4.",
        *(f"conv1_1:{unit}" for unit in range(5)),
    ]
    assert [figure.whole for figure in first.figures] == [True] + [False] * 5
    assert first.figures[4].objective == "channel('conv1_1', 3)"
    assert second.figures[1].caption == f"logits:0 {bench.model.labels[0]}"
    assert run.story.main == "sheet-conv1_1.png"
    facts = json.loads((run.folder / "data.json").read_text())["facts"]["sheets"]["logits"]
    assert facts == {"units": [0, 1, 2, 3, 4], "columns": 2, "dead": []}


@pytest.mark.parametrize(
    ("units", "text"),
    [
        ([4], "conv1_1: unit 4."),
        ([0, 1, 4], "conv1_1: units 0-1, 4 from left to right, 2 in a row."),
        ([4, 5], "conv1_1: units 4-5 from left to right, 2 in a row."),
    ],
)
def test_chosen_units_are_listed(bench: Bench, units: list[int], text: str) -> None:
    assert bench.run("layer_sheet", layers="conv1_1", units=units).story.sections[0].figures[0].caption == text


def test_dead_units_are_marked(bench: Bench) -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 3, 3), torch.nn.ReLU())
    with torch.no_grad():
        network[0].bias[:] = torch.tensor([1.0, -1e6, 1.0])
    run = lt.recipes.layer_sheet(as_model(network), layers="1", size=16, steps=2, output=bench.folder / "dead")
    whole, _, dead, _ = run.figures
    assert "cross: dead, which nothing woke (1)" in whole.caption
    assert [figure.dead for figure in run.figures] == [False, False, True, False]
    assert run.story.facts["sheets"]["1"]["dead"] == [1]
    assert pixels(run, dead.file)[0, 8, 0] == pytest.approx(0.5, abs=1 / 255)


def test_a_unit_is_the_same_whatever_else_is_in_the_sheet(bench: Bench) -> None:
    file = "pictures/conv1_1/00003.png"
    one = bench.run("layer_sheet", "one", layers="conv1_1", units=[2, 3])
    other = bench.run("layer_sheet", "other", layers=["conv1_1", "conv2_1"], units="3-9")
    assert torch.equal(pixels(one, file), pixels(other, file))


def test_the_resolved_recipe_gives_the_same_folder(bench: Bench) -> None:
    first = bench.run("layer_sheet", layers=["conv2_1", "conv1_1"], units="0-4", columns=2)
    assert contents(bench.again(first).folder) == contents(first.folder)


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"layers": "conv9_9"}, ("layers",)),
        ({"layers": ["conv1_1", "conv9_9"]}, ("layers", 1)),
        ({"layers": "conv1_1", "units": "0-9,99"}, ("units",)),
        ({"layers": "conv1_1", "units": [24]}, ("units",)),
        ({"layers": "conv1_1", "units": "some"}, ("units",)),
        ({"layers": "conv1_1", "columns": 0}, ("columns",)),
        ({"layers": []}, ("layers",)),
        ({}, ("layers",)),
    ],
)
def test_what_does_not_fit_is_refused_with_its_field(
    bench: Bench, fields: dict[str, Any], key: tuple[str | int, ...]
) -> None:
    with pytest.raises(BadInputError) as caught:
        bench.plan("layer_sheet", **fields)
    assert isinstance(caught.value, FieldError)
    assert caught.value.key[: len(key)] == key
