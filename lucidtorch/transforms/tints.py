"""Changing brightness, contrast and colours, as a pipeline's step; kornia does it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Generator, Tensor

from lucidtorch.base.checks import NotNegative, Within
from lucidtorch.base.errors import ImageError
from lucidtorch.transforms.numbers import uniform
from lucidtorch.transforms.planar import Planar, along

RGB = 3


@dataclass(frozen=True, repr=False)
class colour_jitter(Planar):  # noqa: N801  # a word of the notation
    """Change brightness, contrast, saturation and hue, in this order, each by a number of its own per image.

    What is changed is held in [0, 1] afterwards. Saturation and hue speak of RGB, and other images are refused then.

    Formula: brightness: f in; contrast: f in + (1 - f) mean grey; saturation: f in + (1 - f) grey, each with f from
        U(max(0, 1 - amount), 1 + amount); hue: turned by U(-hue, hue) of the colour circle.
    Source: torchvision's `ColorJitter`, in a fixed order.

    Args:
        brightness: How far its factor goes from 1.
        contrast: How far its factor goes from 1.
        saturation: How far its factor goes from 1.
        hue: How far it turns, as a share of the circle, to 0.5.

    Raises:
        BadInputError: A number is negative, or the hue is beyond 0.5.
        ImageError: Saturation or hue shall change in images that are not RGB.
    """

    brightness: NotNegative = 0.0
    contrast: NotNegative = 0.0
    saturation: NotNegative = 0.0
    hue: Annotated[float, Within(0, 0.5)] = 0.0

    @property
    def amounts(self) -> tuple[float, float, float, float]:
        """How far each of the four goes."""
        return (self.brightness, self.contrast, self.saturation, self.hue)

    def output_channels(self, channels: int) -> int:
        if channels != RGB and (self.saturation or self.hue):
            raise ImageError(
                f"{self!r} changes the colours of RGB images, but the images have {channels} channels; leave "
                f"saturation and hue out."
            )
        return channels

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        high = torch.tensor(self.amounts, dtype=torch.float64)
        low = -high.clamp(max=1)  # no factor is below 0
        return low + uniform(generators, len(high)) * (high - low)

    def change(self, images: Tensor, draws: Tensor) -> Tensor:
        from kornia import enhance  # loads kornia, which only a few transforms need

        self.output_channels(images.shape[1])
        factors = along(1 + draws[:, :3], images)
        turns = along(2 * math.pi * draws[:, 3], images)
        with torch.autocast(images.device.type, enabled=False):
            if self.brightness:
                images = enhance.adjust_brightness_accumulative(images, factors[:, 0])
            if self.contrast:
                images = _with_contrast(images, factors[:, 1])
            if self.saturation:
                images = enhance.adjust_saturation_with_gray_subtraction(images, factors[:, 2])
            if self.hue:
                images = enhance.adjust_hue(images, turns)
        return images


def _with_contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Move each image away from its mean grey; before 0.9 kornia takes one mean of all images that are not RGB."""
    from kornia.color import rgb_to_grayscale

    grey = rgb_to_grayscale(images) if images.shape[1] == RGB else images
    factor = factor.view(-1, 1, 1, 1)
    return (images * factor + grey.mean((1, 2, 3), keepdim=True) * (1 - factor)).clamp(0, 1)
