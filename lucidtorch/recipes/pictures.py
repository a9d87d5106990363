"""Pictures as recipes: a PNG carries what it takes to make it again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from lucidtorch.base.checks import checked
from lucidtorch.base.errors import OutputError, RecipeError
from lucidtorch.base.files import atomic_write_bytes, check_output_file
from lucidtorch.base.images import read_png_text
from lucidtorch.base.settings import read_settings
from lucidtorch.base.sizes import PLANE
from lucidtorch.models.model import Model
from lucidtorch.recipes.fields import checking
from lucidtorch.recipes.kinds import KINDS, kind
from lucidtorch.recipes.record import ComposedRecord, RenderRecord
from lucidtorch.recipes.runs.result import Run, scratch_folder
from lucidtorch.recipes.runs.running import run_recipe
from lucidtorch.rendering.entry import Callback
from lucidtorch.rendering.networks import ModelLike
from lucidtorch.rendering.result import Rendering, check_destination


@checked
def read_recipe(path: str | Path) -> RenderRecord | ComposedRecord:
    """Read the recipe that a picture carries.

    Args:
        path: A PNG that lucidtorch made.

    Returns:
        The record of its render; of a picture that was put together of others, the recipe of its run.

    Raises:
        RecipeError: The file is missing, carries no recipe, or one that does not fit.
    """
    path = Path(path)
    settings = read_settings(read_png_text(path), str(path))
    if "picture" not in settings:
        return RenderRecord.read(settings, str(path))
    try:
        found = ComposedRecord.model_validate(settings)
    except ValidationError as error:
        raise RecipeError(f"The recipe in {path} does not fit: {error.errors()[0]['msg']}.") from error
    if found.kind not in KINDS:
        raise RecipeError(f"The recipe in {path} is of the kind {found.kind!r}, which is none of {', '.join(KINDS)}.")
    return found


@checked
def rerun(
    path: str | Path,
    output: str | Path | None = None,
    *,
    model: ModelLike | None = None,
    callbacks: Sequence[Callback] = (),
) -> Rendering | Run:
    """Make a picture again from what it carries; on the same machine and versions, the same bytes.

    Args:
        path: A PNG that lucidtorch made.
        output: Where to write the new picture; nowhere where None.
        model: The network, or several by name, where only a Python program has them.
        callbacks: Called after each update.

    Returns:
        The pictures of the whole batch; of a picture that was put together of others, the whole run again.

    Raises:
        RecipeError: The file carries no recipe, or one that cannot be run here.
        BadInputError: The network or its weights are not to be had, or the output cannot be written.
    """
    path = Path(path)
    recipe = read_recipe(path)
    if isinstance(recipe, ComposedRecord):
        return _composed_again(recipe, path, None if output is None else Path(output), model, callbacks)
    if output is not None:
        check_destination(Path(output), recipe.snapshots, plays=len(recipe.canvas) > PLANE or recipe.batch > 1)
    rendering = recipe.run(model=model, folder=path.parent, callbacks=callbacks)
    if output is not None:
        rendering.save(output, images=recipe.images, snapshot=recipe.snapshot)
    return rendering


def _composed_again(
    record: ComposedRecord, path: Path, output: Path | None, model: ModelLike | None, callbacks: Sequence[Callback]
) -> Run:
    """Run the whole recipe in a folder of its own, and take the picture out of it."""
    if output is not None:
        if output.suffix.lower() != path.suffix.lower():
            raise OutputError(f"A picture of a run is written as PNG, but {output} was given; name a file .png.")
        check_output_file(output)
    if model is not None and not isinstance(model, Model):
        raise RecipeError("A run needs one network: hand over a Model, as load_model gives it.")
    recipe = checking.checked(kind(record.kind), record.recipe)
    folder = path.resolve().parents[len(PurePosixPath(record.picture).parts) - 1]
    run = run_recipe(recipe, scratch_folder(), network=model, base=folder, callbacks=callbacks)
    if output is not None:
        atomic_write_bytes(output, (run.folder / record.picture).read_bytes())
    return run
