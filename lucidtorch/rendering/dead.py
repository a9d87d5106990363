"""Dead units: zero on the final picture, with no gradient that could wake them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from lucidtorch.models.capture import Run
from lucidtorch.models.model import Model
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.images import Each
from lucidtorch.objectives.picture import INPUT
from lucidtorch.objectives.term import Term


def final_values(model: Model, run: Run, goal: Objective, images: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """Evaluate the finished pictures without any transform, and find those whose units are dead.

    A picture is dead where every unit that its objective speaks of is zero and the gradient of their sum to the picture is zero
    everywhere.

    Args:
        model: The network.
        run: Runs it on a normalized input and gives the layers' outputs.
        goal: The objective, class names looked up.
        images: The pictures, `[B, C, H, W]`.
        seen: The same on the canvas that the network sees, `[B, C, h, w]`.

    Returns:
        The objective of each picture, `[B]`, and whether its units are dead, `[B]`.
    """
    seen = seen.detach().requires_grad_(True)
    found: dict[str, Tensor] = {**run(model.normalize(seen)), INPUT: images}
    with torch.no_grad():
        values = goal(found)
    silent = torch.zeros(len(images), dtype=torch.bool, device=images.device)
    activity = unit_activity(goal, found, len(images))
    if activity is None:
        return values, silent
    silent = activity.detach() == 0
    if bool(silent.any()) and activity.requires_grad:
        (gradient,) = torch.autograd.grad(activity.sum(), seen, allow_unused=True)
        if gradient is not None:
            silent = silent & (gradient == 0).flatten(1).all(1)
    return values, silent


def unit_activity(goal: Objective, activations: Mapping[str, Tensor], batch: int) -> Tensor | None:
    """Add up, for each image, how active the units are that its objective speaks of.

    Args:
        goal: The objective.
        activations: Address to activations.
        batch: The number of images.

    Returns:
        `[B]`, 0 where all of them are silent; None where the objective speaks of no unit.
    """
    parts = [_activity(part, activations, batch) for part in _units(goal)]
    return torch.stack(parts).sum(0) if parts else None


def _units(goal: Objective) -> list[Objective]:
    """The terms that speak of units, and `each` and `on` with what is in them, since those say which image follows what."""
    if isinstance(goal, Term):
        return [goal] if goal.definition.unit else []
    if isinstance(goal, Each):
        return [goal]
    return [unit for child in goal.children() if isinstance(child, Objective) for unit in _units(child)]


def _activity(unit: Objective, activations: Mapping[str, Tensor], batch: int) -> Tensor:
    if not isinstance(unit, Each):
        return unit(activations).abs()
    own = [unit_activity(part, activations, batch) for part in unit.parts]
    pieces = [torch.ones(()) if one is None else one[image] for image, one in enumerate(own)]
    return torch.stack([piece.to(activations[INPUT].device) for piece in pieces])
