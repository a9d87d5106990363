"""Constraints that take strength or sharpness away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from torch import Tensor

from lucidtorch.base.checks import Count, Share, Within
from lucidtorch.constraints.constraint import Constraint, Moment

WIDEST = 1000.0  # pixels; a wider blur leaves nothing of any image


@dataclass(frozen=True, repr=False)
class decay(Constraint):  # noqa: N801  # a word of the notation
    """Fade towards the model's mean colour: only what the objective renews at every step stays.

    Formula: x' = zero + (1 - rate) * (x - zero).
    Source: Yosinski et al. 2015, L2 decay (the Deep Visualization Toolbox's `decay`).

    Args:
        rate: The share that is lost at every step, from 0 to 1; the toolbox's presets have 0.0001 and 0.3.

    Raises:
        BadInputError: The rate is no number from 0 to 1.
    """

    rate: Share

    def apply(self, images: Tensor, moment: Moment) -> Tensor:
        return images.lerp(moment.zero_of(images).expand_as(images), self.rate)


@dataclass(frozen=True, repr=False)
class blur(Constraint):  # noqa: N801  # a word of the notation
    """Blur the picture now and then: fine noise goes, and what is smooth stays.

    After the first step and every `every`-th one from there, as in the source (with 4: after steps 1, 5, 9 ...). All
    frames of a clip are blurred alike, none into the next.

    Formula: x' = x convolved with exp(-d² / (2 sigma²)), cut off at 4 sigma, its sum 1; edges are mirrored.
    Source: Yosinski et al. 2015, Gaussian blur (the toolbox's `blur_radius` and `blur_every`).

    Args:
        sigma: The width in pixels, from 0 (no blur); the toolbox advises at least 0.3.
        every: How many steps lie between two blurs, plus one.

    Raises:
        BadInputError: The width is no number from 0, or `every` no whole number from 1.
    """

    sigma: Annotated[float, Within(0, WIDEST)]
    every: Count = 4

    def apply(self, images: Tensor, moment: Moment) -> Tensor:
        if self.sigma == 0 or (moment.step - 1) % self.every:
            return images
        from lucidtorch.constraints.smoothing import smoothed  # loads kornia, which only a blur needs

        return smoothed(images, self.sigma)
