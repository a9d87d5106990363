"""The Fourier basis: one number per frequency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from lucidtorch.base.arrays import Array, ArrayLike
from lucidtorch.base.checks import Positive
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.natural_images import amplitudes, radial_amplitudes
from lucidtorch.base.sizes import Size
from lucidtorch.param.basis import Basis
from lucidtorch.param.part import Part

CONTRAST = 4.0  # Lucid divides what comes out of the Fourier basis by this, and so do we, for equal starts


@dataclass(frozen=True, repr=False)
class fft(Part):  # noqa: N801  # a word of the notation
    """One complex number per frequency and channel, scaled so that a step in any of them is equally visible.

    Formula: pixels = irfftn(numbers / max(f, 1 / longest side) ** decay) / 4, orthonormal; at the start N(0, sd ** 2),
        real and imaginary parts alike.
    Source: Lucid's `fft_image`, for odd sizes and any number of sides too.

    Args:
        sd: The standard deviation of the numbers at the start.
        decay: How fast high frequencies fade; 1 is nature's.
        spectrum: The amplitudes of your own images instead: at equally spaced frequencies from 0 to the square root of
            .5 cycles per pixel, positive. They are scaled so that the start is as strong as with decay 1.

    Raises:
        BadInputError: The deviation is not positive, or the spectrum is no list of positive numbers, or a decay stands
            beside it.
    """

    sd: Positive = 0.01
    decay: float = 1.0
    spectrum: ArrayLike | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.spectrum is None:
            return
        if self.decay != 1:
            raise BadInputError("A spectrum says how frequencies fade; leave decay= out.")
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
    """The basis of `fft`.

    Args:
        batch: The number of images.
        channels: The number of channels.
        size: The sides in pixels: two of an image, three of a clip or a volume.
        sd: The standard deviation of the numbers at the start.
        weights: How much each frequency weighs, `[*size[:-1], W // 2 + 1]`.
    """

    amplitude: Tensor
    numbers: nn.Parameter

    def __init__(self, batch: int, channels: int, size: Size, sd: float, weights: Tensor) -> None:
        super().__init__(batch, channels, size)
        self.sd = sd
        self.axes = tuple(range(-len(size), 0))
        self.register_buffer("amplitude", (weights / CONTRAST).float(), persistent=False)
        self.register_parameter("numbers", None)

    @property
    def invertible(self) -> bool:
        return True

    @property
    def shape(self) -> tuple[int, ...]:
        """Real and imaginary parts of one half of the frequencies; those of the other are their conjugates."""
        return (self.channels, *self.size[:-1], self.size[-1] // 2 + 1, 2)

    def fill(self, generators: Sequence[Generator]) -> None:
        self.put("numbers", self.sd * torch.stack([torch.randn(self.shape, generator=one) for one in generators]))

    def forward(self) -> Tensor:
        spectrum = torch.view_as_complex(self.numbers) * self.amplitude
        pixels: Tensor = torch.fft.irfftn(spectrum, s=self.size, dim=self.axes, norm="ortho")
        return pixels

    def assign(self, pixels: Tensor) -> None:
        spectrum = torch.fft.rfftn(pixels, dim=self.axes, norm="ortho") / self.amplitude
        self.put("numbers", torch.view_as_real(spectrum))
