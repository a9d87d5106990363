"""Dead units: zero on the final picture, with no gradient that could wake them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lucidtorch.objectives.algebra import Objective, On
from lucidtorch.objectives.images import Each, Interpolate
from lucidtorch.objectives.references import INPUT
from lucidtorch.objectives.term import Term
from lucidtorch.rendering.passes import Scene, back_to_images


def final_values(scene: Scene, goal: Objective, images: Tensor, batch: int) -> tuple[Tensor, Tensor]:
    """Evaluate the finished pictures as they are, and find those whose units are dead.

    A picture is dead where every unit that its objective speaks of is zero and the gradient of their sum to the
    picture is zero everywhere.

    Args:
        scene: How they are looked at, without chance.
        goal: The objective, class names looked up.
        images: The pictures, `[B, C, *size]`.
        batch: How many go through the networks at once.

    Returns:
        The objective of each picture, `[B]`, and whether its units are dead, `[B]`.
    """
    values = silent = torch.zeros(0)

    def score(leaf: Tensor, activations: Mapping[str, Tensor]) -> Tensor | None:
        nonlocal values, silent
        found = {**activations, **scene.references, INPUT: images}
        values = goal(found).detach()
        units = unit_activity(goal, found, len(images))
        silent = units.speaks & (units.size.detach() == 0)
        return units.total.sum() if bool(silent.any()) else None

    gradient, _ = back_to_images(scene, images, score, batch)
    return values, silent & (gradient == 0).flatten(1).all(1)


@dataclass(frozen=True)
class Activity:
    """How active the units are that each image's objective speaks of.

    Args:
        total: The sum of their activations, `[B]`, for its gradient.
        size: The sum of their absolute values, `[B]`; 0 where all of them are silent.
        speaks: Whether the objective of the image speaks of units at all, `[B]`.
    """

    total: Tensor
    size: Tensor
    speaks: Tensor

    def joined(self, other: Activity, follows: Tensor) -> Activity:
        """Add what another part of the expression speaks of.

        Args:
            other: The activity of that part.
            follows: Which images follow that part, `[B]`.

        Returns:
            Both together.
        """
        return Activity(
            self.total + torch.where(follows, other.total, 0),
            self.size + torch.where(follows, other.size, 0),
            self.speaks | (other.speaks & follows),
        )


def unit_activity(goal: Objective, activations: Mapping[str, Tensor], batch: int) -> Activity:
    """Add up, for each image, how active the units are that its objective speaks of.

    Args:
        goal: The objective.
        activations: Address to activations.
        batch: The number of images.

    Returns:
        The activity of each image's units.
    """
    nothing = torch.zeros(batch, device=activations[INPUT].device)
    if isinstance(goal, Term):
        if not goal.definition.unit:
            return Activity(nothing, nothing, nothing.bool())
        values = goal(activations)
        return Activity(values, values.abs(), torch.ones_like(nothing).bool())
    found = Activity(nothing, nothing, nothing.bool())
    parts = [child for child in goal.children() if isinstance(child, Objective)]
    for number, part in enumerate(parts):
        follows = [_follows(goal, number, image) for image in range(batch)]
        found = found.joined(unit_activity(part, activations, batch), torch.tensor(follows, device=nothing.device))
    return found


def _follows(goal: Objective, part: int, image: int) -> bool:
    """Whether an image follows a part of an expression."""
    if isinstance(goal, Each):
        return part == image
    if isinstance(goal, On):
        return image == goal.image
    if isinstance(goal, Interpolate):
        return image < goal.count - 1 if part == 0 else image > 0
    return True
