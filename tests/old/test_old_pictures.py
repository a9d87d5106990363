"""Pictures of version 0.1.0 are read, and make themselves again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from old_files import COARSE_LEVELS, LEVELS, OLD, check_pixels, check_values, command, named, record

import lucidtorch as lt
from lucidtorch.recipes import RenderRecord, read_recipe, rerun

DRAWN = sorted((OLD / "pictures").glob("*.png"))
OF_FOLDERS = sorted([*OLD.glob("runs/*/pictures/**/*.png"), *OLD.glob("galleries/*/pictures/**/*.png")])
COMPOSED = [
    OLD / "runs" / name
    for name in ("film/strip.png", "grid/overview.png", "heat/sheet-1.png", "sheet/sheet-conv2_1.png")
]
EXACT = 2**53  # JavaScript, and JSON in many languages, changes larger whole numbers
VALUES = json.loads((OLD / "pictures" / "values.json").read_text(encoding="utf-8"))

pytestmark = pytest.mark.filterwarnings("ignore")  # other versions may have computed here


def test_there_are_pictures_of_all_kinds() -> None:
    seeds = [seed for path in (*DRAWN, *OF_FOLDERS) for seed in record(path)["seed"]]
    assert sum(seed > EXACT for seed in seeds) >= 30
    assert {path.stem for path in DRAWN} == set(VALUES)


@pytest.mark.parametrize("picture", named([*DRAWN, *OF_FOLDERS]))
def test_a_picture_is_read(picture: Path) -> None:
    found, said = read_recipe(picture), record(picture)
    assert isinstance(found, RenderRecord)
    for field in ("objective", "param", "transforms", "constraints", "steps", "lr", "precision", "recipe_id"):
        assert getattr(found, field) == said.get(field), field
    assert list(found.seed) == said["seed"]  # whole numbers, however large


@pytest.mark.parametrize("picture", named([*DRAWN, *OF_FOLDERS]))
def test_a_picture_makes_itself_again(picture: Path, tmp_path: Path) -> None:
    said = record(picture)
    again = rerun(picture, tmp_path / "again.png")
    assert isinstance(again, lt.Rendering)
    check_pixels(picture, tmp_path / "again.png", LEVELS if said["precision"] == "float32" else COARSE_LEVELS)
    assert record(tmp_path / "again.png")["seed"] == said["seed"]
    if picture in DRAWN:
        check_values(VALUES[picture.stem], again.values.numpy())


@pytest.mark.parametrize("picture", named(COMPOSED))
def test_a_picture_that_was_put_together_makes_itself_again(picture: Path, tmp_path: Path) -> None:
    said = record(picture)
    assert said["picture"] == picture.name
    rerun(picture, tmp_path / "again.png")
    check_pixels(picture, tmp_path / "again.png")


def test_a_sheet_that_left_its_folder_makes_itself_again(tmp_path: Path) -> None:
    """The path of a picture in its run says where the folder begins, which here is not there."""
    sheet = Path(shutil.copy(OLD / "runs" / "sheet" / "sheet-conv2_1.png", tmp_path / "renamed.png"))
    command("rerun", sheet, "-o", tmp_path / "again.png", "-q")
    check_pixels(sheet, tmp_path / "again.png")


@pytest.mark.parametrize("name", ["fft", "inversion", "networks", "random"])
def test_the_command_needs_no_permission_for_what_ships(name: str, tmp_path: Path) -> None:
    command("rerun", OLD / "pictures" / f"{name}.png", "-o", tmp_path / "again.png", "-q")
    check_pixels(OLD / "pictures" / f"{name}.png", tmp_path / "again.png")
