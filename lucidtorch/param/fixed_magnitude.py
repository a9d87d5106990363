"""Fourier parameters with the fixed magnitudes of natural images: only their phases are optimized."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from lucidtorch.base.arrays import Array, ArrayLike
from lucidtorch.base.checks import Positive
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.natural_images import frequencies
from lucidtorch.base.sizes import PLANE, Size, size_text
from lucidtorch.param.bases import Basis, Part, normal

SPREAD = math.pi  # standard deviation of the phases, about uniform on the circle
EPSILON = 1e-4  # Horama's, added to a divisor
MAGNITUDE_AXES = 3
# Of ImageNet in decorrelated colours, at 512 x 512 pixels: the magnitude of frequency 0 in each channel, and the
# slope over the logarithm of frequency at the highest.
MEANS = (255052.0, 269511.0, 227829.0)
STEEP = 2.25
FLAT = 1.25  # the slope of photographs at low frequencies
BEND = 0.25  # cycles per pixel, between the two slopes
COARSEST = 0.13  # of photographs: the magnitude of one cycle per picture relative to frequency 0


@dataclass(frozen=True, repr=False)
class maco(Part):  # noqa: N801  # a word of the notation
    """Phases only: the magnitude of each frequency is that of natural images, which prevents high-frequency noise.

    Learning rates from 0.02 to 0.3 work; larger ones reach higher values.

    Formula: pixels = contrast * standard(irfft2(magnitude * exp(i * pi * standard(phases)))), where standard(x) =
        (x - mean) / (deviation + 1e-4) over all numbers of an image; at the start phases ~ N(0, 1).
    Source: Fel et al. 2023, "Unlocking feature visualization for deeper networks with magnitude constrained
        optimization"; standardised as in Horama, except for the factor pi, without which the phases are so similar
        that every corner has a bright spot.

    Args:
        magnitude: The magnitude of each frequency, `[C, h, w // 2 + 1]`, not negative: that of `rfft2` of your own
            images of any size h x w (w even), in decorrelated colours, as `fit_statistics` measures it. It is
            interpolated linearly for other sizes. That of natural images if None.
        contrast: The standard deviation of the pixels before colour and bounds, positive; 2 yields the standard
            deviation of ImageNet's colours, and 1 is Horama's.

    Raises:
        BadInputError: The magnitude has another shape, is negative, or is zero except at frequency 0.
    """

    magnitude: ArrayLike | None = None
    contrast: Positive = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.magnitude is None:
            return
        given = Array.of(self.magnitude)
        if (
            len(given.shape) != MAGNITUDE_AXES
            or given.span[0] < 0
            or not given.numpy().reshape(given.shape[0], -1)[:, 1:].any()
        ):
            raise BadInputError(
                "maco(magnitude=) takes an array [C, h, w // 2 + 1] of numbers from 0, some positive beside the "
                f"mean's, but its shape is {list(given.shape)} and its smallest is {given.span[0]:.3g}."
            )

    def basis(self, batch: int, channels: int, size: Size) -> Basis:
        if len(size) != PLANE:
            raise BadInputError(f"maco() makes images, not clips or volumes of {size_text(size)}; use fft().")
        if self.magnitude is None:
            return FixedMagnitude(batch, channels, size, natural_magnitude(channels, size), self.contrast)
        given = torch.from_numpy(Array.of(self.magnitude).numpy().astype("float64"))
        if len(given) != channels:
            raise BadInputError(
                f"maco(magnitude=) has {len(given)} channels, but {channels} are needed; fit it to such images."
            )
        return FixedMagnitude(batch, channels, size, scaled_magnitude(given, size), self.contrast)


class FixedMagnitude(Basis):
    """The basis of `maco`; `magnitude` is that of each frequency, `[C, H, W // 2 + 1]`.

    In the first column, and the last of an even width, a frequency and its negative are both present and must be
    conjugates: their phases are the difference of two numbers, scaled to the same standard deviation.
    """

    magnitude: Tensor
    doubled: Tensor
    negative: Tensor
    phases: Tensor

    def __init__(self, batch: int, channels: int, size: Size, magnitude: Tensor, contrast: float) -> None:
        super().__init__(batch, channels, size)
        self.contrast = contrast
        height, width = size
        columns = torch.arange(width // 2 + 1)
        self.register_buffer("doubled", (columns == 0) | (2 * columns == width), persistent=False)
        self.register_buffer("negative", -torch.arange(height) % height, persistent=False)
        even = (magnitude + magnitude[:, self.negative]) / 2
        self.register_buffer("magnitude", torch.where(self.doubled, even, magnitude).float(), persistent=False)

    def fill(self, generators: Sequence[Generator]) -> None:
        self.put("phases", normal(self.magnitude.shape, generators))

    def forward(self) -> Tensor:
        return self.contrast * _standard(self.of_magnitude())

    def of_magnitude(self) -> Tensor:
        """Compute the pixels from magnitude and phases, before they are standardised."""
        phases = SPREAD * _standard(self.phases)
        odd = (phases - phases.index_select(-2, self.negative)) / math.sqrt(2)
        spectrum = torch.polar(self.magnitude.expand_as(phases), torch.where(self.doubled, odd, phases))
        pixels: Tensor = torch.fft.irfft2(spectrum, s=self.size)
        return pixels


def _standard(numbers: Tensor) -> Tensor:
    """Standardise the numbers of each image to mean 0 and standard deviation 1."""
    axes = tuple(range(1, numbers.ndim))
    deviation, mean = torch.std_mean(numbers, axes, correction=0, keepdim=True)
    return (numbers - mean) / (deviation + EPSILON)


def natural_magnitude(channels: int, size: Size) -> Tensor:
    """Compute the magnitude of each frequency in natural images: a curve with two slopes over the frequency."""
    lengths = frequencies(size).clamp(min=1 / max(size))
    fading = (1 + (lengths / BEND).square()) ** ((FLAT - STEEP) / 2)
    curve = COARSEST * (lengths * max(size)) ** -FLAT * fading
    curve[0, 0] = 1
    means = MEANS if channels == len(MEANS) else MEANS[:1] * channels
    return torch.tensor(means, dtype=torch.float64)[:, None, None] * curve


def scaled_magnitude(magnitude: Tensor, size: Size) -> Tensor:
    """Interpolate a magnitude to another size; frequency 0, the mean, stays as it is."""
    means = magnitude[:, 0, 0].clone()
    magnitude = magnitude.clone()
    magnitude[:, 0, 0] = (
        magnitude[:, 0, min(1, magnitude.shape[2] - 1)] + magnitude[:, min(1, magnitude.shape[1] - 1), 0]
    ) / 2
    rows = torch.fft.fftfreq(size[0], dtype=torch.float64) * magnitude.shape[1]
    columns = torch.fft.rfftfreq(size[1], dtype=torch.float64) * 2 * (magnitude.shape[2] - 1)
    found = _between(_between(magnitude, rows, 1), columns, 2)
    found[:, 0, 0] = means
    return found


def _between(values: Tensor, places: Tensor, axis: int) -> Tensor:
    """Interpolate linearly along a periodic axis."""
    below = places.floor()
    share = (places - below).reshape(-1, *(1,) * (values.ndim - 1 - axis))
    length = values.shape[axis]
    lower = values.index_select(axis, below.long() % length)
    upper = values.index_select(axis, (below.long() + 1) % length)
    return torch.lerp(lower, upper, share)
