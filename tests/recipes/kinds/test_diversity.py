from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from recipe_runs import Bench, contents, pixels, shown

from lucidtorch.base.seeds import picture_seed
from lucidtorch.recipes.blame import FieldError

TERM = "channel('conv2_1', 3)"


def test_versions_of_one_objective_are_one_task_without_and_one_with_the_term(bench: Bench) -> None:
    without, along = bench.plan("diversity", objectives="conv2_1:3", versions=3, seed=2).tasks
    assert repr(without.objective) == TERM
    assert repr(along.objective) == f"{TERM} - 100 * diversity('conv2_1')"
    seeds = [picture_seed(2, "conv2_1", 3, "channel", copy) for copy in range(3)]
    assert shown(without) == [(f"pictures/000-without-0{copy}.png", seed) for copy, seed in enumerate(seeds)]
    assert shown(along) == [(f"pictures/000-with-0{copy}.png", seed) for copy, seed in enumerate(seeds)]


def test_the_fields_decide_the_term(bench: Bench) -> None:
    objectives = ["conv1_1:0 + conv3_1:2", "logit('star')"]
    one, other = bench.plan("diversity", objectives=objectives, weight=2.5, compare=False).tasks
    assert repr(one.objective) == "channel('conv1_1', 0) + channel('conv3_1', 2) - 2.5 * diversity('conv3_1')"
    assert repr(other.objective) == "logit('star') - 2.5 * diversity('logits')"
    assert one.seeds[1] == picture_seed(0, "channel('conv1_1', 0) + channel('conv3_1', 2)", 1)
    (own,) = bench.plan("diversity", objectives="logit('star')", layer="conv3_1", compare=False).tasks
    assert repr(own.objective) == "logit('star') - 100 * diversity('conv3_1')"


def test_the_versions_stand_in_rows_without_and_with_the_term(bench: Bench) -> None:
    run = bench.run("diversity", objectives="conv2_1:3", versions=2, size=[20, 16])
    sheet = pixels(run, "versions-000.png")
    assert sheet.shape == (3, 42, 34)
    for row, way in enumerate(("without", "with")):
        for copy in range(2):
            own = sheet[:, row * 22 : row * 22 + 20, copy * 18 : copy * 18 + 16]
            assert torch.equal(own, pixels(run, f"pictures/000-{way}-0{copy}.png"))
    top, each = run.story.sections
    assert top.figures[0].caption == "2 versions of conv2_1:3. Above without the diversity term, below with it."
    assert (each.columns, each.row_names) == (2, ("without the term", "with the term"))
    assert each.figures[3].caption == "version 1, with the term"
    assert each.figures[3].objective == f"{TERM} - 100 * diversity('conv2_1')"
    assert list(each.figures[3].terms) == [TERM, "diversity('conv2_1')"]


def test_the_table_says_how_alike_the_versions_are(bench: Bench) -> None:
    run = bench.run("diversity", objectives="conv2_1:3", versions=3, steps=8)
    for way in ("without", "with"):
        images = torch.stack([pixels(run, f"pictures/000-{way}-0{copy}.png") for copy in range(3)])
        maps = bench.model.activations(images, ["conv2_1"])["conv2_1"].flatten(2).double().numpy()
        grams = [one @ one.T for one in maps]
        cosines = [
            [(a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b) for j, b in enumerate(grams) if j != i]
            for i, a in enumerate(grams)
        ]
        assert run.story.facts["likeness"][TERM][way] == pytest.approx(np.mean(cosines, axis=1), abs=6e-4)
    table = run.story.sections[0].table
    assert table is not None
    assert table.head == ("version", "without the term", "with the term")
    assert [row[0] for row in table.rows] == [0, 1, 2, "mean"]
    assert table.rows[3][1] == pytest.approx(np.mean([row[1] for row in table.rows[:3]]), abs=6e-4)


def test_the_term_makes_the_versions_differ(bench: Bench) -> None:
    run = bench.run("diversity", objectives="conv2_1:3", versions=3, steps=24, weight=1000)
    likeness = run.story.facts["likeness"][TERM]
    assert np.mean(likeness["with"]) < np.mean(likeness["without"]) - 0.05


def test_without_the_comparison_there_is_one_row(bench: Bench) -> None:
    run = bench.run("diversity", objectives="conv2_1:3", versions=2, compare=False)
    assert pixels(run, "versions-000.png").shape == (3, 24, 50)
    assert run.story.sections[0].figures[0].caption == "2 versions of conv2_1:3."
    assert list(run.story.facts["likeness"][TERM]) == ["with"]


def test_see_through_versions_are_not_measured(bench: Bench) -> None:
    run = bench.run("diversity", objectives="conv2_1:3", versions=2, size=None, param="image(24, alpha=True)")
    assert run.story.sections[0].table is None
    assert run.story.facts == {"likeness": {TERM: {}}}


@pytest.mark.parametrize("objectives", ["conv2_1:3", ["conv1_1:0", "logit('star')"]])
def test_the_resolved_recipe_gives_the_same_folder(bench: Bench, objectives: Any) -> None:
    first = bench.run("diversity", objectives=objectives, versions=2, layer="conv2_2", weight=3)
    assert contents(bench.again(first).folder) == contents(first.folder)


@pytest.mark.parametrize(
    ("fields", "key", "words"),
    [
        ({"objectives": "conv9_9:3"}, ("objectives",), "conv9_9"),
        ({"objectives": ["conv1_1:3", "conv1_1:"]}, ("objectives", 1), ""),
        ({"objectives": "channel('conv1_1', [1, 2])"}, ("objectives",), "speaks of 2 images"),
        ({"objectives": "-total_variation()"}, ("objectives",), "say with the field layer"),
        ({"objectives": "conv1_1:3", "layer": "conv9_9"}, ("layer",), "conv9_9"),
        ({"objectives": "conv1_1:3", "versions": 1}, ("versions",), ""),
        ({"objectives": "conv1_1:3", "weight": 0}, ("weight",), ""),
        ({"objectives": []}, ("objectives",), ""),
    ],
)
def test_what_does_not_fit_is_refused_with_its_field(
    bench: Bench, fields: dict[str, Any], key: tuple[str | int, ...], words: str
) -> None:
    with pytest.raises(FieldError) as caught:
        bench.plan("diversity", **fields)
    assert caught.value.key[: len(key)] == key
    assert words in caught.value.problem
