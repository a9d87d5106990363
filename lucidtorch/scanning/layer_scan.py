"""What a scan found about one layer, unit by unit, and which part of an image a place of the layer sees."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from lucidtorch.base.checks import is_whole
from lucidtorch.base.errors import UnitError
from lucidtorch.base.shown import shown
from lucidtorch.models.layouts.receptive_field import ReceptiveField
from lucidtorch.scanning.layer_stats import LayerStats
from lucidtorch.scanning.unit_stats import NO_IMAGE, Extremes, Moments

WITH_PLACES = 3  # axes of a shape `(C, H, W)`


class Box(NamedTuple):
    """A part of an image in pixels: rows from `top` up to, and without, `bottom`, and columns likewise."""

    top: int
    left: int
    bottom: int
    right: int


class Histogram(NamedTuple):
    """How often values lie between neighbouring edges: `counts [bins]`, `edges [bins + 1]`."""

    counts: np.ndarray
    edges: np.ndarray


class Sample(NamedTuple):
    """Activations at places drawn evenly from all places of all images.

    `values [n, C]`, `images [n]`, `rows [n]`, `columns [n]`, and `labels [n]`, -1 for images without a class.
    """

    values: np.ndarray
    images: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True, slots=True)
class Example:
    """An image that excites a unit most, or least.

    Args:
        image: Its number in the data.
        value: The activation, at its highest (or lowest) place in the image.
        row: The row of that place in the layer's grid.
        column: Its column.
        box: The receptive field of that place, in pixels of the image as the network takes it, cut off at its borders.
        label: The number of the image's class; None where it has none.
        class_name: The name of that class; None where the data does not name it.
    """

    image: int
    value: float
    row: int
    column: int
    box: Box
    label: int | None
    class_name: str | None


@dataclass(frozen=True, eq=False)
class LayerScan:
    """What a scan found about one layer.

    Args:
        layer: Its address.
        shape: Its shape for one image.
        receptive_field: The receptive field of one unit; None for the whole image.
        sides: Height and width of the images as the network takes them.
        class_names: The names of the classes.
        class_count: How many classes there are.
        shown: How many examples there are of a unit: at the top, and counted by class.
        stats: The statistics of all units.
    """

    layer: str
    shape: tuple[int, ...]
    receptive_field: ReceptiveField | None
    sides: tuple[int, int]
    class_names: tuple[str, ...]
    class_count: int
    shown: tuple[int, int]
    stats: LayerStats

    @property
    def units(self) -> int:
        """How many units the layer has."""
        return self.shape[0]

    @property
    def moments(self) -> Moments:
        """Count, mean, variance, range and zeros of each unit's values."""
        return self.stats.moments

    @cached_property
    def sample(self) -> Sample:
        """Activations at random places."""
        drawn = self.stats.sample
        rows, columns = np.divmod(drawn.places, self._width)
        return Sample(drawn.values, drawn.images, rows, columns, drawn.labels)

    def top(self, unit: int) -> tuple[Example, ...]:
        """The images that excite a unit most, each at its highest place."""
        return self._examples(self.stats.top, unit, self.shown[0])

    def exciting(self, unit: int) -> tuple[Example, ...]:
        """The images that excite a unit most, without those at which it is only at its lowest."""
        return tuple(one for one in self.top(unit) if one.value > self.moments.low[unit])

    def bottom(self, unit: int) -> tuple[Example, ...]:
        """The images that excite a unit least, each at its lowest place."""
        return self._examples(self.stats.bottom, unit, self.stats.bottom.values.shape[1])

    def classes(self, unit: int) -> np.ndarray:
        """Count the images that excite a unit most by their class."""
        labels = self.stats.top.labels[self._checked(unit), : self.shown[1]]
        return np.bincount(labels[labels >= 0], minlength=self.class_count)

    def histogram(self, unit: int) -> Histogram:
        """The histogram of a unit's values at all places of all images."""
        return Histogram(self.stats.histograms.counts[self._checked(unit)], self.stats.histograms.edges(unit))

    def percentile(self, unit: int, value: float) -> float:
        """The percentage of a unit's values, at all places of all images, that lie below a value.

        Within the bin of the histogram that the value falls into, values are taken to be spread evenly, but for those
        that are exactly 0, which are counted apart.
        """
        counts, edges = self.histogram(unit)
        total, low, high = (float(one[unit]) for one in (self.moments.count, self.moments.low, self.moments.high))
        if total == 0 or np.isnan(value):
            return float("nan")
        if value <= low or value > high:
            return 0.0 if value <= low else 100.0
        place = int(np.searchsorted(edges, value, side="right")) - 1
        zeros = int(self.moments.zeros[unit]) if edges[place] == 0 else 0  # 0 is always the edge of a bin
        left, right = max(edges[place], low), min(edges[place + 1], high)
        inside = (counts[place] - zeros) * (value - left) / (right - left) if right > left else 0.0
        below = counts[:place].sum() + inside + (zeros if value > 0 else 0)
        return float(100 * below / total)

    def box(self, row: int, column: int) -> Box:
        """The part of the image that the units at a place see."""
        return box_seen(self._field, self.sides, row, column)

    def window(self, row: int, column: int) -> Box:
        """The window that shows what the units at a place see: of one size for all places of the layer."""
        return window_seen(self._field, self.sides, row, column)

    @property
    def _field(self) -> ReceptiveField | None:
        """The receptive field in the image; None where the layer has no places."""
        return self.receptive_field if len(self.shape) == WITH_PLACES else None

    @property
    def _width(self) -> int:
        return self.shape[-1] if len(self.shape) > 1 else 1

    def _examples(self, table: Extremes, unit: int, count: int) -> tuple[Example, ...]:
        number = self._checked(unit)
        filled = [place for place in range(count) if table.images[number, place] != NO_IMAGE]
        return tuple(self._example(table, number, place) for place in filled)

    def _example(self, table: Extremes, unit: int, place: int) -> Example:
        row, column = divmod(int(table.places[unit, place]), self._width)
        label = int(table.labels[unit, place])
        return Example(
            image=int(table.images[unit, place]),
            value=float(table.values[unit, place]),
            row=row,
            column=column,
            box=self.box(row, column),
            label=None if label < 0 else label,
            class_name=self.class_names[label] if 0 <= label < len(self.class_names) else None,
        )

    def _checked(self, unit: int) -> int:
        if not is_whole(unit) or not 0 <= unit < self.units:
            raise UnitError(
                f"{self.layer!r} has {self.units} units, 0 to {self.units - 1}, but {shown(unit)} was given."
            )
        return unit


