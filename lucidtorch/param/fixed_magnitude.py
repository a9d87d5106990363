"""Frequencies as strong as in natural images, for ever: only their phases are free."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from lucidtorch.base.arrays import Array, ArrayLike
from lucidtorch.base.checks import Positive
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.sizes import PLANE, Size, size_text
from lucidtorch.param.basis import Basis
from lucidtorch.param.magnitudes import natural_magnitude, scaled_magnitude
from lucidtorch.param.part import Part

SPREAD = math.pi  # of the phases: about evenly round the circle
EPSILON = 1e-4  # Horama's, beside a deviation that is divided by
MAGNITUDE_AXES = 3


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
        contrast: The deviation of the pixels, before colour and bounds; 2 gives colours ImageNet's deviation, and 1 is
            Horama's.

    Raises:
        BadInputError: The magnitude has another shape, or is negative, or nothing but a mean; or the contrast is not
            positive.
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
    """The basis of `maco`.

    In the first column, and the last of an even width, a frequency and its negative are both there and must be
    conjugates: their phases are the halved difference of two numbers, stretched to the same deviation.

    Args:
        batch: The number of images.
        channels: The number of channels.
        size: Height and width.
        magnitude: How strong each frequency is, `[C, H, W // 2 + 1]`.
        contrast: The deviation of the pixels.
    """

    magnitude: Tensor
    doubled: Tensor
    negative: Tensor
    phases: nn.Parameter

    def __init__(self, batch: int, channels: int, size: Size, magnitude: Tensor, contrast: float) -> None:
        super().__init__(batch, channels, size)
        self.contrast = contrast
        height, width = size
        columns = torch.arange(width // 2 + 1)
        self.register_buffer("doubled", (columns == 0) | (2 * columns == width), persistent=False)
        self.register_buffer("negative", -torch.arange(height) % height, persistent=False)
        even = (magnitude + magnitude[:, self.negative]) / 2
        self.register_buffer("magnitude", torch.where(self.doubled, even, magnitude).float(), persistent=False)
        self.register_parameter("phases", None)

    def fill(self, generators: Sequence[Generator]) -> None:
        shape = self.magnitude.shape
        self.put("phases", torch.stack([torch.randn(shape, generator=one) for one in generators]))

    def forward(self) -> Tensor:
        return self.contrast * _standard(self.of_magnitude())

    def of_magnitude(self) -> Tensor:
        """Make the pictures whose frequencies are as strong as they shall be, before they are standardised."""
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
