"""Constraints that keep images within a distance of a centre."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lucidtorch.base.arrays import Array, ArrayLike
from lucidtorch.base.checks import NotNegative
from lucidtorch.base.errors import ImageError
from lucidtorch.constraints.constraint import Constraint, Moment


@dataclass(frozen=True, repr=False)
class Ball(Constraint):
    """A constraint that keeps every image within a distance of a centre.

    Args:
        radius: The largest distance, from 0.
        centre: The images that they stay near, `[C, *size]`, or `[B, C, *size]` for one each, in [0, 1]; the model's
            mean colour where None.

    Raises:
        BadInputError: The radius is no number from 0.
        ImageError: The centre leaves [0, 1].
    """

    radius: NotNegative
    centre: ArrayLike | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.centre is not None:
            object.__setattr__(self, "centre", _checked(self.centre, type(self).__name__))

    @abstractmethod
    def projected(self, offsets: Tensor) -> Tensor:
        """Bring offsets from the centre into the ball."""

    def apply(self, images: Tensor, moment: Moment) -> Tensor:
        centre = self._centre(images, moment)
        return (centre + self.projected(images - centre)).clamp(0, 1)

    def check(self, shape: Sequence[int]) -> None:
        wanted = tuple(shape)
        if isinstance(self.centre, Array) and self.centre.shape not in (wanted, wanted[1:], (1, *wanted[1:])):
            raise ImageError(
                f"{type(self).__name__}(centre=) is {list(self.centre.shape)} and the images are {list(wanted)}; "
                f"give {list(wanted[1:])}, or one such per image."
            )

    def _centre(self, images: Tensor, moment: Moment) -> Tensor:
        if not isinstance(self.centre, Array):
            return moment.zero_of(images)
        self.check(images.shape)
        return self.centre.tensor(images).expand_as(images)


@dataclass(frozen=True, repr=False)
class l2_ball(Ball):  # noqa: N801  # a word of the notation
    """Stay within a Euclidean distance of a picture, over all its pixels and channels.

    Formula: x' = centre + (x - centre) * min(1, radius / n); n = sqrt(sum of (x - centre)²), per image.
    Source: projected gradient ascent on the L2 ball (Madry et al. 2018).

    Args:
        radius: The largest distance, from 0, of images in [0, 1]; a difference of d in each of n numbers is d sqrt(n).
        centre: The images that they stay near, `[C, *size]`, or `[B, C, *size]` for one each, in [0, 1]; the model's
            mean colour where None. Start from the same with `image(..., init=...)`.

    Raises:
        BadInputError: The radius is no number from 0.
        ImageError: The centre leaves [0, 1].
    """

    def projected(self, offsets: Tensor) -> Tensor:
        norms = torch.linalg.vector_norm(offsets.flatten(1), dim=1)
        factors = torch.where(norms > self.radius, self.radius / norms, 1)
        return offsets * factors.reshape(-1, *(1 for _ in offsets.shape[1:]))


@dataclass(frozen=True, repr=False)
class linf_ball(Ball):  # noqa: N801  # a word of the notation
    """Change no number of a picture by more than a radius.

    Formula: x' = min(max(x, centre - radius), centre + radius).
    Source: projected gradient ascent on the L-infinity ball (Madry et al. 2018).

    Args:
        radius: The largest difference, from 0, of images in [0, 1]; 8 / 255 is eight steps of an 8-bit picture.
        centre: The images that they stay near, `[C, *size]`, or `[B, C, *size]` for one each, in [0, 1]; the model's
            mean colour where None. Start from the same with `image(..., init=...)`.

    Raises:
        BadInputError: The radius is no number from 0.
        ImageError: The centre leaves [0, 1].
    """

    def projected(self, offsets: Tensor) -> Tensor:
        return offsets.clamp(-self.radius, self.radius)


def _checked(centre: ArrayLike, name: str) -> Array:
    picture = Array.of(centre)
    low, high = picture.span
    if len(picture.shape) < 3 or low < 0 or high > 1:
        raise ImageError(
            f"{name}(centre=) takes images [C, *size] or [B, C, *size] in [0, 1], but {list(picture.shape)} from "
            f"{low:.3g} to {high:.3g} was given."
        )
    return picture
