"""Noise: numbers of their own for pixels or channels, and random backgrounds."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Generator, Tensor

from lucidtorch.base.checks import NotNegative
from lucidtorch.base.errors import BadInputError, ImageError
from lucidtorch.base.machine import sent
from lucidtorch.base.natural_images import IMAGENET_ROOT, amplitudes
from lucidtorch.base.sizes import PLANE, Size
from lucidtorch.transforms.transform import RGB, Transform

SMOOTH, NOISE, COLOUR = "smooth", "noise", "colour"
CONTRAST = 4.0  # Lucid divides what comes out of the Fourier basis by this


class Additive(Transform):
    """A transform that adds its draws to the images; the frames of a clip all get the same."""

    def shape(self, channels: int, size: Size) -> Size:
        """Give the shape of what is added to an image: a number for each pixel, unless it says otherwise."""
        return (channels, *size[-PLANE:])

    @abstractmethod
    def drawn(self, count: int, generator: Generator) -> Tensor:
        """Draw what is added to one image."""

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        count = math.prod(self.shape(shape[1], tuple(shape[2:])))
        return torch.stack([self.drawn(count, one) for one in generators]).double()

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        channels, height, width = self.shape(images.shape[1], tuple(images.shape[2:]))
        every = [1] * (images.ndim - 2 - PLANE)  # the frames of a clip
        return images + along(draws, images).reshape(len(draws), channels, *every, height, width)


@dataclass(frozen=True, repr=False)
class noise(Additive):  # noqa: N801  # a word of the notation
    """Add Gaussian noise, a number of its own for each pixel and channel.

    The frames of a clip all get the same.

    Formula: in + sd N(0, 1).
    Source: MACO's crops, .08; faccent's, .02.

    Args:
        sd: The standard deviation; a picture's values are in [0, 1].

    Raises:
        BadInputError: It is negative.
    """

    sd: NotNegative

    def drawn(self, count: int, generator: Generator) -> Tensor:
        return torch.randn(count, generator=generator) * self.sd


@dataclass(frozen=True, repr=False)
class uniform_noise(Additive):  # noqa: N801  # a word of the notation
    """Add evenly distributed noise, a number of its own for each pixel and channel.

    The frames of a clip all get the same.

    Formula: in + U(-width, width).
    Source: MACO's crops, .04.

    Args:
        width: The largest number that is added or taken away.

    Raises:
        BadInputError: It is negative.
    """

    width: NotNegative

    def drawn(self, count: int, generator: Generator) -> Tensor:
        return (2 * torch.rand(count, generator=generator) - 1) * self.width


@dataclass(frozen=True, repr=False)
class colour_noise(Additive):  # noqa: N801  # a word of the notation
    """Add one number to each channel, the same for all its pixels: a cast of colour.

    Formula: in[c] + sd N(0, 1), one draw per image and channel c.
    Source: faccent's colour noise, .02.

    Args:
        sd: The standard deviation; a picture's values are in [0, 1].

    Raises:
        BadInputError: It is negative.
    """

    sd: NotNegative

    def shape(self, channels: int, size: Size) -> Size:
        return (channels, 1, 1)

    def drawn(self, count: int, generator: Generator) -> Tensor:
        return torch.randn(count, generator=generator, dtype=torch.float64) * self.sd


@dataclass(frozen=True, repr=False)
class background(Transform):  # noqa: N801  # a word of the notation
    """Put the image in front of a random background; its last channel is its opacity and does not come out.

    What must be seen whatever is behind it becomes opaque. The frames of a clip all have the same background.

    Formula: a in[:-1] + (1 - a) sigmoid(M z), a the last channel, M Lucid's colour matrix for RGB, z from N(0, sd): one
        per frequency, weighed by 1 / f ** decay and transformed (`smooth`), one per pixel (`noise`), or one per channel
        (`colour`).
    Source: Lucid's `collapse_alpha_random`, sd .5; its notebook on transparency has sd .2 and decay 1.5.

    Args:
        kind: ``smooth``, ``noise`` or ``colour``.
        sd: The standard deviation of the numbers; larger is more lively.
        decay: How fast high frequencies fade in a smooth background; 1 is nature's.

    Raises:
        BadInputError: There is no such kind, or a number does not fit.
        ImageError: The images have no channel but their opacity.
    """

    kind: Literal["smooth", "noise", "colour"] = "smooth"
    sd: NotNegative = 0.5
    decay: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind != SMOOTH and self.decay != 1:
            raise BadInputError(f"background(decay=) is for a smooth one; with kind={self.kind!r} leave it out.")

    def output_channels(self, channels: int) -> int:
        if channels < 2:
            raise ImageError(
                f"{self!r} takes the last channel of an image as its opacity, but there is only {channels}; write "
                f"alpha=True in the param."
            )
        return channels - 1

    def _shape(self, channels: int, size: Size) -> tuple[int, ...]:
        """The shape of the numbers of one background."""
        height, width = size[-PLANE:]
        shapes = {SMOOTH: (height, width // 2 + 1, 2), NOISE: (height, width), COLOUR: (1, 1)}
        return (self.output_channels(channels), *shapes[self.kind])

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        count = math.prod(self._shape(shape[1], tuple(shape[2:])))
        return torch.stack([torch.randn(count, generator=one) for one in generators]).double() * self.sd

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        numbers = draws.reshape(len(draws), *self._shape(images.shape[1], tuple(images.shape[2:])))
        with torch.autocast(images.device.type, enabled=False):
            behind = self._painted(numbers, images)
        if images.ndim > 2 + PLANE:
            behind = behind[:, :, None]
        colours, opacity = images[:, :-1], images[:, -1:]
        return colours * opacity + behind * (1 - opacity)

    def _painted(self, numbers: Tensor, images: Tensor) -> Tensor:
        """Make the backgrounds, in float32 or better, and then as precise as the images."""
        size = tuple(images.shape[-PLANE:])
        numbers = numbers.to(torch.promote_types(images.dtype, torch.float32)).to(images.device)
        if self.kind == SMOOTH:
            weights = along(amplitudes(size, self.decay) / CONTRAST, numbers)
            numbers = torch.fft.irfft2(torch.view_as_complex(numbers) * weights, s=size, norm="ortho")
        if numbers.shape[1] == RGB:
            root = torch.tensor(IMAGENET_ROOT, dtype=torch.float64)
            numbers = torch.einsum("ij,bjhw->bihw", along(root / root.norm(dim=0).max(), numbers), numbers)
        return numbers.sigmoid().to(images.dtype)


def along(draws: Tensor, images: Tensor) -> Tensor:
    """Bring draws to where the images are, and to their precision."""
    return sent(draws.to(images.dtype), images.device)
