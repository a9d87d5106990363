from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from recipe_runs import Bench, contents, pixels

from lucidtorch.base.errors import BadInputError
from lucidtorch.datasets import drawings, scan
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model
from lucidtorch.recipes.story import Figure, Section

COUNT = 51
ROUNDING = 1e-5  # of sums in float32 that are taken in another order, as in batches of another size
DRAWN: dict[str, Any] = {"drawings": "test", "length": COUNT}
SPACE, TIMES = "\N{NO-BREAK SPACE}", "\N{MULTIPLICATION SIGN}"


def section(run: Any, heading: str) -> Section:
    return next(one for one in run.story.sections if one.heading == heading)


def rows(run: Any, heading: str) -> tuple[tuple[Any, ...], ...]:
    table = section(run, heading).table
    assert table is not None
    return table.rows


def close(shown: torch.Tensor, expected: torch.Tensor) -> None:
    assert shown.shape == expected.shape
    assert float((shown - expected).abs().max()) <= 0.5 / 255 + 1e-6


def test_the_best_patches_of_a_unit_are_those_of_a_brute_force_pass(bench: Bench, demo: Model) -> None:
    fields = {"layers": ["conv1_1"], "units": "2,5", "top": 3, "size": [32, 48], "context": False}
    run = bench.run("top_patches", data=DRAWN, **fields)
    images, labels = drawings("test", length=COUNT, size=(32, 48)).batch(range(COUNT))
    values = demo.activations(images, "conv1_1")["conv1_1"]
    facts = run.story.facts["layers"]["conv1_1"]
    assert (facts["patch"], facts["whole_image"]) == ([5, 5], False)
    grey = torch.full((COUNT, 3, 36, 52), 0.5)
    grey[:, :, 2:-2, 2:-2] = images  # the window of place (row, column) begins 2 pixels before twice the place
    for unit in (2, 5):
        own = values[:, unit].flatten(1)
        best = own.max(1).values.argsort(descending=True, stable=True)[:3].tolist()
        told = facts["units"][str(unit)]["top"]
        assert [one["image"] for one in told] == best
        assert [one["value"] for one in told] == pytest.approx(own.max(1).values[best].tolist(), rel=ROUNDING)
        assert [one["label"] for one in told] == labels[best].tolist()
        strip = pixels(run, f"maps/conv1_1/{unit:05d}-best.png")
        assert strip.shape == (3, 60, 3 * 62 - 2)
        for place, image in enumerate(best):
            row, column = divmod(int(own[image].argmax()), 24)
            assert (told[place]["row"], told[place]["column"]) == (row, column)
            patch = grey[image, :, 2 * row : 2 * row + 5, 2 * column : 2 * column + 5]
            squares = patch.repeat_interleave(12, 1).repeat_interleave(12, 2)
            close(strip[:, :, place * 62 : place * 62 + 60], squares)
        assert facts["units"][str(unit)]["maximum"] == pytest.approx(float(own.max()), rel=ROUNDING)
        assert facts["units"][str(unit)]["above_zero"] == pytest.approx(float((own > 0).float().mean()))


def test_a_row_tells_size_activation_classes_and_accuracy(bench: Bench, demo: Model) -> None:
    run = bench.run("top_patches", data={"drawings": "test", "length": 102}, layers="logits", units=4, size=96, top=4)
    images, labels = drawings("test", length=102, size=96).batch(range(102))
    scores = demo.activations(images, "logits")["logits"]
    best = scores[:, 4].argsort(descending=True, stable=True)[:4]
    counts = torch.bincount(labels[best], minlength=51)
    names = demo.labels or []
    right = (scores.argmax(1) == labels).float()
    expected = ", ".join(
        f"{names[label]}:{SPACE}{counts[label]}{SPACE}({100 * float(right[labels == label].mean()):.0f}{SPACE}%)"
        for label in sorted(counts.nonzero().flatten().tolist(), key=lambda one: (-int(counts[one]), one))
    )
    (row,) = rows(run, "logits")
    assert (row[0], row[2]) == (f"4 {names[4]}", f"96{SPACE}{TIMES}{SPACE}96")
    assert row[3] == pytest.approx(float(scores[:, 4].max()), rel=ROUNDING)
    assert row[4] == f"{100 * float((scores[:, 4] > 0).float().mean()):.0f}{SPACE}%"
    assert row[5] == expected
    assert row[6] == f"{100 * int(counts.max()) / 4:.0f}{SPACE}%"
    assert "sees the whole image of 96" in section(run, "logits").text[0]
    assert isinstance(row[1], Figure)
    assert names[int(labels[best[0]])] in row[1].alt
    assert row[1].whole


