"""The front door to scans: one pass over a set of images, which goes on where it was stopped."""

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
from lucidtorch.scanning.answers import NO_ANSWER
from lucidtorch.scanning.layer_scan import WITH_PLACES
from lucidtorch.scanning.ledger import Ledger, Seen
from lucidtorch.scanning.result import Scan
from lucidtorch.scanning.settings import Settings
from lucidtorch.scanning.source import Data, Item, Skipped, Source
from lucidtorch.scanning.state import About, State, read_state, remove_tables, write_provenance, write_state

Report: TypeAlias = Callable[[int, int], None]
"""Called with the number of images that were looked at, and of all."""


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
    report: Report | None = None,
) -> Scan:
    """Look through a set of images once, and keep what they do to every unit of some layers.

    Each image is cut evenly and scaled to the network's size. One that cannot be read, or that some layer makes no
    finite numbers of, is left out and listed. After each chunk the state is written into the folder, whole or not at
    all; the same call goes on where it was stopped, and ends with the very bytes of an unbroken run.

    What is kept, in memory and in the folder, grows with the layers alone: each unit takes about
    `20 * (max(top, ranked) + bottom) + 8 * bins + 4 * samples` bytes. The forward pass itself holds the activations of
    a batch in all layers.

    A scan of something else that stands in the folder is moved beside it first.

    Args:
        model: The network: a `Model`, a module, or a name for `load_model`.
        data: A `Collection`, a torchvision dataset, a sequence of images or of pairs of an image and its class, or an
            array `[N, C, H, W]`. The same number must always give the same image.
        folder: Where the scan shall stand.
        layers: Addresses or modules; every convolution and linear layer where None.
        top: How many of the images that excite a unit most are kept as examples.
        bottom: How many of those that excite it least.
        ranked: How many of those that excite it most are counted by class.
        batch: How many images go through the network together.
        chunk: After how many images the state is written.
        bins: How many bins each histogram has; at least 4.
        samples: At how many places, of all places of all images, the activations of a layer are drawn and kept.
        seed: What these places are drawn from; neither batch nor chunk changes them.
        size: The side of the images in pixels, or height and width; the network's own where None.
        answers: By the address of each head, for each class of the data the number of the head's class that is right,
            or -1; `datasets.answers.right_answers` finds them. An image counts as right where all heads say what they
            should. No answers are counted where None.
        report: Called as the work goes on.

    Returns:
        What was found.

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
    settings = Settings(top, bottom, ranked, batch, chunk, bins, samples, seed)
    network = model if isinstance(model, Model) else load_model(model)
    source = Source(data, network.convention.channels, _sides(network, size))
    about = _about(network, source, default_layers(network, layers), settings, _checked(answers, network, source))
    place = Path(folder)
    check_folder(place, SCAN)
    state, moved = _begun(about, place, settings)
    with kept_in_place(place, SCAN):
        if state.done == 0:
            write_state(state, place)  # the record first: what has none is of somebody else
        write_provenance(about, place)
        remove_tables(state, place)
        work = _Pass(network, source, settings, state, report)
        while state.done < about.total:
            work.go_on()
            write_state(state, place)
            work.tell(state.done)
    if len(state.skipped) == about.total:
        raise ImageError(f"Not one of {about.total} images could be used; the first: {state.skipped[0].reason}")
    return replace(Scan.of(state, place), moved=moved)


class _Pass:
    """The pass at work: it enters images into a state, chunk by chunk."""

    def __init__(self, model: Model, source: Source, settings: Settings, state: State, report: Report | None) -> None:
        self.model, self.source, self.settings, self.state = model, source, settings, state
        self.batch = settings.batch if model.takes_batches else 1
        self.report = report

    def tell(self, done: int) -> None:
        if self.report is not None:
            with noting("raised by report"):
                self.report(done, self.state.about.total)

    def go_on(self) -> None:
        """Enter one chunk."""
        start = self.state.done
        end = min(start + self.settings.chunk, self.state.about.total)
        coming = self.source.items(range(start, end), self.state.skipped)
        while items := list(islice(coming, self.batch)):
            self._enter(items)
            if items[-1].image + 1 < end:
                self.tell(items[-1].image + 1)
        self.state.skipped.sort(key=lambda one: one.image)
        self.state.done = end

    def _enter(self, items: Sequence[Item]) -> None:
        layers, heads = list(self.state.ledgers), self.state.about.answers
        asked: list[LayerLike] = list(dict.fromkeys([*layers, *heads]))
        given = self.model.activations(torch.stack([item.pixels for item in items]), asked)
        said = {head: given[head].cpu().float().argmax(1).numpy() for head in heads}
        for layer, shape in self.state.about.shapes.items():
            if tuple(given[layer].shape[1:]) != shape:
                raise RenderError(f"Layer {layer!r} gave {list(given[layer].shape[1:])} where it gave {shape} before.")
        seen = {layer: Seen.of(given.pop(layer)) for layer in layers}
        sound = np.logical_and.reduce([one.finite for one in seen.values()])
        self._note_unsound(items, seen)
        if not sound.any():
            return
        images = np.array([item.image for item in items], dtype=np.int64)[sound]
        labels = np.array([item.label for item in items], dtype=np.int32)[sound]
        for layer, ledger in self.state.ledgers.items():
            ledger.enter(seen.pop(layer).only(sound), images, labels, self.settings, layer)
        self.state.class_counts = _counted(self.state.class_counts, labels)
        self.state.right = _counted(self.state.right, labels[_right(heads, said, labels, sound)])

    def _note_unsound(self, items: Sequence[Item], seen: dict[str, Seen]) -> None:
        for place, item in enumerate(items):
            broken = [layer for layer, one in seen.items() if not one.finite[place]]
            if broken:
                reason = f"Layer {broken[0]!r} gave values that are not finite."
                self.state.skipped.append(Skipped(item.image, self.source.name(item.image), reason))


def _counted(counts: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Count labels to those of before."""
    found = np.bincount(labels[labels >= 0], minlength=len(counts))
    found[: len(counts)] += counts
    return found


