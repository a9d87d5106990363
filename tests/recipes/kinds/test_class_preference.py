from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from coloured_data import Coloured, colour_network
from recipe_runs import Bench, contents, pixels

from lucidtorch.base.errors import BadInputError
from lucidtorch.base.images import encode_png
from lucidtorch.datasets import drawings, folder, scan
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model
from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.story import Figure
from lucidtorch.scanning.result import load_scan

DRAWN: dict[str, Any] = {"drawings": "test", "length": 102}
DASH, SPACE, TIMES = "\N{EN DASH}", "\N{NO-BREAK SPACE}", "\N{MULTIPLICATION SIGN}"


def test_the_preferences_of_a_network_with_known_answers_are_told(tmp_path: Path) -> None:
    """The 2 best images of four channels: 4 red, 2 green and 2 blue of 3, 6 and 2; none of 4 grey ones."""
    run = Bench(colour_network(), tmp_path).run("class_preference", data=Coloured(), layers="0", ranked=2, size=8)
    facts = run.story.facts["layers"]["0"]
    assert [(one["class"], one["count"]) for one in facts] == [("red", 4), ("blue", 2), ("green", 2), ("grey", 0)]
    assert [one["preference"] for one in facts] == pytest.approx([2.5, 1.875, 0.625, 0])
    assert [one["accuracy"] for one in facts] == [1.0, 1.0, pytest.approx(5 / 6), None]
    overall, own = run.story.sections
    assert overall.table is not None
    assert overall.table.rows == (
        (
            "0",
            f"red{SPACE}{TIMES}2.5{SPACE}(100{SPACE}%), blue{SPACE}{TIMES}1.9{SPACE}(100{SPACE}%)",
            f"grey{SPACE}{TIMES}0.0{SPACE}({DASH}), green{SPACE}{TIMES}0.6{SPACE}(83{SPACE}%)",
        ),
    )
    assert "2 images that excite a unit most are counted" in overall.text[0]
    assert "dash stands for the accuracy" in overall.text[1]
    assert own.table is not None
    told = [tuple(cell for cell in row if not isinstance(cell, Figure)) for row in own.table.rows]
    assert told == [
        ("red", 1, 4, 1.6, f"{TIMES}2.5", f"100{SPACE}%", "unit 0 (2)"),
        ("blue", 2, 2, 1.1, f"{TIMES}1.9", f"100{SPACE}%", "unit 2 (2)"),
        ("green", 3, 2, 3.2, f"{TIMES}0.6", f"83{SPACE}%", "unit 1 (2)"),
        ("grey", 4, 0, 2.1, f"{TIMES}0.0", DASH, None, None),
    ]
    assert "1 of 4 classes have none" in own.text[0]
    strip = pixels(run, "maps/0/class-00002.png")
    assert strip.shape == (3, 60, 122)
    assert torch.allclose(strip[2, :, :60], torch.tensor(0.9), atol=1 / 255)
    assert torch.allclose(strip[2, :, 62:], torch.tensor(0.85), atol=1 / 255)
    assert float(strip[:2, :, :60].max()) == 0


def test_the_counts_are_those_of_a_brute_force_pass(bench: Bench, demo: Model) -> None:
    run = bench.run("class_preference", data=DRAWN, layers=["conv2_1", "prob"], size=32, ranked=5, shown=3)
    images, labels = drawings("test", length=102, size=32).batch(range(102))
    values = demo.activations(images, ["conv2_1", "prob"])
    said = demo.activations(images, "logits")["logits"].argmax(1)
    for layer in ("conv2_1", "prob"):
        own = values[layer].flatten(2) if values[layer].ndim > 2 else values[layer][:, :, None]
        best = own.max(2).values.argsort(stable=True, dim=0, descending=True)[:5]
        counts = torch.bincount(labels[best].flatten(), minlength=51)
        facts = run.story.facts["layers"][layer]
        assert {one["label"]: one["count"] for one in facts} == dict(enumerate(counts.tolist()))
        assert all(one["chance"] == pytest.approx(int(counts.sum()) / 51) for one in facts)
        for one in facts:
            assert one["accuracy"] == pytest.approx(float((said == labels)[labels == one["label"]].float().mean()))
        order = [(-one["preference"], one["label"]) for one in facts]
        assert order == sorted(order)
        section = next(one for one in run.story.sections if one.heading == layer)
        assert section.table is not None
        assert [row[0] for row in section.table.rows] == [one["class"] for one in (*facts[:3], *facts[-3:])]
    assert run.story.main == "classes-conv2_1.png"
    assert [one.heading for one in run.story.sections] == ["Classes that each layer prefers", "conv2_1", "prob"]


def test_every_convolution_and_linear_layer_is_looked_at_where_none_is_named(bench: Bench) -> None:
    run = bench.run("class_preference", data={"drawings": "test", "length": 51}, size=24, batch=32)
    expected = ["conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv4_1", "conv4_2", "fc", "logits"]
    assert list(run.story.facts["layers"]) == expected


