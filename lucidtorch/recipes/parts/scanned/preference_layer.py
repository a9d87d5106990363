"""What a page tells of the classes that one layer prefers: bars, a table, and patches of the classes at both ends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lucidtorch.galleries.plan import slug
from lucidtorch.recipes.parts.scanned.patch_tiles import tiles
from lucidtorch.recipes.parts.scanned.preference import Preference, accuracy_text, best_by_class, ends
from lucidtorch.recipes.parts.scanned.preference_story import bars, ratio_text
from lucidtorch.recipes.parts.unit_pictures import counted
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.story import Cell, Figure, Section, Table
from lucidtorch.scanning.result import Scan
from lucidtorch.scanning.source import Source

PATCHES = 4  # of a class, from the unit that prefers it most
HEAD = ("class", "place", "images", "by chance", "preference", "accuracy", "most of them excite", "what they see there")


def layer_section(
    desk: Desk,
    scan: Scan,
    source: Source,
    layer: str,
    found: Sequence[Preference],
    shown: int,
    ranked: int,
) -> Section:
    """Tell of the classes that a layer prefers."""
    by_unit = best_by_class(scan, layer, ranked)
    most, least = ends(tuple(found), shown)
    rows = [
        _row(desk, scan, source, layer, by_unit[:, one.label], place, one)
        for place, one in ((found.index(one) + 1, one) for one in (*most, *least))
    ]
    absent = sum(one.count == 0 for one in found)
    none = f" {absent} of {len(found)} classes have none, and stand in the order of their numbers." if absent else ""
    text = (
        f"{counted(scan[layer].units, 'unit')} with {counted(int(by_unit.sum()), 'best image')} that are counted.{none}"
    )
    file = desk.write(f"classes-{slug(layer)}.png", bars(found, shown))
    chart = Figure(
        file,
        f"{layer}: the preference of all {len(found)} classes, from {found[0].name} (left) to {found[-1].name}; "
        "the dark line is what chance would give",
        f"Bars of the preference of {len(found)} classes in {layer}",
        whole=True,
    )
    return Section(layer, (text,), (chart,), table=Table(HEAD, tuple(rows)))


def _row(
    desk: Desk, scan: Scan, source: Source, layer: str, by_unit: np.ndarray, place: int, one: Preference
) -> tuple[Cell, ...]:
    unit = int(by_unit.argmax())
    numbers = (place, one.count, round(one.chance, 1), ratio_text(one.ratio), accuracy_text(one.accuracy))
    if not one.count:
        return (one.name, *numbers, None, None)
    examples = [example for example in scan[layer].top(unit) if example.label == one.label][:PATCHES]
    figure = None
    if examples:
        file = f"maps/{slug(layer)}/class-{one.label:05d}.png"
        desk.write(file, tiles(source, scan[layer], examples).strip())
        figure = Figure(file, one.name, f"Patches of {one.name} that excite {layer}:{unit} most", whole=True)
    return (one.name, *numbers, f"unit {unit} ({by_unit[unit]})", figure)
