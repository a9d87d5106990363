"""Films: which steps are kept, what is told of them, and that a film made again is the same to the byte."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from imageio_ffmpeg import count_frames_and_secs
from PIL import Image
from recipe_runs import Bench, contents, pixels

import lucidtorch as lt
from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.parts.film import spaced

GOAL = "conv2_1:3"
GAP = 2  # pixels between the pictures of a sheet


@given(st.integers(1, 3000), st.integers(1, 300), st.sampled_from(["log", "linear"]))
def test_steps_rise_to_the_last_and_are_as_many_as_asked_for(steps: int, frames: int, spacing: str) -> None:
    found = spaced(steps, frames, spacing)
    assert len(found) == min(steps, frames)
    assert found[0] >= 1
    assert found[-1] == steps
    assert all(before < after for before, after in pairwise(found))


def test_steps_lie_evenly_or_by_equal_ratios() -> None:
    assert spaced(100, 5, "linear") == (20, 40, 60, 80, 100)
    assert spaced(256, 5, "log") == (1, 4, 16, 64, 256)


def test_early_steps_fill_more_of_a_logarithmic_film() -> None:
    gaps = [after - before for before, after in pairwise(spaced(512, 48, "log"))]
    assert gaps[0] == 1
    assert gaps[-1] > 30
    assert all(after >= before - 1 for before, after in pairwise(gaps))


def test_one_task_keeps_every_frame_of_every_picture(bench: Bench) -> None:
    (task,) = bench.plan("optimization_film", objective=GOAL, images=2, steps=4, frames=2, seed=5).tasks
    assert task.seeds == (5, 6)
    assert repr(task.objective) == "channel('conv2_1', 3)"
    assert task.craft.schedule.snapshots == (1,)
    assert [(one.file, one.places, one.snapshot) for one in task.pieces] == [
        ("pictures/000-step-000001.png", (0,), 1),
        ("pictures/000.png", (0,), None),
        ("pictures/001-step-000001.png", (1,), 1),
        ("pictures/001.png", (1,), None),
    ]


def test_explicit_steps_are_kept_and_the_last_joins_them(bench: Bench) -> None:
    plan = bench.plan("optimization_film", objective=GOAL, steps=9, snapshots=[6, 2])
    assert plan.tasks[0].craft.schedule.snapshots == (2, 6)
    assert [one.snapshot for one in plan.tasks[0].pieces] == [2, 6, None]
    assert dict(plan.fields) == {"objective": "channel('conv2_1', 3)", "images": 1}


def test_open_fields_are_filled_in(bench: Bench) -> None:
    fields = bench.plan("optimization_film", objective=GOAL, steps=3).fields
    assert dict(fields) == {"objective": "channel('conv2_1', 3)", "images": 1, "frames": 48, "spacing": "log"}


def test_a_film_of_odd_sides_tells_its_steps(bench: Bench) -> None:
    run = bench.run("optimization_film", objective=GOAL, size=(25, 31), steps=4, images=2, strip=3, hold=0, seed=3)
    film, strip, steps = run.story.sections
    assert [one.file for one in film.figures] == ["film.gif", "film.mp4"]
    assert run.story.main == strip.figures[0].file == "strip.png"
    assert run.story.facts["steps_of_frames"] == [0, 1, 2, 3, 4]
    assert run.story.facts["steps_of_strip"] == [0, 2, 4]
    assert (steps.columns, steps.column_names) == (2, ("step 2", "step 4"))
    assert [one.file for one in steps.figures[:2]] == ["pictures/000-step-000002.png", "pictures/000.png"]
    assert [one.seed for one in steps.figures] == [3, 3, 4, 4]
    with Image.open(run.folder / "film.gif") as movie:
        assert (movie.n_frames, movie.size) == (5, (2 * 31 + GAP, 25))
    assert count_frames_and_secs(str(run.folder / "film.mp4"))[0] == 5


def test_a_strip_has_a_column_per_step_and_a_row_per_picture(bench: Bench) -> None:
    run = bench.run("optimization_film", objective=GOAL, images=2, strip=3, formats=["gif"])
    strip = pixels(run, "strip.png")
    assert strip.shape == (3, 2 * 24 + GAP, 3 * 24 + 2 * GAP)
    assert torch.equal(strip[:, :24, 26:50], pixels(run, "pictures/000-step-000001.png"))
    assert torch.equal(strip[:, 26:, 52:], pixels(run, "pictures/001.png"))
    start = lt.param.image(24)
    start.fill([1])
    assert torch.equal((strip[:, 26:, :24] * 255).round(), (start()[0].detach() * 255).round())


def test_the_last_frame_is_the_picture_that_a_render_makes(bench: Bench) -> None:
    film = bench.run("optimization_film", "film", objective=GOAL, frames=1, formats=["gif"], seed=4)
    picture = bench.run("render", "render", objective=GOAL, seed=4)
    assert torch.equal(pixels(film, "pictures/000.png"), pixels(picture, "pictures/000.png"))


def test_a_frame_has_the_score_that_a_render_of_so_many_steps_has(bench: Bench) -> None:
    run = bench.run("optimization_film", objective=GOAL, steps=4, snapshots=[2], strip=3, formats=["gif"])
    early, late = run.story.sections[2].figures
    shorter = bench.run("render", "shorter", objective=GOAL, steps=2).figures[0]
    assert shorter.score is not None
    assert early.score == pytest.approx(shorter.score, rel=0.02)  # the first is of the picture in 8 bits
    assert late.score == run.story.sections[0].figures[0].score
    assert (len(early.curve), len(late.curve)) == (0, 4)


def test_a_frame_is_made_again_from_what_it_carries(bench: Bench, tmp_path: Path) -> None:
    run = bench.run("optimization_film", objective=GOAL, formats=["gif"])
    file = run.folder / "pictures" / "000-step-000001.png"
    lt.recipes.rerun(file, tmp_path / "again.png", model=bench.model)
    assert (tmp_path / "again.png").read_bytes() == file.read_bytes()


@pytest.mark.parametrize("fields", [{"frames": 2, "images": 2}, {"snapshots": [1]}], ids=["frames", "snapshots"])
def test_the_resolved_recipe_gives_the_same_folder(bench: Bench, fields: dict[str, Any]) -> None:
    first = bench.run("optimization_film", objective=GOAL, **fields)
    assert contents(bench.again(first).folder) == contents(first.folder)


def test_see_through_pictures_lie_on_grey(bench: Bench) -> None:
    run = bench.run("optimization_film", objective=GOAL, size=None, param="image(24, alpha=True)", formats=["gif"],
                    transforms="background() | jitter(2)")  # fmt: skip
    assert pixels(run, "strip.png").shape[0] == 3
    assert run.story.facts["steps_of_frames"] == [1, 2]  # what it starts from is no picture of three channels


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"objective": "conv9_1:3"}, ("objective",)),
        ({"snapshots": [3]}, ("snapshots",)),
        ({"snapshots": [1], "frames": 4}, ("snapshots",)),
        ({"snapshots": [1], "spacing": "linear"}, ("snapshots",)),
        ({"snapshots": [0]}, ("snapshots", 0)),
        ({"frames": 0}, ("frames",)),
        ({"spacing": "cubic"}, ("spacing",)),
        ({"formats": ["avi"]}, ("formats",)),
        ({"formats": []}, ("formats",)),
        ({"frames_per_second": 0}, ("frames_per_second",)),
        ({"hold": -1}, ("hold",)),
        ({"strip": 1}, ("strip",)),
        ({"images": 0}, ("images",)),
    ],
)
def test_what_does_not_fit_is_refused_with_its_field(
    bench: Bench, fields: dict[str, Any], key: tuple[Any, ...]
) -> None:
    with pytest.raises(FieldError) as found:
        bench.plan("optimization_film", **{"objective": GOAL, **fields})
    assert found.value.key[: len(key)] == key


def test_without_its_encoder_an_mp4_is_refused_before_any_step(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(FieldError, match=r"pip install 'lucidtorch\[film\]'") as found:
        bench.plan("optimization_film", objective=GOAL)
    assert found.value.key == ("formats",)
    run = bench.run("optimization_film", objective=GOAL, formats=["gif"])
    assert (run.folder / "film.gif").is_file()
