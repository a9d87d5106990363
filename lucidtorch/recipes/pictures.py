"""Pictures as recipes: a PNG carries what it takes to make it again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lucidtorch.base.images import read_png_text
from lucidtorch.base.settings import read_settings
from lucidtorch.base.sizes import PLANE
from lucidtorch.recipes.kinds.single import RenderRecipe
from lucidtorch.rendering.entry import Callback
from lucidtorch.rendering.networks import ModelLike
from lucidtorch.rendering.result import Rendering, check_destination


def read_recipe(path: str | Path) -> RenderRecipe:
    """Read the recipe that a picture carries.

    Args:
        path: A PNG that lucidtorch made.

    Returns:
        The recipe.

    Raises:
        RecipeError: The file is missing, carries no recipe, or one that does not fit.
    """
    path = Path(path)
    return RenderRecipe.read(read_settings(read_png_text(path), str(path)), str(path))


def rerun(
    path: str | Path,
    output: str | Path | None = None,
    *,
    model: ModelLike | None = None,
    callbacks: Sequence[Callback] = (),
) -> Rendering:
    """Make a picture again from what it carries; on the same machine and versions, the same bytes.

    Args:
        path: A PNG that lucidtorch made.
        output: Where to write the new picture; nowhere where None.
        model: The network, or several by name, where only a Python program has them.
        callbacks: Called after each update.

    Returns:
        The pictures of the whole batch.

    Raises:
        RecipeError: The file carries no recipe, or one that cannot be run here.
        BadInputError: The network or its weights are not to be had, or the output cannot be written.
    """
    path = Path(path)
    recipe = read_recipe(path)
    if output is not None:
        check_destination(Path(output), recipe.snapshots, plays=len(recipe.canvas) > PLANE or recipe.batch > 1)
    rendering = recipe.run(model=model, folder=path.parent, callbacks=callbacks)
    if output is not None:
        rendering.save(output, images=recipe.images)
    return rendering