def test_dense_logit_and_softmax_units_have_whole_images(bench: Bench) -> None:
    layers = ["fc", "logits", "prob"]
    run = bench.run("top_patches", data=DRAWN, layers=layers, units="0,1", top=2, size=[48, 64])
    for layer in layers:
        facts = run.story.facts["layers"][layer]
        assert (facts["patch"], facts["whole_image"]) == ([48, 64], True)
        assert pixels(run, f"maps/{layer}/00001-best.png").shape == (3, 45, 122)  # without the image below it again
        assert facts["units"]["0"]["top"][0]["box"] == [0, 0, 48, 64]


def test_context_and_the_least_exciting_images_are_shown_below(bench: Bench, demo: Model) -> None:
    run = bench.run("top_patches", data=DRAWN, layers="conv2_1", units=3, top=2, bottom=3, size=32)
    images, _ = drawings("test", length=COUNT, size=32).batch(range(COUNT))
    low = demo.activations(images, "conv2_1")["conv2_1"][:, 3].flatten(1).min(1).values
    facts = run.story.facts["layers"]["conv2_1"]["units"]["3"]
    assert [one["image"] for one in facts["bottom"]] == low.argsort(stable=True)[:3].tolist()
    assert facts["minimum"] == pytest.approx(float(low.min()), rel=ROUNDING)
    best, least = rows(run, "conv2_1")
    assert (best[0], least[0], least[3]) == ("3", "3, least", facts["minimum"])
    patch = pixels(run, "maps/conv2_1/00003-least.png")
    side = run.story.facts["layers"]["conv2_1"]["patch"][0] * 3
    assert 16 <= side <= 60
    assert patch.shape[0] == 3
    assert patch.shape[2] == 3 * 62 - 2
    assert patch.shape[1] == 122
    line = torch.tensor([1.0, 0.8, 0.15])[:, None, None]
    assert int((patch[:, 62:] - line).abs().amax(0).lt(0.01).sum()) > 3 * 20  # the frames around what the unit sees
    assert not (patch[:, :60] - line).abs().amax(0).lt(0.01).any()


def test_a_unit_that_nothing_moves_is_said_and_not_shown(tmp_path: Path) -> None:
    model = load_model("digits", weights="random", device="cpu")
    with torch.no_grad():
        model.module.get_submodule("conv1").bias[1] = -99.0
    data = {"digits": "test"}
    run = Bench(model, tmp_path).run("top_patches", data=data, layers="relu1", units="0-2", top=2, bottom=2, size=None)
    facts = run.story.facts["layers"]["relu1"]["units"]
    assert facts["1"]["top"] == facts["1"]["bottom"] == []
    assert "No image moves unit 1." in section(run, "relu1").text[0]
    silent = next(row for row in rows(run, "relu1") if row[0] == "1")
    assert (silent[1], silent[3]) == (None, 0.0)
    assert not (run.folder / "maps/relu1/00001-best.png").exists()


def test_the_overview_has_a_block_for_each_unit(bench: Bench) -> None:
    run = bench.run("top_patches", data=DRAWN, layers="conv1_1", units="all", top=4, size=32, context=False)
    figure = section(run, "conv1_1").figures[0]
    assert (figure.file, figure.whole) == (run.story.main, True)
    assert "units 0-23, a block each from left to right, 14 in a row" in figure.caption
    block = 2 * 34 + 2 + 2 * 5
    assert pixels(run, figure.file).shape == (3, 2 * (block + 2) - 2, 14 * (block + 2) - 2)


