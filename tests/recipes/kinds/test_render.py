from __future__ import annotations

from typing import Any

import pytest
import torch
from recipe_runs import Bench, contents, pixels

import lucidtorch as lt
from lucidtorch.recipes.blame import FieldError


def test_the_objective_is_one_task(bench: Bench) -> None:
    plan = bench.plan("render", objective="channel('conv1_1', [3, 5])", snapshots=[1], seed=7)
    (task,) = plan.tasks
    assert repr(task.objective) == "channel('conv1_1', [3, 5])"
    assert task.seeds == (7, 8)
    assert [(piece.file, piece.places, piece.snapshot) for piece in task.pieces] == [
        ("pictures/000.png", (0,), None),
        ("pictures/001.png", (1,), None),
        ("pictures/000-step-000001.png", (0,), 1),
        ("pictures/001-step-000001.png", (1,), 1),
    ]
    assert plan.fields == {"objective": "channel('conv1_1', [3, 5])", "images": 2}


@pytest.mark.parametrize(
    ("fields", "count", "seeds"),
    [
        ({"objective": "conv1_1:3"}, 1, (0,)),
        ({"objective": "conv1_1:3", "images": 3}, 3, (0, 1, 2)),
        ({"objective": "conv1_1:3", "size": None, "param": "image(24, batch=2)"}, 2, (0, 1)),
        ({"objective": "conv1_1:3", "images": 2, "seed": [4, 9]}, 2, (4, 9)),
    ],
)
def test_how_many_pictures_there_are(bench: Bench, fields: dict[str, Any], count: int, seeds: tuple[int, ...]) -> None:
    (task,) = bench.plan("render", **fields).tasks
    assert len(task.pieces) == count
    assert task.seeds == seeds


def test_the_pictures_are_those_of_the_function_of_that_name(bench: Bench) -> None:
    run = bench.run("render", objective="each(conv1_1:3, -conv1_1:3)", size=[20, 16], snapshots=[1])
    found = lt.render(
        bench.model,
        "each(conv1_1:3, -conv1_1:3)",
        param=lt.param.image((20, 16)),
        steps=2,
        snapshots=[1],
        progress=False,
    )
    for place in range(2):
        assert pixels(run, f"pictures/{place:03d}.png") == pytest.approx(found.images[place], abs=0.51 / 255)
        snapshot = pixels(run, f"pictures/{place:03d}-step-000001.png")
        assert snapshot == pytest.approx(found.snapshots[1][place], abs=0.51 / 255)


def test_the_page_of_one_picture(bench: Bench) -> None:
    run = bench.run("render", objective="conv1_1:3")
    (section,) = run.story.sections
    assert (section.heading, [figure.caption for figure in section.figures]) == ("The picture", ["conv1_1:3"])
    assert run.story.main == "pictures/000.png"
    assert run.story.title == "conv1_1:3 of demo"
    assert section.figures[0].seed == 0


def test_the_page_of_several_pictures(bench: Bench) -> None:
    run = bench.run("render", objective="each(conv1_1:3, logit('star'))", snapshots=[1, 2])
    together, each, way = run.story.sections
    assert run.story.main == together.figures[0].file == "sheet.png"
    sheet = pixels(run, "sheet.png")
    assert torch.equal(sheet[:, :, :24], pixels(run, "pictures/000.png"))
    assert torch.equal(sheet[:, :, 26:], pixels(run, "pictures/001.png"))
    assert [figure.caption for figure in each.figures] == ["conv1_1:3", "logit('star')"]
    assert [figure.objective for figure in each.figures] == ["channel('conv1_1', 3)", "logit('star')"]
    assert (way.columns, way.row_names) == (2, ("conv1_1:3", "logit('star')"))
    assert way.column_names == ("after 1 steps", "after 2 steps")
    assert [figure.file for figure in way.figures][:2] == [
        "pictures/000-step-000001.png",
        "pictures/000-step-000002.png",
    ]
    assert all(figure.score is None and not figure.curve for figure in way.figures)  # a score is of the end


def test_pictures_of_the_same_objective_are_numbered(bench: Bench) -> None:
    run = bench.run("render", objective="conv1_1:3", images=2)
    assert [figure.caption for figure in run.story.sections[1].figures] == ["picture 0", "picture 1"]


@pytest.mark.parametrize(
    "fields",
    [
        {"objective": "conv1_1:3"},
        {"objective": "conv1_1:3 - 3 * diversity('conv1_1')", "images": 3, "snapshots": [1]},
        {"objective": "conv1_1:3", "size": None, "param": "image(24, batch=2)", "seed": [4, 9]},
    ],
)
def test_the_resolved_recipe_gives_the_same_folder(bench: Bench, fields: dict[str, Any]) -> None:
    first = bench.run("render", **fields)
    assert contents(bench.again(first).folder) == contents(first.folder)


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({}, ("objective",)),
        ({"objective": "conv9_9:3"}, ("objective",)),
        ({"objective": "conv1_1:"}, ("objective",)),
        ({"objective": "conv1_1:3", "images": 0}, ("images",)),
        ({"objective": "conv1_1:3", "snapshots": [3]}, ("snapshots",)),
        ({"objective": "conv1_1:3", "snapshots": [0]}, ("snapshots",)),
        ({"objective": "conv1_1:3", "seed": [1, 2]}, ("seed",)),
        ({"objective": "conv1_1:3", "seed": -1}, ("seed",)),
    ],
)
def test_what_does_not_fit_is_refused_with_its_field(
    bench: Bench, fields: dict[str, Any], key: tuple[str | int, ...]
) -> None:
    with pytest.raises(FieldError) as caught:
        bench.plan("render", **fields)
    assert caught.value.key[: len(key)] == key
