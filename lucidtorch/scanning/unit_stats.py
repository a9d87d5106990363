"""Statistics of the units of one layer that images are added to without keeping them.

Four kinds: the images with the highest or lowest activation, moments, histograms, and a uniform random sample. All but
the sums inside the moments are the same however the images are cut into batches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

NO_IMAGE = -1  # the image in a place that is not filled yet, and the class of an image without one

NARROWEST = -100  # no bin is narrower than 2**-100
DIGITS = 40  # nor than 2**-40 of the largest value, so that the numbers of bins stay exact
FURTHEST = 63  # bits by which a 64-bit number can be shifted

STEP = np.uint64(0x9E3779B97F4A7C15)  # SplitMix64 (Steele, Lea & Flood 2014), as are the numbers below
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True, eq=False)
class Extremes:
    """For each of `C` units the `k` images with the highest (or lowest) activation, the best first.

    An image counts once, with its highest (or lowest) place. Of equal ones the lower number is first.

    Args:
        values: `[C, k]`, float32; infinite where there were not so many images.
        images: `[C, k]`, int64, the numbers of the images; -1 where there were not so many.
        places: `[C, k]`, int32, where in the layer's grid, row by row.
        labels: `[C, k]`, int32, the classes of the images; -1 where they have none.
    """

    values: np.ndarray
    images: np.ndarray
    places: np.ndarray
    labels: np.ndarray

    @classmethod
    def empty(cls, units: int, depth: int, *, lowest: bool = False) -> Extremes:
        """A table without images."""
        shape = (units, depth)
        values = np.full(shape, np.inf if lowest else -np.inf, dtype=np.float32)
        images = np.full(shape, NO_IMAGE, dtype=np.int64)
        return cls(values, images, np.zeros(shape, dtype=np.int32), np.full(shape, NO_IMAGE, dtype=np.int32))

    def merged(
        self, values: np.ndarray, places: np.ndarray, images: np.ndarray, labels: np.ndarray, *, lowest: bool = False
    ) -> Extremes:
        """Add images: values and places `[B, C]`, numbers and labels `[B]`."""
        units, depth = self.values.shape
        rows = np.broadcast_to(images, (units, len(images))), np.broadcast_to(labels, (units, len(labels)))
        pairs = (
            (self.values, values.T),
            (self.images, rows[0]),
            (self.places, places.T.astype(np.int32)),
            (self.labels, rows[1]),
        )
        joined = [np.concatenate(pair, axis=1) for pair in pairs]
        order = np.argsort(joined[0] if lowest else -joined[0], axis=1, kind="stable")[:, :depth]
        return Extremes(*(np.take_along_axis(one, order, axis=1) for one in joined))


@dataclass(frozen=True, eq=False)
class Moments:
    """Count, mean, variance and range of all values of each of `C` units, at every place of every image.

    Args:
        count: `[C]`, int64, how many values there were.
        mean: `[C]`, float64.
        squares: `[C]`, float64, the sum of the squared distances to the mean.
        low: `[C]`, float32, the smallest value; infinite where there was none.
        high: `[C]`, float32, the largest value.
        zeros: `[C]`, int64, how many values were exactly 0, as after a ReLU.
    """

    count: np.ndarray
    mean: np.ndarray
    squares: np.ndarray
    low: np.ndarray
    high: np.ndarray
    zeros: np.ndarray

    @classmethod
    def empty(cls, units: int) -> Moments:
        """The moments of no value."""
        none, nothing = np.zeros(units, dtype=np.int64), np.zeros(units)
        low = np.full(units, np.inf, dtype=np.float32)
        return cls(none, nothing, nothing, low, -low, none)

    @classmethod
    def of(cls, values: Tensor) -> Moments:
        """The moments of some values `[B, C, S]`."""
        exact = values.double()
        mean = exact.mean((0, 2))
        squares = (exact - mean[:, None]).square().sum((0, 2))
        count = np.full(values.shape[1], values.shape[0] * values.shape[2], dtype=np.int64)
        low, high, zeros = values.amin((0, 2)), values.amax((0, 2)), (values == 0).sum((0, 2))
        return cls(count, mean.numpy(), squares.numpy(), low.numpy(), high.numpy(), zeros.numpy())

    @property
    def variance(self) -> np.ndarray:
        """`[C]`, the mean squared distance to the mean, as `numpy.var` gives it; NaN where there was no value."""
        unknown = np.full(len(self.count), np.nan)
        found: np.ndarray = np.divide(self.squares, self.count, out=unknown, where=self.count > 0)
        return found

    def merged(self, other: Moments) -> Moments:
        """The moments of two sets of values together (Chan, Golub & LeVeque 1979)."""
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


@dataclass(eq=False)
class Histograms:
    """One histogram for each of `C` units, whose bins widen as the values spread, and lose no count by it.

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
        """Histograms of no value."""
        exponents = np.full(units, NARROWEST, dtype=np.int64)
        return cls(np.zeros((units, bins), dtype=np.int64), exponents, np.zeros(units, dtype=np.int64))

    def widen(self, low: np.ndarray, high: np.ndarray) -> None:
        """Make room for all values from the lowest to the highest of each unit, `[C]`."""
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
        """Count values `[B, C, S]`, for which there must be room."""
        units, bins = self.counts.shape
        scale = torch.from_numpy(np.ldexp(1.0, -self.exponents))[:, None]
        start = torch.from_numpy(self.starts)[:, None]
        places = (values.double() * scale).floor_().long() - start  # in float64 no value near 0 is rounded to 0
        places += torch.arange(units)[:, None] * bins
        self.counts += torch.bincount(places.flatten(), minlength=units * bins).numpy().reshape(units, bins)

    def edges(self, unit: int) -> np.ndarray:
        """The edges of the bins of a unit, `[bins + 1]`."""
        numbers = self.starts[unit] + np.arange(self.counts.shape[1] + 1)
        found: np.ndarray = np.ldexp(numbers.astype(np.float64), int(self.exponents[unit]))
        return found


