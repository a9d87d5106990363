"""Measures of a picture: values and colours, spectrum, and periodicity."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from torch import Tensor

from lucidtorch.base.checks import Picture, Plane, Within, checked

NEAR = 0.05  # the default distance from a bound, relative to the range
COLOURS = 3
LEAST_SIDE = 4  # pixels, for a spectrum to have a slope
LOBE = 0.1  # correlation: the region above it that contains the centre is the central lobe
CONSTANT = 1e-9  # the rounding error of a constant picture after subtracting its mean


@checked
def histogram(image: Picture, bins: Annotated[int, Within(1, 65536)] = 64) -> Tensor:
    """Compute the histogram of each channel.

    Args:
        image: `[C, H, W]` in [0, 1].
        bins: The number of equal bins of [0, 1]; the last contains 1.

    Returns:
        `[C, bins]` in float64: shares with the sum 1 for each channel.
    """
    places = (image.detach().cpu().double() * bins).long().clamp(0, bins - 1).flatten(1)
    counts = torch.stack([torch.bincount(channel, minlength=bins) for channel in places])
    return counts.double() / places.shape[1]


@checked
def extreme_share(image: Picture, margin: float = NEAR) -> float:
    """Compute the share of values near 0 or 1.

    Args:
        image: `[C, H, W]` in [0, 1].
        margin: Their largest distance from 0 or from 1.
    """
    values = image.double()
    return float(((values <= margin) | (values >= 1 - margin)).double().mean())


@checked
def saturation(image: Picture) -> float:
    """Compute the mean saturation, from 0 to 1.

    Formula: the mean over pixels of (largest - smallest) / largest of the three colours, 0 for black: the saturation of
        HSV.

    Args:
        image: `[3, H, W]` in [0, 1]; any picture of other channels counts as grey.
    """
    if len(image) != COLOURS:
        return 0.0
    high, low = image.double().amax(0), image.double().amin(0)
    return float(torch.where(high > 0, (high - low) / high.clamp(min=torch.finfo(high.dtype).tiny), 0).mean())


@checked
def power_spectrum(image: Picture) -> Tensor:
    """Compute the power spectrum, summed over channels.

    Formula: sum over channels of |FFT(x - mean of x)|^2, with the frequency 0 in the centre.

    Args:
        image: `[C, H, W]`.

    Returns:
        `[H, W]` in float64; row y stands for (y - H // 2) / H cycles per pixel, and columns likewise.
    """
    found = torch.fft.fft2(centred(image)).abs().square().sum(0)
    shifted: Tensor = torch.fft.fftshift(found)
    return shifted


@checked
def radial_spectrum(image: Picture) -> tuple[Tensor, Tensor]:
    """Compute the power spectrum averaged over directions.

    Formula: the mean of the power spectrum over the ring |f - k / s| <= 1 / 2s, for k = 1 ... s // 2, with s the
        shorter side; divided by the mean over all frequencies but 0.

    Args:
        image: `[C, H, W]`.

    Returns:
        Frequencies in cycles per pixel, up to 0.5, and the power of each; white noise has 1 everywhere, a
        constant picture 0. Both `[s // 2]` in float64.
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
    """Compute the slope of the logarithm of power over that of frequency.

    A line is fitted to the radial spectrum by least squares, each ring weighted by 1 / f for equal weights of octaves.
    Photographs have about -2 (Field 1987), white noise 0.

    Args:
        image: `[C, H, W]`.

    Returns:
        The slope; None for a picture that is constant, or smaller than 4 pixels on a side.
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
    """The shift with the highest autocorrelation outside the central lobe.

    Args:
        height: The correlation; 1 for an exact repetition.
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
    """Compute the autocorrelation, for shifts of up to half of each side.

    Formula: at the shift s, the sum of x(p) · x(p + s) over all channels and all p with both pixels in the picture,
        divided by the sum of x², with the mean of each channel subtracted from x. Without correction for the overlap:
        of several equal repetitions, the nearest is the highest.

    Args:
        image: `[C, H, W]`.

    Returns:
        `[2 (H // 2) + 1, 2 (W // 2) + 1]` in float64, with 1 for no shift in the centre; zeros for a constant picture.
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
    """Find the shift with the highest autocorrelation outside the central lobe.

    The lobe is the connected region of correlations above 0.1 that contains the shift 0. Every picture has small random
    peaks, so compare with photographs.

    Args:
        correlation: `[h, w]`, odd sides, from `autocorrelation`.

    Returns:
        The shift downwards, or to the right; None if nothing outside the lobe is above 0.1.
    """
    middle = [side // 2 for side in correlation.shape]
    outside = torch.where(_lobe(correlation), -math.inf, correlation)
    outside[: middle[0], :] = -math.inf  # opposite shifts are equivalent
    outside[middle[0], : middle[1]] = -math.inf
    place = int(outside.argmax())
    row, column = divmod(place, outside.shape[1])
    height = float(outside[row, column])
    return Repeat(height, row - middle[0], column - middle[1]) if height > LOBE else None


def _lobe(correlation: Tensor) -> Tensor:
    """Find the connected region of high correlations that contains the centre."""
    from scipy.ndimage import label  # slow to import, and only this function needs it

    middle = tuple(side // 2 for side in correlation.shape)
    above = (correlation > LOBE).numpy()
    above[middle] = True
    regions, _ = label(above, np.ones((3, 3)))
    return torch.from_numpy(regions == regions[middle])


def centred(image: Tensor) -> Tensor:
    """Subtract the mean of each channel."""
    values = image.detach().cpu().double()
    found = values - values.mean((-2, -1), keepdim=True)
    return torch.where(found.abs().amax((-2, -1), keepdim=True) > CONSTANT, found, 0)
