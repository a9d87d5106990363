"""What repeats in a picture: the correlation with its own shifted self, and the shift at which that is highest."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from lucidtorch.analysis.picture_values import centred
from lucidtorch.base.checks import Picture, Plane, checked

LOBE = 0.1  # of the correlation: what hangs together above it round the middle is the picture's own grain


@dataclass(frozen=True)
class Repeat:
    """The shift at which a picture is most like itself again.

    Args:
        height: How alike, as a correlation; 1 for an exact repetition.
        down: The shift in rows.
        across: The shift in columns.
    """

    height: float
    down: int
    across: int

    @property
    def distance(self) -> float:
        """The length of the shift in pixels."""
        return math.hypot(self.down, self.across)


@checked
def autocorrelation(image: Picture) -> Tensor:
    """Compute how alike a picture and its shifted self are, for shifts of up to half of each side.

    Formula: at the shift s, the sum of x(p) · x(p + s) over all channels and all p of which both lie in the picture, by
        the sum of x², with x less its mean per channel. So a shift by a part of a side cannot come nearer to 1 than by
        the rest of it, and of equal repeats the nearest is the highest.

    Args:
        image: `[C, H, W]`.

    Returns:
        `[2 (H // 2) + 1, 2 (W // 2) + 1]` in float64, with 1 for no shift in the middle; zeros for an even picture.

    Raises:
        BadInputError: It is no picture `[C, H, W]`.
    """
    values = centred(image)
    sides = values.shape[-2:]
    spectrum = torch.fft.rfft2(values, s=tuple(2 * side for side in sides)).abs().square().sum(0)
    sums = torch.fft.irfft2(spectrum, s=tuple(2 * side for side in sides))
    shifts = [torch.arange(-(side // 2), side // 2 + 1) for side in sides]
    found = sums[shifts[0]][:, shifts[1]]
    whole = found[sides[0] // 2, sides[1] // 2]
    return found / whole if float(whole) > 0 else torch.zeros_like(found)


@checked
def strongest_repeat(correlation: Plane) -> Repeat | None:
    """Find the shift at which a picture is most like itself again.

    The lobe in the middle is left out: all shifts that hang together with no shift through correlations above 0.1.
    Small chance peaks are in every picture, so compare with what a photograph has.

    Args:
        correlation: `[h, w]`, odd sides, from `autocorrelation`.

    Returns:
        The shift to the right or straight down; None where nothing outside the lobe is above 0.1.
    """
    middle = [side // 2 for side in correlation.shape]
    outside = torch.where(_lobe(correlation), -math.inf, correlation)
    outside[: middle[0], :] = -math.inf  # a shift and its opposite are one
    outside[middle[0], : middle[1]] = -math.inf
    place = int(outside.argmax())
    row, column = divmod(place, outside.shape[1])
    height = float(outside[row, column])
    return Repeat(height, row - middle[0], column - middle[1]) if height > LOBE else None


def _lobe(correlation: Tensor) -> Tensor:
    """Grow from the middle through all neighbours above the level, until nothing is added."""
    above = correlation > LOBE
    grown = torch.zeros_like(above)
    grown[correlation.shape[0] // 2, correlation.shape[1] // 2] = True
    while True:
        wider = (F.max_pool2d(grown[None].float(), 3, stride=1, padding=1)[0] > 0) & above | grown
        if bool((wider == grown).all()):
            return grown
        grown = wider
