"""The images that excite the units of a layer, with all that is known of each, as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lucidtorch.recipes.parts.scanned.preference import class_text
from lucidtorch.scanning.layer_scan import Example, LayerScan
from lucidtorch.scanning.result import Scan
from lucidtorch.scanning.source import Source


@dataclass(frozen=True)
class BestPatches:
    """What units of one layer see in the images that excite them.

    Args:
        scan: The scan.
        source: Its images.
        layer: The address of the layer.
        units: Its units.
        top: How many of the images that excite a unit most are shown.
        bottom: How many of those that excite it least.
    """

    scan: Scan
    source: Source
    layer: str
    units: tuple[int, ...]
    top: int
    bottom: int

    @cached_property
    def found(self) -> LayerScan:
        """What the scan found about the layer."""
        return self.scan[self.layer]

    @cached_property
    def best(self) -> dict[int, tuple[Example, ...]]:
        """By unit, the images that excite it most; none at which it is only at its lowest."""
        return {unit: self.found.exciting(unit)[: self.top] for unit in self.units}

    @cached_property
    def worst(self) -> dict[int, tuple[Example, ...]]:
        """By unit, the images that excite it least; no unit that they leave alike, as at the zero of a ReLU."""
        found = {unit: self.found.bottom(unit)[: self.bottom] for unit in self.units if self.bottom}
        return {unit: own for unit, own in found.items() if len({one.value for one in own}) > 1 or len(own) == 1}

    @cached_property
    def patch(self) -> tuple[int, int]:
        """Height and width of every patch of the layer."""
        window = self.found.window(0, 0)
        return window.bottom - window.top, window.right - window.left

    @property
    def whole(self) -> bool:
        """Whether a patch is the whole image."""
        return self.patch == self.found.sides

    def above_zero(self, unit: int) -> float:
        """Say which part of a unit's values, at all places of all images, is above zero."""
        counts, edges = self.found.histogram(unit)
        above = int(counts[edges[:-1] >= 0].sum()) - int(self.found.moments.zeros[unit])
        return max(0, above) / max(1, int(counts.sum()))

    def facts(self) -> dict[str, Any]:
        """Say all of it as plain data."""
        return {
            "patch": list(self.patch),
            "whole_image": self.whole,
            "units": {str(unit): self._unit(unit) for unit in self.units},
        }

    def _unit(self, unit: int) -> dict[str, Any]:
        best = self.best[unit]
        return {
            "maximum": float(self.found.moments.high[unit]),
            "minimum": float(self.found.moments.low[unit]),
            "above_zero": self.above_zero(unit),
            "purity": purity(best),
            "classes": [{**self._class(label), "count": count} for label, count in by_class(best)],
            "top": [self._example(one) for one in best],
            "bottom": [self._example(one) for one in self.worst.get(unit, ())],
        }

    def _example(self, one: Example) -> dict[str, Any]:
        place = {"row": one.row, "column": one.column, "box": list(one.box)}
        name = self.source.name(one.image)
        return {"image": one.image, "name": name, "value": one.value, **place, **self._class(one.label)}

    def _class(self, label: int | None) -> dict[str, Any]:
        if label is None:
            return {"label": None, "class": None, "accuracy": None}
        return {"label": label, "class": class_text(self.scan, label), "accuracy": self.scan.accuracy(label)}


def by_class(examples: Sequence[Example]) -> list[tuple[int, int]]:
    """Count images by their class."""
    counts = Counter(one.label for one in examples if one.label is not None)
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def purity(examples: Sequence[Example]) -> float | None:
    """Say how much images are of one class."""
    counts = by_class(examples)
    return counts[0][1] / sum(count for _, count in counts) if counts else None
