"""The images that maps are made of: chosen evenly, looked at by a network, and made small."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from lucidtorch.analysis.embeddings import FEWEST
from lucidtorch.base.images import shrunk, visible
from lucidtorch.models.model import Model
from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.scanning.source import Item, Skipped, Source


@dataclass(frozen=True)
class Chosen:
    """Which images of some data are laid out.

    Args:
        source: The data.
        numbers: Of the images, ascending.
    """

    source: Source
    numbers: tuple[int, ...]

    @classmethod
    def of(cls, source: Source, most: int, seed: int) -> Chosen:
        """Choose images evenly spread: one, drawn by chance, of each of as many equal stretches.

        A fixed stride would meet the same class again and again where the classes of the data take turns.
        """
        total = len(source)
        if total <= most:
            return cls(source, tuple(range(total)))
        draws = torch.rand(most, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        edges = [total * step // most for step in range(most + 1)]
        stretches = zip(edges, edges[1:], draws.tolist(), strict=False)
        return cls(source, tuple(start + int((end - start) * draw) for start, end, draw in stretches))


@dataclass(frozen=True, eq=False)
class Seen:
    """What layers made of images.

    Args:
        total: How many images the data holds.
        names: Of the images that could be used.
        labels: `[N]`: the number of each one's class, -1 where it has none.
        classes: The names of the classes; empty where there are none.
        thumbs: `[N, C, h, w]` in [0, 1]: the images, small.
        vectors: `[N, D]` by layer.
        skipped: The images that could not be used.
    """

    total: int
    names: tuple[str, ...]
    labels: Tensor
    classes: tuple[str, ...]
    thumbs: Tensor
    vectors: Mapping[str, Tensor]
    skipped: tuple[Skipped, ...]

    @property
    def shown_classes(self) -> tuple[int, ...]:
        """The numbers of the classes that an image here is of."""
        return tuple(sorted({one for one in self.labels.tolist() if one >= 0}))


def looked_through(desk: Desk, model: Model, chosen: Chosen, layers: Sequence[str], pool: str, side: int) -> Seen:
    """Run images through a network and keep a vector of each layer."""
    skipped: list[Skipped] = []
    items: list[Item] = []
    vectors: dict[str, list[Tensor]] = {layer: [] for layer in layers}
    size = desk.recipe.batch if model.takes_batches else 1
    with desk.onlooker.counting("images", len(chosen.numbers)) as show:
        coming = chosen.source.items(chosen.numbers, skipped)
        while batch := list(islice(coming, size)):
            found = model.activations(torch.stack([one.pixels for one in batch]), list(layers))
            rows = {layer: _pooled(found[layer], pool) for layer in layers}
            sound = torch.stack([values.isfinite().all(1) for values in rows.values()]).all(0)
            for layer, values in rows.items():
                vectors[layer].append(values[sound])
            for one, fits in zip(batch, sound.tolist(), strict=True):
                if fits:
                    items.append(Item(one.image, shrunk(visible(one.pixels), side), one.label))
                else:
                    skipped.append(Skipped(one.image, chosen.source.name(one.image), "A layer gave no finite values."))
            show(len(items) + len(skipped))
    if len(items) < FEWEST:
        reason = f"; the first that cannot be: {skipped[0].reason}" if skipped else ""
        raise FieldError(("data",), f"A map needs {FEWEST} images at least, and {len(items)} can be used{reason}")
    source = chosen.source
    labels = torch.tensor([one.label for one in items])
    return Seen(
        len(source),
        tuple(_short(source.name(one.image), one.image) for one in items),
        labels,
        _class_names(source, labels),
        torch.stack([one.pixels for one in items]),
        {layer: torch.cat(rows) for layer, rows in vectors.items()},
        tuple(skipped),
    )


def _pooled(values: Tensor, pool: str) -> Tensor:
    """Make one vector of each image's activations `[B, C, ...]`."""
    rows = values.detach().float().flatten(2) if values.ndim > 2 else values.detach().float()[:, :, None]
    return (rows.mean(2) if pool == "mean" else rows.flatten(1)).cpu()


def _short(name: str, number: int) -> str:
    """The file's own name and the image's number, or the number alone."""
    own = Path(name).name
    return own if own == f"image {number}" else f"{own} (image {number})"


def _class_names(source: Source, labels: Tensor) -> tuple[str, ...]:
    """The names of the classes; their numbers where the data names none."""
    top = int(labels.max())
    return tuple(source.classes[one] if one < len(source.classes) else f"class {one}" for one in range(top + 1))


def columns_of(count: int) -> int:
    """Say how many of some images stand in a row of a square of them."""
    return math.ceil(math.sqrt(count))
