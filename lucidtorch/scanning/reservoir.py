"""A uniform random sample of a layer's activations, the same however the images are cut into batches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

STEP = np.uint64(0x9E3779B97F4A7C15)  # SplitMix64 (Steele, Lea & Flood 2014), as are the numbers below
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


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
        values: `[n, C]`, float32, what all units of the layer say there.
    """

    keys: np.ndarray
    images: np.ndarray
    places: np.ndarray
    labels: np.ndarray
    values: np.ndarray

    @classmethod
    def empty(cls, units: int) -> Reservoir:
        """Begin without images."""
        places = np.zeros(0, dtype=np.int32)
        images = np.zeros(0, dtype=np.int64)
        return cls(np.zeros(0, dtype=np.uint64), images, places, places, np.zeros((0, units), dtype=np.float32))

    def merged(self, values: Tensor, images: np.ndarray, labels: np.ndarray, *, seed: int, size: int) -> Reservoir:
        """Draw from further images."""
        keys = _keys(seed, images, values.shape[2]).ravel()
        is_full = 0 < size == len(self.keys)
        found = np.flatnonzero(keys < self.keys[-1]) if is_full else np.arange(len(keys))
        found = found[np.argsort(keys[found], kind="stable")[:size]]
        rows, places = np.divmod(found, values.shape[2])
        drawn = values[torch.from_numpy(rows), :, torch.from_numpy(places)].numpy()
        joined = np.concatenate([self.keys, keys[found]])
        order = np.argsort(joined, kind="stable")[:size]
        return Reservoir(
            joined[order],
            np.concatenate([self.images, images[rows]])[order],
            np.concatenate([self.places, places.astype(np.int32)])[order],
            np.concatenate([self.labels, labels[rows].astype(np.int32)])[order],
            np.concatenate([self.values, drawn])[order],
        )


def _keys(seed: int, images: np.ndarray, places: int) -> np.ndarray:
    """Make the random number of each place: `[B, S]`, uint64."""
    of_image = _mixed(np.array([seed], dtype=np.uint64) + (images.astype(np.uint64) + np.uint64(1)) * STEP)
    return _mixed(of_image[:, None] + (np.arange(places, dtype=np.uint64) + np.uint64(1)) * STEP)


def _mixed(numbers: np.ndarray) -> np.ndarray:
    numbers = (numbers ^ (numbers >> np.uint64(30))) * FIRST
    numbers = (numbers ^ (numbers >> np.uint64(27))) * SECOND
    mixed: np.ndarray = numbers ^ (numbers >> np.uint64(31))
    return mixed
