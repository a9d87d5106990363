"""The Laplacian pyramid: coarse and fine grids, summed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn.functional import interpolate

from lucidtorch.base.checks import Count, Positive
from lucidtorch.base.sizes import PLANE, Size
from lucidtorch.param.basis import Basis
from lucidtorch.param.part import Part


@dataclass(frozen=True, repr=False)
class pyramid(Part):  # noqa: N801  # a word of the notation
    """A sum of grids, each half as fine as the one before: broad shapes and details move at one pace.

    Formula: sum over n < levels of the linear enlargement of a grid of size // 2 ** n; at the start each N(0, sd ** 2).
    Source: Lucid's `laplacian_pyramid_image`.

    Args:
        levels: How many grids; no side gets shorter than 1.
        sd: The standard deviation of the numbers at the start.

    Raises:
        BadInputError: There is no level, or the deviation is not positive.
    """

    levels: Count = 4
    sd: Positive = 0.01

    def basis(self, batch: int, channels: int, size: Size) -> Basis:
        return Pyramid(batch, channels, size, self.levels, self.sd)


class Pyramid(Basis):
    """The basis of `pyramid`; the finest grid takes on whatever a given picture has that the others lack.

    Args:
        batch: The number of images.
        channels: The number of channels.
        size: The sides in pixels.
        levels: How many grids.
        sd: The standard deviation of the numbers at the start.
    """

    def __init__(self, batch: int, channels: int, size: Size, levels: int, sd: float) -> None:
        super().__init__(batch, channels, size)
        self.sd = sd
        self.mode = "bilinear" if len(size) == PLANE else "trilinear"
        self.sizes = {f"level{n}": tuple(max(1, side // 2**n) for side in size) for n in range(levels)}
        for name in self.sizes:
            self.register_parameter(name, None)

    @property
    def invertible(self) -> bool:
        return True

    def fill(self, generators: Sequence[Generator]) -> None:
        for name, size in self.sizes.items():
            starts = [torch.randn((self.channels, *size), generator=one) for one in generators]
            self.put(name, self.sd * torch.stack(starts))

    def forward(self) -> Tensor:
        finest, *coarser = (getattr(self, name) for name in self.sizes)
        pixels: Tensor = finest
        for grid in coarser:
            pixels = pixels + interpolate(grid, self.size, mode=self.mode, align_corners=False)
        return pixels

    def assign(self, pixels: Tensor) -> None:
        finest = next(iter(self.sizes))
        if getattr(self, finest) is None:
            for name in self.sizes:
                self.put(name, torch.zeros(self.batch, self.channels, *self.sizes[name]))
        with torch.no_grad():
            rest = pixels.to(self.place) - self()
            self.put(finest, getattr(self, finest) + rest)