def test_the_resolved_recipe_gives_the_same_folder(bench: Bench) -> None:
    first = bench.run("class_preference", data=DRAWN, layers="relu3_1", size=[64, 48], batch=16)
    assert first.recipe.model_dump()["size"] == (64, 48)
    assert contents(bench.again(first).folder) == contents(first.folder)
    assert json.loads((first.folder / "data.json").read_text(encoding="utf-8"))["facts"]["images"] == 102


def test_networks_of_one_channel(tmp_path: Path) -> None:
    bench = Bench(load_model("digits", device="cpu"), tmp_path)
    run = bench.run("class_preference", data={"digits": "test"}, layers=["conv1", "logits"], size=None, batch=64)
    facts = run.story.facts["layers"]["logits"]
    assert {one["class"] for one in facts} == set("0123456789")
    assert sum(one["count"] for one in facts) == 90
    assert all(one["accuracy"] > 0.8 for one in facts)
    assert load_scan(run.folder / "scan").channels == 1


@pytest.mark.parametrize(("head", "heads"), [(None, 4), ("colour", 1)])
def test_the_heads_of_a_network_count_together(tmp_path: Path, head: str | None, heads: int) -> None:
    data = {"lines": "test", "length": 40} | ({} if head is None else {"head": head})
    bench = Bench(load_model("lines", device="cpu"), tmp_path)
    run = bench.run("class_preference", data=data, layers="colour", size=None, batch=40)
    said = run.story.sections[0].text[1]
    assert ("all 4 heads" in said) is (heads == 4)
    assert len(load_scan(run.folder / "scan").answers) == heads


def test_images_that_cannot_be_read_are_listed(bench: Bench, tmp_path: Path) -> None:
    drawings("test", length=102, size=32).save(tmp_path / "photos")
    broken = sorted((tmp_path / "photos" / "rings").iterdir())[0]
    broken.write_bytes(b"no picture")
    run = bench.run("class_preference", data=str(tmp_path / "photos"), layers="conv1_1", size=32)
    last = run.story.sections[-1]
    assert last.heading == "Images left out"
    assert last.table is not None
    assert [(one[0], one[1]) for one in last.table.rows] == [
        (run.story.facts["skipped"][0]["image"], f"rings/{broken.name}")
    ]
    assert "1 image of 102" in last.text[0]


@pytest.mark.parametrize(
    ("fields", "key", "said"),
    [
        ({"data": torch.rand(3, 3, 24, 24)}, "data", "have no classes"),
        ({"scan": "plain", "ranked": 7}, "scan", "have no classes"),
        ({"scan": "scan", "ranked": 8}, "ranked", "holds 7 such images"),
        ({"data": DRAWN, "layers": ["conv1_1", "conv9"]}, "layers", "'conv9'"),
        ({"data": DRAWN, "layers": "input"}, "layers", "input"),
        ({"data": DRAWN, "ranked": 0}, "ranked", "from 1"),
        ({"data": DRAWN, "shown": 0}, "shown", "from 1"),
        ({"data": DRAWN, "top": 3}, "top", "no such field"),
    ],
)
def test_what_does_not_fit_is_refused(
    bench: Bench, demo: Model, tmp_path: Path, fields: dict[str, Any], key: str, said: str
) -> None:
    settings: dict[str, Any] = {"layers": ["conv1_1"], "size": 24, "top": 4, "bottom": 0, "ranked": 7}
    (tmp_path / "photos").mkdir()
    encoded = encode_png(torch.rand(3, 24, 24, generator=torch.Generator().manual_seed(0)))
    (tmp_path / "photos" / "noise.png").write_bytes(encoded)
    scan(demo, folder(tmp_path / "photos"), tmp_path / "plain", **settings)
    scan(demo, drawings("test", length=51, size=24), tmp_path / "scan", **settings)
    with pytest.raises(BadInputError, match=said) as refused:
        bench.plan("class_preference", **fields)
    assert str(refused.value).startswith(key) or f"{key}: " in str(refused.value)


def test_a_folder_without_classes_is_refused(bench: Bench, tmp_path: Path) -> None:
    drawings("test", length=51, size=24).save(tmp_path / "photos")
    alone = next(iter(sorted((tmp_path / "photos").iterdir())))
    with pytest.raises(FieldError, match="data: These images have no classes; give a folder with a subfolder"):
        bench.plan("class_preference", data=str(alone))


def test_classes_that_only_have_numbers_are_named_by_them(bench: Bench) -> None:
    images = torch.rand(12, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    data = [(image, np.int64(number % 3)) for number, image in enumerate(images)]
    run = bench.run("class_preference", data=data, layers="conv1_1")
    assert {one["class"] for one in run.story.facts["layers"]["conv1_1"]} == {"class 0", "class 1", "class 2"}
    assert "no class of the network has the name" in run.story.sections[0].text[1]
