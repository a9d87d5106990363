"""Transforms by whole pixels: shifts, flips, crops and padding."""

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
from lucidtorch.transforms.geometric import IDENTITY, Geometric, Motion, about_centre, shifts
from lucidtorch.transforms.transform import GREY, MIRROR, Outside, uniform

OddCut: TypeAlias = Literal["end", "start"]
CONSTANT, RANDOM = "constant", "random"


@dataclass(frozen=True, repr=False)
class jitter(Geometric):  # noqa: N801  # a word of the notation
    """Shift the image by a random number of whole pixels.

    The shift of each axis is one of ``pixels + 1`` equally likely numbers around 0: -4 ... 4 for 8, as in Lucid's
    random crop. The image size does not change.

    Formula: out[y, x] = in[y - dy, x - dx], where dx and dy are each one of -(pixels // 2) ... pixels - pixels // 2.
    Source: Lucid's `jitter`, without the smaller size.

    Args:
        pixels: The width of the range of shifts.
    """

    pixels: Distance
    motion = Motion.WHOLE

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        return _whole_shifts(generators, self.pixels)

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        return shifts(draws)


@dataclass(frozen=True, repr=False)
class flip(Geometric):  # noqa: N801  # a word of the notation
    """Flip the image horizontally or vertically with a probability.

    Formula: out[y, x] = in[y, W - 1 - x], or in[H - 1 - y, x], with the probability given; else the image as it is.
    Source: the last step of Xplique's standard pipeline.

    Args:
        probability: The probability of a flip, from 0 to 1.
        vertical: Whether to flip vertically.
    """

    probability: Share = 0.5
    vertical: bool = False
    motion = Motion.WHOLE

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        return (uniform(generators, 1) < self.probability).double()

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        linear = np.tile(IDENTITY, (len(draws), 1, 1))
        axis = int(self.vertical)
        linear[:, axis, axis] = 1 - 2 * draws.numpy()[:, 0]
        return about_centre(linear, size)


@dataclass(frozen=True, repr=False)
class crop(Geometric):  # noqa: N801  # a word of the notation
    """Crop the image at a random position, smaller by some pixels.

    Formula: out[y, x] = in[y + dy, x + dx], where dx and dy are each one of 0 ... pixels, and the sides are `pixels`
        shorter.
    Source: Lucid's `jitter`, exactly: a random crop.

    Args:
        pixels: The difference of both sides in pixels.

    Raises:
        SizeError: The cropped image would be empty.
    """

    pixels: Distance
    closes = True  # cropped pixels must not reappear by later transforms
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
    """Crop or pad the image to a fixed size, evenly on all sides.

    Formula: out[y, x] = in[y - dy, x - dx], and outside of it the padding; dy is (height - H) / 2 and dx is
        (width - W) / 2, both rounded toward 0.
    Source: Lucid's `crop_or_pad_to`, and TensorFlow's `resize_with_crop_or_pad` beneath it.

    Args:
        height: The output height.
        width: The output width.
        odd_cut: The side, top and left (``start``) or bottom and right (``end``), from which one pixel more is cropped
            if their number is odd. Version 0.1.0 cropped at the start.
    """

    height: Side
    width: Side
    odd_cut: OddCut = field(default="end", kw_only=True)
    fusion = ""  # cropped pixels must not reappear by later transforms
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
    """Pad the image with a border.

    Later transforms use the same padding outside of the image.

    Formula: a border of `pixels` on each side, of `value`, the mirror image (the edge not repeated), or one grey from
        U(0, 1) per image and step.
    Source: Lucid's `pad`, whose modes are a number, "REFLECT" and "uniform".

    Args:
        pixels: The width of the border on every side.
        value: The value of a constant border; 0.5 is grey.
        mode: ``constant``, ``reflect`` or ``random``.
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
        """The value of the border; grey if it is not one value."""
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
