"""Adversarial steps: pixels moved a little, all at once, in the direction that a gradient says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from lucidtorch.base.checks import Numbers, checked
from lucidtorch.base.errors import BadInputError


@dataclass(frozen=True)
class Smallest:
    """How little was enough.

    Args:
        enough: The smallest of the tried values that was enough.
        too_little: The largest tried value below it, which was not; 0 where nothing below was tried.
    """

    enough: float
    too_little: float


@checked
def fgsm_step(gradient: Numbers, epsilon: float) -> Tensor:
    """Give the step of the fast gradient sign method: every pixel goes uphill by the same distance.

    Formula: step = epsilon · sign(gradient), with sign(0) = 0: its size in the infinity norm is exactly epsilon if any
        pixel has a gradient. It is to be added to the images, which are clipped to [0, 1] afterwards.
    Source: Goodfellow et al., "Explaining and harnessing adversarial examples" (2015).

    Args:
        gradient: Of what shall rise, of any shape; of a loss, that the network goes wrong.
        epsilon: How far each pixel goes, from 0, in units of the pixels.

    Returns:
        The step, of the gradient's shape.

    Raises:
        BadInputError: The distance is negative.

    Example:
        >>> import torch
        >>> fgsm_step(torch.tensor([0.3, -2.0, 0.0]), 0.5).tolist()
        [0.5, -0.5, 0.0]
    """
    _check(epsilon)
    return epsilon * gradient.sign()


@checked
def held_near(images: Numbers, clean: Numbers, epsilon: float) -> Tensor:
    """Bring images back to where an attack may go: within epsilon of the clean ones in each pixel, and within [0, 1].

    Formula: min(max(image, clean - epsilon), clean + epsilon), clipped to [0, 1].
    Source: Kurakin et al., "Adversarial examples in the physical world" (2017), whose basic iterative method is
        `fgsm_step` with small steps and this after each.

    Args:
        images: Of any shape.
        clean: Of the same shape, in [0, 1].
        epsilon: The largest distance in a pixel, from 0.

    Returns:
        New images.

    Raises:
        BadInputError: The distance is negative.

    Example:
        >>> import torch
        >>> held_near(torch.tensor([0.9, 0.1, -0.2]), torch.tensor([0.5, 0.125, 0.0]), 0.25).tolist()
        [0.75, 0.10000000149011612, 0.0]
    """
    _check(epsilon)
    return images.maximum(clean - epsilon).minimum(clean + epsilon).clamp(0, 1)


def smallest_enough(
    enough: Callable[[float], bool], largest: float, *, first: float, halvings: int = 4
) -> Smallest | None:
    """Search the smallest value that is enough for something.

    Values are tried from the first on, each twice the one before, until one is enough. The gap between it and the last
    that was not is then halved some times. So every tried value below the found one was too little; of those between,
    it is true only where more is never worse.

    Example:
        >>> smallest_enough(lambda value: value >= 0.7, 8, first=0.25, halvings=2)
        Smallest(enough=0.75, too_little=0.625)
    """
    if not 0 < first <= largest:
        raise BadInputError(f"A search goes from above 0 upwards, but {first} to {largest} was given.")
    low, high = 0.0, first
    while not enough(high):
        if high >= largest:
            return None
        low, high = high, min(2 * high, largest)
    for _ in range(halvings):
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return Smallest(high, low)


def _check(epsilon: float) -> None:
    if not epsilon >= 0:
        raise BadInputError(f"The size of a step is a number from 0, but {epsilon} was given.")
