"""`Scan`, the result of one pass over a set of images, and opening it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lucidtorch.base.checks import checked
from lucidtorch.base.errors import BadInputError, UnknownLayerError, suggestion
from lucidtorch.base.trust import following, trusting
from lucidtorch.datasets.named import DataName, find_data, open_data
from lucidtorch.models.model import Model, network_key
from lucidtorch.scanning.answers import NO_ANSWER
from lucidtorch.scanning.layer_scan import LayerScan
from lucidtorch.scanning.source import Data, Skipped, Source
from lucidtorch.scanning.state import SUMMARY, ScanState, read_state


@dataclass(frozen=True, eq=False)
class Scan:
    """How the units of a network respond to a set of images; `scan[layer]` is the part of one layer.

    Args:
        folder: Where it is written.
        model: The network's name.
        images: How many images the data has.
        done: How many of them were processed; all of them once the scan is finished.
        skipped: Those that were skipped.
        classes: The names of the classes; none where the data does not name them.
        class_counts: `[classes]`, how many images of each class were processed and not skipped.
        right: `[classes]`, for how many of these the network's answer was right; zeros without `answers`.
        answers: The right answers by head: for each class the number of the head's class, or -1.
        channels: How many channels the images had.
        sides: Their height and width, as the network saw them.
        data: How they can be opened again; None where only a Python program has them.
        checksum: Of a few of the images, which tells them from others.
        network: The checksum of the network, from `network_key`.
        layers: The part of each layer by its address, in the order of the network.
        moved: Where an earlier scan of something else in the folder was moved to, or None.
    """

    folder: Path
    model: str
    images: int
    done: int
    skipped: tuple[Skipped, ...]
    classes: tuple[str, ...]
    class_counts: np.ndarray
    right: np.ndarray
    answers: Mapping[str, Sequence[int]]
    channels: int
    sides: tuple[int, int]
    data: DataName | None
    checksum: str
    network: str | None
    layers: Mapping[str, LayerScan]
    moved: Path | None = None

    def accuracy(self, label: int) -> float | None:
        """The accuracy of the network on the images of a class.

        Args:
            label: The number of the class.

        Returns:
            From 0 to 1; None where no image of it was processed, or no right answer is known.
        """
        known = any(0 <= label < len(one) and one[label] != NO_ANSWER for one in self.answers.values())
        count = int(self.class_counts[label]) if 0 <= label < len(self.class_counts) else 0
        if not known or count == 0:
            return None
        return float(self.right[label]) / count if label < len(self.right) else 0.0

    def check(self, model: Model) -> None:
        """Refuse this scan for a network that it is not of.

        Args:
            model: The network.

        Raises:
            BadInputError: The scan is not finished, or of another network.
        """
        if self.done < self.images:
            raise BadInputError(
                f"The scan in {self.folder} has looked at {self.done} of {self.images} images; finish it first."
            )
        if self.network != network_key(model):
            raise BadInputError(
                f"The scan in {self.folder} is of another network ({self.model}) than {model.name}, or of other "
                f"weights; scan this one."
            )

    def open(self, data: Data | None = None, *, trust: bool = False) -> Source:
        """Open the images of the scan again.

        Args:
            data: The data, where only a Python program has it; found by its name if None.
            trust: Whether images outside of the folder of the scan are opened because it names them, where they were
                not scanned on this machine.

        Returns:
            The images, as the network saw them.

        Raises:
            UntrustedError: The scan names images outside of its folder.
            BadInputError: They are not found, or are others than those of the scan.
        """
        if data is None:
            if self.data is None:
                raise BadInputError(f"The images of the scan in {self.folder} are those of a program; give `data`.")
            with trusting(trust), following(self.folder / SUMMARY, self.folder):
                data = open_data(find_data(self.data, self.checksum, self.folder), size=self.sides, base=self.folder)
        found = Source(data, self.channels, self.sides)
        if len(found) != self.images or found.checksum() != self.checksum:
            raise BadInputError(f"The images are others than those of the scan in {self.folder}; scan them again.")
        return found

    def __getitem__(self, layer: str) -> LayerScan:
        if layer not in self.layers:
            raise UnknownLayerError(f"The scan in {self.folder} has no {layer!r}. {suggestion(layer, self.layers)}")
        return self.layers[layer]


@checked
def load_scan(folder: str | Path) -> Scan:
    """Open a scan, finished or not.

    Args:
        folder: Where `scan` wrote it.

    Returns:
        The scan; `done` of its `images` were processed.

    Raises:
        BadInputError: The folder holds no scan, or a damaged one.
    """
    state = read_state(Path(folder))
    if state is None:
        raise BadInputError(f"{folder} holds no scan; write one by datasets.scan(model, data, {str(folder)!r}).")
    return scan_of(state, Path(folder))


def scan_of(state: ScanState, folder: Path, moved: Path | None = None) -> Scan:
    """Make the state of a scan readable."""
    identity = state.identity
    height, width = identity["size"]
    classes = tuple(identity["classes"])
    layers = {
        layer: LayerScan(
            layer=layer,
            shape=shape,
            receptive_field=state.receptive_fields[layer],
            sides=(height, width),
            class_names=classes,
            class_count=len(state.class_counts),
            shown=(identity["top"], identity["ranked"]),
            stats=state.stats[layer],
        )
        for layer, shape in state.shapes.items()
    }
    return Scan(
        folder=folder,
        model=state.model,
        images=state.total,
        done=state.done,
        skipped=tuple(state.skipped),
        classes=classes,
        class_counts=state.class_counts,
        right=state.right,
        answers=identity["answers"],
        channels=identity["channels"],
        sides=(height, width),
        data=state.data,
        checksum=identity["data"],
        network=identity["network"],
        layers=layers,
        moved=moved,
    )
