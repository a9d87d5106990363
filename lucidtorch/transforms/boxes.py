"""Random boxes of the image, enlarged: one step may look at several."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Generator, Tensor

from lucidtorch.base.checks import NotNegative, Within
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.notation import freeze
from lucidtorch.base.sizes import PLANE, Size, SizeLike, Views, size_pair
from lucidtorch.transforms.geometric import Geometric

SMALLEST, LARGEST = 0.05, 1.0  # MACO's bounds of a box's side, as shares of the image
SPREAD = 0.15  # of the centres of MACO's boxes, as a share of the image


@dataclass(frozen=True, repr=False)
class random_crop(Geometric):  # noqa: N801  # a word of the notation
    """Cut a random box out of the image and bring it to a fixed size, as often per step as said.

    Sides and places are shares of the image, so a box has the image's proportions. A box that reaches beyond the image
    sees what the pipeline's pad says.

    Formula: side = U(low, high) + N(0, sd), held in [.05, 1]; centre = N(.5, spread) on each axis, or evenly wherever
        the box lies inside; the middle of low and high goes to `end` linearly over the run.
    Source: MACO (Fel et al. 2023): ``random_crop(0.5, 0.5, sd=0.05, end=0.05, views=32)``.

    Args:
        low: The shortest side of a box, as a share of the image's.
        high: The longest.
        sd: The standard deviation of what is added to the side.
        end: Where the middle of `low` and `high` is at the end of the run; None leaves them as they are.
        spread: The standard deviation of the centre; None for any place inside the image, all equally likely.
        size: The size that comes out, one number or height and width; None for that of the image.
        views: How many boxes of each image one step looks at.

    Raises:
        BadInputError: A side is not in [.05, 1], or another number does not fit.
    """

    low: Annotated[float, Within(SMALLEST, LARGEST)]
    high: Annotated[float, Within(SMALLEST, LARGEST)]
    sd: NotNegative = 0.0
    end: Annotated[float, Within(SMALLEST, LARGEST)] | None = None
    spread: NotNegative | None = SPREAD
    size: SizeLike | None = None
    views: Views = 1
    closes = True  # what lies beyond a box is gone

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low > self.high:
            raise BadInputError(f"random_crop(low, high) takes low <= high, but {self.low} and {self.high} were given.")
        object.__setattr__(self, "size", freeze(self.size))
        if self.size is not None:
            size_pair(self.size)

    @property
    def middle(self) -> float:
        """The middle of the range of sides."""
        return (self.low + self.high) / 2

    def at(self, progress: float) -> random_crop:
        if self.end is None:
            return self
        shift = progress * (self.end - self.middle)
        low, high = (min(max(one + shift, SMALLEST), LARGEST) for one in (self.low, self.high))
        return dataclasses.replace(self, low=low, high=high, end=None)

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        return torch.stack([self._box(one) for one in generators])

    def _box(self, generator: Generator) -> Tensor:
        """Draw one box: how far its centre is from the image's, on both axes, and its side from the middle."""
        even = torch.rand(3, generator=generator, dtype=torch.float64)
        normal = torch.randn(3, generator=generator, dtype=torch.float64)
        side = self.low + even[2] * (self.high - self.low) + self.sd * normal[2]
        side = side.clamp(SMALLEST, LARGEST)
        centre = (even[:2] - 0.5) * (1 - side) if self.spread is None else self.spread * normal[:2]
        return torch.cat([centre, (side - self.middle)[None]])

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        inside = torch.tensor([float(size[-1]), float(size[-2])], dtype=torch.float64)
        height, width = self.output_size(size)[-PLANE:]
        box = (self.middle + draws[:, 2:]) * inside  # in pixels
        left = (0.5 + draws[:, :2]) * inside - box / 2
        zoom = torch.tensor([float(width), float(height)], dtype=torch.float64) / box
        matrix = torch.diag_embed(torch.cat([zoom, torch.ones(len(draws), 1, dtype=torch.float64)], 1))
        matrix[:, :2, 2] = zoom * (0.5 - left) - 0.5  # a pixel's centre is half a pixel from its edge
        return matrix

    def output_size(self, size: Size) -> Size:
        return size if self.size is None else (*size[:-PLANE], *size_pair(self.size))
