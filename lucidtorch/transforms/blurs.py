"""Blurring, as a pipeline's step; kornia does it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lucidtorch.transforms.planar import Planar, along
from lucidtorch.transforms.ranges import Ranged

REACH = 3.0  # standard deviations that the kernel reaches to each side
SHARP = 1e-2  # a Gaussian so narrow weighs nothing but its centre; kornia takes no zero


@dataclass(frozen=True, repr=False)
class blur(Ranged, Planar):  # noqa: N801  # a word of the notation
    """Blur the image by a Gaussian whose width is drawn evenly from a range or a list.

    Formula: each channel convolved with exp(-(x^2 + y^2) / 2 s^2), summing to 1 and cut off at 3 times the largest s;
        s from U(low, high) in pixels or one of a list; beyond the image stand its edge pixels.
    Source: Xplique's standard pipeline.

    Args:
        low: The smallest standard deviation, in pixels; or a list of them, all equally likely.
        high: The largest; left out with a list.

    Raises:
        BadInputError: The numbers are negative, or in the wrong order.
    """

    least = 0.0
    most = 1000.0

    def change(self, images: Tensor, draws: Tensor) -> Tensor:
        from kornia.filters import gaussian_blur2d  # loads kornia, which only a blur needs

        side = 2 * math.ceil(REACH * self.largest) + 1
        widths = along(draws.clamp(min=SHARP), images).expand(-1, 2)
        with torch.autocast(images.device.type, enabled=False):
            blurred: Tensor = gaussian_blur2d(images, (side, side), widths, border_type="replicate")
        return blurred
