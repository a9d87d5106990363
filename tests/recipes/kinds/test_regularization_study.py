"""Studies: one start, one change at a time, and scores that can be compared."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from recipe_runs import Bench, contents, pixels

import lucidtorch as lt
from lucidtorch.param.images import Image
from lucidtorch.param.param import Param
from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.parts.regularizers import BUILT_IN, WORDS
from lucidtorch.recipes.story import Figure

GOAL = "conv2_1:3"
UNIT = "channel('conv2_1', 3)"
PIXELS = "image(24, fft=False, decorrelate=False)"
FEW = ["total_variation", "jitter", "fft"]
OWN = {"name": "my own", "penalty": "0.2 * tv_beta()", "constraints": "decay(0.1)", "text": "Steep edges cost."}


def started(param: Param | None, seed: int) -> torch.Tensor:
    """What a param starts from."""
    assert param is not None
    fresh = param.resized(batch=1)
    fresh.fill([seed])
    return fresh().detach()


def test_each_word_changes_one_thing(bench: Bench) -> None:
    plain, *tasks = bench.plan("regularization_study", objective=GOAL, together=[]).tasks
    assert [repr(plain.objective), repr(plain.craft.param), repr(plain.craft.transforms)] == [
        UNIT,
        PIXELS,
        "identity()",
    ]
    assert repr(plain.craft.constraints) == ""
    assert len(tasks) == len(WORDS)
    for task, word in zip(tasks, WORDS, strict=True):
        changed = [
            repr(task.objective) != UNIT,
            repr(task.craft.constraints) != "",
            repr(task.craft.transforms) != "identity()",
            repr(task.craft.param) != PIXELS,
        ]
        part = BUILT_IN[word]
        wanted = [one is not None for one in (part.penalty, part.constraints, part.transforms, part.param)]
        assert changed == wanted, word
        assert task.seeds == plain.seeds


def test_the_constants_are_those_of_the_publications(bench: Bench) -> None:
    tasks = {task.name: task for task in bench.plan("regularization_study", objective=GOAL).tasks}
    assert repr(tasks["01-L1"].objective) == f"{UNIT} - 0.05 * L1(constant=0.5)"
    assert repr(tasks["02-total_variation"].objective) == f"{UNIT} - 0.25 * total_variation()"
    assert repr(tasks["03-blur_input"].objective) == f"{UNIT} - 1.0 * blur_input()"
    assert repr(tasks["06-clip_norm"].craft.constraints) == "clip_norm(50)"
    assert repr(tasks["09-rotate"].craft.transforms) == "rotate(-5, 5)"
    assert repr(tasks["11-standard"].craft.transforms) == repr(lt.transforms.standard())
    together = tasks["together"].craft
    assert repr(together.transforms) == repr(lt.transforms.standard())
    assert isinstance(together.param, Image)
    assert together.param.arguments["fft"]
    assert together.param.arguments["decorrelate"]


def test_every_picture_starts_from_the_same_one(bench: Bench) -> None:
    plain, *tasks = bench.plan("regularization_study", objective=GOAL, size=(24, 20)).tasks
    start = started(plain.craft.param, plain.seeds[0])
    assert 0 < start.std() < 0.02
    for task in tasks:
        found = started(task.craft.param, task.seeds[0])
        if "init" in repr(task.craft.param):
            assert torch.allclose(found, start, atol=1e-5)
            assert isinstance(task.craft.param, Image)
            assert task.craft.param.arguments["fft"] or task.craft.param.arguments["decorrelate"]
        else:
            assert torch.equal(found, start)


def test_one_of_your_own_takes_its_parts(bench: Bench) -> None:
    plan = bench.plan("regularization_study", objective=GOAL, regularizers=["L1", OWN], penalty_scale=0.5)
    plain, first, own, together = plan.tasks
    assert own.name.startswith("02-my_own")
    assert repr(first.objective) == f"{UNIT} - 0.5 * (0.05 * L1(constant=0.5))"
    assert repr(own.objective) == f"{UNIT} - 0.5 * (0.2 * tv_beta())"
    assert repr(own.craft.constraints) == "decay(0.1)"
    assert repr(own.craft.param) == repr(plain.craft.param)
    assert "L1" in repr(together.objective)
    assert "tv_beta" in repr(together.objective)
    assert plan.fields["together"] == ("L1", "my own")


def test_of_ones_own_the_record_says_every_argument(bench: Bench) -> None:
    own = {**OWN, "transforms": "pad(2) | crop_or_pad_to(24, 24)"}
    plan = bench.plan("regularization_study", objective=GOAL, regularizers=["L1", own])
    word, written = plan.fields["regularizers"]
    assert word == "L1"
    assert written.name == OWN["name"]
    assert written.penalty == "0.2 * tv_beta(layer='input', beta=2)"
    assert written.transforms == "pad(2, value=0.5, mode='constant') | crop_or_pad_to(24, 24, odd_cut='end')"
    assert written.constraints == "decay(0.1)"


def test_what_makes_few_pictures_starts_from_its_own_noise(bench: Bench) -> None:
    low = {"name": "coarse", "param": {"spatial": "shared([1, 3, 6, 6])"}}
    run = bench.run("regularization_study", objective=GOAL, regularizers=[low])
    figure = run.story.sections[1].figures[0]
    assert figure.caption == "coarse"
    assert "noise of its own" in figure.note


def test_other_numbers_keep_what_the_recipe_says_of_the_param(bench: Bench) -> None:
    plan = bench.plan(
        "regularization_study",
        objective=GOAL,
        size=None,
        param="image(24, fft=False, sd=0.02)",
        transforms="jitter(2)",
        constraints="decay(0.01)",
        regularizers=[
            "fft",
            "rotate",
            "blur",
            {"name": "pyramid", "param": {"spatial": "pyramid(2)", "bounds": "clip"}},
        ],
        together=[],
    )
    plain, fft, rotate, blur, pyramid = plan.tasks
    assert repr(plain.craft.param) == "image(24, fft=False, sd=0.02)"
    assert repr(fft.craft.param).startswith("image(24, sd=0.02, init=")
    assert repr(rotate.craft.transforms) == "jitter(2) | rotate(-5, 5)"
    assert repr(blur.craft.constraints) == "decay(0.01) | blur(0.5)"
    assert "bounds='clip', spatial=pyramid(levels=2)" in repr(pyramid.craft.param)


def test_words_that_change_nothing_are_left_out(bench: Bench) -> None:
    plan = bench.plan("regularization_study", objective=GOAL, size=None, param="image(24)")
    assert plan.fields["regularizers"] == tuple(word for word in WORDS if word not in ("fft", "decorrelate"))


def test_a_study_tells_scores_of_the_bare_objective(bench: Bench) -> None:
    run = bench.run("regularization_study", objective=GOAL, size=(24, 20), steps=3, regularizers=FEW)
    shown = {one.caption: one for section in run.story.sections for one in section.figures}
    for name in ("start", "plain", "total_variation", "jitter", "fft", "together"):
        seen = bench.model.activations(pixels(run, shown[name].file)[None], ["conv2_1"])
        assert shown[name].score == pytest.approx(float(lt.parse(GOAL)(seen)[0]), rel=1e-4), name
    assert shown["total_variation"].objective == f"{UNIT} - 0.25 * total_variation()"
    assert run.story.facts["together"] == FEW  # one of them alone would be no sum


def test_a_study_shows_each_sort_and_a_table(bench: Bench) -> None:
    run = bench.run("regularization_study", objective=GOAL, size=(24, 20), regularizers=[*FEW, "decay", OWN])
    headings = [section.heading for section in run.story.sections]
    assert headings == [
        "The start and plain ascent",
        "Penalties",
        "After each step",
        "Through random transforms",
        "Other numbers",
        "Mixtures",
        "All together",
        "All in one",
        "In numbers",
    ]
    table = run.story.sections[-1].table
    assert table is not None
    assert [cell.caption for cell, *_ in table.rows if isinstance(cell, Figure)] == [
        "start", "plain", *FEW, "decay", "my own", "together"
    ]  # fmt: skip
    assert table.rows[6][1] == "- 0.2 * tv_beta(); decay(0.1)"
    sheet = pixels(run, run.story.main)
    assert sheet.shape == (3, 3 * 24 + 4, 3 * 20 + 4)
    assert torch.equal(sheet[:, :24, 22:42], pixels(run, "pictures/plain.png"))
    assert torch.equal(sheet[:, :24, :20], pixels(run, "start.png"))


def test_the_resolved_recipe_gives_the_same_folder(bench: Bench) -> None:
    first = bench.run("regularization_study", objective=GOAL, regularizers=[*FEW, OWN], penalty_scale=0.1)
    assert contents(bench.again(first).folder) == contents(first.folder)


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"objective": "conv9_1:3"}, ("objective",)),
        ({"objective": "channel('conv2_1', [1, 2])"}, ("objective",)),
        ({"param": "stack(image(24), image(24))"}, ("param",)),
        ({"param": "image(24, batch=2)"}, ("param",)),
        ({"regularizers": []}, ("regularizers",)),
        ({"regularizers": ["L1", "L3"]}, ("regularizers", 1)),
        ({"regularizers": ["L1", "L1"]}, ("regularizers", 1)),
        ({"regularizers": [{"name": "plain", "constraints": "decay(0.1)"}]}, ("regularizers", 0)),
        ({"regularizers": ["L1", {"name": "x"}]}, ("regularizers", 1)),
        ({"regularizers": [{"name": "x", "penalty": "0.1 * L7()"}]}, ("regularizers", 0, "penalty")),
        ({"regularizers": [{"name": "x", "penalty": "conv9_1:3"}]}, ("regularizers", 0, "penalty")),
        ({"regularizers": [{"name": "x", "transforms": "jitter("}]}, ("regularizers", 0, "transforms")),
        ({"regularizers": [{"name": "x", "constraints": "blur(-1)"}]}, ("regularizers", 0, "constraints")),
        ({"regularizers": ["L1", {"name": "x", "param": {"sd": -1}}]}, ("regularizers", 1, "param", "sd")),
        ({"regularizers": ["L1", {"name": "x", "param": {"spatial": "cubes()"}}]}, ("regularizers", 1, "param")),
        ({"regularizers": ["L1", {"name": "x", "param": {"size": 12}}]}, ("regularizers", 1, "param", "size")),
        ({"regularizers": [{"name": "x", "param": {}}]}, ("regularizers", 0)),
        ({"regularizers": ["L1", {"name": "", "penalty": "L1()"}]}, ("regularizers", 1, "name")),
        ({"regularizers": ["fft"], "param": "image(24)"}, ("regularizers", 0)),
        ({"together": ["L1", "nothing"]}, ("together", 1)),
        ({"penalty_scale": 0}, ("penalty_scale",)),
        ({"transforms": None}, ("transforms",)),
    ],
)
def test_what_does_not_fit_is_refused_with_its_field(
    bench: Bench, fields: dict[str, Any], key: tuple[Any, ...]
) -> None:
    with pytest.raises(FieldError) as found:
        bench.plan("regularization_study", **{"objective": GOAL, "size": None, **fields})
    assert found.value.key[: len(key)] == key
