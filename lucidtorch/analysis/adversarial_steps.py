"""Adversarial steps: small changes of all pixels in the direction of a gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from lucidtorch.base.checks import NotNegative, Numbers, checked
from lucidtorch.base.errors import BadInputError


@dataclass(frozen=True)
class Smallest:
    """The result of a search for the smallest sufficient value.

    Args:
        enough: The smallest tried value that was sufficient.
        too_little: The largest tried value below it, which was not; 0 if there was none.
    """

    enough: float
    too_little: float


@checked
def fgsm_step(gradient: Numbers, epsilon: NotNegative) -> Tensor:
    """Compute the step of the fast gradient sign method: the same distance in every pixel.

    Formula: step = epsilon · sign(gradient), with sign(0) = 0: its infinity norm is exactly epsilon if any pixel has a
        gradient. Add it to the images, and clip these to [0, 1].
    Source: Goodfellow et al., "Explaining and harnessing adversarial examples" (2015).

    Args:
        gradient: The gradient of the value to increase, of any shape: for misclassification, of the loss.
        epsilon: The change of each pixel, from 0, in units of the pixels.

    Example:
        >>> import torch
        >>> fgsm_step(torch.tensor([0.3, -2.0, 0.0]), 0.5).tolist()
        [0.5, -0.5, 0.0]
    """
    return epsilon * gradient.sign()


@checked
def held_near(images: Numbers, clean: Numbers, epsilon: NotNegative) -> Tensor:
    """Project adversarial images: within epsilon of the clean ones in each pixel, and within [0, 1].

    Formula: min(max(image, clean - epsilon), clean + epsilon), clipped to [0, 1].
    Source: Kurakin et al., "Adversarial examples in the physical world" (2017), whose basic iterative method is
        `fgsm_step` with small steps and this after each.

    Args:
        images: Of any shape.
        clean: Of the same shape, in [0, 1].
        epsilon: The largest distance in a pixel, from 0.

    Example:
        >>> import torch
        >>> held_near(torch.tensor([0.9, 0.1, -0.2]), torch.tensor([0.5, 0.125, 0.0]), 0.25).tolist()
        [0.75, 0.10000000149011612, 0.0]
    """
    return images.maximum(clean - epsilon).minimum(clean + epsilon).clamp(0, 1)


def smallest_enough(
    enough: Callable[[float], bool], largest: float, *, first: float, halvings: int = 4
) -> Smallest | None:
    """Search for the smallest sufficient value: doubling from the first, then bisection.

    Every tried value below the result was insufficient; for other values this holds only if `enough` is monotonic.

    Example:
        >>> smallest_enough(lambda value: value >= 0.7, 8, first=0.25, halvings=2)
        Smallest(enough=0.75, too_little=0.625)
    """
    if not 0 < first <= largest:
        raise BadInputError(f"A search goes upwards from above 0, but {first} to {largest} was given.")
    low, high = 0.0, first
    while not enough(high):
        if high >= largest:
            return None
        low, high = high, min(2 * high, largest)
    for _ in range(halvings):
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return Smallest(high, low)
