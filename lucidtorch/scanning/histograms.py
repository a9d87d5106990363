"""Histograms of each unit's values whose bins widen as the values spread, and lose no count by it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

NARROWEST = -100  # no bin is narrower than 2**-100
DIGITS = 40  # nor than 2**-40 of the largest value, so that the numbers of bins stay exact
FURTHEST = 63  # bits by which a 64-bit number can be shifted


@dataclass(eq=False)
class Histograms:
    """One histogram for each of `C` units.

    The bins of a unit are `2**exponent` wide and stand at whole multiples of that: bin i of a unit counts the values
    from `(start + i) * 2**exponent` up to, and without, the next. The width is the smallest power of two with which all
    values find room, and the first bin that of the lowest value; so the result depends on the values alone and on no
    order, and widening adds neighbouring bins up, exactly.

    Args:
        counts: `[C, bins]`, int64.
        exponents: `[C]`, int64.
        starts: `[C]`, int64.
    """

    counts: np.ndarray
    exponents: np.ndarray
    starts: np.ndarray

    @classmethod
    def empty(cls, units: int, bins: int) -> Histograms:
        """Begin without values."""
        exponents = np.full(units, NARROWEST, dtype=np.int64)
        return cls(np.zeros((units, bins), dtype=np.int64), exponents, np.zeros(units, dtype=np.int64))

    def widen(self, low: np.ndarray, high: np.ndarray) -> None:
        """Make room for values."""
        bins = self.counts.shape[1]
        exponents = _exponents(low.astype(np.float64), high.astype(np.float64), bins)
        starts = _bin_of(low, exponents)
        units = np.flatnonzero((exponents != self.exponents) | (starts != self.starts))
        old = self.starts[units, None] + np.arange(bins)
        shift = np.clip(exponents[units] - self.exponents[units], 0, FURTHEST)
        places = np.clip((old >> shift[:, None]) - starts[units, None], 0, bins - 1)  # what is cut off is empty
        flat = (places + np.arange(len(units))[:, None] * bins).ravel()
        counts = np.bincount(flat, weights=self.counts[units].ravel(), minlength=len(units) * bins)
        self.counts[units] = counts.astype(np.int64).reshape(len(units), bins)
        self.exponents, self.starts = exponents, starts

    def count(self, values: Tensor) -> None:
        """Count values, for which there must be room."""
        units, bins = self.counts.shape
        scale = torch.from_numpy(np.ldexp(1.0, -self.exponents))[:, None]
        start = torch.from_numpy(self.starts)[:, None]
        places = (values.double() * scale).floor_().long() - start  # in float64 no value near 0 is rounded to 0
        places += torch.arange(units)[:, None] * bins
        self.counts += torch.bincount(places.flatten(), minlength=units * bins).numpy().reshape(units, bins)

    def edges(self, unit: int) -> np.ndarray:
        """Say where the bins of a unit begin and end."""
        numbers = self.starts[unit] + np.arange(self.counts.shape[1] + 1)
        found: np.ndarray = np.ldexp(numbers.astype(np.float64), int(self.exponents[unit]))
        return found


def _bin_of(values: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.floor(np.ldexp(values.astype(np.float64), -exponents)).astype(np.int64)
    return found


def _exponents(low: np.ndarray, high: np.ndarray, bins: int) -> np.ndarray:
    """Find the smallest width at which the bins reach from the lowest to the highest value."""
    reach = np.frexp(np.maximum(np.abs(low), np.abs(high)))[1].astype(np.int64)
    span = np.frexp(high - low)[1].astype(np.int64)
    exponents: np.ndarray = np.maximum(np.maximum(reach - DIGITS, NARROWEST), span - 1 - int(np.ceil(np.log2(bins))))
    while True:
        narrow = _bin_of(high, exponents) - _bin_of(low, exponents) >= bins
        if not narrow.any():
            return exponents
        exponents = exponents + narrow