def _right(
    heads: Mapping[str, Sequence[int]], said: Mapping[str, np.ndarray], labels: np.ndarray, sound: np.ndarray
) -> np.ndarray:
    """Say which images are of a class that some head has, and are taken for it by all heads that have it."""
    right = np.ones(len(labels), dtype=bool)
    known = np.zeros(len(labels), dtype=bool)
    for head, answers in heads.items():
        wanted = np.append(np.asarray(answers, dtype=np.int64), NO_ANSWER)
        wanted = wanted[np.where((labels >= 0) & (labels < len(answers)), labels, len(answers))]
        known |= wanted != NO_ANSWER
        right &= (wanted == NO_ANSWER) | (wanted == said[head][sound])
    return right & known


def _checked(answers: Mapping[str, Sequence[int]] | None, model: Model, source: Source) -> dict[str, list[int]]:
    """Refuse right answers that are none."""
    found = {head: [int(one) for one in numbers] for head, numbers in (answers or {}).items()}
    for head, numbers in found.items():
        shape = model.layers[head].shape
        if len(shape or ()) != 1 or not all(NO_ANSWER <= one < (shape or (0,))[0] for one in numbers):
            raise BadInputError(f"The answers of {head!r} are numbers of its units, or -1, but its shape is {shape}.")
        if len(numbers) != len(source.classes):
            raise BadInputError(
                f"{head!r} has {len(numbers)} answers for the {len(source.classes)} classes of the data."
            )
    return found


def _sides(model: Model, size: int | Sequence[int] | None) -> tuple[int, int]:
    if len(model.convention.size) != PLANE:
        raise BadInputError(f"scan takes networks of images, but {model.name} takes clips or volumes.")
    model.feed.check_batch(1)
    return size_pair(model.convention.size if size is None else size)


def _about(
    model: Model, source: Source, layers: tuple[str, ...], settings: Settings, answers: dict[str, list[int]]
) -> About:
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
        "answers": answers,
        **asdict(settings),
    }
    fields = {layer: table[layer].receptive_field for layer in layers}
    name = name_of(source.data)
    if name is not None:
        remember(identity["data"], name)
    return About(model.name, identity, len(source), source.classes, shapes, fields, name)


def _begun(about: About, folder: Path, settings: Settings) -> tuple[State, Path | None]:
    """Take up what the folder holds, or begin; a scan of something else is moved aside, and where to is said."""
    known = read_state(folder)
    if known is not None and about.identity["network"] is None:
        raise BadInputError(
            f"{folder} holds a scan, and an input or output of this network is a function, so that nobody can say "
            "whether it is the same; scan into another folder."
        )
    moved = claim(folder, SCAN, checked_key(about.identity))
    if known is not None and moved is None:
        known.about = about  # the images may have been moved since
        return known, None
    counts = np.zeros(len(about.classes), dtype=np.int64)
    ledgers = {layer: Ledger.empty(shape[0], settings) for layer, shape in about.shapes.items()}
    return State(about, ledgers, class_counts=counts, right=counts.copy()), moved
