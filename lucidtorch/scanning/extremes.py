"""The images that excite each unit most, or least: tables of fixed depth that images are merged into."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NOBODY = -1  # the image in a place that is not filled yet


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
        """Make a table without images."""
        shape = (units, depth)
        values = np.full(shape, np.inf if lowest else -np.inf, dtype=np.float32)
        images = np.full(shape, NOBODY, dtype=np.int64)
        return cls(values, images, np.zeros(shape, dtype=np.int32), np.full(shape, NOBODY, dtype=np.int32))

    def merged(
        self, values: np.ndarray, places: np.ndarray, images: np.ndarray, labels: np.ndarray, *, lowest: bool = False
    ) -> Extremes:
        """Put further images into the table."""
        units, depth = self.values.shape
        new_images, new_labels = (np.broadcast_to(one, (units, len(images))) for one in (images, labels))
        joined = np.concatenate([self.values, values.T], axis=1)
        order = np.argsort(joined if lowest else -joined, axis=1, kind="stable")[:, :depth]
        pairs = (
            (self.images, new_images),
            (self.places, places.T),
            (self.labels, new_labels),
        )
        kept = [np.take_along_axis(np.concatenate(pair, axis=1), order, axis=1) for pair in pairs]
        return Extremes(
            np.take_along_axis(joined, order, axis=1), kept[0], kept[1].astype(np.int32), kept[2].astype(np.int32)
        )
