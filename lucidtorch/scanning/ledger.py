"""What a scan keeps of one layer, and how a batch of activations is entered into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from torch import Tensor

from lucidtorch.base.seeds import derive_seed
from lucidtorch.scanning.extremes import Extremes
from lucidtorch.scanning.histograms import Histograms
from lucidtorch.scanning.moments import Moments, slices_of
from lucidtorch.scanning.reservoir import Reservoir
from lucidtorch.scanning.settings import Settings

SLICE = 1 << 22  # numbers whose moments and bins are computed at once


@dataclass(frozen=True, eq=False)
class Seen:
    """What a layer made of a batch of images, with the highest and the lowest place of every unit.

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
    def of(cls, activations: Tensor) -> Seen:
        """Look over what a layer gave."""
        values = activations.cpu().float().reshape(*activations.shape[:2], -1)
        (high, high_places), (low, low_places) = values.max(2), values.min(2)
        return cls(values, high.numpy(), high_places.numpy(), low.numpy(), low_places.numpy())

    @property
    def finite(self) -> np.ndarray:
        """`[B]`, whether all values of an image are numbers; neither extreme is one otherwise."""
        found: np.ndarray = np.isfinite(self.high).all(1) & np.isfinite(self.low).all(1)
        return found

    def only(self, rows: np.ndarray) -> Seen:
        """Leave images out."""
        if rows.all():
            return self
        own = np.flatnonzero(rows)
        return Seen(self.values[own], self.high[own], self.high_places[own], self.low[own], self.low_places[own])


@dataclass(eq=False)
class Ledger:
    """What a scan keeps of one layer: its size depends on the layer and the settings, not on the number of images.

    Args:
        top: The images that excite each unit most.
        bottom: Those that excite it least.
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
    def empty(cls, units: int, settings: Settings) -> Ledger:
        """Begin without images."""
        return cls(
            Extremes.empty(units, settings.depth),
            Extremes.empty(units, settings.bottom, lowest=True),
            Moments.empty(units),
            Histograms.empty(units, settings.bins),
            Reservoir.empty(units),
        )

    def enter(self, seen: Seen, images: np.ndarray, labels: np.ndarray, settings: Settings, layer: str) -> None:
        """Enter a batch, all of whose values are finite."""
        self.top = self.top.merged(seen.high, seen.high_places, images, labels)
        self.bottom = self.bottom.merged(seen.low, seen.low_places, images, labels, lowest=True)
        low, high = (np.minimum(self.moments.low, seen.low.min(0)), np.maximum(self.moments.high, seen.high.max(0)))
        self.histograms.widen(low, high)
        for piece in slices_of(seen.values, SLICE):
            self.moments = self.moments.merged(Moments.of(piece))
            self.histograms.count(piece)
        seed = derive_seed(settings.seed, layer, "sample")
        self.sample = self.sample.merged(seen.values, images, labels, seed=seed, size=settings.samples)

    def arrays(self) -> dict[str, np.ndarray]:
        """Give all of it as arrays."""
        own = {part.name: getattr(self, part.name) for part in fields(self)}
        return {
            f"{name}.{field.name}": getattr(part, field.name) for name, part in own.items() for field in fields(part)
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], units: int) -> Ledger:
        """Take up what `arrays` gave."""
        like = cls(
            Extremes.empty(units, 1),
            Extremes.empty(units, 1),
            Moments.empty(units),
            Histograms.empty(units, 1),
            Reservoir.empty(units),
        )
        for name, expected in like.arrays().items():
            array, per_unit = arrays[name], not name.startswith("sample.")
            fits = array.dtype == expected.dtype and array.ndim == expected.ndim
            if not fits or (per_unit and len(array) != units):
                raise ValueError(f"its table {name} is {array.dtype} {list(array.shape)}")
        return cls(
            Extremes(*_fields(arrays, "top", Extremes)),
            Extremes(*_fields(arrays, "bottom", Extremes)),
            Moments(*_fields(arrays, "moments", Moments)),
            Histograms(*_fields(arrays, "histograms", Histograms)),
            Reservoir(*_fields(arrays, "sample", Reservoir)),
        )


def _fields(
    arrays: Mapping[str, np.ndarray], part: str, kind: type[Extremes | Moments | Histograms | Reservoir]
) -> list[np.ndarray]:
    return [arrays[f"{part}.{field.name}"] for field in fields(kind)]
