"""Where the numbers of an image live: its pixels, or its frequencies."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Generator, Tensor, nn

from lucidtorch.base.sizes import Size
from lucidtorch.base.spectrum import amplitudes

CONTRAST = 4.0  # Lucid divides what comes out of the Fourier basis by this, and so do we, for equal starts


class Spatial(nn.Module):
    """A basis for the pixels of an image: numbers to pixels, and exactly back.

    Args:
        channels: The number of channels.
        size: The sides in pixels: two of an image, three of a clip or a volume.
        sd: The standard deviation of the numbers at the start.
    """

    def __init__(self, channels: int, size: Size, sd: float) -> None:
        super().__init__()
        self.channels = channels
        self.size = size
        self.sd = sd

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of the numbers of one image."""

    @abstractmethod
    def forward(self, numbers: Tensor) -> Tensor:
        """Make pixels of numbers.

        Args:
            numbers: `[B, *shape]`.

        Returns:
            `[B, C, *size]`, around 0.
        """

    @abstractmethod
    def inverse(self, pixels: Tensor) -> Tensor:
        """Find the numbers that make given pixels.

        Args:
            pixels: `[B, C, *size]`.

        Returns:
            `[B, *shape]`.
        """

    def start(self, generator: Generator) -> Tensor:
        """Draw the numbers of one image: normal, with standard deviation `sd`.

        Args:
            generator: Where the randomness comes from.

        Returns:
            `shape`.
        """
        return torch.randn(self.shape, generator=generator) * self.sd


class Pixels(Spatial):
    """One number per pixel and channel: the plain image."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the image."""
        return (self.channels, *self.size)

    def forward(self, numbers: Tensor) -> Tensor:
        """Give the numbers as they are."""
        return numbers

    def inverse(self, pixels: Tensor) -> Tensor:
        """Give the pixels as they are."""
        return pixels


class Fourier(Spatial):
    """One complex number per frequency and channel, scaled so that a step in any of them is equally visible.

    Lucid's `fft_image`, for odd sizes and any number of sides too: pixels = irfftn(numbers / max(f, 1 / longest side)
    ** decay) / 4, orthonormal.

    Args:
        channels: The number of channels.
        size: The sides in pixels: two of an image, three of a clip or a volume.
        sd: The standard deviation of the numbers at the start.
        decay: How fast high frequencies fade; 1 is nature's.
    """

    amplitude: Tensor

    def __init__(self, channels: int, size: Size, sd: float, decay: float) -> None:
        super().__init__(channels, size, sd)
        self.axes = tuple(range(-len(size), 0))
        self.register_buffer("amplitude", (amplitudes(size, decay) / CONTRAST).float(), persistent=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Real and imaginary parts of one half of the frequencies; those of the other are their conjugates."""
        return (self.channels, *self.size[:-1], self.size[-1] // 2 + 1, 2)

    def forward(self, numbers: Tensor) -> Tensor:
        """Make pixels of frequencies, in float32 or better whatever autocast says."""
        with torch.autocast(numbers.device.type, enabled=False):
            spectrum = torch.view_as_complex(numbers) * self.amplitude
            pixels: Tensor = torch.fft.irfftn(spectrum, s=self.size, dim=self.axes, norm="ortho")
        return pixels

    def inverse(self, pixels: Tensor) -> Tensor:
        """Find the frequencies of pixels."""
        return torch.view_as_real(torch.fft.rfftn(pixels, dim=self.axes, norm="ortho") / self.amplitude)
