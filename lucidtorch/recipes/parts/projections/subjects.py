"""Units in images: where they are strongest, and what they see there."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lucidtorch.models.model import Model
from lucidtorch.recipes.parts.projections.projector import Subject
from lucidtorch.scanning.layer_scan import Box, Example, LayerScan, box_seen, window_seen
from lucidtorch.scanning.source import Skipped, Source

WITH_PLACES = 3  # axes of a layer `[C, H, W]`


def in_image(
    model: Model, image: str, pixels: Tensor, layer: str, units: Sequence[int] | None, count: int, *, whole: bool
) -> tuple[Subject, ...]:
    """Look for units in an image."""
    values = model.activations(pixels[None], layer)[layer][0].cpu().float()
    grid = values[:, None, None] if values.ndim < WITH_PLACES else values
    best, places = grid.flatten(1).max(1)
    chosen = units
    if chosen is None:
        chosen = torch.sort(best, descending=True, stable=True).indices[:count].tolist()
    height, width = pixels.shape[1:]
    sides = (height, width)
    field = model.layers_at(sides)[layer].receptive_field if values.ndim == WITH_PLACES and not whole else None
    found = []
    for unit in chosen:
        row, column = divmod(int(places[unit]), grid.shape[2])
        box, window = box_seen(field, sides, row, column), window_seen(field, sides, row, column)
        found.append(Subject(image, pixels, layer, unit, float(best[unit]), row, column, box, window))
    return tuple(found)


def in_data(source: Source, found: LayerScan, unit: int, top: int, *, whole: bool) -> tuple[Subject, ...]:
    """Take the images that excite a unit most."""
    return tuple(one for example in found.exciting(unit)[:top] for one in _subject(source, found, unit, example, whole))


def strongest_in_data(found: LayerScan, count: int) -> tuple[int, ...]:
    """Choose the units that some image excites most."""
    high = torch.from_numpy(found.moments.high)
    return tuple(torch.sort(high, descending=True, stable=True).indices[:count].tolist())


def _subject(source: Source, found: LayerScan, unit: int, example: Example, whole: bool) -> tuple[Subject, ...]:
    item = source.read(example.image)
    if isinstance(item, Skipped):
        return ()
    row, column = example.row, example.column
    all_of_it = Box(0, 0, *source.sides)
    box, window = (all_of_it, all_of_it) if whole else (example.box, found.window(row, column))
    name = example.class_name or f"image {example.image}"
    return (Subject(name, item.pixels, found.layer, unit, example.value, row, column, box, window),)
