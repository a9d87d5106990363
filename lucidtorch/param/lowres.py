"""Parts of low resolution: numbers that neighbouring pixels, channels or images share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import torch
from torch import Generator, Tensor, nn

from lucidtorch.base.checks import Count, Positive, Within
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import Size
from lucidtorch.param.basis import Basis
from lucidtorch.param.part import Part

Offset: TypeAlias = bool | Annotated[int, Within(0)]


@dataclass(frozen=True, repr=False)
class shared(Part):  # noqa: N801  # a word of the notation
    """A coarse array over images, channels and sides, enlarged linearly: what is coarse is shared by neighbours.

    Images that read the same rows of it are drawn to each other, so that they can be blended or played as a film. It is
    meant to be added: `image(128, batch=6) + shared([1, 3, 16, 16])`.

    Formula: the array, enlarged linearly along each axis with cell centres kept (an axis of equal size stays as it is),
        moved on by the offset with its beginning mirrored; at the start N(0, sd ** 2).
    Source: Lucid's `lowres_tensor`; enlarged as torch does it, symmetric about the middle.

    Args:
        shape: Its size along [batch, channels, *size], each at most that of the images. Of the first, no more rows are
            made than there are images.
        offset: How far it is moved along each axis, in images, channels and pixels: none, or True for half a cell along
            all axes, or one of these numbers or True or False per axis.
        sd: The standard deviation of the numbers at the start.

    Raises:
        BadInputError: A size or an offset is none, or the deviation is not positive.
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
        return Shared(batch, channels, size, coarse, weights, self.sd)

    def _offsets(self, full: Sequence[int], coarse: Sequence[int]) -> list[int]:
        given = self.offset if isinstance(self.offset, tuple) else (bool(self.offset),) * len(full)
        halves = [length // (2 * cells) for length, cells in zip(full, coarse, strict=True)]
        moved = [half if one is True else int(one) for one, half in zip(given, halves, strict=True)]
        if any(one > length for one, length in zip(moved, full, strict=True)):
            raise BadInputError(f"{self!r} is moved further than the images {list(full)} reach.")
        return moved


class Shared(Basis):
    """The basis of `shared`: along each axis, what comes out is a weighted sum of what is there.

    Args:
        batch: The number of images.
        channels: The number of channels.
        size: The sides in pixels.
        coarse: The shape of the numbers.
        weights: Per axis, how much each place reads of each cell, `[length, cells]`.
        sd: The standard deviation of the numbers at the start.
    """

    numbers: nn.Parameter

    def __init__(
        self, batch: int, channels: int, size: Size, coarse: Size, weights: Sequence[Tensor], sd: float
    ) -> None:
        super().__init__(batch, channels, size)
        self.coarse = coarse
        self.sd = sd
        self.readers = (weights[0] > 0).T
        self.axes: dict[int, str] = {}
        for axis in reversed(range(len(weights))):  # the batch last: nothing is enlarged twice
            if not torch.equal(weights[axis], torch.eye(len(weights[axis]), dtype=torch.float64)):
                self.axes[axis] = f"weights{axis}"
                self.register_buffer(f"weights{axis}", weights[axis].float(), persistent=False)
        self.register_parameter("numbers", None)

    def fill(self, generators: Sequence[Generator]) -> None:
        """Draw each row from the generator of the first image that reads it; what none reads is 0."""
        rows = [torch.zeros(self.coarse[1:]) for _ in self.readers]
        for place, images in enumerate(self.readers.tolist()):
            if any(images):
                rows[place] = torch.randn(self.coarse[1:], generator=generators[images.index(True)])
        self.put("numbers", self.sd * torch.stack(rows))

    def forward(self) -> Tensor:
        pixels: Tensor = self.numbers
        for axis, name in self.axes.items():
            pixels = torch.tensordot(getattr(self, name), pixels, dims=([1], [axis])).movedim(0, axis)
        return pixels

    def reads(self, name: str) -> Tensor:
        return self.readers


def _weights(length: int, cells: int, offset: int) -> Tensor:
    """How much each place along an axis reads of each cell, `[length, cells]` in float64."""
    places = ((torch.arange(length, dtype=torch.float64) + 0.5) * cells / length - 0.5).clamp(0, cells - 1)
    weights = (1 - (places[:, None] - torch.arange(cells, dtype=torch.float64)).abs()).clamp(min=0)
    order = [offset - 1 - place if place < offset else place - offset for place in range(length)]
    return weights[order]
