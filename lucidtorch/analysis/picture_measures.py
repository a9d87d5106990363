"""Measures of a picture: its values and colours, its spectrum, and what repeats in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor

from lucidtorch.base.checks import Picture, Plane, Within, checked

NEAR = 0.05  # of a bound, of the whole range
COLOURS = 3
LEAST_SIDE = 4  # pixels, for a spectrum to have a slope
LOBE = 0.1  # of the correlation: what hangs together above it round the middle is the picture's own grain
EVEN = 1e-9  # what rounding leaves of an even picture when its mean is taken away


@checked
def histogram(image: Picture, bins: Annotated[int, Within(1, 65536)] = 64) -> Tensor:
    """Count how often each value stands in a picture.

    Args:
        image: `[C, H, W]` in [0, 1].
        bins: How many equal parts [0, 1] is cut into; 1 itself falls into the last.

    Returns:
        `[C, bins]` in float64: shares that add up to 1 for each channel.

    Raises:
        BadInputError: It is no picture `[C, H, W]`, or there are no bins.
    """
    places = (image.detach().cpu().double() * bins).long().clamp(0, bins - 1).flatten(1)
    counts = torch.stack([torch.bincount(channel, minlength=bins) for channel in places])
    return counts.double() / places.shape[1]


@checked
def extreme_share(image: Picture, margin: float = NEAR) -> float:
    """Say how much of a picture is nearly as dark or as bright as can be.

    Args:
        image: `[C, H, W]` in [0, 1].
        margin: How near to 0 or 1 that is.

    Returns:
        The share of its numbers that are at most `margin` from 0 or from 1.

    Raises:
        BadInputError: It is no picture `[C, H, W]`.
    """
    values = image.double()
    return float(((values <= margin) | (values >= 1 - margin)).double().mean())


@checked
def saturation(image: Picture) -> float:
    """Say how far a picture's colours are from grey.

    Formula: the mean over pixels of (largest - smallest) / largest of the three colours, 0 for black: the saturation of
        the HSV colours.

    Args:
        image: `[3, H, W]` in [0, 1]; any picture of other channels counts as grey.

    Returns:
        From 0 to 1.

    Raises:
        BadInputError: It is no picture `[C, H, W]`.
    """
    if len(image) != COLOURS:
        return 0.0
    high, low = image.double().amax(0), image.double().amin(0)
    return float(torch.where(high > 0, (high - low) / high.clamp(min=torch.finfo(high.dtype).tiny), 0).mean())


@checked
def power_spectrum(image: Picture) -> Tensor:
    """Compute how strong each frequency of a picture is, all its channels together.

    Formula: sum over channels of |FFT(x - mean of x)|^2, with the frequency 0 in the middle.

    Args:
        image: `[C, H, W]`.

    Returns:
        `[H, W]` in float64; row y stands for (y - H // 2) / H cycles per pixel, and columns likewise.

    Raises:
        BadInputError: It is no picture `[C, H, W]`.
    """
    found = torch.fft.fft2(centred(image)).abs().square().sum(0)
    shifted: Tensor = torch.fft.fftshift(found)
    return shifted


@checked
def radial_spectrum(image: Picture) -> tuple[Tensor, Tensor]:
    """Compute how strong waves of each length are, whatever their direction.

    Formula: the mean of the power spectrum over the ring |f - k / s| <= 1 / 2s, for k = 1 ... s // 2, with s the
        shorter side; divided by the mean over all frequencies but 0.

    Args:
        image: `[C, H, W]`.

    Returns:
        Frequencies in cycles per pixel, up to 0.5, and the power of each; white noise has 1 everywhere, an even
        picture 0. Both `[s // 2]` in float64.

    Raises:
        BadInputError: It is no picture `[C, H, W]`.
    """
    power = power_spectrum(image)
    height, width = power.shape
    rows, columns = (torch.fft.fftshift(torch.fft.fftfreq(side, dtype=torch.float64)) for side in (height, width))
    shorter = min(height, width)
    ring = (torch.hypot(rows[:, None], columns[None]) * shorter).round().long().flatten()
    size = shorter // 2 + 1
    inside = ring < size
    sums = torch.zeros(size, dtype=torch.float64).index_add(0, ring[inside], power.flatten()[inside])
    counts = torch.bincount(ring[inside], minlength=size)
    mean = float(power.sum()) / max(1, power.numel() - 1)
    found = sums / counts.clamp(min=1) / (mean or 1.0)
    return torch.arange(1, size, dtype=torch.float64) / shorter, found[1:]


@checked
def spectral_slope(image: Picture) -> float | None:
    """Say how fast waves fade as they get finer: the slope of the logarithm of power over that of frequency.

    A straight line is fitted to the radial spectrum by least squares, each ring weighted by 1 / f so that every octave
    counts alike. Photographs come near -2 (Field 1987), white noise has 0.

    Args:
        image: `[C, H, W]`.

    Returns:
        The slope; None for a picture that is even, or smaller than 4 pixels on a side.

    Raises:
        BadInputError: It is no picture `[C, H, W]`.
    """
    frequencies, power = radial_spectrum(image)
    there = power > 0
    if min(image.shape[-2:]) < LEAST_SIDE or int(there.sum()) <= 1:
        return None
    x, y, weight = frequencies[there].log(), power[there].log(), 1 / frequencies[there]
    x = x - (weight * x).sum() / weight.sum()
    return float((weight * x * y).sum() / (weight * x * x).sum())


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


def centred(image: Tensor) -> Tensor:
    """Take the mean of each channel away."""
    values = image.detach().cpu().double()
    found = values - values.mean((-2, -1), keepdim=True)
    return torch.where(found.abs().amax((-2, -1), keepdim=True) > EVEN, found, 0)
