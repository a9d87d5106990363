from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from recipe_runs import Bench, contents, pixels, shown

from lucidtorch.base.errors import BadInputError
from lucidtorch.base.images import sheet
from lucidtorch.base.seeds import picture_seed
from lucidtorch.objectives import parse
from lucidtorch.param.images import Image as ImageParam
from lucidtorch.recipes.blame import FieldError

ENDS = ["conv2_1:3", "conv2_1:7"]


def test_all_frames_of_a_walk_are_one_task_with_its_penalty(bench: Bench) -> None:
    (task,) = bench.plan("interpolation", objectives=ENDS, frames=3, alignment=0.2, decay=4).tasks
    assert task.objective == parse(
        "interpolate(channel('conv2_1', 3), channel('conv2_1', 7), 3) - 0.2 * alignment('conv2_1', decay_ratio=4.0)"
    )
    start = picture_seed(0, "interpolation", "channel('conv2_1', 3)", "channel('conv2_1', 7)")
    seeds = [picture_seed(start, place) for place in range(3)]
    assert shown(task) == [(f"pictures/aligned/{place:04d}.png", seed) for place, seed in enumerate(seeds)]


def test_the_frames_share_the_coarse_parts_of_lucid(bench: Bench) -> None:
    (task,) = bench.plan("interpolation", objectives=ENDS, size=32).tasks
    assert isinstance(task.craft.param, ImageParam)
    shapes = [vars(part)["shape"] for part in task.craft.param.added]
    assert shapes == [(1, 3, 16, 16), (1, 3, 8, 8), (1, 3, 4, 4), (2, 3, 4, 4), (1, 3, 2, 2), (2, 3, 2, 2)]


def test_a_walk_of_three_objectives_goes_evenly_from_each_to_the_next(bench: Bench) -> None:
    plan = bench.plan("interpolation", objectives=[*ENDS, "conv1_1:0"], frames=3, alignment=0, shared=False)
    (task,) = plan.tasks
    values = {"conv2_1": torch.rand(5, 48, 2, 2), "conv1_1": torch.rand(5, 24, 3, 3)}
    first, second = (values["conv2_1"][:, unit].mean((1, 2)) for unit in (3, 7))
    third = values["conv1_1"][:, 0].mean((1, 2))
    wanted = [first[0], (first[1] + second[1]) / 2, second[2], (second[3] + third[3]) / 2, third[4]]
    torch.testing.assert_close(task.objective(values), torch.stack(wanted))
    assert [piece.file for piece in task.pieces] == [f"pictures/separate/{place:04d}.png" for place in range(5)]


def test_without_alignment_and_sharing_there_is_one_plain_walk(bench: Bench) -> None:
    (task,) = bench.plan("interpolation", objectives=ENDS, frames=4, alignment=0, shared=False).tasks
    assert task.objective == parse("interpolate(conv2_1:3, conv2_1:7, 4)")
    assert repr(task.craft.param) == "image(24)"


def test_to_compare_there_are_two_walks_from_the_same_seeds(bench: Bench) -> None:
    aligned, separate = bench.plan("interpolation", objectives=ENDS, frames=3, compare=True).tasks
    assert aligned.seeds == separate.seeds
    assert separate.objective == parse("interpolate(conv2_1:3, conv2_1:7, 3)")
    assert "shared" not in repr(separate.craft.param)


def test_frames_may_be_kept_alike_in_layers_of_ones_own_choice(bench: Bench) -> None:
    (task,) = bench.plan("interpolation", objectives=ENDS, alignment_layers=["conv1_2", "conv1_1"]).tasks
    assert task.objective.layers == ("conv2_1", "conv1_1", "conv1_2")


