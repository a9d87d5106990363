"""The curves of a picture: how its objective and its parts grew, laid out for a small drawing with readable axes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

CURVE_POINTS = 128  # drawn of each line; the data keeps all
CURVE_WIDTH, CURVE_HEIGHT = 210, 92  # of the plot without its axes, in the drawing's own units
SMALLEST_DRAWN, LARGEST_DRAWN = 1e-100, 1e100  # beyond them the arithmetic of the axes would leave the floats
OBJECTIVE = "objective"  # the name of the line that is the whole
FLATTEST = 0.05  # of a plot's height that each line in it takes at least, where it is not level

Points: TypeAlias = Sequence[tuple[float, float]]  # how far along a line, from 0 to 1, and its value there


@dataclass(frozen=True)
class Line:
    """A line of a plot, in the drawing's own units.

    Attributes:
        name: What it is.
        number: Its place among all lines of the picture, from 0, which decides its colour.
        points: Its corners, as SVG writes them.
        last: Where it ends.
        first_text: The value that it starts from.
        last_text: The value that it ends with.
    """

    name: str
    number: int
    points: str
    last: tuple[float, float]
    first_text: str
    last_text: str


@dataclass(frozen=True)
class Curve:
    """A plot ready to be drawn, in the drawing's own units.

    Attributes:
        lines: What is drawn, the first one on top.
        columns: Where the ticks of the axis of steps stand, and what they say.
        rows: The same for the axis of values.
        text: What it shows, for those who cannot see it.
    """

    lines: Sequence[Line]
    columns: Sequence[tuple[float, str]]
    rows: Sequence[tuple[float, str]]
    text: str


def plotted(lines: Mapping[str, Sequence[float | None]], steps: int | None) -> Curve | None:
    """Lay lines out in one box of `CURVE_WIDTH` by `CURVE_HEIGHT`."""
    drawn = _drawn(lines)
    return _plot(drawn, _numbers(lines), steps) if drawn else None


def panels(lines: Mapping[str, Sequence[float | None]], steps: int | None) -> list[Curve]:
    """Lay lines out in as few boxes as let each of them be seen: those of about one scale share a box."""
    shared: list[dict[str, Points]] = []
    for name, points in _drawn(lines).items():
        fitting = (one for one in shared if _fit_together([*one.values(), points]))
        box = next(fitting, None)
        if box is None:
            shared.append({name: points})
        else:
            box[name] = points
    return [_plot(box, _numbers(lines), steps) for box in shared]


def _numbers(lines: Mapping[str, Sequence[float | None]]) -> dict[str, int]:
    return {name: number for number, name in enumerate(lines)}


def _drawn(lines: Mapping[str, Sequence[float | None]]) -> dict[str, Points]:
    """Thin lines out, and leave off what cannot be drawn."""
    thinned = {name: _thinned(values) for name, values in lines.items()}
    return {name: points for name, points in thinned.items() if len(points) > 1}


def _thinned(values: Sequence[float | None]) -> list[tuple[float, float]]:
    end = len(values) - 1
    kept = sorted({round(place * end / (CURVE_POINTS - 1)) for place in range(CURVE_POINTS)}) if end > 0 else []
    pairs = ((place / end, values[place]) for place in kept)
    return [(at, value) for at, value in pairs if value is not None and abs(value) < LARGEST_DRAWN]


def _fit_together(lines: Sequence[Points]) -> bool:
    """Whether each of some lines can be seen beside the others: level ones always, where they are not far off."""
    spans = [max(value for _, value in points) - min(value for _, value in points) for points in lines]
    values = [value for points in lines for _, value in points]
    least = min((span for span in spans if span > 0), default=0.0)
    return least >= FLATTEST * (max(values) - min(values))


def _plot(lines: Mapping[str, Points], numbers: Mapping[str, int], steps: int | None) -> Curve:
    low, high = _domain([value for points in lines.values() for _, value in points])
    up = CURVE_HEIGHT / (high - low)
    columns = [(0.0, "first step"), (float(CURVE_WIDTH), "last step")]
    if steps is not None and steps > 0:
        columns = [(CURVE_WIDTH * step / steps, text) for step, text in _ticks(0, steps)]
    found = []
    for name, points in lines.items():
        places = [(CURVE_WIDTH * at, up * (high - value)) for at, value in points]
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        ends = number_text(points[0][1]), number_text(points[-1][1])
        found.append(Line(name, numbers[name], text, places[-1], *ends))
    rows = [(up * (high - value), text) for value, text in _ticks(low, high)]
    return Curve(found, columns, rows, " ".join(map(_sentence, found)))


def _sentence(line: Line) -> str:
    name = "The objective" if line.name == OBJECTIVE else line.name
    return f"{name} goes from {line.first_text} to {line.last_text} as the picture grows."


def _domain(values: Sequence[float]) -> tuple[float, float]:
    """Choose where the axis of some values begins and ends: a little beyond them, and around them where all are one."""
    low, high = min(values), max(values)
    size = max(abs(low), abs(high))
    if size < SMALLEST_DRAWN:
        return -1.0, 1.0
    margin = 0.06 * (high - low) if high - low > 1e-6 * size else 0.1 * size
    return low - margin, high + margin


def _ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Choose a few round numbers between two values, and write them with as many digits as tell them apart."""
    power = 10.0 ** math.floor(math.log10((high - low) / 4))
    stride = next(factor * power for factor in (1, 2, 5, 10) if factor * power * 5 >= high - low)
    digits = max(4, math.ceil(math.log10(max(abs(low), abs(high)) / stride)) + 1)
    counts = range(math.ceil(low / stride), math.floor(high / stride) + 1)
    return [(count * stride, number_text(count * stride, digits)) for count in counts]


def number_text(value: float, digits: int = 4) -> str:
    """Write a number with a few digits and a real minus sign."""
    text = f"{value + 0.0:.{digits}g}"  # the sum turns -0.0 into 0.0
    return text.replace("e+0", "e").replace("e+", "e").replace("e-0", "e-").replace("-", "\N{MINUS SIGN}")
