"""Dead units: zero on the final picture, with no gradient that could wake them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from lucidtorch.models.capture import Run
from lucidtorch.models.model import Model
from lucidtorch.objectives.algebra import Objective, On
from lucidtorch.objectives.images import Each, Interpolate
from lucidtorch.objectives.picture import INPUT
from lucidtorch.objectives.term import Term


def final_values(model: Model, run: Run, goal: Objective, images: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """Evaluate the finished pictures without any transform, and find those whose units are dead.

    A picture is dead where every unit that its objective speaks of is zero and the gradient of their sum to the
    picture is zero everywhere.

    Args:
        model: The network.
        run: Runs it on a normalized input and gives the layers' outputs.
        goal: The objective, class names looked up.
        images: The pictures, `[B, C, H, W]`.
        seen: The same on the canvas that the network sees, `[B, C, h, w]`.

    Returns:
        The objective of each picture, `[B]`, and whether its units are dead, `[B]`.
    """
    seen = seen.detach().to(model.dtype).requires_grad_(True)
    found: dict[str, Tensor] = {**run(model.normalize(seen)), INPUT: images}
    with torch.no_grad():
        values = goal(found)
    activity, speaks = unit_activity(goal, found, len(images))
    silent = speaks & (activity.detach() == 0)
    if bool(silent.any()) and activity.requires_grad:
        (gradient,) = torch.autograd.grad(activity.sum(), seen, allow_unused=True)
        if gradient is not None:
            silent = silent & (gradient == 0).flatten(1).all(1)
    return values, silent


def unit_activity(goal: Objective, activations: Mapping[str, Tensor], batch: int) -> tuple[Tensor, Tensor]:
    """Add up, for each image, how active the units are that its objective speaks of.

    Args:
        goal: The objective.
        activations: Address to activations.
        batch: The number of images.

    Returns:
        `[B]`, 0 where all of an image's units are silent; and `[B]`, whether its objective speaks of units at all.
    """
    device = activations[INPUT].device
    if isinstance(goal, Term):
        unit = goal.definition.unit
        active = goal(activations).abs() if unit else torch.zeros(batch, device=device)
        return active, torch.full((batch,), unit, device=device)
    parts = [child for child in goal.children() if isinstance(child, Objective)]
    active, speaks = torch.zeros(batch, device=device), torch.zeros(batch, dtype=torch.bool, device=device)
    for number, part in enumerate(parts):
        own, speaks_of = unit_activity(part, activations, batch)
        follows = torch.tensor([_follows(goal, number, image) for image in range(batch)], device=device)
        active = active + torch.where(follows, own, 0)
        speaks = speaks | (speaks_of & follows)
    return active, speaks


def _follows(goal: Objective, part: int, image: int) -> bool:
    """Whether an image follows a part of an expression."""
    if isinstance(goal, Each):
        return part == image
    if isinstance(goal, On):
        return image == goal.image
    if isinstance(goal, Interpolate):
        return image < goal.count - 1 if part == 0 else image > 0
    return True