def test_data_without_classes_has_patches_without_them(bench: Bench, tmp_path: Path) -> None:
    drawings("test", length=COUNT, size=32).save(tmp_path / "all")
    plain = tmp_path / "plain"
    plain.mkdir()
    for number, path in enumerate(sorted((tmp_path / "all").rglob("*.png"))[:12]):
        path.rename(plain / f"{number:02d}.png")
    (plain / "99.png").write_bytes(b"no picture")
    run = bench.run("top_patches", data=str(plain), layers="conv1_1", units="0-1", size=32)
    assert [one.heading for one in run.story.sections] == ["conv1_1", "Images left out"]
    assert len(rows(run, "conv1_1")[0]) == 5
    assert run.story.facts["preference"] == {}
    assert run.story.facts["skipped"][0]["name"] == "99.png"
    assert run.story.facts["layers"]["conv1_1"]["units"]["0"]["top"][0]["name"] in {
        f"{number:02d}.png" for number in range(12)
    }


def test_the_page_ends_with_what_layers_prefer(bench: Bench) -> None:
    fields = {"data": DRAWN, "layers": ["conv1_1", "conv3_1"], "size": 32}
    run = bench.run("top_patches", "patches", units=0, **fields)
    other = bench.run("class_preference", "classes", **fields)
    assert run.story.facts["preference"] == other.story.facts["layers"]
    assert run.story.sections[-1] == other.story.sections[0]
    assert [row[0] for row in rows(run, "Classes that each layer prefers")] == ["conv1_1", "conv3_1"]


def test_every_layer_and_the_first_ten_units_are_shown_where_none_is_named(bench: Bench, tmp_path: Path) -> None:
    run = bench.run("top_patches", data={"drawings": "test", "length": 6}, size=24, batch=6, top=1)
    layers = run.story.facts["layers"]
    assert len(layers) == 10
    assert all(list(one["units"]) == [str(unit) for unit in range(10)] for one in layers.values())


def test_the_resolved_recipe_gives_the_same_folder(bench: Bench) -> None:
    fields = {"layers": ["relu2_1", "logits"], "units": "0-2", "size": [64, 48], "bottom": 2}
    first = bench.run("top_patches", data=DRAWN, **fields)
    assert contents(bench.again(first).folder) == contents(first.folder)


def test_networks_of_one_channel(tmp_path: Path) -> None:
    bench = Bench(load_model("digits", device="cpu"), tmp_path)
    run = bench.run("top_patches", data={"digits": "test"}, layers="conv2", units="0-1", size=None, batch=64)
    assert pixels(run, "maps/conv2/00000-best.png").shape == (3, 56 + 2 + 56, 9 * 58 - 2)


def test_a_scan_of_its_own_serves_again(bench: Bench) -> None:
    first = bench.run("top_patches", "first", data=DRAWN, layers=["conv1_1", "conv2_1"], units=0, size=32, top=5)
    folder = str(first.folder / "scan")
    second = bench.run("top_patches", "second", scan=folder, layers="conv2_1", units=0, top=5, size=None)
    assert pixels(second, "maps/conv2_1/00000-best.png").equal(pixels(first, "maps/conv2_1/00000-best.png"))
    assert list(bench.run("top_patches", "third", scan=folder, units=0, top=5, size=32).story.facts["layers"]) == [
        "conv1_1",
        "conv2_1",
    ]


@pytest.mark.parametrize(
    ("fields", "key", "said"),
    [
        ({}, "data", "Name the images"),
        ({"data": DRAWN, "layers": ["conv1_1", "conv9"]}, "layers", "'conv9'"),
        ({"data": DRAWN, "layers": "conv1_1", "units": "24"}, "units", "24 channels"),
        ({"data": DRAWN, "top": 0}, "top", "from 1"),
        ({"data": DRAWN, "bottom": -1}, "bottom", "from 0"),
        ({"data": DRAWN, "context": "perhaps"}, "context", "perhaps"),
        ({"data": DRAWN, "layers": "input"}, "layers", "input"),
        ({"scan": "scan", "top": 5}, "top", "holds 4 such images"),
        ({"scan": "scan", "top": 4, "bottom": 1}, "bottom", "holds 0 such images"),
    ],
)
def test_what_does_not_fit_is_refused(
    bench: Bench, demo: Model, tmp_path: Path, fields: dict[str, Any], key: str, said: str
) -> None:
    data = drawings("test", length=8, size=24)
    scan(demo, data, tmp_path / "scan", layers=["conv1_1"], size=24, top=4, bottom=0, ranked=7)
    with pytest.raises(BadInputError, match=said) as refused:
        bench.plan("top_patches", **fields)
    assert key in str(refused.value).partition(": ")[0]
