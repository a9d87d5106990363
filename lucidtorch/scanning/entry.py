"""`scan`: one pass over a set of images, which goes on where it was stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from torch import nn

from lucidtorch.base.checks import checked
from lucidtorch.base.errors import BadInputError, ImageError, RenderError, noting
from lucidtorch.base.known_files import remember
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import PLANE, size_pair
from lucidtorch.datasets.named import name_of
from lucidtorch.models.layers.table import LayerLike
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model, default_layers, network_key
from lucidtorch.runs.folder import SCAN, check_folder, checked_key, claim, kept_in_place
from lucidtorch.scanning.answers import are_right, checked_answers
from lucidtorch.scanning.layer_scan import WITH_PLACES
from lucidtorch.scanning.layer_stats import LayerActivations, LayerStats, ScanSettings
from lucidtorch.scanning.result import Scan, scan_of
from lucidtorch.scanning.source import Data, Item, Skipped, Source
from lucidtorch.scanning.state import ScanState, read_state, remove_tables, write_provenance, write_state

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the number of images that were processed, and of all."""


@checked
def scan(
    model: Model | nn.Module | str,
    data: Data,
    folder: str | Path,
    *,
    layers: Sequence[LayerLike] | None = None,
    top: int = 9,
    bottom: int = 9,
    ranked: int = 100,
    batch: int = 32,
    chunk: int = 512,
    bins: int = 128,
    samples: int = 2048,
    seed: int = 0,
    size: int | Sequence[int] | None = None,
    answers: Mapping[str, Sequence[int]] | None = None,
    report: Progress | None = None,
) -> Scan:
    """Make one pass over a set of images, and record how every unit of some layers responds to them.

    Each image is cropped around its centre and scaled to the network's size. One that cannot be read, or for which some
    layer gives values that are not finite, is skipped and listed. After each chunk the state is written into the
    folder, whole or not at all; the same call goes on where it was stopped, and ends with the very bytes of an unbroken
    run. A scan of something else in the folder is moved beside it first.

    What is recorded, in memory and in the folder, grows with the layers alone: each unit takes about
    `20 * (max(top, ranked) + bottom) + 8 * bins + 4 * samples` bytes. The forward pass itself holds the activations of
    a batch in all layers.

    Args:
        model: The network: a `Model`, a module, or a name for `load_model`.
        data: A `Collection`, a torchvision dataset, a sequence of images or of pairs of an image and its class, or an
            array `[N, C, H, W]`. The same number must always give the same image.
        folder: Where the scan is written to.
        layers: Addresses or modules; every convolution and linear layer where None.
        top: How many of the images that excite a unit most are kept as examples.
        bottom: How many of those that excite it least.
        ranked: How many of those that excite it most are counted by class.
        batch: How many images go through the network together.
        chunk: After how many images the state is written.
        bins: How many bins each histogram has; at least 4.
        samples: At how many random places, of all places of all images, the activations of a layer are recorded.
        seed: Seed of these places; neither batch nor chunk changes them.
        size: The side of the images in pixels, or height and width; the network's own where None.
        answers: By the address of each head, for each class of the data the number of the head's class that is right,
            or -1; `scanning.right_answers` finds them. An image counts as right where all heads say what they
            should. No answers are counted where None.
        report: Called with the number of images done and of all, after each batch.

    Returns:
        The scan.

    Raises:
        BadInputError: Anything does not fit, or the folder holds something else under a name that a scan needs; nothing
            was done then.
        ImageError: Not one image could be used.
        WriteError: The disk is full, or the folder was removed meanwhile.

    Example:
        >>> from lucidtorch.datasets import drawings, scan
        >>> found = scan("demo", drawings("test", length=51), "scan", layers=["conv2_1"])
        >>> best = found["conv2_1"].top(3)[0]
        >>> found.done, best.box.bottom - best.box.top > 0
        (51, True)
    """
    settings = ScanSettings(top, bottom, ranked, batch, chunk, bins, samples, seed)
    network = model if isinstance(model, Model) else load_model(model)
    source = Source(data, network.convention.channels, _sides(network, size))
    fresh = _fresh(network, source, default_layers(network, layers), settings, answers)
    place = Path(folder)
    check_folder(place, SCAN)
    state, moved = _resumed(fresh, place)
    with kept_in_place(place, SCAN):
        if state.done == 0:
            write_state(state, place)  # the record first: a folder without one is not known as a scan's
        write_provenance(state, place)
        remove_tables(state, place)
        work = _Pass(network, source, settings, state, report)
        while state.done < state.total:
            work.process_chunk()
            write_state(state, place)
            work.tell(state.done)
    if len(state.skipped) == state.total:
        raise ImageError(f"Not one of {state.total} images could be used; the first: {state.skipped[0].reason}")
    return scan_of(state, place, moved)


