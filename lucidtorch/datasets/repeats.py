"""What repeats along a line: wrapped distances, bands and saws."""

from __future__ import annotations

import numpy as np

from lucidtorch.datasets.plane import Field


def triangle_wave(values: Field, period: float) -> Field:
    """A saw with equal flanks and slope 1: the signed distance to the nearest of its zeros."""
    return np.abs(centred(values, period)) - period / 4


def band(values: Field, period: float, duty: float) -> Field:
    """Signed distance to bands that repeat."""
    return np.abs(centred(values, period)) - duty * period / 2


def centred(values: Field, period: float, *, half: bool = False) -> Field:
    """The values wrapped to one period around zero."""
    if half:
        middles: Field = (np.floor(values / period) + 0.5) * period
        return values - middles
    return values - np.round(values / period) * period
