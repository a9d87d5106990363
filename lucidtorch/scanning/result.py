"""What a scan found, and opening it again."""

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
from lucidtorch.scanning.state import SUMMARY, State, read_state


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
        right: `[classes]`, for how many of these the network's answer was right; zeros where nobody said which is.
        answers: What the right answers were, by head: for each class the number of the head's class, or -1.
        channels: How many channels the images had.
        sides: Their height and width, as the network saw them.
        data: How they can be opened again; None where only a Python program has them.
        checksum: Of a few of the images, which tells them from others.
        network: The checksum of the network, from `network_key`.
        layers: What was found, by address, in the order of the network.
        moved: Where an earlier scan of something else was moved to that stood in the folder, or None.
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
        return cls(
            folder,
            about.model,
            about.total,
            state.done,
            tuple(state.skipped),
            about.classes,
            state.class_counts,
            state.right,
            about.answers,
            about.identity["channels"],
            (height, width),
            about.data,
            about.identity["data"],
            about.identity["network"],
            layers,
        )

    def accuracy(self, label: int) -> float | None:
        """Say how often the network is right about the images of a class.

        Args:
            label: The number of the class.

        Returns:
            From 0 to 1; None where no image of it was looked at, or nobody said what would be right.
        """
        known = any(0 <= label < len(one) and one[label] != NO_ANSWER for one in self.answers.values())
        count = int(self.class_counts[label]) if 0 <= label < len(self.class_counts) else 0
        if not known or count == 0:
            return None
        return float(self.right[label]) / count if label < len(self.right) else 0.0

    def check(self, model: Model) -> None:
        """Refuse to take this scan for what a network makes of images.

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
        """Open the images again that were looked at.

        Args:
            data: The data, where only a Python program has it; it is found where it was if None.
            trust: Whether images outside of the folder of the scan are opened because it names them, where they were
                not scanned on this machine.

        Returns:
            The images, as the network saw them.

        Raises:
            UntrustedError: The scan names images outside of its folder.
            BadInputError: Nobody knows where they are, or they are others than these.
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
        What it found so far; `done` says how many of `images` it has looked at.

    Raises:
        BadInputError: The folder holds no scan, or a damaged one.
    """
    state = read_state(Path(folder))
    if state is None:
        raise BadInputError(f"{folder} holds no scan; write one by datasets.scan(model, data, {str(folder)!r}).")
    return Scan.of(state, Path(folder))
