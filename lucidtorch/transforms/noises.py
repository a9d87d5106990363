"""Noise per pixel or channel, and random backgrounds."""

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
CONTRAST = 4.0  # Lucid divides the result of the inverse Fourier transform by this


class Additive(Transform):
    """A transform that adds its draws to the images, the same to all frames of a clip."""

    def shape(self, channels: int, size: Size) -> Size:
        """Return the shape of the noise of an image; by default one number per pixel and channel."""
        return (channels, *size[-PLANE:])

    @abstractmethod
    def drawn(self, count: int, generator: Generator) -> Tensor:
        """Draw the noise of one image."""

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        count = math.prod(self.shape(shape[1], tuple(shape[2:])))
        return torch.stack([self.drawn(count, one) for one in generators]).double()

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        channels, height, width = self.shape(images.shape[1], tuple(images.shape[2:]))
        every = [1] * (images.ndim - 2 - PLANE)  # the frames of a clip
        return images + along(draws, images).reshape(len(draws), channels, *every, height, width)


@dataclass(frozen=True, repr=False)
class noise(Additive):  # noqa: N801  # a word of the notation
    """Add Gaussian noise, independent for each pixel and channel.

    Formula: in + sd N(0, 1).
    Source: MACO's crops, .08; faccent's, .02.

    Args:
        sd: The standard deviation, from 0; a picture's values are in [0, 1].
    """

    sd: NotNegative

    def drawn(self, count: int, generator: Generator) -> Tensor:
        return torch.randn(count, generator=generator) * self.sd


@dataclass(frozen=True, repr=False)
class uniform_noise(Additive):  # noqa: N801  # a word of the notation
    """Add uniform noise, independent for each pixel and channel.

    Formula: in + U(-width, width).
    Source: MACO's crops, .04.

    Args:
        width: The largest absolute value, from 0.
    """

    width: NotNegative

    def drawn(self, count: int, generator: Generator) -> Tensor:
        return (2 * torch.rand(count, generator=generator) - 1) * self.width


@dataclass(frozen=True, repr=False)
class colour_noise(Additive):  # noqa: N801  # a word of the notation
    """Add one random number to each channel, the same for all its pixels: a colour cast.

    Formula: in[c] + sd N(0, 1), one draw per image and channel c.
    Source: faccent's colour noise, .02.

    Args:
        sd: The standard deviation, from 0; a picture's values are in [0, 1].
    """

    sd: NotNegative

    def shape(self, channels: int, size: Size) -> Size:
        return (channels, 1, 1)

    def drawn(self, count: int, generator: Generator) -> Tensor:
        return torch.randn(count, generator=generator, dtype=torch.float64) * self.sd


@dataclass(frozen=True, repr=False)
class background(Transform):  # noqa: N801  # a word of the notation
    """Blend the image with a random background by its opacity, the last channel, which is removed.

    Only what the objective needs becomes opaque.

    Formula: a in[:-1] + (1 - a) sigmoid(M z), a the last channel, M Lucid's colour matrix for RGB, z from N(0, sd): one
        per frequency, weighed by 1 / f ** decay and transformed (`smooth`), one per pixel (`noise`), or one per channel
        (`colour`).
    Source: Lucid's `collapse_alpha_random`, sd .5; its notebook on transparency has sd .2 and decay 1.5.

    Args:
        kind: ``smooth``, ``noise`` or ``colour``.
        sd: The standard deviation of z, from 0; larger values have more contrast.
        decay: The exponent with which amplitudes decrease with frequency in a smooth background; 1 is that of natural
            images.

    Raises:
        ImageError: The images have fewer than 2 channels.
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
        """Return the shape of the random numbers of one background."""
        height, width = size[-PLANE:]
        shapes = {SMOOTH: (height, width // 2 + 1, 2), NOISE: (height, width), COLOUR: (1, 1)}
        return (self.output_channels(channels), *shapes[self.kind])

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        count = math.prod(self._shape(shape[1], tuple(shape[2:])))
        return torch.stack([torch.randn(count, generator=one) for one in generators]).double() * self.sd

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        numbers = draws.reshape(len(draws), *self._shape(images.shape[1], tuple(images.shape[2:])))
        with torch.autocast(images.device.type, enabled=False):
            behind = self._rendered(numbers, images)
        if images.ndim > 2 + PLANE:
            behind = behind[:, :, None]
        colours, opacity = images[:, :-1], images[:, -1:]
        return colours * opacity + behind * (1 - opacity)

    def _rendered(self, numbers: Tensor, images: Tensor) -> Tensor:
        """Compute the backgrounds in at least float32, and convert them to the dtype of the images."""
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
    """Convert draws to the device and dtype of the images."""
    return sent(draws.to(images.dtype), images.device)
