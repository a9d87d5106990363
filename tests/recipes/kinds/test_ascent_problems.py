"""What goes wrong in plain ascent: how each way is made, what is measured, and what the page shows of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from recipe_runs import Bench, contents, pixels, shown

import lucidtorch as lt
from lucidtorch.analysis.picture_measures import (
    autocorrelation,
    extreme_share,
    saturation,
    spectral_slope,
    strongest_repeat,
)
from lucidtorch.galleries.plan import slug
from lucidtorch.models.loading import load_model
from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.inputs import Drawing, read_image
from lucidtorch.recipes.parts.measures import clipped_share, fine_share
from lucidtorch.recipes.story import Figure

GOALS = ["conv2_1:3", "logit('star')"]
PIXELS = "image(24, fft=False, decorrelate=False, bounds='clip')"


def test_each_way_adds_to_plain_ascent(bench: Bench) -> None:
    plan = bench.plan("ascent_problems", objectives=GOALS[:1])
    plain, transforms, frequencies, regularized = (task.craft for task in plan.tasks)
    standard = repr(lt.transforms.standard())
    said = [repr(one.transforms) for one in (plain, transforms, frequencies, regularized)]
    assert said == ["identity()", standard, "identity()", standard]
    assert [repr(one.param) for one in (plain, transforms)] == [PIXELS, PIXELS]
    for one in (frequencies, regularized):
        assert repr(one.param).startswith("image(24, init=array(")
    assert repr(lt.param.parse(plan.fields["param"])) == PIXELS
    assert len({task.seeds for task in plan.tasks}) == 1


def test_all_ways_start_from_the_same_picture(bench: Bench) -> None:
    tasks = bench.plan("ascent_problems", objectives=GOALS[:1], size=(20, 24)).tasks
    starts = []
    for task in tasks:
        assert task.craft.param is not None
        param = task.craft.param.resized(batch=1)
        param.fill(task.seeds)
        starts.append(param().detach())
    for one in starts[1:]:
        torch.testing.assert_close(one, starts[0], atol=1e-5, rtol=0)


def test_pictures_are_named_after_what_they_show(bench: Bench) -> None:
    tasks = bench.plan("ascent_problems", objectives=GOALS, ways=["plain", "regularized"]).tasks
    files = [name for task in tasks for name, _ in shown(task)]
    assert files[:2] == [f"pictures/01-{slug}.png" for slug in _slugs("conv2_1:3")]
    assert len(set(files)) == 4


def _slugs(name: str) -> list[str]:
    return [f"{slug(name)}-{word}" for word in ("plain", "regularized")]


def test_the_numbers_are_those_of_the_files(bench: Bench) -> None:
    run = bench.run("ascent_problems", objectives=GOALS, size=(48, 64), steps=3, ways=["plain", "frequencies"])
    facts = run.story.facts
    files = {figure.caption: figure.file for figure in run.story.sections[0].figures}
    for found, file in (
        (facts["measures"]["conv2_1:3"]["plain"], files["plain"]),
        (facts["measures"]["conv2_1:3"]["frequencies"], files["frequencies"]),
        (facts["reference"], "reference.png"),
    ):
        image = pixels(run, file)
        repeat = strongest_repeat(autocorrelation(image))
        wanted = {
            "fine": fine_share(image),
            "slope": spectral_slope(image),
            "extreme": extreme_share(image),
            "clipped": clipped_share(image),
            "saturation": saturation(image),
            "repeat": None if repeat is None else repeat.height,
            "repeat_distance": None if repeat is None else repeat.distance,
        }
        assert found == {name: None if one is None else pytest.approx(one, rel=1e-5) for name, one in wanted.items()}
    score = run.story.sections[0].figures[0].score
    seen = bench.model.activations(pixels(run, files["plain"])[None], ["conv2_1"])
    assert score == pytest.approx(float(lt.parse("conv2_1:3")(seen)[0]), rel=1e-4)


def test_each_objective_is_a_matrix_with_its_maps_below(bench: Bench) -> None:
    run = bench.run("ascent_problems", objectives=GOALS, ways=["plain", "regularized"])
    assert [one.heading for one in run.story.sections] == ["conv2_1:3", "logit('star')", "In numbers"]
    first = run.story.sections[0]
    assert first.column_names == ("plain", "regularized", "reference")
    assert first.row_names == ("picture", "spectrum", "values", "repeats")
    assert len(first.figures) == 4 * 3 + 1
    assert [one.whole for one in first.figures] == [False] * 12 + [True]
    table = run.story.sections[-1].table
    assert table is not None
    assert [row[1:3] for row in table.rows] == [
        ("conv2_1:3", "plain"),
        ("conv2_1:3", "regularized"),
        ("logit('star')", "plain"),
        ("logit('star')", "regularized"),
        ("butterfly 1", "reference"),
    ]
    assert all(isinstance(row[0], Figure) for row in table.rows)
    sheet = pixels(run, run.story.main)
    assert sheet.shape == (3, 2 * 24 + 2, 3 * 24 + 4)
    assert torch.equal(sheet[:, :24, :24], pixels(run, first.figures[0].file))
    assert torch.equal(sheet[:, 26:, 52:], pixels(run, "reference.png"))


def test_plain_ascent_is_measured_as_less_natural(bench: Bench) -> None:
    run = bench.run("ascent_problems", objectives=["conv2_2:5"], size=48, steps=40, ways=["plain", "regularized"])
    found = run.story.facts["measures"]["conv2_2:5"]
    assert found["plain"]["extreme"] > 10 * found["regularized"]["extreme"]
    assert found["plain"]["slope"] > found["regularized"]["slope"] + 0.3
    assert found["plain"]["saturation"] > found["regularized"]["saturation"]


def test_the_yardstick_is_drawn_in_the_size_of_the_pictures(bench: Bench) -> None:
    run = bench.run("ascent_problems", objectives=GOALS[:1], ways=["plain"], reference={"drawing": "star"}, size=32)
    wanted = torch.tensor(read_image(Drawing(drawing="star"), (32, 32), 3, Path()).numpy(), dtype=torch.float32)
    torch.testing.assert_close(pixels(run, "reference.png"), wanted, atol=0.51 / 255, rtol=0)


def test_the_resolved_recipe_gives_the_same_folder(bench: Bench) -> None:
    yardstick = torch.rand(3, 24, 24, generator=torch.Generator().manual_seed(2))
    for number, ways in enumerate((["plain"], ["regularized"], ["plain", "frequencies"])):
        first = bench.run("ascent_problems", f"run{number}", objectives=GOALS[:1], ways=ways, reference=yardstick)
        assert contents(bench.again(first, f"again{number}").folder) == contents(first.folder)


def test_networks_of_one_channel(tmp_path: Path) -> None:
    bench = Bench(load_model("digits", device="cpu"), tmp_path)
    run = bench.run("ascent_problems", objectives=["relu1:3"], size=32)
    assert pixels(run, "reference.png").shape == (1, 32, 32)
    assert pixels(run, run.story.main).shape[0] == 1
    assert run.story.facts["measures"]["relu1:3"]["plain"]["saturation"] == 0


@pytest.mark.parametrize(
    ("fields", "key", "said"),
    [
        ({"objectives": []}, "objectives", "least one"),
        ({"objectives": ["conv2_1:3", "conv9:1"]}, "objectives[1]", "conv9"),
        ({"objectives": ["conv2_1:3", "channel('conv2_1', [1, 2])"]}, "objectives[1]", "One picture each"),
        ({"objectives": ["conv2_1:3", "channel('conv2_1', 3)"]}, "objectives[1]", "twice"),
        ({"ways": []}, "ways", "least one"),
        ({"ways": ["plain", "plain"]}, "ways", "twice"),
        ({"ways": ["plain", "blur"]}, "ways[1]", "blur"),
        ({"reference": {"drawing": "dragon"}}, "reference", "dragon"),
        ({"reference": "nowhere.jpg"}, "reference", "nowhere.jpg"),
        ({"reference": torch.zeros(3, 8, 8)}, "reference", "8 x 8"),
        ({"size": None, "param": "image(24, batch=2)"}, "param", "makes 2"),
        ({"size": None, "param": "stack(image(24), image(24))"}, "param", "compared on image"),
        ({"size": None, "param": "image(24, alpha=True)"}, "param", "without opacity"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_does_not_fit_is_refused_with_its_field(bench: Bench, fields: dict[str, Any], key: str, said: str) -> None:
    with pytest.raises(FieldError, match=said) as caught:
        bench.plan("ascent_problems", **{"objectives": GOALS, **fields})
    assert str(caught.value).startswith(f"{key}")
