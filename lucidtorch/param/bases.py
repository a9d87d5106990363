"""The invertible bases: frequencies, pixels, and a pyramid of grids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn.functional import interpolate

from lucidtorch.base.arrays import Array, ArrayLike
from lucidtorch.base.checks import Count, Positive
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.natural_images import amplitudes, radial_amplitudes
from lucidtorch.base.sizes import PLANE, Size
from lucidtorch.param.basis import Basis, Part, normal

CONTRAST = 4.0  # Lucid divides the result of the inverse Fourier transform by this; kept for equal initial images


@dataclass(frozen=True, repr=False)
class fft(Part):  # noqa: N801  # a word of the notation
    """Fourier coefficients, scaled by frequency so that a step in each of them is equally visible.

    Formula: pixels = irfftn(numbers / max(f, 1 / longest side) ** decay) / 4, orthonormal; at the start N(0, sd ** 2),
        for real and imaginary parts.
    Source: Lucid's `fft_image`, also for odd sizes and any number of dimensions.

    Args:
        sd: The standard deviation of the numbers at the start, positive.
        decay: The exponent with which amplitudes decrease with frequency; 1 is that of natural images. Not with
            `spectrum`.
        spectrum: The amplitudes of your own images instead: at equally spaced frequencies from 0 to the square root of
            .5 cycles per pixel, positive. They are scaled to the initial contrast of decay 1.
    """

    sd: Positive = 0.01
    decay: float = 1.0
    spectrum: ArrayLike | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.spectrum is None:
            return
        if self.decay != 1:
            raise BadInputError("A spectrum states the amplitudes of frequencies; leave decay= out.")
        given = Array.of(self.spectrum)
        if len(given.shape) != 1 or given.shape[0] < 2 or given.span[0] <= 0:
            raise BadInputError(
                f"A spectrum is a list of at least two positive amplitudes, but its shape is {list(given.shape)} and "
                f"its smallest is {given.span[0]:.3g}."
            )

    def basis(self, batch: int, channels: int, size: Size) -> Basis:
        if self.spectrum is None:
            return Fourier(batch, channels, size, self.sd, amplitudes(size, self.decay))
        return Fourier(batch, channels, size, self.sd, radial_amplitudes(size, Array.of(self.spectrum).numpy()))


class Fourier(Basis):
    """The basis of `fft`: real and imaginary parts of half of the frequencies; the others are conjugates."""

    invertible = True
    amplitude: Tensor
    numbers: Tensor

    def __init__(self, batch: int, channels: int, size: Size, sd: float, weights: Tensor) -> None:
        super().__init__(batch, channels, size)
        self.sd = sd
        self.axes = tuple(range(-len(size), 0))
        self.register_buffer("amplitude", (weights / CONTRAST).float(), persistent=False)

    def fill(self, generators: Sequence[Generator]) -> None:
        self.put("numbers", self.sd * normal((self.channels, *self.amplitude.shape, 2), generators))

    def forward(self) -> Tensor:
        spectrum = torch.view_as_complex(self.numbers) * self.amplitude
        pixels: Tensor = torch.fft.irfftn(spectrum, s=self.size, dim=self.axes, norm="ortho")
        return pixels

    def assign(self, pixels: Tensor) -> None:
        spectrum = torch.fft.rfftn(pixels, dim=self.axes, norm="ortho") / self.amplitude
        self.put("numbers", torch.view_as_real(spectrum))


@dataclass(frozen=True, repr=False)
class pixels(Part):  # noqa: N801  # a word of the notation
    """One number per pixel and channel.

    Formula: pixel = number; at the start N(0, sd ** 2).
    Source: Lucid's `pixel_image`.

    Args:
        sd: The standard deviation of the numbers at the start, positive.
    """

    sd: Positive = 0.01

    def basis(self, batch: int, channels: int, size: Size) -> Basis:
        return Pixels(batch, channels, size, self.sd)


class Pixels(Basis):
    """The basis of `pixels`."""

    invertible = True
    numbers: Tensor

    def __init__(self, batch: int, channels: int, size: Size, sd: float) -> None:
        super().__init__(batch, channels, size)
        self.sd = sd

    def fill(self, generators: Sequence[Generator]) -> None:
        self.put("numbers", self.sd * normal((self.channels, *self.size), generators))

    def forward(self) -> Tensor:
        return self.numbers

    def assign(self, pixels: Tensor) -> None:
        self.put("numbers", pixels)


@dataclass(frozen=True, repr=False)
class pyramid(Part):  # noqa: N801  # a word of the notation
    """A sum of grids, each with half the resolution of the one before: coarse and fine structures adapt at one rate.

    Formula: sum over n < levels of the linear enlargement of a grid of size // 2 ** n; at the start each N(0, sd ** 2).
    Source: Lucid's `laplacian_pyramid_image`.

    Args:
        levels: The number of grids, from 1; no side is shorter than 1.
        sd: The standard deviation of the numbers at the start, positive.
    """

    levels: Count = 4
    sd: Positive = 0.01

    def basis(self, batch: int, channels: int, size: Size) -> Basis:
        return Pyramid(batch, channels, size, self.levels, self.sd)


class Pyramid(Basis):
    """The basis of `pyramid`; `assign` puts the difference to the coarser grids into the finest."""

    invertible = True

    def __init__(self, batch: int, channels: int, size: Size, levels: int, sd: float) -> None:
        super().__init__(batch, channels, size)
        self.sd = sd
        self.mode = "bilinear" if len(size) == PLANE else "trilinear"
        self.sizes = {f"level{n}": tuple(max(1, side // 2**n) for side in size) for n in range(levels)}

    def fill(self, generators: Sequence[Generator]) -> None:
        for name, size in self.sizes.items():
            self.put(name, self.sd * normal((self.channels, *size), generators))

    def forward(self) -> Tensor:
        finest, *coarser = (getattr(self, name) for name in self.sizes)
        pixels: Tensor = finest
        for grid in coarser:
            pixels = pixels + interpolate(grid, self.size, mode=self.mode, align_corners=False)
        return pixels

    def assign(self, pixels: Tensor) -> None:
        finest = next(iter(self.sizes))
        if not hasattr(self, finest):
            for name, size in self.sizes.items():
                self.put(name, torch.zeros(self.batch, self.channels, *size))
        with torch.no_grad():
            self.put(finest, getattr(self, finest) + (pixels.to(self.place) - self()))
