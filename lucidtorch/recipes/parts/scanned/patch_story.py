"""What a page tells of the patches that excite the units of a layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from lucidtorch.base.sizes import size_text
from lucidtorch.galleries.curve import number_text
from lucidtorch.galleries.plan import class_names, slug
from lucidtorch.models.model import Model
from lucidtorch.recipes.parts.scanned.best_patches import BestPatches, by_class, purity
from lucidtorch.recipes.parts.scanned.patch_tiles import Tiles, overview, tiles
from lucidtorch.recipes.parts.scanned.preference import accuracy_text, class_text
from lucidtorch.recipes.parts.unit_pictures import counted, numbers_text
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.story import Cell, Figure, Section, Table
from lucidtorch.scanning.layer_scan import Example

BEST, LEAST = "best", "least"
PERCENT = "\N{NO-BREAK SPACE}%"
HEAD = ("unit", "patches, the best first", "size", "activation", "above 0")
CLASSES = ("classes (accuracy)", "purity")


def patch_section(
    desk: Desk, network: Model, shown: BestPatches, step: Callable[[], None], *, context: bool
) -> Section:
    """Cut the patches of a layer's units out, write the pictures, and describe them."""
    names = class_names(network, shown.layer)
    rows: list[tuple[Cell, ...]] = []
    blocks: list[Tensor] = []
    for unit in shown.units:
        name = str(unit) if names is None else f"{unit} {names[unit]}"
        best, worst = shown.best[unit], shown.worst.get(unit, ())
        made = tiles(shown.source, shown.found, (*best, *worst), context=context)
        blocks.append(made.patches[: len(best)])
        rows.append(_row(desk, shown, unit, name, made.part(0, len(best))))
        if worst:
            rows.append(_row(desk, shown, unit, name, made.part(len(best), len(best) + len(worst)), least=True))
        step()
    table = Table((*HEAD, *(CLASSES if _classed(shown) else ())), tuple(rows))
    return Section(shown.layer, (_lead(shown),), _overview(desk, shown, blocks), table=table)


def _lead(shown: BestPatches) -> str:
    image = _sides(shown.found.sides)
    if shown.whole:
        sees = f"One unit sees the whole image of {image} pixels, so its patches are whole images."
    else:
        seen = shown.found.receptive_field
        stride = 1 if seen is None else seen.stride
        step = counted(stride, "pixel") if isinstance(stride, int) else f"{size_text(stride)} pixels"
        sees = f"One unit sees {_sides(shown.patch)} of the {image} pixels; neighbours are {step} apart."
    total = counted(shown.found.units, "unit")
    count = total if len(shown.units) == shown.found.units else f"{total}, of which {len(shown.units)} are shown"
    silent = [unit for unit in shown.units if not shown.best[unit]]
    one = f"unit{'' if len(silent) == 1 else 's'} {numbers_text(silent)}"
    return f"{sees} {count}." + (f" No image moves {one}." if silent else "")


def _overview(desk: Desk, shown: BestPatches, blocks: Sequence[Tensor]) -> tuple[Figure, ...]:
    picture, across = overview(blocks)
    file = desk.write(f"sheet-{slug(shown.layer)}.png", picture)
    order = "" if len(blocks) == 1 else f" from left to right, {across} in a row"
    units = f"unit{'' if len(blocks) == 1 else 's'} {numbers_text(shown.units)}"
    text = f"{shown.layer}: {units}, a block each{order}; the best patch of a block is its first"
    return (Figure(file, text, f"The best patches of {counted(len(blocks), 'unit')} of {shown.layer}", whole=True),)


def _row(desk: Desk, shown: BestPatches, unit: int, name: str, made: Tiles, *, least: bool = False) -> tuple[Cell, ...]:
    examples = shown.worst[unit] if least else shown.best[unit]
    which = LEAST if least else BEST
    figure = None
    if examples:
        file = desk.write(f"maps/{slug(shown.layer)}/{unit:05d}-{which}.png", made.strip())
        said = ", ".join(_example_text(shown, one) for one in examples)
        figure = Figure(file, name, f"{shown.layer}:{name}, {which} first: {said}", whole=True)
    moments = shown.found.moments
    value = float((moments.low if least else moments.high)[unit])
    share = "" if least else f"{100 * shown.above_zero(unit):.0f}{PERCENT}"
    own: tuple[Cell, ...] = (f"{name}, least" if least else name, figure, _sides(shown.patch), value, share)
    if not _classed(shown):
        return own
    classes = ", ".join(_class_text(shown, label, f":\N{NO-BREAK SPACE}{count}") for label, count in by_class(examples))
    pure = purity(examples)
    return (*own, classes, None if pure is None else f"{100 * pure:.0f}{PERCENT}")


def _example_text(shown: BestPatches, one: Example) -> str:
    label = "" if one.label is None else f" {_class_text(shown, one.label)}"
    return f"{number_text(one.value, 3)}{label}"


def _class_text(shown: BestPatches, label: int, times: str = "") -> str:
    return f"{class_text(shown.scan, label)}{times}\N{NO-BREAK SPACE}({accuracy_text(shown.scan.accuracy(label))})"


def _classed(shown: BestPatches) -> bool:
    return bool(shown.scan.class_counts.sum())


def _sides(sides: tuple[int, int]) -> str:
    return f"{sides[0]}\N{NO-BREAK SPACE}\N{MULTIPLICATION SIGN}\N{NO-BREAK SPACE}{sides[1]}"
