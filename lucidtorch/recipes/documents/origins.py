"""Where the text of a recipe comes from: a file, or one that ships."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from lucidtorch.base.errors import RecipeError, suggestion
from lucidtorch.recipes.documents.shipped import SUFFIX, shipped_file, shipped_names
from lucidtorch.recipes.paths import existing_file

LISTED = "`lucidtorch recipes` lists what ships."


@dataclass(frozen=True)
class Origin:
    """The file of a recipe.

    Args:
        path: The file.
        name: What messages call it.
        shipped: Whether it ships with lucidtorch.
    """

    path: Path
    name: str
    shipped: bool

    @property
    def folder(self) -> Path:
        """Where relative paths in it start."""
        return self.path.parent.resolve()

    @property
    def short_name(self) -> str:
        """The file's name without its ending."""
        return self.path.name.removesuffix(SUFFIX)


def find(source: str | Path) -> Origin:
    """Find the recipe that a command or a program names."""
    name = str(source)
    path = existing_file(Path(), name)
    if path is not None:
        return Origin(path, name, shipped=False)
    if name in shipped_names():
        return Origin(shipped_file(name), name, shipped=True)
    if Path(name).is_dir():
        inside = next(Path(name).glob(f"*{SUFFIX}"), Path("r.yaml"))
        raise RecipeError(f"{name or '.'} is a folder, and a recipe is a file; name a file such as {inside}.")
    raise RecipeError(f"There is no file {name!r}, and no recipe of that name ships. {_meant(name)} {LISTED}")


def find_parent(said: str, child: Origin) -> Origin:
    """Find the recipe that another one extends."""
    if Path(said).is_absolute() or PureWindowsPath(said).drive or said.startswith("~"):
        raise RecipeError(f"extends names a file by its path from this one, but {said!r} was given.")
    path = existing_file(child.folder, said)
    if path is not None:
        if not path.resolve().is_relative_to(child.folder):
            raise RecipeError(f"{said!r} lies outside of the folder of this recipe; copy the file into it.")
        return Origin(path, str(Path(child.name).parent / said), child.shipped)
    if said in shipped_names():
        return Origin(shipped_file(said), said, shipped=True)
    if ".." in Path(said).parts:
        raise RecipeError(f"{said!r} lies outside of the folder of this recipe; copy the file into it.")
    raise RecipeError(f"There is no file {said!r} beside this one, and no recipe of that name ships. {_meant(said)}")


def _meant(name: str) -> str:
    return suggestion(name.removesuffix(SUFFIX), shipped_names())
