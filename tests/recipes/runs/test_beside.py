"""Runs whose recipe names a scan: real images beside the pictures of single units, in page, data and notebook."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from recipe_runs import Bench, contents, pixels
from small_networks import as_model, mixing

from lucidtorch.base.errors import WeightsError
from lucidtorch.base.images import read_png_text
from lucidtorch.datasets import drawings, scan
from lucidtorch.models.model import Model
from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.runs.result import Run
from lucidtorch.scanning.result import Scan


@pytest.fixture(scope="module")
def seen(demo: Model, tmp_path_factory: pytest.TempPathFactory) -> Scan:
    data = drawings("test", length=20, size=32)
    return scan(demo, data, tmp_path_factory.mktemp("scan"), layers=["conv1_1", "conv2_1", "logits"], size=32)


@pytest.fixture
def bench(demo: Model, tmp_path: Path) -> Bench:
    return Bench(demo, tmp_path)


def besides(run: Run) -> dict[str, Any]:
    """What stands beside each rendered picture, by what the picture maximizes."""
    data = json.loads((run.folder / "data.json").read_text())
    return {one["objective"]: one["beside"] for part in data["sections"] for one in part["figures"] if one["objective"]}


def test_pictures_of_single_units_have_their_examples(bench: Bench, seen: Scan) -> None:
    goals = "each(conv1_1:3, -conv2_1:5, logit('star'), conv1_1:1 + conv1_1:2, conv1_2:0)"
    run = bench.run("render", objective=goals, scan=str(seen.folder))
    star = (bench.model.labels or []).index("star")
    found = {text: one and (one["layer"], one["unit"], one["down"]) for text, one in besides(run).items()}
    assert list(found.values()) == [("conv1_1", 3, False), ("conv2_1", 5, True), ("logits", star, False), None, None]
    for place, beside in enumerate(list(besides(run).values())[:3]):
        layer, unit, down = beside["layer"], beside["unit"], beside["down"]
        wanted = seen[layer].bottom(unit) if down else seen[layer].top(unit)
        assert [one["image"] for one in beside["images"]] == [one.image for one in wanted]
        picture = pixels(run, f"pictures/{place:03d}.png")[None]
        values = bench.model.activations(picture, layer)[layer][0, unit]
        reached = float(values.min() if down else values.max())
        assert beside["reached"] == pytest.approx(reached, rel=1e-4)
        assert beside["percentile"] == pytest.approx(seen[layer].percentile(unit, reached), abs=0.1)
        record = json.loads(read_png_text(run.folder / beside["file"]))
        assert (record["recipe_id"], record["picture"]) == (run.recipe.id, beside["file"])
    assert "20 drawings" in run.story.lead[-1]


def test_the_recipe_knows_the_scan_and_runs_again_to_the_same_folder(bench: Bench, seen: Scan) -> None:
    run = bench.run("negative", layers="conv2_1", units="0-1", scan=str(seen.folder))
    assert run.recipe.made_with is not None
    summary = (seen.folder / "scan.json").read_bytes()
    assert run.recipe.made_with.files["scan"] == hashlib.sha256(summary).hexdigest()
    values = yaml.safe_load((run.folder / "recipe.yaml").read_text())
    assert values["scan"] == seen.folder.name
    assert contents(bench.again(run).folder) == contents(run.folder)
    plain = bench.run("negative", "plain", layers="conv2_1", units="0-1")
    assert plain.recipe.id != run.recipe.id
    assert not (plain.folder / "examples").exists()


def test_another_scan_than_the_recipe_ran_with_is_refused(bench: Bench, demo: Model, tmp_path: Path) -> None:
    for length in (3, 4):
        scan(demo, drawings("test", length=length, size=32), tmp_path / f"{length}", layers=["conv1_1"], size=32)
    run = bench.run("render", objective="conv1_1:3", scan=str(tmp_path / "3"))
    (tmp_path / "3").rename(tmp_path / "5")
    (tmp_path / "4").rename(tmp_path / "3")
    with pytest.raises(WeightsError, match="scan"):
        bench.again(run)


def test_versions_of_one_unit_show_its_images_once(bench: Bench, seen: Scan) -> None:
    run = bench.run("diversity", objectives="conv1_1:3", versions=2, scan=str(seen.folder))
    figures = [one for one in run.figures if one.beside is not None]
    assert len(figures) == 4
    assert [one.beside.again for one in figures if one.beside is not None] == [False, True, True, True]
    page = run.index.read_text()
    strip = "examples/conv1_1/unit-00003.png"
    assert page.count(f'<img src="{strip}"') == 9
    assert len(re.findall(r"<span>here [^<]+</span> · <span>data to [^<]+</span>", page)) == 4


def test_page_and_notebook_show_the_strip_of_a_single_picture(bench: Bench, seen: Scan) -> None:
    run = bench.run("render", objective="conv1_1:3", scan=str(seen.folder))
    (figure,) = run.figures
    assert figure.beside is not None
    assert figure.beside.title.startswith("The 9 of 20 drawings that excite it most, cut to what it sees")
    shown = run._repr_html_()
    assert shown.count("<img") == 2
    for text in (run.index.read_text(), shown):
        assert figure.beside.title in text
        assert figure.beside.note in text
    plain = bench.run("render", "plain", objective="conv1_1:3")._repr_html_()
    assert plain.count("<img") == 1


def test_a_run_without_a_unit_that_the_scan_knows_says_nothing_of_it(bench: Bench, seen: Scan) -> None:
    run = bench.run("render", objective="deepdream('conv1_1')", scan=str(seen.folder))
    assert all(one.beside is None for one in run.figures)
    assert len(run.story.lead) == 1


def test_scans_that_do_not_fit_are_refused_with_their_field(bench: Bench, seen: Scan, tmp_path: Path) -> None:
    with pytest.raises(FieldError, match=r"^scan: .*holds no scan"):
        bench.run("render", objective="conv1_1:3", scan=str(tmp_path))
    other = Bench(as_model(mixing()), tmp_path)
    with pytest.raises(FieldError, match=r"^scan: .*another network"):
        other.run("render", "other", objective="channel('0', 3)", scan=str(seen.folder))
    assert not list(tmp_path.rglob("recipe.yaml"))
