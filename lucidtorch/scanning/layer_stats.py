"""What a scan records of one layer, and how a batch of activations is added to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lucidtorch.base.checks import check_number
from lucidtorch.base.seeds import derive_seed
from lucidtorch.scanning.unit_stats import Extremes, Histograms, Moments, Reservoir

SLICE = 1 << 22  # activations whose moments and bins are computed at once, so that temporary arrays stay small
FEWEST_BINS = 4
# What tables of a thousand units still fit into memory with, from the smallest to the largest number.
BOUNDS = {
    "top": (1, 100_000),
    "bottom": (0, 100_000),
    "ranked": (0, 100_000),
    "batch": (1, 65_536),
    "chunk": (1, 1_000_000_000),
    "bins": (FEWEST_BINS, 65_536),
    "samples": (0, 1_000_000),
    "seed": (0, 2**63 - 1),
}


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """How much a scan records of each unit and layer, and how it is cut into pieces: arguments of `scan`."""

    top: int
    bottom: int
    ranked: int
    batch: int
    chunk: int
    bins: int
    samples: int
    seed: int

    def __post_init__(self) -> None:
        for word, (low, high) in BOUNDS.items():
            check_number(getattr(self, word), f"scan({word}=)", low=low, high=high, whole=True)


SMALLEST = ScanSettings(top=1, bottom=1, ranked=0, batch=1, chunk=1, bins=FEWEST_BINS, samples=0, seed=0)


@dataclass(frozen=True, eq=False)
class LayerActivations:
    """The activations of a layer on a batch of images, with the highest and the lowest place of every unit.

    Args:
        values: `[B, C, S]`, float32.
        high: `[B, C]`, the highest value of each unit.
        high_places: `[B, C]`, where it is first reached.
        low: `[B, C]`, the lowest value.
        low_places: `[B, C]`, where it is first reached.
    """

    values: Tensor
    high: np.ndarray
    high_places: np.ndarray
    low: np.ndarray
    low_places: np.ndarray

    @classmethod
    def of(cls, activations: Tensor) -> LayerActivations:
        """Find the extremes of the output of a layer, `[B, C, ...]`."""
        values = activations.cpu().float().reshape(*activations.shape[:2], -1)
        (high, high_places), (low, low_places) = values.max(2), values.min(2)
        return cls(values, high.numpy(), high_places.numpy(), low.numpy(), low_places.numpy())

    @property
    def finite(self) -> np.ndarray:
        """`[B]`, whether all values of an image are finite; an extreme is not where one of them is not."""
        found: np.ndarray = np.isfinite(self.high).all(1) & np.isfinite(self.low).all(1)
        return found

    def only(self, rows: np.ndarray) -> LayerActivations:
        """Keep the images where `rows` is true."""
        if rows.all():
            return self
        kept = np.flatnonzero(rows)
        return LayerActivations(*(getattr(self, one.name)[kept] for one in fields(self)))


@dataclass(eq=False)
class LayerStats:
    """What a scan records of one layer: its size depends on the layer and the settings, not on the number of images.

    Args:
        top: The images with the highest activation of each unit.
        bottom: Those with the lowest.
        moments: Of all values.
        histograms: Of all values.
        sample: Activations drawn from all places of all images.
    """

    top: Extremes
    bottom: Extremes
    moments: Moments
    histograms: Histograms
    sample: Reservoir

    @classmethod
    def empty(cls, units: int, settings: ScanSettings) -> LayerStats:
        """The statistics of no image."""
        return cls(
            Extremes.empty(units, max(settings.top, settings.ranked)),
            Extremes.empty(units, settings.bottom, lowest=True),
            Moments.empty(units),
            Histograms.empty(units, settings.bins),
            Reservoir.empty(units),
        )

    def add(
        self, batch: LayerActivations, images: np.ndarray, labels: np.ndarray, settings: ScanSettings, layer: str
    ) -> None:
        """Add a batch, all of whose values are finite; images and labels are `[B]`."""
        self.top = self.top.merged(batch.high, batch.high_places, images, labels)
        self.bottom = self.bottom.merged(batch.low, batch.low_places, images, labels, lowest=True)
        low, high = np.minimum(self.moments.low, batch.low.min(0)), np.maximum(self.moments.high, batch.high.max(0))
        self.histograms.widen(low, high)
        _, units, places = batch.values.shape
        for piece in torch.split(batch.values, max(1, SLICE // max(1, units * places))):
            self.moments = self.moments.merged(Moments.of(piece))
            self.histograms.count(piece)
        seed = derive_seed(settings.seed, layer, "sample")
        self.sample = self.sample.merged(batch.values, images, labels, seed=seed, size=settings.samples)

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it as arrays, by names such as `top.values`."""
        parts = {one.name: getattr(self, one.name) for one in fields(self)}
        return {f"{name}.{one.name}": getattr(part, one.name) for name, part in parts.items() for one in fields(part)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], units: int) -> LayerStats:
        """Read what `arrays` returned; a file may hold anything in its place."""
        like = cls.empty(units, SMALLEST)
        for name, expected in like.arrays().items():
            array, per_unit = arrays[name], not name.startswith("sample.")
            fits = array.dtype == expected.dtype and array.ndim == expected.ndim
            if not fits or (per_unit and len(array) != units):
                raise ValueError(f"its table {name} is {array.dtype} {list(array.shape)}")
        parts: dict[str, Any] = {one.name: type(getattr(like, one.name)) for one in fields(cls)}
        return cls(
            **{part: kind(*(arrays[f"{part}.{one.name}"] for one in fields(kind))) for part, kind in parts.items()}
        )
