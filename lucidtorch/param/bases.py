"""The bases of images: a word of the notation each, and the numbers that it stands for, of which it makes pixels.

Those that can make any image are here: frequencies, pixels, and a pyramid of grids.
"""

from __future__ import annotations

import dataclasses
import inspect
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
from lucidtorch.base.notation import bind, format_call
from lucidtorch.base.sizes import PLANE, Size

CONTRAST = 4.0  # Lucid divides what comes out of the Fourier basis by this, and so do we, for equal starts


class Basis(nn.Module):
    """Numbers to pixels, before colour and bounds. A `Part` makes it; `fill` draws its numbers.

    Autocast is off around `forward` wherever a param calls it.

    Args:
        batch: The number of images.
        channels: The number of channels.
        size: The sides in pixels: two of an image, three of a clip or a volume.
    """

    invertible: bool = False  # whether every image has numbers that make it, so that `assign` works
    place: Tensor

    def __init__(self, batch: int, channels: int, size: Size) -> None:
        super().__init__()
        self.batch = batch
        self.channels = channels
        self.size = size
        self.register_buffer("place", torch.zeros(()), persistent=False)  # `fill` puts the numbers on its device

    @abstractmethod
    def fill(self, generators: Sequence[Generator]) -> None:
        """Draw the start and register its numbers as parameters, by `put`.

        Args:
            generators: One per image, on the CPU. What belongs to an image is drawn from its own.
        """

    @abstractmethod
    def forward(self) -> Tensor:
        """Make the pixels of the numbers: `[B, C, *size]` around 0, in float32 or better."""

    def assign(self, pixels: Tensor) -> None:
        """Set the numbers so that `forward` gives these pixels; it may be called instead of `fill`.

        Args:
            pixels: `[B, C, *size]`, before colour and bounds.

        Raises:
            BadInputError: The basis cannot make every image.
        """
        raise BadInputError(
            f"{type(self).__name__} cannot take on a given picture; the main part must be fft(), pixels() or pyramid()."
        )

    def put(self, name: str, numbers: Tensor) -> None:
        """Set a parameter: in place where it has numbers already, so that an optimizer goes on with them.

        Args:
            name: The parameter's name.
            numbers: Its new values; they are converted to the device and dtype of `place`.
        """
        known = getattr(self, name, None)
        numbers = numbers.detach().to(self.place)
        if known is None:
            self.register_parameter(name, nn.Parameter(numbers))
            return
        with torch.no_grad():
            known.copy_(numbers)

    def reads(self, name: str) -> Tensor:
        """Say which images depend on which row of a parameter; each on its own row, unless rows are shared.

        Args:
            name: The parameter's name in this module.

        Returns:
            Truth values `[rows, B]`, on the CPU.
        """
        return torch.eye(self.batch, dtype=torch.bool)

    def at(self, size: Size) -> Tensor:
        """Make the same images at another size, `[B, C, *size]`.

        Args:
            size: As many sides as the basis has.

        Raises:
            BadInputError: The basis has one resolution.
        """
        raise BadInputError(f"{type(self).__name__} has one resolution; of the parts, only cppn(...) has any.")


class Part(ABC):
    """The word for a basis: a value whose arguments are its attributes and its text.

    Write a part as a frozen dataclass in lower case, such as `pyramid(levels=4)`. When it is made, its arguments are
    checked against their annotations (`BadInputError`) and frozen (sequences become tuples, tensors become arrays), so
    that it can be compared, pickled and printed; one that checks more does so in its own `__post_init__`, after
    `super().__post_init__()`.
    """

    is_text = True  # whether its text says all of it, so that it can be read back

    def __post_init__(self) -> None:
        """Check and freeze the arguments."""
        for name, value in bind(type(self), (), self._fields()).items():
            object.__setattr__(self, name, value)

    @abstractmethod
    def basis(self, batch: int, channels: int, size: Size) -> Basis:
        """Make the basis that this word stands for, not filled: nothing is drawn.

        Args:
            batch: The number of images.
            channels: The number of channels that are made; the opacity counts, what is held does not.
            size: The sides in pixels: two of an image, three of a clip or a volume.

        Raises:
            BadInputError: The arguments do not fit these images.
        """

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The arrays among its arguments."""
        return tuple(value for value in self._fields().values() if isinstance(value, Array))

    def _fields(self) -> dict[str, object]:
        return {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}  # type: ignore[arg-type]

    def __repr__(self) -> str:
        return format_call(type(self).__name__, inspect.signature(type(self)), self._fields())


def normal(shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
    """Draw from N(0, 1), each image from its own generator."""
    return torch.stack([torch.randn(shape, generator=one) for one in generators])


@dataclass(frozen=True, repr=False)
class fft(Part):  # noqa: N801  # a word of the notation
    """One complex number per frequency and channel, scaled so that a step in any of them is equally visible.

    Formula: pixels = irfftn(numbers / max(f, 1 / longest side) ** decay) / 4, orthonormal; at the start N(0, sd ** 2),
        real and imaginary parts alike.
    Source: Lucid's `fft_image`, for odd sizes and any number of sides too.

    Args:
        sd: The standard deviation of the numbers at the start, positive.
        decay: How fast high frequencies fade; 1 is nature's. Left out where `spectrum` says so.
        spectrum: The amplitudes of your own images instead: at equally spaced frequencies from 0 to the square root of
            .5 cycles per pixel, positive. They are scaled so that the start is as strong as with decay 1.
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
    """The basis of `fft`: real and imaginary parts of half of the frequencies; the others are their conjugates."""

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
    """One number per pixel and channel: the plain image.

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
    """A sum of grids, each half as fine as the one before: broad shapes and details move at one pace.

    Formula: sum over n < levels of the linear enlargement of a grid of size // 2 ** n; at the start each N(0, sd ** 2).
    Source: Lucid's `laplacian_pyramid_image`.

    Args:
        levels: How many grids, from 1; no side gets shorter than 1.
        sd: The standard deviation of the numbers at the start, positive.
    """

    levels: Count = 4
    sd: Positive = 0.01

    def basis(self, batch: int, channels: int, size: Size) -> Basis:
        return Pyramid(batch, channels, size, self.levels, self.sd)


class Pyramid(Basis):
    """The basis of `pyramid`; `assign` puts what the coarser grids lack into the finest."""

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