def box_seen(field: ReceptiveField | None, sides: tuple[int, int], row: int, column: int) -> Box:
    """The receptive field of a place, cut off at the borders of the image."""
    (top, bottom), (left, right) = (
        (min(max(begin, 0), side), min(max(end, 0), side))
        for (begin, end), side in zip(_ends(field, sides, row, column), sides, strict=True)
    )
    return Box(top, left, bottom, right)


def window_seen(field: ReceptiveField | None, sides: tuple[int, int], row: int, column: int) -> Box:
    """The receptive field of a place, not cut off; all of the image along an axis where it is larger than the image."""
    (top, bottom), (left, right) = (
        (begin, end) if end - begin < side else (0, side)
        for (begin, end), side in zip(_ends(field, sides, row, column), sides, strict=True)
    )
    return Box(top, left, bottom, right)


def _ends(field: ReceptiveField | None, sides: tuple[int, int], row: int, column: int) -> list[tuple[int, int]]:
    """Where the receptive field of a place begins and ends: in the rows, and in the columns."""
    if field is None:
        return [(0, side) for side in sides]
    ends = []
    for axis, place in enumerate((row, column)):
        size, stride, start = (
            one if isinstance(one, int) else one[axis] for one in (field.size, field.stride, field.start)
        )
        ends.append((start + place * stride, start + place * stride + size))
    return ends
