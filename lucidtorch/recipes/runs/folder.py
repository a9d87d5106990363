"""The folder of a run: claimed before any work, so that nothing of another run is lost in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lucidtorch.base.errors import OutputError
from lucidtorch.base.files import atomic_write_bytes, atomic_write_text, check_output_folder, remove_leftovers
from lucidtorch.recipes.recipe import Recipe
from lucidtorch.recipes.recipe_text import HEADER, recipe_text

RECIPE = "recipe.yaml"
FILES = (RECIPE, "index.html", "data.json", "provenance.json")
FOLDERS = ("pictures", "batches", "inputs", "maps", "scan", "examples")
ENDINGS = (".png", ".gif", ".mp4", ".npy")  # of files beside these: what is put together of pictures, and arrays


def check_folder(folder: Path) -> None:
    """Make sure that a run may write into a folder: it holds a run, or nothing that has the name of a run's files.

    Args:
        folder: The folder.

    Raises:
        OutputError: It is a file, or holds something in the way.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file, and a folder is needed; choose another name.")
    for entry in _own(folder) if run_id(folder) is None else ():
        raise OutputError(
            f"{folder} holds {entry.name}, which is of no run; choose a new folder, such as {folder}/run."
        )


def claim(folder: Path, recipe: Recipe, files: Mapping[str, bytes]) -> Path | None:
    """Make a folder that of a run; a run of another recipe that stands there is moved aside, and nothing else.

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
    moved = None if before in (None, recipe.id) else _moved_aside(folder, f"{before:.8}")
    check_output_folder(folder)
    for entry in _own(folder):
        remove_leftovers(entry)
    atomic_write_text(folder / RECIPE, recipe_text(recipe))
    for name, data in files.items():
        atomic_write_bytes(folder / name, data)
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


def _own(folder: Path) -> list[Path]:
    """What in a folder has the name of a run's files, the recipe last; what else is there is left alone."""
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    own = [one for one in found if one.name in (*FILES, *FOLDERS) or one.suffix.lower() in (*ENDINGS, ".part")]
    return sorted(own, key=lambda one: one.name == RECIPE)


def _moved_aside(folder: Path, name: str) -> Path:
    """Move a run beside its folder; one that was stopped in the middle of this is moved on to the same place."""
    whole = folder.resolve()
    places = (whole.with_name(f"{whole.name}-{name}{end}") for end in ("", *(f"-{one}" for one in range(2, 100))))
    place = next(place for place in places if not (place / RECIPE).exists())
    try:
        place.mkdir(exist_ok=True)
        for entry in _own(folder):
            entry.rename(place / entry.name)
    except OSError as error:
        raise OutputError(
            f"The run of another recipe in {folder} cannot be moved to {place}: {error.strerror}. Choose a new folder."
        ) from error
    return place
