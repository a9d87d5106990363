"""Words that resample: stretching, turning, slanting and tilting the image, and enlarging boxes of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from torch import Generator, Tensor

from lucidtorch.base.checks import NotNegative, Within
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.notation import freeze
from lucidtorch.base.sizes import PLANE, Size, SizeLike, Views, size_pair
from lucidtorch.transforms.geometry import UNCHANGED, Geometric, Motion, about_centre
from lucidtorch.transforms.ranges import Ranged
from lucidtorch.transforms.transform import uniform

SMALLEST, LARGEST = 0.05, 1.0  # MACO's bounds of a box's side, as shares of the image
SPREAD = 0.15  # of the centres of MACO's boxes, as a share of the image
STEEPEST = 89.0  # degrees; at 90 nothing would be left of the image
CORNERS = ((0, 0), (1, 0), (1, 1), (0, 1))  # (x, y) in shares of the sides, clockwise from the top left


@dataclass(frozen=True, repr=False)
class scale(Ranged, Geometric):  # noqa: N801  # a word of the notation
    """Enlarge or shrink the image around its centre, by a factor drawn evenly from a range or a list.

    The canvas keeps its size.

    Formula: out at centre + f p = in at centre + p, f from U(low, high) or one of a list.
    Source: Lucid's `random_scale`, which draws from a list and changes the size.

    Args:
        low: The smallest factor, above 0; or a list of factors, all equally likely.
        high: The largest factor; left out with a list.
    """

    neutral = 1.0
    least = 0.0
    most = 1000.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if 0 in (self.low, *self.choices):
            raise BadInputError(f"{self!r} would leave nothing of an image; factors are larger than 0.")

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        linear = UNCHANGED * (1 + draws.numpy()[:, :, None])
        return about_centre(linear, size)


@dataclass(frozen=True, repr=False)
class rotate(Ranged, Geometric):  # noqa: N801  # a word of the notation
    """Turn the image around its centre, by an angle drawn evenly from a range or a list.

    Formula: out at centre + R(a) p = in at centre + p, a from U(low, high) or one of a list; counter-clockwise.
    Source: Lucid's `random_rotate`, which draws from a list.

    Args:
        low: The smallest angle in degrees, counter-clockwise; or a list of angles, all equally likely.
        high: The largest angle in degrees; left out with a list.
    """

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        angle = np.deg2rad(draws.numpy()[:, 0])
        sine, cosine = np.sin(angle), np.cos(angle)
        linear = np.stack([cosine, sine, -sine, cosine], 1).reshape(-1, 2, 2)  # rows point down
        return about_centre(linear, size)


@dataclass(frozen=True, repr=False)
class shear(Ranged, Geometric):  # noqa: N801  # a word of the notation
    """Slant the image sideways around its centre, by an angle drawn evenly from a range or a list.

    Formula: out at centre + (px - tan(a) py, py) = in at centre + (px, py), a from U(low, high) or one of a list.
    Source: torchvision's and kornia's affine augmentations.

    Args:
        low: The smallest angle in degrees, to 89, the top leaning right; or a list of angles, all equally likely.
        high: The largest angle in degrees; left out with a list.
    """

    least = -STEEPEST
    most = STEEPEST

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        linear = np.tile(UNCHANGED, (len(draws), 1, 1))
        linear[:, 0, 1] = -np.tan(np.deg2rad(draws.numpy()[:, 0]))  # rows point down
        return about_centre(linear, size)


@dataclass(frozen=True, repr=False)
class perspective(Geometric):  # noqa: N801  # a word of the notation
    """Look at the image from a slant: each of its corners moves inwards by a share of the sides.

    Formula: the projective map that takes each corner (x, y) to (x, y) moved inwards by U(0, strength / 2) of the width
        and of the height.
    Source: torchvision's `RandomPerspective`.

    Args:
        strength: From 0, which changes nothing, to below 1, where a corner may reach the middle.
    """

    strength: Annotated[float, Within(0, 1, below=True)]
    motion = Motion.PROJECTIVE

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        return uniform(generators, 2 * len(CORNERS)) * self.strength / 2

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        from kornia.geometry.transform import get_perspective_transform  # loads kornia, which few transforms need

        sides = torch.tensor([max(size[-1] - 1, 1), max(size[-2] - 1, 1)], dtype=torch.float64)
        corners = torch.tensor(CORNERS, dtype=torch.float64).expand(len(draws), -1, -1)
        inwards = (1 - 2 * corners) * draws.reshape(len(draws), -1, 2)
        found: Tensor = get_perspective_transform(corners * sides, (corners + inwards) * sides)
        return found


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
