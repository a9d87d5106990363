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
        size: Height and width in pixels.
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
            `[B, C, H, W]`, around 0.
        """

    @abstractmethod
    def inverse(self, pixels: Tensor) -> Tensor:
        """Find the numbers that make given pixels.

        Args:
            pixels: `[B, C, H, W]`.

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

    Lucid's `fft_image`, for odd sizes too: pixels = irfft2(numbers / max(f, 1 / max(h, w)) ** decay) / 4, orthonormal.

    Args:
        channels: The number of channels.
        size: Height and width in pixels.
        sd: The standard deviation of the numbers at the start.
        decay: How fast high frequencies fade; 1 is nature's.
    """

    amplitude: Tensor

    def __init__(self, channels: int, size: Size, sd: float, decay: float) -> None:
        super().__init__(channels, size, sd)
        self.register_buffer("amplitude", (amplitudes(size, decay) / CONTRAST).float(), persistent=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Real and imaginary parts of the half plane of frequencies."""
        return (self.channels, self.size[0], self.size[1] // 2 + 1, 2)

    def forward(self, numbers: Tensor) -> Tensor:
        """Make pixels of frequencies, in float32 or better whatever autocast says."""
        with torch.autocast(numbers.device.type, enabled=False):
            spectrum = torch.view_as_complex(numbers) * self.amplitude
            pixels: Tensor = torch.fft.irfft2(spectrum, s=self.size, norm="ortho")
        return pixels

    def inverse(self, pixels: Tensor) -> Tensor:
        """Find the frequencies of pixels."""
        return torch.view_as_real(torch.fft.rfft2(pixels, norm="ortho") / self.amplitude)
