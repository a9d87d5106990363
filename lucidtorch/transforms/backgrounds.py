"""Random backgrounds behind images that have an opacity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Generator, Tensor

from lucidtorch.base.checks import NotNegative
from lucidtorch.base.errors import BadInputError, ImageError
from lucidtorch.base.natural_images import IMAGENET_ROOT, amplitudes
from lucidtorch.base.sizes import PLANE, Size
from lucidtorch.transforms.planar import along
from lucidtorch.transforms.transform import Transform

SMOOTH, NOISE, COLOUR = "smooth", "noise", "colour"
CONTRAST = 4.0  # Lucid divides what comes out of the Fourier basis by this
RGB = 3


@dataclass(frozen=True, repr=False)
class background(Transform):  # noqa: N801  # a word of the notation
    """Put the image in front of a random background; its last channel is its opacity and does not come out.

    What must be seen whatever is behind it becomes opaque. The frames of a clip all have the same background.

    Formula: a in[:-1] + (1 - a) sigmoid(M z), a the last channel, M Lucid's colour matrix for RGB, z from N(0, sd): one
        per frequency, weighed by 1 / f ** decay and transformed (`smooth`), one per pixel (`noise`), or one per channel
        (`colour`).
    Source: Lucid's `collapse_alpha_random`, sd .5; its notebook on transparency has sd .2 and decay 1.5.

    Args:
        kind: ``smooth``, ``noise`` or ``colour``.
        sd: The standard deviation of the numbers; larger is more lively.
        decay: How fast high frequencies fade in a smooth background; 1 is nature's.

    Raises:
        BadInputError: There is no such kind, or a number does not fit.
        ImageError: The images have no channel but their opacity.
    """

    kind: Literal["smooth", "noise", "colour"] = "smooth"
    sd: NotNegative = 0.5
    decay: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind != SMOOTH and self.decay != 1:
            raise BadInputError(f"background(decay=) is for a smooth one; with kind={self.kind!r} leave it out.")

    def output_channels(self, channels: int) -> int:
        if channels < 2:
            raise ImageError(
                f"{self!r} takes the last channel of an image as its opacity, but there is only {channels}; write "
                f"alpha=True in the param."
            )
        return channels - 1

    def output_size(self, size: Size) -> Size:
        return size

    def _shape(self, channels: int, size: Size) -> tuple[int, ...]:
        """The shape of the numbers of one background."""
        height, width = size[-PLANE:]
        shapes = {SMOOTH: (height, width // 2 + 1, 2), NOISE: (height, width), COLOUR: (1, 1)}
        return (self.output_channels(channels), *shapes[self.kind])

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        count = math.prod(self._shape(shape[1], tuple(shape[2:])))
        return torch.stack([torch.randn(count, generator=one) for one in generators]).double() * self.sd

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        numbers = draws.reshape(len(draws), *self._shape(images.shape[1], tuple(images.shape[2:])))
        with torch.autocast(images.device.type, enabled=False):
            behind = self._painted(numbers, images)
        if images.ndim > 2 + PLANE:
            behind = behind[:, :, None]
        colours, opacity = images[:, :-1], images[:, -1:]
        return colours * opacity + behind * (1 - opacity)

    def _painted(self, numbers: Tensor, images: Tensor) -> Tensor:
        """Make the backgrounds, in float32 or better, and then as precise as the images."""
        size = tuple(images.shape[-PLANE:])
        numbers = numbers.to(torch.promote_types(images.dtype, torch.float32)).to(images.device)
        if self.kind == SMOOTH:
            weights = along(amplitudes(size, self.decay) / CONTRAST, numbers)
            numbers = torch.fft.irfft2(torch.view_as_complex(numbers) * weights, s=size, norm="ortho")
        if numbers.shape[1] == RGB:
            root = torch.tensor(IMAGENET_ROOT, dtype=torch.float64)
            numbers = torch.einsum("ij,bjhw->bihw", along(root / root.norm(dim=0).max(), numbers), numbers)
        return numbers.sigmoid().to(images.dtype)
