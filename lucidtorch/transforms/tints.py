"""Transforms of pixel values, or of their gradient: blur, brightness, contrast and colours."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Generator, Tensor

from lucidtorch.base.checks import NotNegative, Within
from lucidtorch.base.errors import ImageError
from lucidtorch.base.sizes import PLANE
from lucidtorch.transforms.noises import along
from lucidtorch.transforms.ranges import Ranged
from lucidtorch.transforms.transform import RGB, Transform, uniform

REACH = 3.0  # standard deviations from the centre of a blur kernel to its edge
SHARP = 1e-2  # the smallest standard deviation, an identity; kornia accepts no zero


class Planar(Transform):
    """A transform of pixel values, applied to each frame of a clip with the same draws."""

    @abstractmethod
    def change(self, images: Tensor, draws: Tensor) -> Tensor:
        """Transform images `[B, C, H, W]`, each with its own draws."""

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        if images.ndim == 2 + PLANE:
            return self.change(images, draws)
        frames = images.shape[2]
        changed = self.change(images.transpose(1, 2).flatten(0, 1), draws.repeat_interleave(frames, dim=0))
        return changed.reshape(len(images), frames, *changed.shape[1:]).transpose(1, 2)


@dataclass(frozen=True, repr=False)
class blur(Ranged, Planar):  # noqa: N801  # a word of the notation
    """Blur the image by a Gaussian with a random standard deviation, from a range or a list.

    Formula: each channel convolved with exp(-(x^2 + y^2) / 2 s^2), summing to 1 and truncated at 3 times the largest s;
        s from U(low, high) in pixels or one of a list; edge pixels are repeated beyond the image.
    Source: Xplique's standard pipeline.

    Args:
        low: The smallest standard deviation in pixels, from 0; or a list of equally likely ones.
        high: The largest; None with a list.
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


@dataclass(frozen=True, repr=False)
class colour_jitter(Planar):  # noqa: N801  # a word of the notation
    """Change brightness, contrast, saturation and hue, in this order, each by a random number per image.

    The result is clipped to [0, 1]. Saturation and hue are those of RGB.

    Formula: brightness: f in; contrast: f in + (1 - f) mean grey; saturation: f in + (1 - f) grey, each with f from
        U(max(0, 1 - amount), 1 + amount); hue: rotated by U(-hue, hue) of the colour circle.
    Source: torchvision's `ColorJitter`, in a fixed order.

    Args:
        brightness: The largest deviation of its factor from 1.
        contrast: The largest deviation of its factor from 1.
        saturation: The largest deviation of its factor from 1.
        hue: The largest rotation, as a share of the colour circle, up to 0.5.

    Raises:
        ImageError: Saturation or hue is not 0, and the images are not RGB.
    """

    brightness: NotNegative = 0.0
    contrast: NotNegative = 0.0
    saturation: NotNegative = 0.0
    hue: Annotated[float, Within(0, 0.5)] = 0.0

    @property
    def amounts(self) -> tuple[float, float, float, float]:
        """The four largest deviations."""
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
    """Scale the distance of each image to its mean grey; kornia before 0.9 uses one mean for all non-RGB images."""
    from kornia.color import rgb_to_grayscale

    grey = rgb_to_grayscale(images) if images.shape[1] == RGB else images
    factor = factor.view(-1, 1, 1, 1)
    return (images * factor + grey.mean((1, 2, 3), keepdim=True) * (1 - factor)).clamp(0, 1)


class _NormalizedGradient(torch.autograd.Function):
    """The identity, with a gradient of the same root mean square for each image."""

    @staticmethod
    def forward(ctx: Any, images: Tensor) -> Tensor:
        return images.view_as(images)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        wide = gradient.to(torch.promote_types(gradient.dtype, torch.float32))
        size = wide.square().mean(dim=tuple(range(1, wide.ndim)), keepdim=True).sqrt()
        return (wide / size.where(size > 0, 1)).to(gradient.dtype)  # a gradient of zero stays zero


@dataclass(frozen=True, repr=False)
class normalize_gradient(Transform):  # noqa: N801  # a word of the notation
    """Normalize the gradient of every image to the same root mean square; the image does not change.

    It matters for optimizers that do not normalize gradients themselves, such as ``sgd``.

    Formula: out = in; in the backward pass, g / sqrt(mean of g^2 over the image).
    Source: FlashTorch, DeepDream.
    """

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        unchanged: Tensor = _NormalizedGradient.apply(images)
        return unchanged
