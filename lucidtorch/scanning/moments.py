"""Count, mean, variance and range of each unit's values, merged without keeping them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Moments:
    """What is known of all values of each of `C` units, at every place of every image.

    Args:
        count: `[C]`, int64, how many values there were.
        mean: `[C]`, float64.
        squares: `[C]`, float64, the sum of the squared distances to the mean.
        low: `[C]`, float32, the smallest value; infinite where there was none.
        high: `[C]`, float32, the largest value.
        zeros: `[C]`, int64, how many values were exactly 0, as behind a ReLU.
    """

    count: np.ndarray
    mean: np.ndarray
    squares: np.ndarray
    low: np.ndarray
    high: np.ndarray
    zeros: np.ndarray

    @classmethod
    def empty(cls, units: int) -> Moments:
        """Begin with no value."""
        none, nothing = np.zeros(units, dtype=np.int64), np.zeros(units)
        low = np.full(units, np.inf, dtype=np.float32)
        return cls(none, nothing, nothing, low, -low, none)

    @classmethod
    def of(cls, values: Tensor) -> Moments:
        """Take the moments of some values."""
        exact = values.double()
        mean = exact.mean((0, 2))
        squares = (exact - mean[:, None]).square().sum((0, 2))
        count = np.full(values.shape[1], values.shape[0] * values.shape[2], dtype=np.int64)
        zeros = (values == 0).sum((0, 2)).numpy()
        return cls(
            count, mean.numpy(), squares.numpy(), values.amin((0, 2)).numpy(), values.amax((0, 2)).numpy(), zeros
        )

    @property
    def variance(self) -> np.ndarray:
        """`[C]`, the mean squared distance to the mean, as `numpy.var` gives it; NaN where there was no value."""
        unknown = np.full(len(self.count), np.nan)
        found: np.ndarray = np.divide(self.squares, self.count, out=unknown, where=self.count > 0)
        return found

    def merged(self, other: Moments) -> Moments:
        """Join the moments of two sets of values (Chan, Golub & LeVeque 1979)."""
        count = self.count + other.count
        share = np.divide(other.count, count, out=np.zeros(len(count)), where=count > 0)
        apart = other.mean - self.mean
        return Moments(
            count,
            self.mean + apart * share,
            self.squares + other.squares + apart**2 * share * self.count,
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
            self.zeros + other.zeros,
        )


def slices_of(values: Tensor, largest: int) -> tuple[Tensor, ...]:
    """Cut a batch so that what is computed from a piece of it stays small."""
    per_image = max(1, values.shape[1] * values.shape[2])
    return torch.split(values, max(1, largest // per_image))
