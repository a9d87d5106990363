"""Recipes from files: read with what they extend and what the command line says, checked, and run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PureWindowsPath
from typing import Any

from lucidtorch.base.errors import suggestion
from lucidtorch.models.model import Model
from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.documents.assignments import assigned
from lucidtorch.recipes.documents.document import Document
from lucidtorch.recipes.documents.extending import Extending
from lucidtorch.recipes.documents.origins import find
from lucidtorch.recipes.documents.placing import placed
from lucidtorch.recipes.fields.checking import checked
from lucidtorch.recipes.kinds import KINDS, kind
from lucidtorch.recipes.network import load_network
from lucidtorch.recipes.runs.kind import RecipeKind
from lucidtorch.recipes.runs.result import Run
from lucidtorch.recipes.runs.running import run_recipe
from lucidtorch.recipes.runs.watching import Report

LISTED = "`lucidtorch recipes` lists the kinds."


def load(source: str | Path, settings: Sequence[str] = ()) -> Document:
    """Read a recipe with all that it extends."""
    origin = find(source)
    root = Extending().read(origin)
    for one in settings:
        root = assigned(root, one)
    return Document(root, origin)


def read(document: Document) -> RecipeKind:
    """Check the fields of a recipe, without looking at its network."""
    with placed(document):
        values = document.values
        _check_output(values.get("output"))
        recipe = checked(_kind(values), values)
        if recipe.model is None:
            raise FieldError(("model",), "A recipe names its network, such as `model: vgg16`.")
        return recipe


def read_network(document: Document, recipe: RecipeKind, *, trust: bool = False) -> Model:
    """Load the network that a recipe names."""
    sums = None if recipe.made_with is None else recipe.made_with.files
    with placed(document), document.followed(trust=trust):
        return load_network(
            recipe.model or "",
            recipe.weights,
            recipe.device,
            sums=sums,
            base=document.base,
            typed=document.typed_network,
        )


def run_document(
    document: Document,
    folder: Path,
    *,
    recipe: RecipeKind | None = None,
    network: Model | None = None,
    workers: int = 1,
    report: Report | None = None,
    trust: bool = False,
) -> Run:
    """Run a recipe as it is written, or go on where it was interrupted."""
    found = read(document) if recipe is None else recipe
    model = read_network(document, found, trust=trust) if network is None else network
    with placed(document), document.followed(trust=trust):
        return run_recipe(found, folder, network=model, base=document.base, workers=workers, report=report)


def _kind(values: dict[str, Any]) -> type[RecipeKind]:
    name = values.get("recipe")
    if "recipe" not in values:
        raise FieldError((), f"`recipe:` is missing, which names the kind: {', '.join(KINDS)}. {LISTED}")
    if name not in KINDS:
        meant = suggestion(name, KINDS) if isinstance(name, str) else f"Write one of {', '.join(KINDS)}."
        raise FieldError(("recipe",), f"There is no kind {name!r}. {meant} {LISTED}")
    return kind(name)


def _check_output(said: Any) -> None:
    """The folder that a recipe names lies in the current one, so that a recipe of others overwrites nothing."""
    if not isinstance(said, str):
        return
    path, windows = Path(said), PureWindowsPath(said)
    outside = path.is_absolute() or windows.drive or windows.root or ".." in windows.parts or said.startswith("~")
    if outside or not path.parts or not Path.cwd().joinpath(path).resolve().is_relative_to(Path.cwd().resolve()):
        raise FieldError(
            ("output",), f"A recipe names a folder in the current one, but {said!r} was given; name another with -o."
        )