def test_the_strip_holds_the_walks_one_above_the_other_and_the_movie_comes_back(bench: Bench) -> None:
    run = bench.run("interpolation", objectives=ENDS, frames=3, compare=True, size=[24, 32])
    frames = [pixels(run, f"pictures/{name}/{place:04d}.png") for name in ("aligned", "separate") for place in range(3)]
    torch.testing.assert_close(pixels(run, "walk.png"), sheet(torch.stack(frames), 3), atol=1 / 255, rtol=0)
    assert run.story.main == "walk.png"
    with Image.open(run.folder / "aligned.gif") as movie:
        assert movie.n_frames == 4  # there in three, and back over the one between
        assert movie.size == (32, 24)


def test_the_page_tells_what_each_frame_gives_both_ends(bench: Bench) -> None:
    run = bench.run("interpolation", objectives=ENDS, frames=3, steps=4)
    _, walk = run.story.sections
    assert walk.table is not None
    assert walk.table.head == ("frame", "mixture", "conv2_1:3", "conv2_1:7")
    assert [row[:2] for row in walk.table.rows] == [
        (1, "conv2_1:3"),
        (2, "50% conv2_1:3, 50% conv2_1:7"),
        (3, "conv2_1:7"),
    ]
    images = torch.stack([pixels(run, f"pictures/aligned/{place:04d}.png") for place in range(3)])
    seen = bench.model.activations(images, "conv2_1")["conv2_1"]
    for column, unit in ((2, 3), (3, 7)):
        found = [float(row[column]) for row in walk.table.rows]  # type: ignore[arg-type]
        np.testing.assert_allclose(found, seen[:, unit].mean((1, 2)), atol=1e-4)
    assert [figure.objective for figure in walk.figures][1:] == [
        "channel('conv2_1', 3)",
        "0.5 * channel('conv2_1', 3) + 0.5 * channel('conv2_1', 7)",
        "channel('conv2_1', 7)",
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"objectives": [*ENDS, "logit('star')"], "frames": 2, "compare": True},
        {"objectives": ENDS, "frames": 2, "alignment": 0},
        {"objectives": ENDS, "frames": 2, "param": "image(24, alpha=True)", "transforms": "background()", "size": None},
    ],
)
def test_the_resolved_recipe_gives_the_same_folder(bench: Bench, fields: dict[str, Any]) -> None:
    first = bench.run("interpolation", **fields)
    assert contents(bench.again(first).folder) == contents(first.folder)


@pytest.mark.parametrize(
    ("fields", "key", "words"),
    [
        ({"objectives": ENDS[:1]}, ("objectives",), "At least 2"),
        ({"objectives": ["conv2_1:3", "conv2_9:1"]}, ("objectives", 1), "no layer 'conv2_9'"),
        ({"objectives": ["conv2_1:3", "conv2_1:("]}, ("objectives", 1), "column"),
        ({"objectives": ["channel('conv2_1', [1, 2])", "conv2_1:3"]}, ("objectives", 0), "speaks of 2 images"),
        ({"objectives": ENDS, "alignment_layers": "conv9"}, ("alignment_layers",), "no layer 'conv9'"),
        ({"objectives": ENDS, "alignment": 0, "alignment_layers": "conv1_1"}, ("alignment_layers",), "alignment is 0"),
        ({"objectives": ENDS, "alignment": 0, "shared": False, "compare": True}, ("compare",), "nothing to compare"),
        ({"objectives": ENDS * 10, "frames": 200}, ("frames",), "3782"),
        ({"objectives": ENDS, "frames": 1}, ("frames",), "from 2 to 256"),
        ({"objectives": ENDS, "param": "stack(image(24), image(24))"}, ("shared",), "image"),
    ],
)
def test_a_walk_that_cannot_be_is_refused_at_its_field(
    bench: Bench, fields: dict[str, Any], key: tuple[str | int, ...], words: str
) -> None:
    with pytest.raises(FieldError, match=words) as caught:
        bench.plan("interpolation", **fields)
    assert caught.value.key == key
    assert isinstance(caught.value, BadInputError)
