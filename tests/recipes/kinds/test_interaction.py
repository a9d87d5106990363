from __future__ import annotations

from typing import Any

import pytest
import torch
from recipe_runs import Bench, contents, pixels

from lucidtorch.base.images import sheet
from lucidtorch.base.seeds import picture_seed
from lucidtorch.objectives import parse
from lucidtorch.recipes.blame import FieldError

THREE = ["conv2_1:3", "conv2_1:7", "logit('star')"]


def test_every_two_are_summed_once_and_all_start_alike(bench: Bench) -> None:
    tasks = bench.plan("interaction", objectives=THREE, batch=4).tasks
    assert [len(task.seeds) for task in tasks] == [4, 4]  # six pictures; the last batch is filled up
    files = [piece.file for task in tasks for piece in task.pieces]
    assert files == [
        f"pictures/{place}.png" for place in ("000-000", "000-001", "000-002", "001-001", "001-002", "002-002")
    ]
    assert {seed for task in tasks for seed in task.seeds} == {picture_seed(0, "interaction")}
    assert tasks[0].objective == parse("each(conv2_1:3, conv2_1:3 + conv2_1:7, conv2_1:3 + logit('star'), conv2_1:7)")


def test_units_of_a_layer_are_its_channels(bench: Bench) -> None:
    (task,) = bench.plan("interaction", layer="conv2_1", units="3,7", batch=8).tasks
    assert task.objective == parse("each(conv2_1:3, conv2_1:3 + conv2_1:7, conv2_1:7)")


def test_below_the_diagonal_may_stand_the_differences(bench: Bench) -> None:
    (task,) = bench.plan("interaction", layer="conv2_1", units=[3, 7], lower="difference", batch=8).tasks
    assert task.objective == parse("each(conv2_1:3, conv2_1:3 + conv2_1:7, conv2_1:7 - conv2_1:3, conv2_1:7)")
    assert [piece.file for piece in task.pieces][2] == "pictures/001-000.png"


def test_cells_that_share_parts_are_one_batch(bench: Bench) -> None:
    (task,) = bench.plan("interaction", objectives=THREE, batch=2, shared=True).tasks
    assert len(task.seeds) == 6
    assert repr(task.craft.param) == "image(24) + shared([1, 3, 12, 12]) + shared([1, 3, 6, 6]) + shared([1, 3, 3, 3])"


def test_the_grid_is_mirrored_at_its_diagonal(bench: Bench) -> None:
    run = bench.run("interaction", objectives=THREE, size=[24, 32])
    cells = [f"pictures/{min(row, column):03d}-{max(row, column):03d}.png" for row in range(3) for column in range(3)]
    whole = sheet(torch.stack([pixels(run, cell) for cell in cells]), 3)
    torch.testing.assert_close(pixels(run, "grid.png"), whole, atol=1 / 255, rtol=0)
    named = run.story.sections[1]
    assert [figure.file for figure in named.figures] == cells
    assert named.columns == 3
    assert named.row_names == named.column_names == ("conv2_1:3", "conv2_1:7", "logit('star')")
    assert [figure.caption for figure in named.figures][:4] == [
        "conv2_1:3",
        "conv2_1:3 + conv2_1:7",
        "conv2_1:3 + logit('star')",
        "conv2_1:7 + conv2_1:3",
    ]


def test_differences_are_named_as_such(bench: Bench) -> None:
    run = bench.run("interaction", layer="conv2_1", units="3,7", lower="difference")
    captions = [figure.caption for figure in run.story.sections[1].figures]
    assert captions == ["conv2_1:3", "conv2_1:3 + conv2_1:7", "conv2_1:7 \N{MINUS SIGN} conv2_1:3", "conv2_1:7"]


def test_the_table_says_how_much_of_both_is_reached_together(bench: Bench) -> None:
    run = bench.run("interaction", layer="relu2_1", units="3,7", steps=6)
    by_file = {figure.file: figure.score for figure in run.story.sections[1].figures}
    first, both, second = (by_file[f"pictures/{place}.png"] for place in ("000-000", "000-001", "001-001"))
    assert first is not None
    assert second is not None
    assert both is not None
    share = round(both / (first + second), 3)
    table = run.story.sections[2].table
    assert table is not None
    assert table.head == ("", "relu2_1:3", "relu2_1:7")
    assert table.rows == (("relu2_1:3", first, share), ("relu2_1:7", share, second))


def test_nothing_is_divided_by_what_is_not_above_zero(bench: Bench) -> None:
    run = bench.run("interaction", objectives=["-deepdream('conv1_1')", "conv2_1:7"])
    table = run.story.sections[2].table
    assert table is not None
    assert table.rows[0][2] is None


@pytest.mark.parametrize(
    "fields",
    [
        {"layer": "conv2_1", "units": "3,7", "lower": "difference"},
        {"objectives": THREE, "shared": True, "param": "image(24, decay=1.2)", "size": None},
    ],
)
def test_the_resolved_recipe_gives_the_same_folder(bench: Bench, fields: dict[str, Any]) -> None:
    first = bench.run("interaction", **fields)
    assert contents(bench.again(first).folder) == contents(first.folder)


@pytest.mark.parametrize(
    ("fields", "key", "words"),
    [
        ({}, ("objectives",), "Write what is combined"),
        ({"layer": "conv2_1"}, ("units",), "Write what is combined"),
        ({"units": "3,7"}, ("layer",), "Write what is combined"),
        ({"objectives": THREE, "units": "3,7"}, ("objectives",), "not both"),
        ({"objectives": THREE[:1]}, ("objectives",), "At least 2"),
        ({"objectives": ["conv2_1:3", "conv2_9:1"]}, ("objectives", 1), "no layer 'conv2_9'"),
        ({"objectives": ["conv2_1:3", "channel('conv2_1', [1, 2])"]}, ("objectives", 1), "speaks of 2"),
        ({"layer": "conv2_9", "units": "1,2"}, ("layer",), "no layer 'conv2_9'"),
        ({"layer": "conv2_1", "units": "46,48"}, ("units",), "48 channels"),
        ({"layer": "conv2_1", "units": 3}, ("units",), "2 to 64 units"),
        ({"layer": "conv3_1", "units": "all"}, ("units",), "2 to 64 units"),
        ({"objectives": THREE, "lower": "upper"}, ("lower",), "mirrored"),
        ({"objectives": THREE, "shared": True, "param": "stack(image(24), image(24))"}, ("shared",), "image"),
    ],
)
def test_a_grid_that_cannot_be_is_refused_at_its_field(
    bench: Bench, fields: dict[str, Any], key: tuple[str | int, ...], words: str
) -> None:
    with pytest.raises(FieldError, match=words) as caught:
        bench.plan("interaction", **fields)
    assert caught.value.key == key
