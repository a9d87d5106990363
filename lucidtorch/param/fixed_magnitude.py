"""Frequencies that stay as strong as in natural images: only their phases are free."""

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

SPREAD = math.pi  # of the phases: about evenly round the circle
EPSILON = 1e-4  # Horama's, beside a deviation that is divided by
MAGNITUDE_AXES = 3
# Of ImageNet in decorrelated colours, at 512 x 512 pixels: how strong frequency 0 is in each, and the slope over the
# logarithm of frequency at the finest.
MEANS = (255052.0, 269511.0, 227829.0)
STEEP = 2.25
FLAT = 1.25  # the slope of photographs at coarse frequencies
BEND = 0.25  # cycles per pixel: where one slope goes over into the other
COARSEST = 0.13  # of photographs: how strong one cycle per picture is beside frequency 0


@dataclass(frozen=True, repr=False)
class maco(Part):  # noqa: N801  # a word of the notation
    """Phases alone: how strong each frequency is stays as in natural images, so that no render can shout.

    Any step from `lr=0.02` to 0.3 does; the larger ones get further.

    Formula: pixels = contrast * standard(irfft2(magnitude * exp(i * pi * standard(phases)))), where standard(x) =
        (x - mean) / (deviation + 1e-4) over all numbers of an image; at the start phases ~ N(0, 1).
    Source: Fel et al. 2023, "Unlocking feature visualization for deeper networks with magnitude constrained
        optimization"; standardised as Horama does it, but for the factor pi, without which phases are so alike that
        every corner has a bright spot.

    Args:
        magnitude: How strong each frequency is, `[C, h, w // 2 + 1]`, not negative: that of `rfft2` of your own images
            of any size h x w (w even), in decorrelated colours, as `fit_statistics` measures it. Other sizes are
            interpolated linearly between its frequencies. That of natural images where None.
        contrast: The deviation of the pixels before colour and bounds, positive; 2 gives colours ImageNet's deviation,
            and 1 is Horama's.

    Raises:
        BadInputError: The magnitude has another shape, or is negative, or nothing but a mean.
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
            raise BadInputError(f"maco() makes pictures, not clips or volumes of {size_text(size)}; use fft().")
        if self.magnitude is None:
            return FixedMagnitude(batch, channels, size, natural_magnitude(channels, size), self.contrast)
        given = torch.from_numpy(Array.of(self.magnitude).numpy().astype("float64"))
        if len(given) != channels:
            raise BadInputError(
                f"maco(magnitude=) has {len(given)} channels, but {channels} are made; fit it to images of {channels}."
            )
        return FixedMagnitude(batch, channels, size, scaled_magnitude(given, size), self.contrast)


class FixedMagnitude(Basis):
    """The basis of `maco`; `magnitude` says how strong each frequency is, `[C, H, W // 2 + 1]`.

    In the first column, and the last of an even width, a frequency and its negative are both there and must be
    conjugates: their phases are the halved difference of two numbers, stretched to the same deviation.
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
        """Make the images whose frequencies have the magnitude, before they are standardised."""
        phases = SPREAD * _standard(self.phases)
        odd = (phases - phases.index_select(-2, self.negative)) / math.sqrt(2)
        spectrum = torch.polar(self.magnitude.expand_as(phases), torch.where(self.doubled, odd, phases))
        pixels: Tensor = torch.fft.irfft2(spectrum, s=self.size)
        return pixels


def _standard(numbers: Tensor) -> Tensor:
    """Numbers of mean 0 and deviation 1, for each image by itself."""
    axes = tuple(range(1, numbers.ndim))
    deviation, mean = torch.std_mean(numbers, axes, correction=0, keepdim=True)
    return (numbers - mean) / (deviation + EPSILON)


def natural_magnitude(channels: int, size: Size) -> Tensor:
    """Compute how strong each frequency is in natural images: a curve of two slopes over its length."""
    lengths = frequencies(size).clamp(min=1 / max(size))
    fading = (1 + (lengths / BEND).square()) ** ((FLAT - STEEP) / 2)
    curve = COARSEST * (lengths * max(size)) ** -FLAT * fading
    curve[0, 0] = 1
    means = MEANS if channels == len(MEANS) else MEANS[:1] * channels
    return torch.tensor(means, dtype=torch.float64)[:, None, None] * curve


def scaled_magnitude(magnitude: Tensor, size: Size) -> Tensor:
    """Interpolate a magnitude between its frequencies; the mean, frequency 0, stays as it is."""
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
    """Interpolate along an axis that goes on from its beginning."""
    below = places.floor()
    share = (places - below).reshape(-1, *(1,) * (values.ndim - 1 - axis))
    length = values.shape[axis]
    lower = values.index_select(axis, below.long() % length)
    upper = values.index_select(axis, (below.long() + 1) % length)
    return torch.lerp(lower, upper, share)
