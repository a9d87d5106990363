"""Pictures as recipes: a PNG carries what it takes to make it again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from lucidtorch.base.checks import checked
from lucidtorch.base.errors import OutputError, RecipeError, suggestion
from lucidtorch.base.files import atomic_write_bytes, check_output_file, user_path
from lucidtorch.base.images import read_png_text
from lucidtorch.base.records import ComposedRecord, read_settings
from lucidtorch.base.registry import follow_words
from lucidtorch.base.sizes import PLANE
from lucidtorch.base.trust import following, trusting
from lucidtorch.models.model import Model
from lucidtorch.recipes.fields import checking
from lucidtorch.recipes.kinds import KINDS, kind
from lucidtorch.recipes.network import Network, load_network
from lucidtorch.recipes.recipe import Recipe
from lucidtorch.recipes.record import named_network, render_again
from lucidtorch.recipes.runs.result import Run, scratch_folder
from lucidtorch.recipes.runs.running import run_recipe
from lucidtorch.rendering.entry import Callback
from lucidtorch.rendering.job import RenderRecord
from lucidtorch.rendering.networks import ModelLike
from lucidtorch.rendering.result import Rendering, check_destination
from lucidtorch.runs.folder import recipe_id

DEEPEST = 3  # folders of a run inside each other: pictures/LAYER/


@checked
def read_recipe(path: str | Path) -> RenderRecord | ComposedRecord:
    """Read the recipe that a picture carries; nothing in it is followed.

    Args:
        path: A PNG that lucidtorch made.

    Returns:
        The record of its render; of a picture that was composed of others, the recipe of its run.

    Raises:
        RecipeError: The file is missing, carries no recipe, or one that does not fit.
    """
    path = Path(path)
    settings = read_settings(read_png_text(path), str(path))
    if "picture" not in settings:
        return RenderRecord.read(settings, f"The recipe in {path}")
    found = ComposedRecord.read(settings, f"The recipe in {path}")
    if found.kind not in KINDS:
        raise RecipeError(
            f"The recipe in {path} is of the unknown kind {found.kind!r:.40}. {suggestion(found.kind, KINDS)}"
        )
    return found


@checked
def rerun(
    path: str | Path,
    output: str | Path | None = None,
    *,
    model: ModelLike | None = None,
    weights: str | Path | None = None,
    trust: bool = False,
    callbacks: Sequence[Callback] = (),
) -> Rendering | Run:
    """Make a picture again from what it carries; on the same machine and versions, the same bytes.

    A picture can come from anybody. It names networks that ship with the package, or whose weights are on this machine
    already, and files in its own folder; weights and images that you named on this machine before are found by their
    checksum. It runs no code and downloads nothing, unless you name the network yourself or trust it.

    Args:
        path: A PNG that lucidtorch made.
        output: Where to write the new picture; nowhere where None.
        model: The network, several by name, or the name of one for `load_model`, in the place of the picture's own.
        weights: The weights of the network, as for `load_model`, in the place of the picture's own.
        trust: Whether you trust the picture: code, downloads and files anywhere on this machine that it names.
        callbacks: Called after each update.

    Returns:
        The pictures of the whole batch; of a picture that was composed of others, the whole run again.

    Raises:
        RecipeError: The file carries no recipe, or one that cannot be run here.
        UntrustedError: It asks to run code, to download, or to open files outside of its folder.
        BadInputError: The network or its weights are not to be had, or the output cannot be written.
    """
    path = Path(path)
    record = read_recipe(path)
    target = None if output is None else Path(output)
    said = None if weights is None else str(weights)
    with trusting(trust):
        if isinstance(record, ComposedRecord):
            return _run_again(record, path, target, model, said, callbacks)
        if target is not None:
            check_destination(target, record.schedule.snapshots, plays=len(record.canvas) > PLANE or record.batch > 1)
        home = _home_of(path, record.recipe_id)
        spec = model if isinstance(model, str) else None
        if spec is not None or said is not None:
            with following(path, home, typed=_files(spec, said), downloads=spec is not None):
                model = named_network(record, spec, said, home)
        with following(path, home):
            follow_words(record.defined_by, path.parent)
            rendering = render_again(record, model=model, folder=path.parent, home=home, callbacks=callbacks)
    if target is not None:
        rendering.save(target, images=record.images, snapshot=record.snapshot)
    return rendering


def _home_of(path: Path, key: str | None) -> Path:
    """The folder of the run that a picture is a part of, where it still lies in it; else the picture's own."""
    around = path.resolve().parents[:DEEPEST]
    return next((one for one in around if key is not None and recipe_id(one) == key), path.parent)


def _files(spec: str | None, weights: str | None) -> list[Path]:
    """The files that the user names: of a network, without its function, and of its weights."""
    texts = [one for one in (spec, weights) if one is not None]
    return [user_path(one) for one in (*texts, *(one.rpartition(":")[0] for one in texts)) if one]


def _run_again(
    record: ComposedRecord,
    path: Path,
    output: Path | None,
    model: ModelLike | None,
    weights: str | None,
    callbacks: Sequence[Callback],
) -> Run:
    """Run the whole recipe in a folder of its own, and take the picture out of it."""
    if output is not None:
        if output.suffix.lower() != path.suffix.lower():
            raise OutputError(f"A picture of a run is written as PNG, but {output} was given; name a file .png.")
        check_output_file(output)
    recipe = checking.checked(kind(record.kind), record.recipe)
    folder = _folder_of(path, record)
    network = _network_of(recipe, model, weights, path, folder)
    with following(path, folder):
        run = run_recipe(recipe, scratch_folder(), network=network, base=folder, callbacks=callbacks)
    made = {str(one.relative_to(run.folder).as_posix()) for one in run.folder.rglob("*.png")}
    if record.picture not in made:
        raise RecipeError(f"The recipe in {path} makes no picture {record.picture[:100]!r}, so nothing was written.")
    if output is not None:
        atomic_write_bytes(output, (run.folder / record.picture).read_bytes())
    return run


def _network_of(recipe: Recipe, model: ModelLike | None, weights: str | None, path: Path, folder: Path) -> Model | None:
    """Take the network that the user gives in the place of a recipe's; None where the recipe's is meant."""
    spec = model if isinstance(model, str) else None
    if spec is None and weights is None:
        if model is not None and not isinstance(model, Model):
            raise RecipeError("A run needs one network: hand over a Model, as load_model gives it.")
        return model
    said = recipe.model if isinstance(recipe.model, Network) else Network(spec=recipe.model or "")
    sums = {} if recipe.made_with is None else dict(recipe.made_with.files)
    named = {"weights": weights} if weights is not None else {}
    named |= {"spec": spec} if spec is not None else {}
    with following(path, folder, typed=_files(spec, weights), downloads=spec is not None):
        return load_network(
            said.model_copy(update={"spec": spec or said.spec}),
            weights or recipe.weights,
            recipe.device,
            sums=sums,
            base=folder,
            typed=tuple(named),
        )


def _folder_of(path: Path, record: ComposedRecord) -> Path:
    """Find the folder of the run that a picture stands in: its own, where it was moved out of the run."""
    whole, parts = path.resolve(), PurePosixPath(record.picture).parts
    return whole.parents[len(parts) - 1] if whole.parts[-len(parts) :] == parts else whole.parent
