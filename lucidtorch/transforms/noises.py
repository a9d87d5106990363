"""Noise: a number of its own for each pixel, or for each channel."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from lucidtorch.base.checks import NotNegative
from lucidtorch.base.sizes import PLANE, Size
from lucidtorch.transforms.planar import along
from lucidtorch.transforms.transform import Transform


class Additive(Transform):
    """A transform that adds its draws to the images; the frames of a clip all get the same."""

    @abstractmethod
    def shape(self, channels: int, size: Size) -> Size:
        """Say the shape of what is added to an image."""

    @abstractmethod
    def drawn(self, count: int, generator: Generator) -> Tensor:
        """Draw what is added to one image."""

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        count = torch.Size(self.shape(shape[1], tuple(shape[2:]))).numel()
        return torch.stack([self.drawn(count, one) for one in generators]).double()

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        channels, height, width = self.shape(images.shape[1], tuple(images.shape[2:]))
        every = [1] * (images.ndim - 2 - PLANE)  # the frames of a clip
        return images + along(draws, images).reshape(len(draws), channels, *every, height, width)

    def output_size(self, size: Size) -> Size:
        return size


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

    def shape(self, channels: int, size: Size) -> Size:
        return (channels, *size[-PLANE:])

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

    def shape(self, channels: int, size: Size) -> Size:
        return (channels, *size[-PLANE:])

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
