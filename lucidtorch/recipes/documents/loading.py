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
    """Read a recipe with all that it extends.

    Args:
        source: The path of a file, or the name of a recipe that ships.
        settings: What is said on the command line, such as ``steps=64`` or ``model.mean=[0,0,0]``.

    Returns:
        The recipe as it is written; its fields are not checked yet.

    Raises:
        RecipeError: A file is missing or no YAML, or a setting is none; the message names the place.
    """
    origin = find(source)
    root = Extending().read(origin)
    for one in settings:
        root = assigned(root, one)
    return Document(root, origin)


def read(document: Document) -> RecipeKind:
    """Check the fields of a recipe, without looking at its network.

    Args:
        document: The recipe as it is written.

    Returns:
        The recipe.

    Raises:
        RecipeError: A field is missing or unknown, or does not fit; the message names the place.
    """
    with placed(document):
        values = document.values
        _check_output(values.get("output"))
        recipe = checked(_kind(values), values)
        if recipe.model is None:
            raise FieldError(("model",), "A recipe names its network, such as `model: vgg16`.")
        return recipe


def read_network(document: Document, recipe: RecipeKind, *, trust: bool = False) -> Model:
    """Load the network that a recipe names.

    Args:
        document: The recipe as it is written.
        recipe: What `read` made of it.
        trust: Whether the file is to be trusted: code, downloads and files anywhere that it names.

    Returns:
        The network.

    Raises:
        RecipeError: There is no such network; the message names the place.
    """
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
    """Run a recipe as it is written, or go on where it was interrupted.

    Args:
        document: The recipe.
        folder: Where the files of the run shall stand.
        recipe: What `read` made of it; read here where None.
        network: What `read_network` loaded; loaded here where None.
        workers: How many processes work side by side.
        report: Called as the work goes on with the number done, the number of all, and what is counted.
        trust: Whether the file is to be trusted: code, downloads and files anywhere that it names. Otherwise it may
            name what ships, networks whose weights are on this machine, and files in its own folder.

    Returns:
        What came of it.

    Raises:
        RecipeError: Anything does not fit; nothing was rendered or written then. The message names the place.
        OutputError: The folder cannot be written to.
    """
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
