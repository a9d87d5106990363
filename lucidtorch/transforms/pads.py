"""Borders: what stands around the image, and beyond the edge of all that later transforms move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Generator, Tensor

from lucidtorch.base.errors import BadInputError
from lucidtorch.base.sizes import PLANE, Distance, Size
from lucidtorch.transforms.geometric import Geometric, Motion, shifts
from lucidtorch.transforms.numbers import uniform
from lucidtorch.transforms.transform import GREY, MIRROR, Outside

CONSTANT, RANDOM = "constant", "random"


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
        if self.mode == RANDOM:
            return uniform(generators, 1) - GREY
        return torch.zeros(len(generators), 0, dtype=torch.float64)

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        return shifts(torch.full((len(draws), 2), float(self.pixels), dtype=torch.float64))

    def output_size(self, size: Size) -> Size:
        return (*size[:-PLANE], *(side + 2 * self.pixels for side in size[-PLANE:]))
