"""Recipes: what a picture carries, and how it is made again."""

from lucidtorch.recipes.kinds.single import RenderRecipe
from lucidtorch.recipes.pictures import read_recipe, rerun

__all__ = ["RenderRecipe", "read_recipe", "rerun"]
