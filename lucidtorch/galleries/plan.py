"""The plan of a gallery: which batches of which units are rendered, decided before the first of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from lucidtorch.base.checks import is_whole
from lucidtorch.base.errors import BadInputError, UnitError
from lucidtorch.base.records import MOST_IMAGES
from lucidtorch.base.seeds import PICTURE_BITS, image_seeds, picture_seed
from lucidtorch.base.shown import shown
from lucidtorch.galleries.task import Craft, Piece, Task
from lucidtorch.galleries.variants import VARIANTS, check_variant, filled, is_template
from lucidtorch.models.layers.directory import LOGITS
from lucidtorch.models.layers.table import LayerLike
from lucidtorch.models.model import Model, default_layers
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.images import each
from lucidtorch.objectives.matching import diversity
from lucidtorch.objectives.units import channel

DIVERSITY_WEIGHT = 100  # Lucid's
DIVERSITY_COPIES = 4
LONGEST_SLUG = 80

Place: TypeAlias = tuple[str, str, int]
"""The layer, the variant and the unit of a picture."""


@dataclass(frozen=True)
class Batch:
    """A unit of work: the pictures that are computed together.

    Args:
        layer: The address of the layer.
        variant: What is shown of each unit: ``channel``, ``negative``, ``diversity``, or a template.
        units: The units it shows.
        objective: What is maximized, for all images of the batch.
        seeds: One per image of the batch; a short batch is padded with its last unit.
        note: What a reader should know, or empty.
        stem: The name that an earlier version gave it, or empty.
    """

    layer: str
    variant: str
    units: tuple[int, ...]
    objective: Objective
    seeds: tuple[int, ...]
    note: str
    stem: str = ""

    @property
    def name(self) -> str:
        """A name that no other batch of the gallery has, fit for a file."""
        if self.stem:
            return self.stem
        first, last = self.units[0], self.units[-1]
        gaps = "" if last - first + 1 == len(self.units) else f"-{_checksum(repr(self.units))}"
        return f"{slug(self.layer)}-{slug(self.variant)}-{first:05d}-{last:05d}{gaps}"

    @property
    def copies(self) -> int:
        """How many images belong to one unit."""
        return DIVERSITY_COPIES if self.variant == "diversity" else 1

    def objective_of(self, unit: int) -> Objective:
        """Write what one unit's picture maximizes, as it would be typed for that unit alone."""
        if self.variant == "diversity":
            return channel(self.layer, unit) - DIVERSITY_WEIGHT * diversity(self.layer)
        if is_template(self.variant):
            return filled(self.variant, self.layer, unit)
        own = channel(self.objective.layers[0], unit)
        return own if self.variant == "channel" else -own

    def task(self, craft: Craft) -> Task:
        """Write the batch down as work to be done."""
        copies = self.copies
        places = (tuple(range(at * copies, (at + 1) * copies)) for at in range(len(self.units)))
        pieces = tuple(Piece(self.file(unit), own) for unit, own in zip(self.units, places, strict=True))
        return Task(self.name, self.objective, self.seeds, pieces, craft)

    def file(self, unit: int) -> str:
        """Say where a unit's picture stands in the gallery folder."""
        return f"pictures/{slug(self.layer)}/{slug(self.variant)}/{unit:05d}.png"


def plan(
    model: Model,
    layers: Sequence[LayerLike] | None,
    units: str | Sequence[int],
    variants: Sequence[str],
    size: int,
    seed: int,
) -> tuple[Batch, ...]:
    """Decide which batches a gallery needs: a pure function of its arguments."""
    image_seeds((seed,), 1)
    for variant in variants:
        check_variant(variant)
    if not variants:
        raise BadInputError(f"A gallery needs one variant at least, of {', '.join(VARIANTS)}.")
    if not is_whole(size) or not 1 <= size <= MOST_IMAGES:
        known = f"a whole number from 1 to {MOST_IMAGES}"
        raise BadInputError(f"The batch of a gallery is {known}, but {shown(size)} was given.")
    chosen = default_layers(model, layers)
    if not chosen:
        raise BadInputError(f"{model.name} shows no layer: it has no convolution or linear layer, or none was named.")
    numbers = {layer: chosen_units(model, layer, units) for layer in chosen}
    return tuple(
        batch
        for layer in chosen
        for variant in dict.fromkeys(variants)
        for batch in _batches(model, layer, variant, numbers[layer], size, seed, PICTURE_BITS)
    )


