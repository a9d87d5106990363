"""Dead units: zero on the final picture, with no gradient that could wake them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lucidtorch.base.errors import SizeError
from lucidtorch.models.running.redirect import silenced_relu
from lucidtorch.objectives.algebra import Objective, On
from lucidtorch.objectives.images import Each, Interpolate
from lucidtorch.objectives.references import INPUT
from lucidtorch.objectives.term import Term
from lucidtorch.rendering.passes import Scene, back_to_images


def final_values(scene: Scene, goal: Objective, images: Tensor, batch: int) -> tuple[Tensor, Tensor]:
    """Evaluate the finished pictures as they are, and find those whose units are dead.

    A picture is dead where every unit that its objective speaks of is zero and the gradient of their sum to the
    picture is zero everywhere. It is dead as well where that gradient comes through the flat parts of smooth
    rectifiers alone: the unit still sleeps.
    """
    values, units, doubtful = torch.zeros(0), _nothing(images), torch.zeros(0)
    rules: list[silenced_relu] = []

    def silenced() -> silenced_relu:
        rules.append(silenced_relu())
        return rules[-1]

    def score(leaf: Tensor, activations: Mapping[str, Tensor]) -> Tensor | None:
        nonlocal values, units, doubtful
        if empty := [layer for layer, one in activations.items() if one.numel() == 0]:
            raise SizeError(f"The pictures are too small: nothing is left in {empty[0]!r}.")
        found = {**activations, **scene.references, INPUT: images}
        values = goal(found).detach()
        units = unit_activity(goal, found, len(images))
        doubtful = units.speaks & ((units.size.detach() == 0) | any(rule.smooth for rule in rules))
        return -units.total.sum() if bool(doubtful.any()) else None

    gradient, _ = back_to_images(replace(scene, rule=silenced), images, score, batch)
    blocked = doubtful & (gradient == 0).flatten(1).all(1)
    dead = blocked & (units.size.detach() == 0)
    if bool((blocked & ~dead).any()):  # asleep, or simply constant
        gradient, _ = back_to_images(scene, images, score, batch)
        dead |= blocked & (gradient != 0).flatten(1).any(1)
    return values, dead


@dataclass(frozen=True)
class Activity:
    """How active the units are that each image's objective speaks of.

    Args:
        total: The sum of their activations, `[B]`, for its gradient; what the objective makes small counts negative.
        size: The sum of their absolute values, `[B]`; 0 where all of them are silent.
        speaks: Whether the objective of the image speaks of units at all, `[B]`.
    """

    total: Tensor
    size: Tensor
    speaks: Tensor

    def joined(self, other: Activity, follows: Tensor) -> Activity:
        """Add what another part of the expression speaks of."""
        return Activity(
            self.total + torch.where(follows, other.total, 0),
            self.size + torch.where(follows, other.size, 0),
            self.speaks | (other.speaks & follows),
        )


def unit_activity(goal: Objective, activations: Mapping[str, Tensor], batch: int, sign: int = 1) -> Activity:
    """Add up, for each image, how active the units are that its objective speaks of."""
    found = _nothing(activations[INPUT][:batch])
    for own, part in goal.terms(sign):
        if isinstance(part, Term):
            if part.definition.unit:
                values = part(activations)
                every = torch.ones_like(values, dtype=torch.bool)
                found = found.joined(Activity(own * values, values.abs(), every), every)
            continue
        for number, child in enumerate(part.objectives):
            follows = torch.tensor([_follows(part, number, image) for image in range(batch)], device=found.total.device)
            found = found.joined(unit_activity(child, activations, batch, own), follows)
    return found


def _nothing(images: Tensor) -> Activity:
    """The activity of no units."""
    nothing = torch.zeros(len(images), device=images.device)
    return Activity(nothing, nothing, nothing.bool())


def _follows(goal: Objective, part: int, image: int) -> bool:
    """Whether an image follows a part of an expression."""
    if isinstance(goal, Each):
        return part == image
    if isinstance(goal, On):
        return image == goal.image
    if isinstance(goal, Interpolate):
        return image < goal.count - 1 if part == 0 else image > 0
    return True
