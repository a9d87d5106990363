"""The spectrum of a picture: how strong its waves are, by their length and direction."""

from __future__ import annotations

import torch
from torch import Tensor

from lucidtorch.analysis.picture_values import centred
from lucidtorch.base.checks import Picture, checked

LEAST_SIDE = 4  # pixels, for a spectrum to have a slope


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