def replanned(
    model: Model, asked: Sequence[Batch], done: Collection[Place], size: int, seed: int, bits: int
) -> tuple[Batch, ...]:
    """Plan what is missing of batches."""
    left: dict[tuple[str, str], list[int]] = {}
    for one in asked:
        own = [unit for unit in one.units if (one.layer, one.variant, unit) not in done]
        left.setdefault((one.layer, one.variant), []).extend(own)
    return tuple(
        batch
        for (layer, variant), units in left.items()
        for batch in _batches(model, layer, variant, units, size, seed, bits)
    )


def batch_of(
    model: Model, layer: str, variant: str, units: tuple[int, ...], size: int, seed: int, bits: int, stem: str = ""
) -> Batch:
    """Plan one batch."""
    if variant == "diversity":
        seeds = tuple(picture_seed(seed, layer, units[0], variant, copy, bits=bits) for copy in range(DIVERSITY_COPIES))
        goal = channel(layer, [units[0]] * DIVERSITY_COPIES) - DIVERSITY_WEIGHT * diversity(layer)
        return Batch(layer, variant, units, goal, seeds, "", stem)
    padded = [*units, *[units[-1]] * (size - len(units))]
    seeds = tuple(picture_seed(seed, layer, unit, variant, 0, bits=bits) for unit in padded)
    if is_template(variant):
        goal = each(*(filled(variant, layer, unit) for unit in padded))
        return Batch(layer, variant, units, goal, seeds, "", stem)
    if variant == "channel":
        return Batch(layer, variant, units, channel(layer, padded), seeds, "", stem)
    before = model.layers.before(layer)
    note = "" if before is None else f"taken before the ReLU: {before}"
    return Batch(layer, variant, units, -channel(before or layer, padded), seeds, note, stem)


def chosen_units(model: Model, layer: str, units: str | Sequence[int]) -> tuple[int, ...]:
    """Find the units of a layer that a gallery shows."""
    count = model.layers[layer].channels or 0
    wanted: Sequence[int]
    if isinstance(units, str):
        wanted = range(count) if units.strip() == "all" else _read_units(units, layer, count)
    else:
        wanted = units
    for unit in wanted:
        if not is_whole(unit) or not 0 <= unit < count:
            raise UnitError(f"{layer!r} has {count} channels, 0 to {count - 1}, but {shown(unit)} was given.")
    if not wanted:
        raise BadInputError(f"No units of {layer!r} were named; write all, or for example 0-63.")
    return tuple(sorted(set(wanted)))


def class_names(model: Model, layer: str) -> list[str] | None:
    """Find the names of a layer's units, where these are the classes."""
    table = model.layers
    record = table[layer]
    if names := model.classes_of(layer):
        return list(names)
    last = [one.address for one in table.values() if one.kind == "Linear"][-1:]
    scores = [table[LOGITS].address] if LOGITS in table else []
    if model.labels is None or record.address not in (*last, *scores) or record.channels != len(model.labels):
        return None
    return model.labels


def slug(name: str) -> str:
    """Turn an address or a template into a name for files and folders that no other has."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    if safe == name and not safe.startswith(".") and len(safe) <= LONGEST_SLUG:
        return safe
    return f"{safe.lstrip('.')[:LONGEST_SLUG]}-{_checksum(name)}"


def _read_units(text: str, layer: str, count: int) -> list[int]:
    found: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?", part)
        if match is None:
            raise BadInputError(f"Units are written all, 5, 0-63 or 0-7,12, but {shown(text)} was given.")
        first, last = int(match[1]), int(match[2] or match[1])
        if first >= count or last < first:
            raise UnitError(f"{layer!r} has {count} channels, 0 to {count - 1}, but {shown(part.strip())} was given.")
        found += range(first, min(last, count - 1) + 1 if match[2] else last + 1)
    return found


def _batches(
    model: Model, layer: str, variant: str, units: Sequence[int], size: int, seed: int, bits: int
) -> Iterator[Batch]:
    step = 1 if variant == "diversity" else size
    for start in range(0, len(units), step):
        yield batch_of(model, layer, variant, tuple(units[start : start + step]), size, seed, bits)


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]
