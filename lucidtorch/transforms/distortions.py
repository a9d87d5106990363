"""Words that resample: stretching, turning, slanting and tilting the image around its centre."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from torch import Generator, Tensor

from lucidtorch.base.checks import Within
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.sizes import Size
from lucidtorch.transforms.geometric import STILL, Geometric, Motion, about_centre
from lucidtorch.transforms.numbers import uniform
from lucidtorch.transforms.ranges import Ranged

STEEPEST = 89.0  # degrees; at 90 nothing would be left of the image
CORNERS = ((0, 0), (1, 0), (1, 1), (0, 1))  # (x, y) in shares of the sides, clockwise from the top left


@dataclass(frozen=True, repr=False)
class scale(Ranged, Geometric):  # noqa: N801  # a word of the notation
    """Enlarge or shrink the image around its centre, by a factor drawn evenly from a range or a list.

    The canvas keeps its size.

    Formula: out at centre + f p = in at centre + p, f from U(low, high) or one of a list.
    Source: Lucid's `random_scale`, which draws from a list and changes the size.

    Args:
        low: The smallest factor; or a list of factors, all equally likely.
        high: The largest factor; left out with a list.

    Raises:
        BadInputError: The factors are not positive, or in the wrong order.
    """

    neutral = 1.0
    least = 0.0
    most = 1000.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if 0 in (self.low, *self.choices):
            raise BadInputError(f"{self!r} would leave nothing of an image; factors are larger than 0.")

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        linear = STILL * (1 + draws.numpy()[:, :, None])
        return about_centre(linear, size)


@dataclass(frozen=True, repr=False)
class rotate(Ranged, Geometric):  # noqa: N801  # a word of the notation
    """Turn the image around its centre, by an angle drawn evenly from a range or a list.

    Formula: out at centre + R(a) p = in at centre + p, a from U(low, high) or one of a list; counter-clockwise.
    Source: Lucid's `random_rotate`, which draws from a list.

    Args:
        low: The smallest angle in degrees, counter-clockwise; or a list of angles, all equally likely.
        high: The largest angle in degrees; left out with a list.

    Raises:
        BadInputError: The angles are in the wrong order.
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
        low: The smallest angle in degrees, the top leaning to the right; or a list of angles, all equally likely.
        high: The largest angle in degrees; left out with a list.

    Raises:
        BadInputError: The angles are in the wrong order, or beyond 89 degrees.
    """

    least = -STEEPEST
    most = STEEPEST

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        linear = np.tile(STILL, (len(draws), 1, 1))
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

    Raises:
        BadInputError: The strength is not in [0, 1).
    """

    strength: Annotated[float, Within(0, 1, below=True)]
    motion = Motion.PROJECTIVE

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        return uniform(generators, 2 * len(CORNERS)) * self.strength / 2

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        from lucidtorch.transforms.corners import corners_to  # loads kornia, which only few transforms need

        sides = torch.tensor([max(size[-1] - 1, 1), max(size[-2] - 1, 1)], dtype=torch.float64)
        corners = torch.tensor(CORNERS, dtype=torch.float64).expand(len(draws), -1, -1)
        inwards = (1 - 2 * corners) * draws.reshape(len(draws), -1, 2)
        return corners_to(corners * sides, (corners + inwards) * sides)
