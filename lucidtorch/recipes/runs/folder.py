"""The folder of a run: claimed before any work, so that nothing of another run is lost in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lucidtorch.base.errors import OutputError
from lucidtorch.base.files import atomic_write_bytes, atomic_write_text, check_output_folder, remove_leftovers
from lucidtorch.recipes.recipe import Recipe
from lucidtorch.recipes.recipe_text import HEADER, recipe_text

RECIPE = "recipe.yaml"


def check_folder(folder: Path) -> None:
    """Make sure that a run may write into a folder: it is new or empty, or holds a run.

    Args:
        folder: The folder.

    Raises:
        OutputError: It is a file, or holds something else.
    """
    if folder.is_dir() and any(folder.iterdir()) and run_id(folder) is None:
        raise OutputError(f"{folder} holds files that are of no run; choose a new folder, such as {folder / 'run'}.")
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file, and a folder is needed; choose another name.")


def claim(folder: Path, recipe: Recipe, files: Mapping[str, bytes]) -> Path | None:
    """Make a folder that of a run; a run of another recipe that stands there is moved aside.

    Args:
        folder: The folder.
        recipe: The recipe as it was resolved.
        files: What the run keeps beside it, by path.

    Returns:
        Where an earlier run of another recipe was moved to, or None.

    Raises:
        OutputError: The folder cannot be written to.
    """
    before = run_id(folder)
    moved = None
    if before is not None and before != recipe.id:
        moved = _aside(folder, before)
        folder.rename(moved)
    check_output_folder(folder)
    remove_leftovers(folder)
    for name, data in files.items():
        atomic_write_bytes(folder / name, data)
    atomic_write_text(folder / RECIPE, recipe_text(recipe))
    return moved


def run_id(folder: Path) -> str | None:
    """Say which recipe a folder holds a run of.

    Args:
        folder: The folder.

    Returns:
        The recipe's checksum; None where it holds no run.
    """
    try:
        with (folder / RECIPE).open(encoding="utf-8") as file:
            first = file.readline()
    except (OSError, UnicodeDecodeError):
        return None
    return first.removeprefix(HEADER).strip() if first.startswith(HEADER) else None


def _aside(folder: Path, name: str) -> Path:
    whole = folder.resolve()
    if whole == Path.cwd() or whole in Path.cwd().parents:
        raise OutputError(f"{folder} holds a run of another recipe and is the current folder; choose a new folder.")
    places = (whole.with_name(f"{whole.name}-{name[:8]}{end}") for end in ("", *(f"-{one}" for one in range(2, 100))))
    return next(place for place in places if not place.exists())
