"""Coarse grids that the images of a batch share: for aligned images, or the frames of an animation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import torch
from torch import Generator, Tensor

from lucidtorch.base.checks import Count, Positive, Within, checked
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import Size, size_pair
from lucidtorch.param.bases import Basis, Part
from lucidtorch.param.images import Image, image

Offset: TypeAlias = bool | Annotated[int, Within(0)]
RGB = 3
ALIGNED = ((1, 2), (1, 4), (1, 8), (2, 8), (1, 16), (2, 16))  # Lucid's: rows of images, and the factor of coarseness
ANIMATION = ((4, 2), (4, 4), (4, 8))  # frames per row, and the factor of coarseness
FINEST = 2  # frames per row of the finest grid


@dataclass(frozen=True, repr=False)
class shared(Part):  # noqa: N801  # a word of the notation
    """A coarse array over images, channels and sides, interpolated linearly: coarse structure is shared by neighbours.

    Images that read the same rows become similar, so that they can be blended or played as an animation. It is meant to
    be added: `image(128, batch=6) + shared([1, 3, 16, 16])`.

    Formula: the array, interpolated linearly along each axis (``align_corners=False``; an axis of equal size is not
        changed), shifted by the offset with its beginning mirrored; at the start N(0, sd ** 2).
    Source: Lucid's `lowres_tensor`; interpolated as in torch, symmetric about the centre.

    Args:
        shape: Its size along [batch, channels, *size], each at most that of the images; the first is limited to the
            number of images.
        offset: The shift along each axis, in images, channels and pixels: None, or True for half a cell along all axes,
            or one number, True or False per axis.
        sd: The initial standard deviation of the parameters, positive.
    """

    shape: Sequence[Count]
    offset: bool | Sequence[Offset] | None = None
    sd: Positive = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.offset, tuple) and len(self.offset) != len(self.shape):
            raise BadInputError(
                f"shared(offset=) takes True, or one whole number from 0 (or True) for each of its {len(self.shape)} "
                f"axes, but {shown(self.offset)} was given."
            )

    def basis(self, batch: int, channels: int, size: Size) -> Basis:
        full = (batch, channels, *size)
        if len(self.shape) != len(full):
            raise BadInputError(f"{self!r} has {len(self.shape)} axes, but [batch, channels, *size] has {len(full)}.")
        if any(own > whole for own, whole in zip(self.shape[1:], full[1:], strict=True)):
            raise BadInputError(f"{self!r} is finer than the images it is added to, {list(full)}.")
        coarse = (min(self.shape[0], batch), *self.shape[1:])
        axes = zip(full, coarse, self._offsets(full, coarse), strict=True)
        weights = [_weights(length, cells, offset) for length, cells, offset in axes]
        return Shared(batch, channels, size, weights, self.sd)

    def _offsets(self, full: Size, coarse: Size) -> list[int]:
        given = self.offset if isinstance(self.offset, tuple) else (bool(self.offset),) * len(full)
        halves = [length // (2 * cells) for length, cells in zip(full, coarse, strict=True)]
        moved = [half if one is True else int(one) for one, half in zip(given, halves, strict=True)]
        if any(one > length for one, length in zip(moved, full, strict=True)):
            raise BadInputError(f"{self!r} is shifted further than the size of the images, {list(full)}.")
        return moved


class Shared(Basis):
    """The basis of `shared`: for each axis, `weights` are the interpolation weights, `[length, cells]`."""

    numbers: Tensor

    def __init__(self, batch: int, channels: int, size: Size, weights: Sequence[Tensor], sd: float) -> None:
        super().__init__(batch, channels, size)
        self.sd = sd
        self.coarse = tuple(one.shape[1] for one in weights)
        self.readers = (weights[0] > 0).T
        self.axes: dict[int, str] = {}
        for axis in reversed(range(len(weights))):  # the batch last, so that rows are interpolated once
            if not torch.equal(weights[axis], torch.eye(len(weights[axis]), dtype=torch.float64)):
                self.axes[axis] = f"weights{axis}"
                self.register_buffer(f"weights{axis}", weights[axis].float(), persistent=False)

    def fill(self, generators: Sequence[Generator]) -> None:
        """Draw each row from the generator of the first image that reads it; rows without a reader are 0."""
        rows = [torch.zeros(self.coarse[1:]) for _ in self.readers]
        for place, images in enumerate(self.readers.tolist()):
            if any(images):
                rows[place] = torch.randn(self.coarse[1:], generator=generators[images.index(True)])
        self.put("numbers", self.sd * torch.stack(rows))

    def forward(self) -> Tensor:
        pixels = self.numbers
        for axis, name in self.axes.items():
            pixels = torch.tensordot(getattr(self, name), pixels, dims=([1], [axis])).movedim(0, axis)
        return pixels

    def reads(self, name: str) -> Tensor:
        return self.readers


def _weights(length: int, cells: int, offset: int) -> Tensor:
    """Compute the interpolation weights along an axis, `[length, cells]` in float64."""
    places = ((torch.arange(length, dtype=torch.float64) + 0.5) * cells / length - 0.5).clamp(0, cells - 1)
    weights = (1 - (places[:, None] - torch.arange(cells, dtype=torch.float64)).abs()).clamp(min=0)
    order = [offset - 1 - place if place < offset else place - offset for place in range(length)]
    return weights[order]


@checked
def aligned(size: int | Size, count: Count) -> Image:
    """Create a batch of aligned images, for blending: they share coarse structure.

    It is a sum, and prints as such: each image has its own frequencies, and all share coarse grids. Objectives such as
    `alignment` and `interpolate` align them further.

    Formula: image + shared parts 2, 4, 8 and 16 times coarser that all images read, and two more, 8 and 16 times
        coarser, of two rows.
    Source: Lucid's notebook `aligned_interpolation`.

    Args:
        size: Pixels on each side, or (height, width).
        count: The number of images.

    Example:
        >>> aligned(16, 3).added[:2]
        (shared([1, 3, 8, 8]), shared([1, 3, 4, 4]))
    """
    made = image(size, batch=count)
    for rows, coarser in ALIGNED:
        made = made + _grid(size, min(rows, count), coarser)
    return made


@checked
def animation(size: int | Size, frames: Annotated[int, Within(2)]) -> Image:
    """Create a batch of the frames of an animation: each frame is close to the one before.

    It is a sum, and prints as such. All grids are coarse in time, the finest less than the others, for smooth motion.
    Frames have no parameters of their own: an optimizer would amplify them to flicker.

    Formula: a shared part as fine as the image with a row for every 2 frames, and others 2, 4 and 8 times coarser with
        a row for every 4.
    Source: lucidtorch's own, after Lucid's `lowres_tensor`.

    Args:
        size: Pixels on each side, or (height, width).
        frames: The number of frames, from 2.
    """
    made = image(size, batch=frames, spatial=_grid(size, _rows(frames, FINEST), 1))
    for spanned, coarser in ANIMATION:
        made = made + _grid(size, _rows(frames, spanned), coarser)
    return made


def _rows(frames: int, spanned: int) -> int:
    """Compute the number of rows of a grid with so many frames per row; at least two, for motion."""
    return max(2, -(-frames // spanned))


def _grid(size: int | Size, rows: int, coarser: int) -> shared:
    height, width = size_pair(size)
    return shared([rows, RGB, max(1, height // coarser), max(1, width // coarser)])
