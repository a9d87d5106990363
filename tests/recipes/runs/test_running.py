"""A run goes on where it broke off, is the same however it is made, and loses nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gallery_runs import Killed, stopping
from PIL import Image
from small_networks import as_model, mixing

import lucidtorch as lt
from lucidtorch.base.errors import OutputError
from lucidtorch.base.images import read_png_text
from lucidtorch.base.seeds import SEED_BITS
from lucidtorch.models.model import Model
from lucidtorch.recipes import Run
from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.runs import running
from lucidtorch.runs.folder import recipe_id

SHEET: dict[str, Any] = {"layers": ["conv1_1", "conv2_1"], "units": "0-4", "size": 24, "steps": 2, "batch": 2}
TASKS = 2 * 3


def sheet(model: Model | str, folder: Path, **changes: Any) -> Run:
    return lt.recipes.layer_sheet(model, output=folder, **(SHEET | changes))


def contents(folder: Path) -> dict[str, bytes]:
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found.pop("provenance.json", None)
    return found


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("unbroken")
    sheet("demo", folder)
    return contents(folder)


def test_a_model_and_its_name_give_the_same_bytes(demo: Model, unbroken: dict[str, bytes], tmp_path: Path) -> None:
    sheet(demo, tmp_path)
    assert contents(tmp_path) == unbroken


@pytest.mark.parametrize("after", [1, 4])
def test_a_run_that_broke_off_goes_on_to_the_same_bytes(
    demo: Model, unbroken: dict[str, bytes], tmp_path: Path, after: int
) -> None:
    with pytest.raises(Killed):
        sheet(demo, tmp_path, report=stopping(after, Killed()))
    assert len(list((tmp_path / "batches").iterdir())) == after
    assert not (tmp_path / "index.html").exists()
    made: list[int] = []
    sheet(demo, tmp_path, report=lambda done, total, task: made.append(total))
    assert contents(tmp_path) == unbroken
    assert made == [TASKS] * TASKS


def test_every_file_of_a_run_names_the_recipe(unbroken: dict[str, bytes], tmp_path: Path) -> None:
    for name, data in unbroken.items():
        (tmp_path / Path(name).name).write_bytes(data)
    pictures = sorted(tmp_path.glob("*.png"))
    said = {json.loads(read_png_text(path))["recipe_id"] for path in pictures}
    said.add(json.loads(unbroken["data.json"])["recipe_id"])
    said |= set(re.findall(r'name="lucidtorch-recipe" content="(\w+)"', unbroken["index.html"].decode()))
    said.add(recipe_id(tmp_path) or "")
    assert len(pictures) > TASKS
    assert len(said) == 1


def test_the_place_is_in_no_file_but_the_provenance(demo: Model, tmp_path: Path) -> None:
    sheet(demo, tmp_path / "a-place-of-its-own", units="0")
    for name, data in contents(tmp_path / "a-place-of-its-own").items():
        assert b"a-place-of-its-own" not in data, name
    said = json.loads((tmp_path / "a-place-of-its-own" / "provenance.json").read_text())
    assert said["folder"].endswith("a-place-of-its-own")


def test_a_run_of_another_recipe_is_moved_aside(demo: Model, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    first = sheet(demo, folder, units="0")
    before = contents(folder)
    second = sheet(demo, folder, units="1")
    assert first.moved is None
    assert second.moved == tmp_path / f"out-{first.recipe.id[:8]}"
    assert contents(second.moved) == before
    assert recipe_id(folder) == second.recipe.id != first.recipe.id
    third = sheet(demo, folder, units="0")
    assert third.moved == tmp_path / f"out-{second.recipe.id[:8]}"
    assert contents(folder) == before


def test_a_folder_of_something_else_is_left_alone(demo: Model, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("a page of mine")
    with pytest.raises(OutputError, match=r"index\.html, which is of no run"):
        sheet(demo, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
    assert (tmp_path / "index.html").read_text() == "a page of mine"


@pytest.mark.parametrize("name", ["recipe.yaml", "pictures/a.txt", "holiday.png", "film.GIF", "inputs/x.jpg"])
def test_what_a_run_could_overwrite_stops_it(demo: Model, tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(OutputError, match="of no run"):
        sheet(demo, tmp_path)
    assert (tmp_path / name).read_text() == "mine"


def test_what_else_is_in_the_folder_stays_as_it_is(demo: Model, unbroken: dict[str, bytes], tmp_path: Path) -> None:
    folder = tmp_path / "out"
    others = {"thesis.txt": b"all of it", "demo/index.html": b"a page", "demo/.x.part": b"of another process"}
    for name, data in others.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    first = sheet(demo, folder)
    assert contents(folder) == unbroken | others
    second = sheet(demo, folder, units="1")
    assert second.moved is not None
    assert contents(second.moved) == unbroken
    assert others.items() <= contents(folder).items()
    assert recipe_id(second.moved) == first.recipe.id


def test_a_move_that_was_stopped_is_finished(
    demo: Model, unbroken: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, moves = tmp_path / "out", []
    sheet(demo, folder)
    rename = Path.rename

    def renamed(self: Path, target: Path) -> Path:
        moves.append(self.name)
        if len(moves) == 4:
            raise Killed
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", renamed)
    with pytest.raises(Killed):
        sheet(demo, folder, units="1")
    second = sheet(demo, folder, units="1")
    assert second.moved is not None
    assert contents(second.moved) == unbroken
    assert moves[-1] == "recipe.yaml"


def test_a_file_in_the_place_of_the_folder_is_refused(demo: Model, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="is a file"):
        sheet(demo, tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"layers": ["conv1_1", "conv9_9"]}, ("layers", 1)),
        ({"units": "0-3,99"}, ("units",)),
        ({"units": [3, -1]}, ("units", 1)),
        ({"param": "image(32)"}, ("size",)),
        ({"transforms": "jitter("}, ("transforms",)),
        ({"constraints": "blurr(1)"}, ("constraints",)),
        ({"steps": 0}, ("steps",)),
        ({"lr": -1}, ("lr",)),
        ({"optimizer": "adamm"}, ("optimizer",)),
        ({"seed": -1}, ("seed",)),
    ],
)
def test_what_does_not_fit_is_said_with_its_field_before_anything_is_written(
    demo: Model, tmp_path: Path, changes: dict[str, Any], key: tuple[str | int, ...]
) -> None:
    with pytest.raises(FieldError) as caught:
        sheet(demo, tmp_path / "out", **changes)
    assert caught.value.key == key
    assert not (tmp_path / "out").exists()


def test_an_argument_that_no_recipe_has_is_refused(demo: Model, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="laiers"):
        lt.recipes.layer_sheet(demo, layers="conv1_1", laiers="conv1_1", output=tmp_path / "out")


def test_a_module_that_only_a_program_has_can_be_run_and_says_that_it_cannot_be_named(tmp_path: Path) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = as_model(mixing(3))
    run = lt.recipes.layer_sheet(model, layers="0", size=24, steps=2, output=tmp_path / "out")
    assert run.recipe.model is None
    assert run.index.is_file()


def test_any_picture_of_a_run_makes_itself_again(demo: Model, tmp_path: Path) -> None:
    goal = "conv2_1:3 - 0.1 * total_variation()"
    folder = tmp_path / "out"
    lt.recipes.render(demo, objective=goal, images=3, size=24, steps=3, snapshots=[1, 2], output=folder)
    pictures = sorted(folder.rglob("*.png"))
    assert len(pictures) == 3 * 3 + 1
    for path in pictures:
        lt.recipes.rerun(path, tmp_path / "again.png")
        assert (tmp_path / "again.png").read_bytes() == path.read_bytes(), path


def test_a_picture_of_a_run_that_looked_at_a_picture_makes_itself_again(demo: Model, tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8)).save(tmp_path / "a.jpg")
    folder = tmp_path / "out"
    lt.recipes.activation_grid(
        demo, layers="conv2_1", image=tmp_path / "a.jpg", image_size=32, group=8, size=16, steps=2, output=folder
    )
    (tmp_path / "a.jpg").unlink()
    for path in sorted(folder.glob("*.png")):
        lt.recipes.rerun(path, tmp_path / "again.png")
        assert (tmp_path / "again.png").read_bytes() == path.read_bytes(), path


def seeds_of(run: Run) -> list[int]:
    return [one.seed for one in run.figures if one.seed is not None]


def test_a_run_of_version_0_1_0_goes_on_with_its_seeds(
    demo: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That version drew seeds of 63 bits, which JavaScript changes, and did not say so in its recipe."""
    folder = tmp_path / "out"
    planned = running._planned
    with monkeypatch.context() as patch:
        patch.setattr(running, "_planned", lambda recipe, model, base, bits: planned(recipe, model, base, SEED_BITS))
        first = sheet(demo, folder)
    assert max(seeds_of(first)) > 2**53
    before = contents(folder)
    again = sheet(demo, folder)
    assert (again.moved, seeds_of(again)) == (None, seeds_of(first))
    assert contents(folder) == before
    lt.recipes.rerun(folder / "sheet-conv1_1.png", tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == (folder / "sheet-conv1_1.png").read_bytes()
    fresh = sheet(demo, tmp_path / "fresh")
    assert 0 < max(seeds_of(fresh)) < 2**53
    lt.recipes.rerun(tmp_path / "fresh" / "sheet-conv1_1.png", tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "fresh" / "sheet-conv1_1.png").read_bytes()
