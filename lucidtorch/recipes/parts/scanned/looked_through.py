"""What all recipes on a scan check first, and what they tell of images that were left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import size_text
from lucidtorch.recipes.blame import FieldError, blamed
from lucidtorch.recipes.parts.unit_pictures import counted
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Section, Table
from lucidtorch.recipes.supply import Supply
from lucidtorch.scanning.answers import right_answers
from lucidtorch.scanning.layer_scan import WITH_PLACES
from lucidtorch.scanning.result import Scan
from lucidtorch.scanning.source import NO_CLASS, Item, Source

LISTED = 100  # images that were left out, of which the page tells each
PROBED = 8  # images that are read to see whether any has a class
Depth: TypeAlias = Literal["top", "bottom", "ranked"]


def scanned_layers(stage: Stage, supply: Supply, given: str | Sequence[str] | None) -> tuple[str, ...]:
    """Read the addresses of the layers that a recipe looks at, and make sure that a scan can."""
    if given is None and supply.found is not None:
        return tuple(supply.found.layers)
    layers = stage.layers(given)
    supply.check(layers)
    if supply.found is not None:
        return layers
    sides = supply.source.sides
    if right_answers(stage.network, supply.source.classes):
        reason = stage.network.refusal(sides)
        if reason is not None:
            raise FieldError(("size",), f"{stage.network.name} does not take {size_text(sides)} pixels: {reason}")
    with blamed("size"):
        table = stage.network.layers_at(sides)
        shapes = {layer: table[layer].shape for layer in layers}
    for layer, shape in shapes.items():
        if not shape or len(shape) > WITH_PLACES:
            said = (
                f"A scan takes layers [B, C, H, W] or [B, C], but {shown(layer)} gives {shape} per image; name others."
            )
            raise FieldError(("layers",), said)
    return layers


def check_depth(supply: Supply, layers: Sequence[str], field: Depth, count: int) -> None:
    """Refuse to look at more images of a unit than the scan holds that a recipe names."""
    if supply.found is None:
        return
    for layer in layers:
        found = supply.found[layer]
        tables = {"bottom": found.stats.bottom, "ranked": found.stats.top}
        held = len(tables[field].images[0]) if field in tables else found.shown[0]
        if held < count:
            raise FieldError(
                (field,), f"The scan holds {held} such images of each unit of {layer!r}, and {count} are asked for."
            )


def has_classes(supply: Supply) -> bool:
    """Say whether data has classes."""
    if supply.found is not None:
        return bool(supply.found.class_counts.sum())
    return bool(supply.source.classes) or _labelled(supply.source)


def left_out(scan: Scan) -> tuple[Section, ...]:
    """Tell of the images that were left out."""
    if not scan.skipped:
        return ()
    rows = tuple((one.image, one.name, one.reason) for one in scan.skipped[:LISTED])
    more = (
        ""
        if len(scan.skipped) <= LISTED
        else f" The first {LISTED} are listed; `scan.json` in the folder of the scan has all."
    )
    text = f"{counted(len(scan.skipped), 'image')} of {scan.images} could not be looked at.{more}"
    return (Section("Images left out", (text,), table=Table(("image", "file", "reason"), rows)),)


def _labelled(source: Source) -> bool:
    items = (source.read(number) for number in range(min(PROBED, len(source))))
    return any(isinstance(one, Item) and one.label != NO_CLASS for one in items)