class _Pass:
    """Adds images to a state, chunk by chunk."""

    def __init__(
        self, model: Model, source: Source, settings: ScanSettings, state: ScanState, report: Progress | None
    ) -> None:
        self.model, self.source, self.settings, self.state = model, source, settings, state
        self.batch = settings.batch if model.takes_batches else 1
        self.report = report

    def tell(self, done: int) -> None:
        if self.report is not None:
            with noting("raised by report"):
                self.report(done, self.state.total)

    def process_chunk(self) -> None:
        """Add the next chunk."""
        start = self.state.done
        end = min(start + self.settings.chunk, self.state.total)
        coming = self.source.items(range(start, end), self.state.skipped)
        while items := list(islice(coming, self.batch)):
            self._add(items)
            if items[-1].image + 1 < end:
                self.tell(items[-1].image + 1)
        self.state.skipped.sort(key=lambda one: one.image)
        self.state.done = end

    def _add(self, items: Sequence[Item]) -> None:
        layers, heads = list(self.state.stats), self.state.identity["answers"]
        asked: list[LayerLike] = list(dict.fromkeys([*layers, *heads]))
        given = self.model.activations(torch.stack([item.pixels for item in items]), asked)
        classified = {head: given[head].cpu().float().argmax(1).numpy() for head in heads}
        for layer, shape in self.state.shapes.items():
            if tuple(given[layer].shape[1:]) != shape:
                raise RenderError(f"Layer {layer!r} gave {list(given[layer].shape[1:])} where it gave {shape} before.")
        activations = {layer: LayerActivations.of(given.pop(layer)) for layer in layers}
        finite = np.logical_and.reduce([one.finite for one in activations.values()])
        self._skip_infinite(items, activations)
        if not finite.any():
            return
        images = np.array([item.image for item in items], dtype=np.int64)[finite]
        labels = np.array([item.label for item in items], dtype=np.int32)[finite]
        for layer, stats in self.state.stats.items():
            stats.add(activations.pop(layer).only(finite), images, labels, self.settings, layer)
        right = are_right(heads, {head: one[finite] for head, one in classified.items()}, labels)
        self.state.class_counts = _counted(self.state.class_counts, labels)
        self.state.right = _counted(self.state.right, labels[right])

    def _skip_infinite(self, items: Sequence[Item], activations: Mapping[str, LayerActivations]) -> None:
        for place, item in enumerate(items):
            broken = [layer for layer, one in activations.items() if not one.finite[place]]
            if broken:
                reason = f"Layer {broken[0]!r} gave values that are not finite."
                self.state.skipped.append(Skipped(item.image, self.source.name(item.image), reason))


def _counted(counts: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Add labels to the counts of each class, which become longer where a label needs it."""
    found = np.bincount(labels[labels >= 0], minlength=len(counts))
    found[: len(counts)] += counts
    return found


def _sides(model: Model, size: int | Sequence[int] | None) -> tuple[int, int]:
    if len(model.convention.size) != PLANE:
        raise BadInputError(f"scan takes networks of images, but {model.name} takes clips or volumes.")
    model.feed.check_batch(1)
    return size_pair(model.convention.size if size is None else size)


def _fresh(
    model: Model,
    source: Source,
    layers: tuple[str, ...],
    settings: ScanSettings,
    answers: Mapping[str, Sequence[int]] | None,
) -> ScanState:
    """The state of a scan that has processed no image."""
    right = checked_answers(answers, model, source.classes)
    if not layers:
        raise BadInputError(f"{model.name} has no layer to scan: no convolution or linear layer, or none was named.")
    table = model.layers_at(source.sides)
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in layers:
        shape = table[layer].shape
        if not shape or len(shape) > WITH_PLACES:
            raise BadInputError(
                f"scan takes layers [B, C, H, W] or [B, C], but {shown(layer)} gives {shape} per image."
            )
        shapes[layer] = shape
    identity = {
        "network": network_key(model),
        "layers": list(layers),
        "size": list(source.sides),
        "channels": source.channels,
        "images": len(source),
        "data": source.checksum(),
        "classes": list(source.classes),
        "answers": right,
        **asdict(settings),
    }
    name = name_of(source.data)
    if name is not None:
        remember(identity["data"], name)
    return ScanState(
        model=model.name,
        identity=identity,
        shapes=shapes,
        receptive_fields={layer: table[layer].receptive_field for layer in layers},
        data=name,
        stats={layer: LayerStats.empty(shape[0], settings) for layer, shape in shapes.items()},
        class_counts=np.zeros(len(source.classes), dtype=np.int64),
        right=np.zeros(len(source.classes), dtype=np.int64),
    )


def _resumed(fresh: ScanState, folder: Path) -> tuple[ScanState, Path | None]:
    """Take up what the folder holds, or begin; a scan of something else is moved aside, and where to is returned."""
    known = read_state(folder)
    if known is not None and fresh.identity["network"] is None:
        raise BadInputError(
            f"{folder} holds a scan, and an input or output of this network is a function, so that nobody can say "
            "whether it is the same; scan into another folder."
        )
    moved = claim(folder, SCAN, checked_key(fresh.identity))
    if known is None or moved is not None:
        return fresh, moved
    progress = {name: getattr(known, name) for name in ("stats", "class_counts", "right", "done", "skipped")}
    return replace(fresh, **progress), None  # all else as it is now: the images may have been moved since
