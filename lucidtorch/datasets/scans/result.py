"""What a scan found, and opening it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lucidtorch.base.errors import BadInputError, UnknownLayerError, suggestion
from lucidtorch.datasets.scans.layer_scan import LayerScan
from lucidtorch.datasets.scans.source import Skipped
from lucidtorch.datasets.scans.state import State, read_state


@dataclass(frozen=True, eq=False)
class Scan:
    """What a set of images does to the units of a network; `scan[layer]` says it of one layer.

    Args:
        folder: Where it stands.
        model: The network's name.
        images: How many images the data has.
        done: How many of them were looked at; all of them once the scan is finished.
        skipped: Those that were left out.
        classes: The names of the classes; none where nobody named them.
        class_counts: `[classes]`, how many images of each class were looked at.
        layers: What was found, by address, in the order of the network.
    """

    folder: Path
    model: str
    images: int
    done: int
    skipped: tuple[Skipped, ...]
    classes: tuple[str, ...]
    class_counts: np.ndarray
    layers: Mapping[str, LayerScan]

    @classmethod
    def of(cls, state: State, folder: Path) -> Scan:
        """Make the tables of a scan readable.

        Args:
            state: How far it has come.
            folder: Where it stands.

        Returns:
            The scan.
        """
        about = state.about
        height, width = about.identity["size"]
        shown = about.identity["top"], about.identity["ranked"]
        count = len(state.class_counts)
        layers = {
            layer: LayerScan(
                layer, shape, about.receptive_fields[layer], (height, width), about.classes, count, shown, ledger
            )
            for (layer, shape), ledger in zip(about.shapes.items(), state.ledgers.values(), strict=True)
        }
        skipped, counts = tuple(state.skipped), state.class_counts
        return cls(folder, about.model, about.total, state.done, skipped, about.classes, counts, layers)

    def __getitem__(self, layer: str) -> LayerScan:
        if layer not in self.layers:
            raise UnknownLayerError(f"The scan in {self.folder} has no {layer!r}. {suggestion(layer, self.layers)}")
        return self.layers[layer]


def load_scan(folder: str | Path) -> Scan:
    """Open a scan, finished or not.

    Args:
        folder: Where `scan` wrote it.

    Returns:
        What it found so far; `done` says how many of `images` it has looked at.

    Raises:
        BadInputError: The folder holds no scan, or a damaged one.
    """
    state = read_state(Path(folder))
    if state is None:
        raise BadInputError(f"{folder} holds no scan; write one by datasets.scan(model, data, {str(folder)!r}).")
    return Scan.of(state, Path(folder))
