"""The plain image: one number per pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from lucidtorch.base.checks import Positive
from lucidtorch.base.sizes import Size
from lucidtorch.param.basis import Basis
from lucidtorch.param.part import Part


@dataclass(frozen=True, repr=False)
class pixels(Part):  # noqa: N801  # a word of the notation
    """One number per pixel and channel: the plain image.

    Formula: pixel = number; at the start N(0, sd ** 2).
    Source: Lucid's `pixel_image`.

    Args:
        sd: The standard deviation of the numbers at the start.

    Raises:
        BadInputError: The deviation is not positive.
    """

    sd: Positive = 0.01

    def basis(self, batch: int, channels: int, size: Size) -> Basis:
        return Pixels(batch, channels, size, self.sd)


class Pixels(Basis):
    """The basis of `pixels`.

    Args:
        batch: The number of images.
        channels: The number of channels.
        size: The sides in pixels.
        sd: The standard deviation of the numbers at the start.
    """

    numbers: nn.Parameter

    def __init__(self, batch: int, channels: int, size: Size, sd: float) -> None:
        super().__init__(batch, channels, size)
        self.sd = sd
        self.register_parameter("numbers", None)

    @property
    def invertible(self) -> bool:
        return True

    def fill(self, generators: Sequence[Generator]) -> None:
        shape = (self.channels, *self.size)
        self.put("numbers", self.sd * torch.stack([torch.randn(shape, generator=one) for one in generators]))

    def forward(self) -> Tensor:
        return self.numbers

    def assign(self, pixels: Tensor) -> None:
        self.put("numbers", pixels)
