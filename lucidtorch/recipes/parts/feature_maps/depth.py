"""What is told of activations over depth: how sparse each layer is and how strong, in charts and in a table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import fmean

from lucidtorch.galleries.curve import number_text
from lucidtorch.recipes.parts.charts.layer_chart import Line, chart
from lucidtorch.recipes.parts.feature_maps.seen import LayerSeen
from lucidtorch.recipes.parts.feature_maps.sparsity import Measures, leaders, silent
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.story import Cell, Figure, Section, Table

DASH, FIRM = "\N{EN DASH}", "\N{NO-BREAK SPACE}"
TIMES = f"{FIRM}\N{MULTIPLICATION SIGN}{FIRM}"
PERCENT = tuple((value / 100, f"{value} %") for value in range(0, 101, 25))


def depth_section(desk: Desk, layers: Sequence[LayerSeen]) -> Section:
    """Tell how sparse and how strong the layers are."""
    pictures = len(layers[0].found)
    band = (
        ""
        if pictures == 1
        else f" The lines are means over {pictures} pictures, the bands go from the least to the most."
    )
    text = (
        "Behind a ReLU, what was below zero is exactly zero: the larger the share of zeros, the sparser the layer "
        "answers, and the more each value that is left tells. Layers without a ReLU, such as the plain outputs of "
        "convolutions and the scores of classes, have hardly any value that is exactly zero.",
        "Near zero means smaller than 1 % of the largest size in that layer on that picture; exact zeros are counted "
        f"too. Shares are of all values of a layer: every unit at every place.{band}",
        "How large the values are can be compared within a layer, and hardly between layers: the next layer's weights "
        "make up for any scale.",
    )
    return Section("How sparse it is, layer by layer", text, _charts(desk, layers), table=_table(layers))


def _charts(desk: Desk, layers: Sequence[LayerSeen]) -> tuple[Figure, ...]:
    names = [one.layer for one in layers]
    sparse = [_line("exactly zero", layers, lambda one: one.zero), _line("near zero", layers, lambda one: one.near)]
    strong = [_line("mean size", layers, lambda one: one.size), _line("largest size", layers, _peak)]
    first = desk.write("sparsity.png", chart(names, sparse, PERCENT))
    ends = f"from {_percent(sparse[0].values[0])} in {names[0]} to {_percent(sparse[0].values[-1])} in {names[-1]}"
    figures = [
        Figure(first, "How much of each layer is zero, from the first layer to the last", f"Zeros: {ends}", whole=True)
    ]
    sizes = [value for line in strong for value in (*line.values, *line.low, *line.high) if value]
    if sizes:
        second = desk.write("sizes.png", chart(names, [_powers(line) for line in strong], _decades(sizes)))
        caption = "How large the values of each layer are, without their sign; each line of the grid is ten times more"
        figures.append(Figure(second, caption, "The sizes of values over the layers", whole=True))
    return tuple(figures)


def _line(name: str, layers: Sequence[LayerSeen], value: Callable[[Measures], float]) -> Line:
    found = [[value(one) for one in layer.found] for layer in layers]
    means = [fmean(values) for values in found]
    if len(layers[0].found) == 1:
        return Line(name, means)
    return Line(name, means, [min(values) for values in found], [max(values) for values in found])


def _peak(one: Measures) -> float:
    return max(abs(one.low), abs(one.high))


def _powers(line: Line) -> Line:
    """Write sizes as powers of ten; a layer that is zero everywhere has none, and then there is no band either."""
    values = [math.log10(value) if value else None for value in line.values]
    if not all((*line.low, *line.high)):
        return Line(line.name, values)
    return Line(line.name, values, [math.log10(one) for one in line.low], [math.log10(one) for one in line.high])


def _decades(sizes: Sequence[float]) -> list[tuple[float, str]]:
    first, last = math.floor(math.log10(min(sizes))), math.ceil(math.log10(max(sizes)))
    stride = max(1, math.ceil((last - first) / 8))
    powers = range(first, max(last, first + 1) + stride, stride)
    return [(float(power), number_text(10.0**power)) for power in powers]


def _table(layers: Sequence[LayerSeen]) -> Table:
    head = ("layer", "kind", "gives", "exactly zero", "near zero", "silent units", "mean", "maximum", "strongest units")
    several = len(layers[0].found) > 1
    spread = " With several pictures: the mean over them, and in brackets the least and the most." if several else ""
    where = "on every picture" if several else "on the picture"
    first = next((unit for unit, _ in leaders(layers[0].found)), 0)
    caption = (
        f"Silent units are zero everywhere {where}. The strongest units have the highest mean over all places, which "
        f"stands in brackets; elsewhere the first of them is written `{layers[0].layer}:{first}`.{spread}"
    )
    return Table(head, tuple(_row(one) for one in layers), caption)


def _row(layer: LayerSeen) -> tuple[Cell, ...]:
    best = ", ".join(f"{layer.called(unit)} ({_short(value)})" for unit, value in leaders(layer.found))
    return (
        layer.layer,
        layer.kind,
        TIMES.join(map(str, layer.shape)),
        _spread([one.zero for one in layer.found], _percent),
        _spread([one.near for one in layer.found], _percent),
        f"{len(silent(layer.found))} of {layer.shape[0]}",
        _spread([one.mean for one in layer.found], _short),
        _spread([one.high for one in layer.found], _short),
        best or "none: all is zero",
    )


def _spread(values: Sequence[float], text: Callable[[float], str]) -> str:
    mean = text(fmean(values))
    return mean if len(values) == 1 else f"{mean} ({text(min(values))}{FIRM}{DASH}{FIRM}{text(max(values))})"


def _percent(share: float | None) -> str:
    return DASH if share is None else f"{100 * share:.1f}{FIRM}%"


def _short(value: float) -> str:
    return number_text(value, 3)
