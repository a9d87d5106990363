"""Transforms that resample: scaling, rotation, shear, perspective, and random crops."""

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
from lucidtorch.transforms.geometry import IDENTITY, Geometric, Motion, about_centre
from lucidtorch.transforms.ranges import Ranged
from lucidtorch.transforms.transform import uniform

SMALLEST, LARGEST = 0.05, 1.0  # MACO's bounds of a box's side, as shares of the image
SPREAD = 0.15  # of the centres of MACO's boxes, as a share of the image
STEEPEST = 89.0  # degrees; the matrix is singular at 90
CORNERS = ((0, 0), (1, 0), (1, 1), (0, 1))  # (x, y) in shares of the sides, clockwise from the top left


@dataclass(frozen=True, repr=False)
class scale(Ranged, Geometric):  # noqa: N801  # a word of the notation
    """Scale the image around its centre, by a random factor from a range or a list.

    The image size does not change.

    Formula: out at centre + f p = in at centre + p, f from U(low, high) or one of a list.
    Source: Lucid's `random_scale`, which draws from a list and changes the size.

    Args:
        low: The smallest factor, above 0; or a list of equally likely factors.
        high: The largest factor; None with a list.
    """

    neutral = 1.0
    least = 0.0
    most = 1000.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if 0 in (self.low, *self.choices):
            raise BadInputError(f"{self!r} would scale an image to nothing; factors are larger than 0.")

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        linear = IDENTITY * (1 + draws.numpy()[:, :, None])
        return about_centre(linear, size)


@dataclass(frozen=True, repr=False)
class rotate(Ranged, Geometric):  # noqa: N801  # a word of the notation
    """Rotate the image around its centre, by a random angle from a range or a list.

    Formula: out at centre + R(a) p = in at centre + p, a from U(low, high) or one of a list; counter-clockwise.
    Source: Lucid's `random_rotate`, which draws from a list.

    Args:
        low: The smallest angle in degrees, counter-clockwise; or a list of equally likely angles.
        high: The largest angle in degrees; None with a list.
    """

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        angle = np.deg2rad(draws.numpy()[:, 0])
        sine, cosine = np.sin(angle), np.cos(angle)
        linear = np.stack([cosine, sine, -sine, cosine], 1).reshape(-1, 2, 2)  # rows point down
        return about_centre(linear, size)


@dataclass(frozen=True, repr=False)
class shear(Ranged, Geometric):  # noqa: N801  # a word of the notation
    """Shear the image horizontally around its centre, by a random angle from a range or a list.

    Formula: out at centre + (px - tan(a) py, py) = in at centre + (px, py), a from U(low, high) or one of a list.
    Source: torchvision's and kornia's affine augmentations.

    Args:
        low: The smallest angle in degrees, up to 89, positive with the top to the right; or a list of equally likely
            angles.
        high: The largest angle in degrees; None with a list.
    """

    least = -STEEPEST
    most = STEEPEST

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        linear = np.tile(IDENTITY, (len(draws), 1, 1))
        linear[:, 0, 1] = -np.tan(np.deg2rad(draws.numpy()[:, 0]))  # rows point down
        return about_centre(linear, size)


@dataclass(frozen=True, repr=False)
class perspective(Geometric):  # noqa: N801  # a word of the notation
    """Apply a random perspective: each corner moves inwards by a share of the sides.

    Formula: the projective map that takes each corner (x, y) to (x, y) moved inwards by U(0, strength / 2) of the width
        and of the height.
    Source: torchvision's `RandomPerspective`.

    Args:
        strength: From 0, the identity, to below 1, where a corner may reach the centre.
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
    """Crop random boxes of the image and resize them to a fixed size.

    Sides and positions are shares of the image, so a box has the image's aspect ratio. Outside of the image is the
    padding of the pipeline.

    Formula: side = U(low, high) + N(0, sd), clipped to [.05, 1]; centre = N(.5, spread) on each axis, or uniform over
        the positions inside the image; the mean of low and high moves to `end` linearly over the run.
    Source: MACO (Fel et al. 2023): ``random_crop(0.5, 0.5, sd=0.05, end=0.05, views=32)``.

    Args:
        low: The shortest side of a box, as a share of the image's.
        high: The longest.
        sd: The standard deviation of the noise added to the side.
        end: The mean of `low` and `high` at the end of the run; None keeps them.
        spread: The standard deviation of the centre; None for a uniform position inside the image.
        size: The output size, one number or height and width; None for that of the image.
        views: The number of boxes per image and step.
    """

    low: Annotated[float, Within(SMALLEST, LARGEST)]
    high: Annotated[float, Within(SMALLEST, LARGEST)]
    sd: NotNegative = 0.0
    end: Annotated[float, Within(SMALLEST, LARGEST)] | None = None
    spread: NotNegative | None = SPREAD
    size: SizeLike | None = None
    views: Views = 1
    closes = True  # pixels outside a box must not reappear by later transforms

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low > self.high:
            raise BadInputError(f"random_crop(low, high) takes low <= high, but {self.low} and {self.high} were given.")
        object.__setattr__(self, "size", freeze(self.size))
        if self.size is not None:
            size_pair(self.size)

    @property
    def middle(self) -> float:
        """The mean of `low` and `high`."""
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
        """Draw one box: the offset of its centre from the image's, on both axes, and of its side from the mean."""
        uniforms = torch.rand(3, generator=generator, dtype=torch.float64)
        normals = torch.randn(3, generator=generator, dtype=torch.float64)
        side = self.low + uniforms[2] * (self.high - self.low) + self.sd * normals[2]
        side = side.clamp(SMALLEST, LARGEST)
        centre = (uniforms[:2] - 0.5) * (1 - side) if self.spread is None else self.spread * normals[:2]
        return torch.cat([centre, (side - self.middle)[None]])

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        inside = torch.tensor([float(size[-1]), float(size[-2])], dtype=torch.float64)
        height, width = self.output_size(size)[-PLANE:]
        box = (self.middle + draws[:, 2:]) * inside  # in pixels
        left = (0.5 + draws[:, :2]) * inside - box / 2
        zoom = torch.tensor([float(width), float(height)], dtype=torch.float64) / box
        matrix = torch.diag_embed(torch.cat([zoom, torch.ones(len(draws), 1, dtype=torch.float64)], 1))
        matrix[:, :2, 2] = zoom * (0.5 - left) - 0.5  # the centre of a pixel is half a pixel from its edge
        return matrix

    def output_size(self, size: Size) -> Size:
        return size if self.size is None else (*size[:-PLANE], *size_pair(self.size))