@dataclass(frozen=True, eq=False)
class Reservoir:
    """The activations at `n` places of the images, drawn evenly from all places of all images.

    Each place of each image has a random number of its own, made from the seed, the image and the place alone; the
    places with the lowest numbers are kept.

    Args:
        keys: `[n]`, uint64, the random numbers, rising.
        images: `[n]`, int64, the images.
        places: `[n]`, int32, where in the layer's grid, row by row.
        labels: `[n]`, int32, the classes of the images; -1 where they have none.
        values: `[n, C]`, float32, the activations of all units of the layer there.
    """

    keys: np.ndarray
    images: np.ndarray
    places: np.ndarray
    labels: np.ndarray
    values: np.ndarray

    @classmethod
    def empty(cls, units: int) -> Reservoir:
        """A sample of no place."""
        places = np.zeros(0, dtype=np.int32)
        images = np.zeros(0, dtype=np.int64)
        return cls(np.zeros(0, dtype=np.uint64), images, places, places, np.zeros((0, units), dtype=np.float32))

    def merged(self, values: Tensor, images: np.ndarray, labels: np.ndarray, *, seed: int, size: int) -> Reservoir:
        """Draw from further images, of values `[B, C, S]`."""
        keys = _keys(seed, images, values.shape[2]).ravel()
        is_full = 0 < size == len(self.keys)
        found = np.flatnonzero(keys < self.keys[-1]) if is_full else np.arange(len(keys))
        found = found[np.argsort(keys[found], kind="stable")[:size]]
        rows, places = np.divmod(found, values.shape[2])
        drawn = values[torch.from_numpy(rows), :, torch.from_numpy(places)].numpy()
        pairs = (
            (self.keys, keys[found]),
            (self.images, images[rows]),
            (self.places, places.astype(np.int32)),
            (self.labels, labels[rows]),
            (self.values, drawn),
        )
        joined = [np.concatenate(pair) for pair in pairs]
        order = np.argsort(joined[0], kind="stable")[:size]
        return Reservoir(*(one[order] for one in joined))


def _bin_of(values: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.floor(np.ldexp(values.astype(np.float64), -exponents)).astype(np.int64)
    return found


def _exponents(low: np.ndarray, high: np.ndarray, bins: int) -> np.ndarray:
    """The smallest width at which the bins reach from the lowest to the highest value."""
    reach = np.frexp(np.maximum(np.abs(low), np.abs(high)))[1].astype(np.int64)
    span = np.frexp(high - low)[1].astype(np.int64)
    exponents: np.ndarray = np.maximum(np.maximum(reach - DIGITS, NARROWEST), span - 1 - int(np.ceil(np.log2(bins))))
    while True:
        narrow = _bin_of(high, exponents) - _bin_of(low, exponents) >= bins
        if not narrow.any():
            return exponents
        exponents = exponents + narrow


def _keys(seed: int, images: np.ndarray, places: int) -> np.ndarray:
    """The random number of each place of each image: `[B, S]`, uint64."""
    of_image = _mixed(np.array([seed], dtype=np.uint64) + (images.astype(np.uint64) + np.uint64(1)) * STEP)
    return _mixed(of_image[:, None] + (np.arange(places, dtype=np.uint64) + np.uint64(1)) * STEP)


def _mixed(numbers: np.ndarray) -> np.ndarray:
    numbers = (numbers ^ (numbers >> np.uint64(30))) * FIRST
    numbers = (numbers ^ (numbers >> np.uint64(27))) * SECOND
    mixed: np.ndarray = numbers ^ (numbers >> np.uint64(31))
    return mixed
