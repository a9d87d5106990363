"""Words that move, mirror, cut and pad by whole pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch import Generator, Tensor

from lucidtorch.base.checks import Share
from lucidtorch.base.errors import BadInputError, SizeError
from lucidtorch.base.sizes import PLANE, Distance, Side, Size, size_text
from lucidtorch.transforms.geometric import UNCHANGED, Geometric, Motion, about_centre, shifts
from lucidtorch.transforms.transform import GREY, MIRROR, Outside, uniform

OddCut: TypeAlias = Literal["end", "start"]
CONSTANT, RANDOM = "constant", "random"


@dataclass(frozen=True, repr=False)
class jitter(Geometric):  # noqa: N801  # a word of the notation
    """Shift the image by whole pixels, a different way at every step.

    Each axis moves by one of the ``pixels + 1`` steps around 0, all equally likely: -4 ... 4 for 8, as Lucid's random
    crop does. The canvas keeps its size.

    Formula: out[y, x] = in[y - dy, x - dx], where dx and dy are each one of -(pixels // 2) ... pixels - pixels // 2.
    Source: Lucid's `jitter`, without making the image smaller.

    Args:
        pixels: The width of the range of shifts.

    Raises:
        BadInputError: The width is no whole number from 0.
    """

    pixels: Distance
    motion = Motion.WHOLE

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        return _whole_shifts(generators, self.pixels)

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        return shifts(draws)


@dataclass(frozen=True, repr=False)
class flip(Geometric):  # noqa: N801  # a word of the notation
    """Mirror the image, left to right or top to bottom, as often as said.

    Formula: out[y, x] = in[y, W - 1 - x], or in[H - 1 - y, x], with the probability given; else the image as it is.
    Source: the last step of Xplique's standard pipeline.

    Args:
        probability: How often, from 0 to 1.
        vertical: Whether top and bottom change places instead of left and right.

    Raises:
        BadInputError: The probability is not in [0, 1].
    """

    probability: Share = 0.5
    vertical: bool = False
    motion = Motion.WHOLE

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        return (uniform(generators, 1) < self.probability).double()

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        linear = np.tile(UNCHANGED, (len(draws), 1, 1))
        axis = int(self.vertical)
        linear[:, axis, axis] = 1 - 2 * draws.numpy()[:, 0]
        return about_centre(linear, size)


@dataclass(frozen=True, repr=False)
class crop(Geometric):  # noqa: N801  # a word of the notation
    """Cut a window out of the image, smaller by some pixels, at a place that differs from step to step.

    Formula: out[y, x] = in[y + dy, x + dx], where dx and dy are each one of 0 ... pixels, and the sides are `pixels`
        shorter.
    Source: Lucid's `jitter`, exactly: a random crop.

    Args:
        pixels: How much shorter both sides become.

    Raises:
        BadInputError: It is no whole number from 0.
        SizeError: Nothing would be left of an image.
    """

    pixels: Distance
    closes = True  # what it cuts off is gone: nothing that follows may bring it back
    motion = Motion.WHOLE

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        return _whole_shifts(generators, self.pixels)

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        return shifts(-(self.pixels // 2 + draws))

    def output_size(self, size: Size) -> Size:
        plane = tuple(side - self.pixels for side in size[-PLANE:])
        if min(plane) < 1:
            raise SizeError(f"{self!r} leaves nothing of an image of {size_text(size)}; cut off less.")
        return (*size[:-PLANE], *plane)


@dataclass(frozen=True, repr=False)
class crop_or_pad_to(Geometric):  # noqa: N801  # a word of the notation
    """Bring the image to a fixed size by cutting or padding it evenly on all sides.

    Formula: out[y, x] = in[y - dy, x - dx], and outside of it what the pad says; dy is (height - H) / 2 and dx is
        (width - W) / 2, both rounded toward 0.
    Source: Lucid's `crop_or_pad_to`, and TensorFlow's `resize_with_crop_or_pad` beneath it.

    Args:
        height: The height that comes out.
        width: The width that comes out.
        odd_cut: The side, top and left (``start``) or bottom and right (``end``), from which one pixel more is cut
            where an odd number of pixels is too many. Version 0.1.0 cut at the start.

    Raises:
        BadInputError: A size is no whole number from 1, or there is no such side.
    """

    height: Side
    width: Side
    odd_cut: OddCut = field(default="end", kw_only=True)
    fusion = ""  # what it cuts off is gone: nothing that follows may bring it back
    motion = Motion.WHOLE

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        row, column = self._offset(self.height - size[-2]), self._offset(self.width - size[-1])
        return shifts(torch.tensor([[float(column), float(row)]], dtype=torch.float64).expand(len(draws), 2))

    def _offset(self, missing: int) -> int:
        cut_at_end = missing < 0 and self.odd_cut == "end"
        return -(-missing // 2) if cut_at_end else missing // 2

    def output_size(self, size: Size) -> Size:
        return (*size[:-PLANE], self.height, self.width)


@dataclass(frozen=True, repr=False)
class pad(Geometric):  # noqa: N801  # a word of the notation
    """Put a border around the image, so that the network sees more than the picture.

    It also says what lies beyond the edge of everything that later transforms move: nothing is ever black.

    Formula: a border of `pixels` on each side, of `value`, the mirror image (the edge not repeated), or one grey from
        U(0, 1) per image and step.
    Source: Lucid's `pad`, whose modes are a number, "REFLECT" and "uniform".

    Args:
        pixels: The width of the border on every side.
        value: What stands in a constant border; 0.5 is grey.
        mode: ``constant``, ``reflect`` or ``random``.

    Raises:
        BadInputError: The width is no whole number from 0, or there is no such mode.
    """

    pixels: Distance
    value: float = GREY
    mode: Literal["constant", "reflect", "random"] = "constant"
    motion = Motion.WHOLE

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mode != CONSTANT and self.value != GREY:
            raise BadInputError(f"pad(value=) is for a constant border; with mode={self.mode!r} leave it out.")

    @property
    def fill(self) -> float:
        """The value of the border; grey where it is no one value."""
        return float(self.value)

    def outside(self, draws: Tensor) -> Outside:
        if self.mode == RANDOM:
            return GREY + draws[:, 0]
        return MIRROR if self.mode == MIRROR else self.fill

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        return uniform(generators, 1) - GREY if self.mode == RANDOM else super().sample(shape, generators)

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        return shifts(torch.full((len(draws), 2), float(self.pixels), dtype=torch.float64))

    def output_size(self, size: Size) -> Size:
        return (*size[:-PLANE], *(side + 2 * self.pixels for side in size[-PLANE:]))


def _whole_shifts(generators: Sequence[Generator], pixels: int) -> Tensor:
    """Draw a shift on both axes, one of `pixels` + 1 whole numbers around 0."""
    return (uniform(generators, 2) * (pixels + 1)).floor() - pixels // 2
