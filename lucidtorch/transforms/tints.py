"""Words that change the values of pixels, or their gradient: blur, brightness, contrast and colours."""

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

REACH = 3.0  # standard deviations that the kernel of a blur reaches to each side
SHARP = 1e-2  # a Gaussian so narrow weighs nothing but its centre; kornia takes no zero


class Planar(Transform):
    """A transform that changes the values of pixels: each frame of a clip on its own, all alike."""

    @abstractmethod
    def change(self, images: Tensor, draws: Tensor) -> Tensor:
        """Change images, each with its own draws."""

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        if images.ndim == 2 + PLANE:
            return self.change(images, draws)
        frames = images.shape[2]
        changed = self.change(images.transpose(1, 2).flatten(0, 1), draws.repeat_interleave(frames, dim=0))
        return changed.reshape(len(images), frames, *changed.shape[1:]).transpose(1, 2)


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


class _Evened(torch.autograd.Function):
    """The identity, whose gradient has the same size for each image."""

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
    """Give every image's gradient the same size, whatever the network makes of it; the image stays as it is.

    It matters to optimizers that do not do so themselves, such as ``sgd``.

    Formula: out = in; going back, g / sqrt(mean of g^2 over the image).
    Source: FlashTorch, DeepDream.
    """

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        evened: Tensor = _Evened.apply(images)
        return evened
