"""What is told of filters: the best of each layer, all of them, and the kernels of the first layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lucidtorch.base.images import on_grey, sheet
from lucidtorch.galleries.curve import number_text
from lucidtorch.galleries.plan import slug
from lucidtorch.models.model import Model
from lucidtorch.recipes.parts.filter_banks.kernels import Kernels, first_kernels, wide_columns
from lucidtorch.recipes.parts.unit_pictures import counted, numbers_text, unit_name
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.planning import Shot
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Figure, Section


@dataclass(frozen=True)
class Ascent:
    """The pictures of a layer.

    Args:
        layer: Its address.
        units: The units, ascending.
        shots: Their pictures, in the same order.
    """

    layer: str
    units: tuple[int, ...]
    shots: tuple[Shot, ...]

    def ranked(self, desk: Desk) -> list[int]:
        """Order the units by the objective of their finished pictures."""
        records = [desk.records[shot.file] for shot in self.shots]
        alive = [place for place, one in enumerate(records) if not one["dead"] and one["score"] is not None]
        return sorted(alive, key=lambda place: -records[place]["score"])

    def dead(self, desk: Desk) -> list[int]:
        """Find the units that nothing woke."""
        pairs = zip(self.units, self.shots, strict=True)
        return [unit for unit, shot in pairs if desk.records[shot.file]["dead"]]


def lead(stage: Stage, ascents: Sequence[Ascent], start: str | None) -> tuple[str, ...]:
    """Say how the pictures came about and how to read them."""
    count = counted(sum(len(one.units) for one in ascents), "channel")
    begins = {"blank": "a blank grey image with a trace of noise", "noise": "noise"}
    ground = begins.get(start or "", "what `param` says")
    steps = counted(stage.craft.schedule.steps, "step")
    return (
        f"{count} of {stage.network.name}, each by gradient ascent: starting from {ground}, the picture was changed in "
        f"{steps} so that the mean of the channel over all places grew. The oldest way to see what a filter looks for.",
        "The number beside a name is that mean on the finished picture. It ranks the channels of one layer; a low one "
        "is no sign of an unimportant channel: channels have scales of their own, and some fill a picture while "
        "others answer at one spot of it. Numbers of different layers cannot be compared.",
    )


def sections(desk: Desk, network: Model, ascent: Ascent, best: int) -> list[Section]:
    """Lay out a layer: the best ones first, then all in one sheet with the others behind it."""
    first = ascent.ranked(desk)[:best] or list(range(min(best, len(ascent.units))))
    figures = [_figure(desk, network, ascent, place) for place in range(len(ascent.units))]
    dead = ascent.dead(desk)
    said = [f"Dead, so that nothing woke them, and grey with a cross: {numbers_text(dead)}."] if dead else []
    alone = len(first) == len(figures)
    heading = f"{ascent.layer}: {'all' if alone else f'the {len(first)} with the highest objective'}"
    best_ones = Section(heading, ("The highest first.", *said), tuple(figures[place] for place in first))
    if alone:
        return [best_ones]
    others = [figure for place, figure in enumerate(figures) if place not in first]
    return [best_ones, Section(f"{ascent.layer}: all {len(figures)}", figures=(_all(desk, ascent), *others))]


def best_sheet(desk: Desk, ascent: Ascent, best: int) -> str:
    """Put the best pictures of a layer side by side: what stands for the whole run."""
    first = ascent.ranked(desk)[:best] or list(range(min(best, len(ascent.units))))
    return _sheet(desk, ascent, first, f"best-{slug(ascent.layer)}.png", math.ceil(math.sqrt(len(first))))


def _all(desk: Desk, ascent: Ascent) -> Figure:
    count = len(ascent.units)
    columns = wide_columns(count)
    file = _sheet(desk, ascent, range(count), f"sheet-{slug(ascent.layer)}.png", columns)
    rows = ascent.units[::columns]
    text = f"{ascent.layer}: units {numbers_text(ascent.units)} from left to right, {columns} in a row"
    text += f"; the rows begin with {', '.join(map(str, rows))}." if len(rows) > 1 and columns > 1 else "."
    return Figure(file, text, f"A sheet of {count} channels of {ascent.layer}", whole=True)


def _sheet(desk: Desk, ascent: Ascent, places: Sequence[int], file: str, columns: int) -> str:
    tiles = desk.stacked(ascent.shots[place].file for place in places)
    opaque = tiles if tiles.shape[1] in (1, 3) else on_grey(tiles)
    return desk.write(file, sheet(opaque, columns))


def _figure(desk: Desk, network: Model, ascent: Ascent, place: int) -> Figure:
    shot, name = ascent.shots[place], unit_name(network, ascent.layer, ascent.units[place])
    return desk.figure(shot.file, name, shot.objective)


def facts_of(desk: Desk, ascent: Ascent, best: int) -> dict[str, Any]:
    """Say as data what is known of a layer's channels."""
    scores = {unit: desk.records[shot.file]["score"] for unit, shot in zip(ascent.units, ascent.shots, strict=True)}
    ranked = [ascent.units[place] for place in ascent.ranked(desk)]
    return {
        "units": list(ascent.units),
        "best": ranked[:best],
        "objectives": [scores[unit] for unit in ascent.units],
        "dead": ascent.dead(desk),
    }


def kernel_section(desk: Desk, network: Model) -> tuple[Section, dict[str, Any]] | None:
    """Show the weights of the first layer."""
    kernels = first_kernels(network)
    if kernels is None:
        return None
    file = desk.write(f"kernels-{slug(kernels.layer)}.png", kernels.picture())
    count, channels, height, width = kernels.weights.shape
    text = [
        f"{kernels.layer} is the first layer and sees the image itself, so its weights can be looked at as they are: "
        f"{counted(count, 'filter')} of {height} x {width} pixels in {counted(channels, 'channel')}. Middle grey is a "
        "weight of zero, lighter is above it and darker below, in each colour. An edge in a picture is an edge that "
        "the filter answers to; opposite colours are a contrast of these colours. Each filter is drawn against its own "
        "largest weight.",
        *_strength(kernels),
    ]
    if kernels.by_channel:
        text.append("Each row is a filter, each column a channel of the image.")
    caption = f"{kernels.layer}: filters 0 to {count - 1}"
    caption += " from top to bottom" if kernels.by_channel else f" from left to right, {kernels.columns} in a row"
    figure = Figure(file, caption, f"The weights of the {count} filters of {kernels.layer}", whole=True)
    facts = {
        "layer": kernels.layer,
        "shape": list(kernels.weights.shape),
        "norms": [float(f"{norm:.6g}") for norm in kernels.norms.tolist()],
        "dead": kernels.dead,
    }
    return Section(f"The weights of {kernels.layer}", tuple(text), (figure,)), facts


def _strength(kernels: Kernels) -> list[str]:
    """Say how strong filters are, and which ones are not to be trusted."""
    norms = kernels.norms
    low, high = int(norms.argmin()), int(norms.argmax())
    said = [
        f"The L2 norms of the filters go from {number_text(float(norms[low]))} (filter {low}) to "
        f"{number_text(float(norms[high]))} (filter {high})."
    ]
    if kernels.dead:
        said.append(f"All weights are zero in {numbers_text(kernels.dead)}: these filters are dead, and plain grey.")
    if kernels.faint:
        said.append(
            f"Below a hundredth of the largest norm: {numbers_text(kernels.faint)}. What is seen there is noise, "
            "made visible by drawing each filter against itself."
        )
    return [" ".join(said)]
