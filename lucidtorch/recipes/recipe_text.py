"""A resolved recipe as the text of its file."""

from __future__ import annotations

from lucidtorch.recipes.reading.yaml_text import dump
from lucidtorch.recipes.recipe import Recipe

HEADER = "# A recipe of lucidtorch as it ran; `lucidtorch run recipe.yaml -o FOLDER` makes it again. Recipe id: "


def recipe_text(recipe: Recipe) -> str:
    """Write a resolved recipe as YAML.

    Args:
        recipe: The recipe.

    Returns:
        The text of ``recipe.yaml``.
    """
    return f"{HEADER}{recipe.id}\n{dump(recipe.to_dict())}"
