"""The bases of images: a `Part` holds arguments, and its `Basis` computes pixels. Invertible ones are here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import interpolate

from lucidtorch.base.arrays import Array, ArrayLike
from lucidtorch.base.checks import Count, Positive
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.natural_images import amplitudes, radial_amplitudes
from lucidtorch.base.notation import Word
from lucidtorch.base.sizes import PLANE, Size

CONTRAST = 4.0  # Lucid divides the result of the inverse Fourier transform by this; kept for equal initial images


class Basis(nn.Module):
    """A map from parameters to pixels, before colour and bounds. A `Part` creates it; `fill` initializes it.

    Params call `forward` with autocast disabled.

    Args:
        batch: The number of images.
        channels: The number of channels.
        size: The sides in pixels: two of an image, three of a clip or a volume.
    """

    invertible: bool = False  # whether `assign` works, for every image
    place: Tensor

    def __init__(self, batch: int, channels: int, size: Size) -> None:
        super().__init__()
        self.batch = batch
        self.channels = channels
        self.size = size
        self.register_buffer(
            "place", torch.zeros(()), persistent=False
        )  # its device and dtype are those of the parameters

    @abstractmethod
    def fill(self, generators: Sequence[Generator]) -> None:
        """Draw the initial values and register them as parameters, by `put`.

        Args:
            generators: One per image, on the CPU; the values of an image are drawn from its own.
        """

    @abstractmethod
    def forward(self) -> Tensor:
        """Compute the pixels, `[B, C, *size]` around 0, in float32 or float64."""

    def assign(self, pixels: Tensor) -> None:
        """Set the parameters so that `forward` returns these pixels; it may be called instead of `fill`.

        Args:
            pixels: `[B, C, *size]`, before colour and bounds.

        Raises:
            BadInputError: The basis is not invertible.
        """
        raise BadInputError(f"{type(self).__name__} has no inverse; use fft(), pixels() or pyramid() as main part.")

    def put(self, name: str, numbers: Tensor) -> None:
        """Set a parameter, in place if it exists, so that its optimizer state stays valid.

        Args:
            name: The parameter's name.
            numbers: Its new values, which are converted to the device and dtype of `place`.
        """
        known = getattr(self, name, None)
        numbers = numbers.detach().to(self.place)
        if known is None:
            self.register_parameter(name, nn.Parameter(numbers))
            return
        with torch.no_grad():
            known.copy_(numbers)

    def reads(self, name: str) -> Tensor:
        """Return which images depend on which row of a parameter; each on its own row, unless rows are shared.

        Args:
            name: The parameter's name in this module.

        Returns:
            Booleans `[rows, B]`, on the CPU.
        """
        return torch.eye(self.batch, dtype=torch.bool)

    def at(self, size: Size) -> Tensor:
        """Compute the same pixels at another size, `[B, C, *size]`.

        Args:
            size: As many sides as the basis has.

        Raises:
            BadInputError: The basis has one resolution.
        """
        raise BadInputError(f"{type(self).__name__} has one resolution; of the parts, only cppn(...) has any.")


class Part(Word, ABC):
    """The word for a basis: a value whose arguments are its attributes and its text.

    Write a part as a frozen dataclass in lower case, such as `pyramid(levels=4)`. Its arguments are checked against
    their annotations (`BadInputError`) and frozen (sequences become tuples, tensors become arrays), so that parts can
    be compared, pickled and printed; a part that checks more does so in its own `__post_init__`, after
    `super().__post_init__()`.
    """

    is_text = True  # whether its text is complete, so that it can be parsed

    @abstractmethod
    def basis(self, batch: int, channels: int, size: Size) -> Basis:
        """Create the basis, without initial values: nothing is drawn.

        Args:
            batch: The number of images.
            channels: The number of channels, with the opacity and without those that are held.
            size: The sides in pixels: two of an image, three of a clip or a volume.

        Raises:
            BadInputError: The arguments do not fit these images.
        """


def normal(shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
    """Draw from N(0, 1), each image from its own generator."""
    return torch.stack([torch.randn(shape, generator=one) for one in generators])


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
