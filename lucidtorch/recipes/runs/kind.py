"""A kind of recipe: what it plans."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from pydantic import model_validator

from lucidtorch.base.errors import LucidtorchWarning
from lucidtorch.recipes.recipe import RENDERING, Recipe, RenderingRecipe
from lucidtorch.recipes.runs.planning import Plan
from lucidtorch.recipes.runs.stage import Stage


class RecipeKind(Recipe):
    """A recipe that can be run: a kind adds its own fields, and says what is made of them."""

    @abstractmethod
    def plan(self, stage: Stage) -> Plan:
        """Decide what is made, and check it against the network."""


class RenderingKind(RenderingRecipe, RecipeKind):
    """A kind whose pictures are optimized."""


class LookingKind(RecipeKind):
    """A kind that looks at given images and optimizes none: fields that say how pictures are optimized say nothing."""

    @model_validator(mode="before")
    @classmethod
    def _leave_rendering_out(cls, values: Any) -> Any:
        """Go on without the fields of optimization, which a recipe made for another kind may hold, and say so."""
        unused = [name for name in RENDERING if name in values] if isinstance(values, Mapping) else []
        own = [name for name in unused if name not in cls.model_fields]
        if not own:
            return values
        warnings.warn(
            f"{cls.model_fields['recipe'].default} optimizes no picture, so {' and '.join(own)} change nothing.",
            LucidtorchWarning,
            stacklevel=2,
        )
        return {name: value for name, value in values.items() if name not in own}
