"""What a recipe gives back: its folder, and pictures that show themselves."""

from __future__ import annotations

import atexit
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from lucidtorch.base.errors import OutputError
from lucidtorch.base.files import remove_stale, temporary_folder, temporary_path, write_failure
from lucidtorch.recipes.recipe import Recipe
from lucidtorch.recipes.runs.exhibit import fitted, run_html
from lucidtorch.recipes.story import Figure, Story
from lucidtorch.rendering.showing import MOST_PIXELS


@dataclass(frozen=True, eq=False)
class Run:
    """A recipe that ran.

    Args:
        folder: Where its files stand.
        recipe: The recipe as it was resolved.
        story: What its page tells.
        moved: Where an earlier run of another recipe was moved to that stood in the folder, or None.
    """

    folder: Path
    recipe: Recipe
    story: Story
    moved: Path | None = None

    @property
    def index(self) -> Path:
        """The page to open."""
        return self.folder / "index.html"

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All pictures, in the order of the page."""
        return self.story.figures

    def save(self, folder: str | Path) -> Path:
        """Copy the whole run to a folder.

        Args:
            folder: A new folder.

        Returns:
            The page to open.

        Raises:
            OutputError: The folder is there already, or cannot be written to.
        """
        place = Path(folder)
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise OutputError(f"{place} is there already; choose a new folder.")
        if not self.folder.is_dir():
            raise OutputError(f"The folder of the run, {self.folder}, is gone; run the recipe again.")
        whole = place.resolve()
        part = temporary_path(whole)
        try:
            whole.parent.mkdir(parents=True, exist_ok=True)
            remove_stale(whole.parent, whole.name)
            shutil.copytree(self.folder, part)
            if whole.is_dir():
                whole.rmdir()  # it is empty
            part.replace(whole)
        except OSError as error:
            raise write_failure(place, error) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return place / self.index.name

    def _repr_png_(self) -> bytes | None:
        main = self.folder / self.story.main
        return fitted(main, MOST_PIXELS, "png") if main.is_file() else None

    def _repr_html_(self) -> str:
        return run_html(self.folder, self.recipe, self.story)

    def __repr__(self) -> str:
        return f"<Run of {self.recipe.recipe}: {len(self.figures)} pictures in {self.folder}>"


def scratch_folder() -> Path:
    """Name a folder for a run that nobody named one for; it is gone when the program ends."""
    parent = temporary_folder("run")
    atexit.register(_remove, parent, os.getpid())
    return parent / "run"


def _remove(folder: Path, process: int) -> None:
    if os.getpid() == process:  # a fork of the program leaves its folders to it
        shutil.rmtree(folder, ignore_errors=True)
