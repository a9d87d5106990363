"""Constraints that clear the pixels which matter least."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from torch import Tensor

from lucidtorch.base.checks import Within
from lucidtorch.base.errors import BadInputError
from lucidtorch.constraints.constraint import Constraint, Moment

WHOLE = 100  # per cent


@dataclass(frozen=True, repr=False)
class Clearing(Constraint):
    """A constraint that sets the pixels of the smallest importance to the model's mean colour.

    Args:
        percentile: Pixels whose importance lies below this percentile of their image are cleared, from 0 (none) to 100
            (all but those of the largest).

    Raises:
        BadInputError: The percentile is no number from 0 to 100.
    """

    percentile: Annotated[float, Within(0, WHOLE)]

    @abstractmethod
    def importance(self, images: Tensor, moment: Moment) -> Tensor:
        """Say how much each pixel matters."""

    def apply(self, images: Tensor, moment: Moment) -> Tensor:
        zero = moment.zero_of(images)
        importance = self.importance(images - zero, moment)
        border = torch.stack([_percentile(one, self.percentile) for one in importance])
        return torch.where(importance < border.reshape(-1, *(1 for _ in images.shape[1:])), zero, images)


@dataclass(frozen=True, repr=False)
class clip_norm(Clearing):  # noqa: N801  # a word of the notation
    """Clear the pixels whose colour is close to the model's mean colour: what is faint goes, what is strong stays.

    Formula: x' = zero where n < percentile(n), else x; n = sqrt(sum over channels of (x - zero)²), per pixel.
    Source: Yosinski et al. 2015, clipping pixels with small norm (the toolbox's `small_norm_percentile`).

    Args:
        percentile: The share of pixels that is cleared, in per cent; the toolbox's presets have 20 and 50.

    Raises:
        BadInputError: The percentile is no number from 0 to 100.
    """

    def importance(self, images: Tensor, moment: Moment) -> Tensor:
        norms: Tensor = torch.linalg.vector_norm(images, dim=1, keepdim=True)
        return norms


@dataclass(frozen=True, repr=False)
class clip_contribution(Clearing):  # noqa: N801  # a word of the notation
    """Clear the pixels that the objective would hardly miss.

    The change that clearing a pixel would make is predicted from the gradient before the step and the image after it.
    Only its size counts, not its sign.

    Formula: x' = zero where c < percentile(c), else x; c = abs(sum over channels of gradient * (zero - x)), per pixel.
    Source: Yosinski et al. 2015, clipping pixels with small contribution (the toolbox's `px_abs_benefit_percentile`).

    Args:
        percentile: The share of pixels that is cleared, in per cent; the toolbox's preset has 90.

    Raises:
        BadInputError: The percentile is no number from 0 to 100.
    """

    needs_gradient: ClassVar[bool] = True

    def importance(self, images: Tensor, moment: Moment) -> Tensor:
        if moment.gradient is None:
            raise BadInputError(f"{self!r} needs the gradient to the images, and its moment has none.")
        return (moment.gradient * images).sum(1, keepdim=True).abs()


def _percentile(values: Tensor, percentile: float) -> Tensor:
    """Find a percentile of one image's values, with a straight line between neighbours, as numpy's."""
    ordered = values.flatten().sort().values
    place = percentile / WHOLE * (len(ordered) - 1)
    lower = int(place)
    upper = min(lower + 1, len(ordered) - 1)
    return torch.lerp(ordered[lower], ordered[upper], place - lower)
