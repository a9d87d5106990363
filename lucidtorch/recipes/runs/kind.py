"""A kind of recipe: what it plans."""

from __future__ import annotations

from abc import abstractmethod

from lucidtorch.recipes.recipe import Recipe
from lucidtorch.recipes.runs.planning import Plan
from lucidtorch.recipes.runs.stage import Stage


class RecipeKind(Recipe):
    """A recipe that can be run: a kind adds its own fields, and says what is made of them."""

    @abstractmethod
    def plan(self, stage: Stage) -> Plan:
        """Decide what is rendered, and check it against the network.

        Args:
            stage: The network, and what the recipe's common fields come to.

        Returns:
            The tasks, and what is told of them afterwards.

        Raises:
            FieldError: A field does not fit the network or another field.
        """
