"""A resolved recipe as the text of its file."""

from __future__ import annotations

from lucidtorch.recipes.reading.yaml_text import dump
from lucidtorch.recipes.recipe import Recipe
from lucidtorch.runs.folder import RECIPE_HEADER


def recipe_text(recipe: Recipe) -> str:
    """Write a resolved recipe as YAML."""
    return f"{RECIPE_HEADER}{recipe.id}\n{dump(recipe.to_dict())}"
