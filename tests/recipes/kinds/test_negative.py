from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from recipe_runs import Bench, contents, pixels, shown

from lucidtorch.base.seeds import picture_seed
from lucidtorch.recipes.blame import FieldError

DARK = round(0.1 * 255) / 255


def test_both_of_a_pair_start_alike(bench: Bench) -> None:
    plan = bench.plan("negative", layers="conv1_1", units="0-2", seed=4)
    assert [repr(task.objective) for task in plan.tasks] == [
        "-channel('conv1_1', [0, 1])",
        "-channel('conv1_1', [2, 2])",
        "channel('conv1_1', [0, 1])",
        "channel('conv1_1', [2, 2])",
    ]
    seeds = [picture_seed(4, "conv1_1", unit, "channel", 0) for unit in (0, 1)]
    low, high = shown(plan.tasks[0]), shown(plan.tasks[2])
    assert low == [
        ("pictures/conv1_1/00000-negative.png", seeds[0]),
        ("pictures/conv1_1/00001-negative.png", seeds[1]),
    ]
    assert [seed for _, seed in high] == seeds
    assert high[1][0] == "pictures/conv1_1/00001-positive.png"


def test_behind_a_relu_the_value_before_it_is_taken(bench: Bench) -> None:
    run = bench.run("negative", layers=["relu2_1", "conv1_1"], units=[3])
    texts = [figure.objective for figure in run.figures if not figure.whole]
    assert texts == [
        "-channel('conv1_1', 3)",
        "channel('conv1_1', 3)",
        "-channel('conv2_1', 3)",
        "channel('conv2_1', 3)",
    ]
    first, _, second, _ = run.story.sections
    assert first.text == ()
    assert "relu2_1 is behind a ReLU" in second.text[0]
    assert "the value before it, conv2_1" in second.text[0]
    assert run.story.facts == {"value_of": {"conv1_1": "conv1_1", "relu2_1": "conv2_1"}}


def test_the_negative_stands_on_the_left(bench: Bench) -> None:
    run = bench.run("negative", layers="conv1_1", units="0-2", columns=2, size=[20, 16])
    sheet = pixels(run, "pairs-conv1_1.png")
    pair = (20 + 4, 16 + 2 + 16 + 4)  # with a frame of two dark pixels
    assert sheet.shape == (3, 2 * pair[0] + 2, 2 * pair[1] + 2)
    for unit in range(3):
        top, left = (unit // 2) * (pair[0] + 2) + 2, (unit % 2) * (pair[1] + 2) + 2
        own = f"pictures/conv1_1/{unit:05d}"
        assert torch.equal(sheet[:, top : top + 20, left : left + 16], pixels(run, f"{own}-negative.png"))
        assert torch.equal(sheet[:, top : top + 20, left + 18 : left + 34], pixels(run, f"{own}-positive.png"))
    assert sheet[:, :2] == pytest.approx(DARK)


def test_the_page_shows_pairs_in_rows(bench: Bench) -> None:
    _, rows = bench.run("negative", layers="conv1_1", units=[2, 5]).story.sections
    assert (rows.columns, rows.column_names) == (2, ("negative", "positive"))
    assert rows.row_names == ("conv1_1:2", "conv1_1:5")
    assert [figure.caption for figure in rows.figures] == [
        "conv1_1:2, negative",
        "conv1_1:2, positive",
        "conv1_1:5, negative",
        "conv1_1:5, positive",
    ]
    assert rows.figures[0].seed == rows.figures[1].seed != rows.figures[2].seed


def test_negatives_fall_and_positives_rise(bench: Bench) -> None:
    run = bench.run("negative", layers="conv2_1", units="0-3", steps=12, batch=4)
    low, high = (contents(run.folder)[f"batches/conv2_1-{side}-00000.json"] for side in ("negative", "positive"))
    for record in (low, high):
        for picture in json.loads(record)["pictures"]:
            assert picture["score"] > picture["curve"][0]


def test_the_positive_looks_as_in_a_sheet_of_its_layer(bench: Bench) -> None:
    pairs = bench.run("negative", "pairs", layers="conv2_1", units="0-1")
    layer = bench.run("layer_sheet", "sheet", layers="conv2_1", units="0-1")
    assert torch.equal(
        pixels(pairs, "pictures/conv2_1/00001-positive.png"), pixels(layer, "pictures/conv2_1/00001.png")
    )


def test_the_resolved_recipe_gives_the_same_folder(bench: Bench) -> None:
    first = bench.run("negative", layers=["relu1_1", "conv1_2"], units="0-2")
    assert contents(bench.again(first).folder) == contents(first.folder)


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"layers": ["conv1_1", "relu9_9"]}, ("layers", 1)),
        ({"layers": "relu1_1", "units": [24]}, ("units",)),
        ({"layers": "relu1_1", "columns": 0}, ("columns",)),
        ({"units": "all"}, ("layers",)),
    ],
)
def test_what_does_not_fit_is_refused_with_its_field(
    bench: Bench, fields: dict[str, Any], key: tuple[str | int, ...]
) -> None:
    with pytest.raises(FieldError) as caught:
        bench.plan("negative", **fields)
    assert caught.value.key[: len(key)] == key
