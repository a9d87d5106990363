"""What the page of activation grids tells: the picture, the grids of each layer, and all in one row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lucidtorch.base.images import on_grey
from lucidtorch.galleries.plan import slug
from lucidtorch.galleries.task import Task
from lucidtorch.objectives.units import channel
from lucidtorch.recipes.parts.grids.grid_cells import GridCells
from lucidtorch.recipes.parts.mosaic import side_by_side, smaller, tiled
from lucidtorch.recipes.parts.unit_pictures import counted
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.story import Figure, Section, Story

SEEN = "inputs/as-seen.png"  # the picture as the network looked at it
ROW = "overview.png"
MOST_FIGURES = 256  # cells of a grid that the page shows one by one; of more there is the grid alone
SMALLEST = 0.2  # of a cell that is made smaller, however little the layer says there
SAYINGS = {
    "direction": "Each cell is the picture that goes farthest in the direction of what the layer says there.",
    "channel": "Each cell is the picture of the one channel that is most active there.",
}
HEADINGS = {"direction": "all that the layer says", "channel": "the most active channels"}


@dataclass(frozen=True, eq=False)
class Grid:
    """A grid of pictures of one layer.

    Args:
        cells: What the layer says.
        show: ``direction`` or ``channel``.
        files: The picture of each cell, by row and column; one picture may stand in several cells.
        tasks: What is rendered.
    """

    cells: GridCells
    show: str
    files: Mapping[tuple[int, int], str]
    tasks: tuple[Task, ...]


def told(
    desk: Desk, network: str, title: str | None, seen: str, grids: Sequence[Grid], trim: int, *, scaled: bool
) -> Story:
    """Tell of activation grids."""
    pictures = {grid: _composed(desk, grid, trim, scaled) for grid in grids}
    files = {grid: desk.write(f"{_name(grid)}.png", picture) for grid, picture in pictures.items()}
    row = desk.write(ROW, side_by_side([desk.pixels(seen), *pictures.values()]))
    layers = list(dict.fromkeys(grid.cells.layer for grid in grids))
    whole = Figure(row, "the picture and its grids", f"The picture, then grids of {', '.join(layers)}", whole=True)
    shown = Figure(seen, "the picture as the network looked at it", "The picture that was looked at")
    sections = [Section("The picture and its grids", figures=(whole, shown))]
    sections += [_section(desk, grid, files[grid]) for grid in grids]
    scale = " A cell is the smaller, the less the layer says there." if scaled else ""
    make = "makes" if len(layers) == 1 else "make"
    lead = (
        f"What {', '.join(layers)} of {network} {make} of a picture, place by place. Each cell stands where it looked "
        f"in the picture.{scale}",
        "A cell shows what would excite the layer in that way, and not what is in the picture; the network may see a "
        "dog's ear in a fold of cloth. How strongly it does is in data.json.",
    )
    facts: dict[str, Any] = {"layers": {grid.cells.layer: _facts(grid.cells) for grid in grids}}
    return Story(title or f"Activation grids of {', '.join(layers)}", lead, tuple(sections), row, facts)


def _composed(desk: Desk, grid: Grid, trim: int, scaled: bool) -> Tensor:
    lengths = grid.cells.lengths()
    longest = lengths.max()
    pictures = []
    for place in grid.cells.places:
        picture = desk.pixels(grid.files[place])
        picture = on_grey(picture) if picture.shape[0] in (2, 4) else picture
        picture = picture[:, trim : picture.shape[1] - trim, trim : picture.shape[2] - trim]
        if scaled and longest > 0:
            picture = smaller(picture, max(SMALLEST, float((lengths[place] / longest).sqrt())))
        pictures.append(picture)
    return tiled(torch.stack(pictures), grid.cells.columns)


def _section(desk: Desk, grid: Grid, file: str) -> Section:
    cells = grid.cells
    name = f"{cells.rows} by {cells.columns} cells of {cells.layer}"
    whole = Figure(file, name, f"A grid of {name}, {HEADINGS[grid.show]}", whole=True)
    height, width = cells.positions
    group = "" if cells.group == 1 else f", {cells.group} by {cells.group} to a cell, on average"
    count = len(set(grid.files.values()))
    made = counted(len(grid.files), "cell")
    made = made if grid.show == "direction" else f"{counted(count, 'picture')} in {made}"
    text = (
        f"{cells.layer} has {len(cells.values)} channels at {height} by {width} positions{group}. "
        f"{SAYINGS[grid.show]} {made}."
    )
    figures = _figures(desk, grid) if count <= MOST_FIGURES else ()
    return Section(f"{cells.layer}: {HEADINGS[grid.show]}", (text,), (whole, *figures))


def _figures(desk: Desk, grid: Grid) -> tuple[Figure, ...]:
    """Each picture of a grid: of directions one per cell, of channels one per channel, the most frequent first."""
    layer, channels = grid.cells.layer, grid.cells.channels()
    if grid.show == "direction":
        return tuple(
            desk.figure(
                file,
                f"row {place[0]}, column {place[1]}",
                alt=f"What {layer} says at row {place[0]}, column {place[1]}",
                note=f"most active: {layer}:{int(channels[place])}",
            )
            for place, file in grid.files.items()
        )
    cells = Counter(grid.files.values())
    units = {file: int(channels[place]) for place, file in grid.files.items()}
    return tuple(
        desk.figure(file, f"{layer}:{units[file]}", channel(layer, units[file]), note=f"in {counted(count, 'cell')}")
        for file, count in cells.most_common()
    )


def _facts(cells: GridCells) -> dict[str, Any]:
    height, width = cells.positions
    return {
        "positions": [height, width],
        "channels": len(cells.values),
        "group": cells.group,
        "grid": [cells.rows, cells.columns],
        "cells": list(cells.facts()),
    }


def _name(grid: Grid) -> str:
    end = "" if grid.show == "direction" else "-channels"
    return f"grid-{slug(grid.cells.layer)}{end}"
