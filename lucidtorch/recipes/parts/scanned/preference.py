"""Which classes the units of a layer prefer, counted over the images that excite them most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lucidtorch.scanning.result import Scan


@dataclass(frozen=True, slots=True)
class Preference:
    """How much the units of a layer prefer a class.

    Args:
        label: The number of the class.
        name: Its name.
        count: How many of the units' best images are of it.
        chance: How many would be if images were drawn by chance: all counted ones, times the class's share of the data.
        accuracy: How often the network is right about it, from 0 to 1; None where it has no such class.
    """

    label: int
    name: str
    count: int
    chance: float
    accuracy: float | None

    @property
    def ratio(self) -> float:
        """The preference: the count divided by what chance would give."""
        return self.count / self.chance if self.chance else 0.0


def preferences(scan: Scan, layer: str, ranked: int) -> tuple[Preference, ...]:
    """Measure the preference of a layer for every class of the data.

    Formula: over all units of the layer, the images that excite each most (`ranked` of each) are counted by class; the
    preference of a class is its count divided by what chance would give, that is by the number of all counted images
    times the class's share of all images looked at. Images at which a unit is only at its lowest are not counted: they
    excite it no more than any other.
    """
    counts = best_by_class(scan, layer, ranked).sum(0)
    shares = scan.class_counts / max(1, int(scan.class_counts.sum()))
    total = int(counts.sum())
    found = [
        Preference(label, class_text(scan, label), int(counts[label]), float(total * shares[label]), accuracy)
        for label in range(len(counts))
        if scan.class_counts[label]
        for accuracy in (scan.accuracy(label),)
    ]
    return tuple(sorted(found, key=lambda one: (-one.ratio, one.label)))


def best_by_class(scan: Scan, layer: str, ranked: int) -> np.ndarray:
    """Count, unit by unit, the images that excite a unit most by their class."""
    found = scan[layer]
    table, classes = found.stats.top, len(scan.class_counts)
    labels = table.labels[:, :ranked].astype(np.int64)
    counted = (labels >= 0) & (table.values[:, :ranked] > found.moments.low[:, None])
    units = np.broadcast_to(np.arange(len(labels))[:, None], labels.shape)
    flat = np.bincount((units * classes + labels)[counted], minlength=len(labels) * classes)
    return flat.reshape(len(labels), classes)


def ends(found: tuple[Preference, ...], shown: int) -> tuple[tuple[Preference, ...], tuple[Preference, ...]]:
    """Take the most and the least preferred classes; no class is both."""
    most = min(shown, (len(found) + 1) // 2)
    least = min(shown, len(found) // 2)
    return found[:most], found[len(found) - least :]


def class_text(scan: Scan, label: int) -> str:
    """Name a class of the data."""
    return scan.classes[label] if label < len(scan.classes) else f"class {label}"


def accuracy_text(accuracy: float | None) -> str:
    """Write how often the network is right."""
    return "\N{EN DASH}" if accuracy is None else f"{100 * accuracy:.0f}\N{NO-BREAK SPACE}%"
