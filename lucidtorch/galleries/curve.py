"""The curve of a picture: how its objective grew, laid out for a small drawing with readable axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

CURVE_POINTS = 128  # drawn on a unit's page; the data keeps all
CURVE_WIDTH, CURVE_HEIGHT = 210, 92  # of the plot without its axes, in the drawing's own units
SMALLEST_DRAWN, LARGEST_DRAWN = 1e-100, 1e100  # beyond them the arithmetic of the axes would leave the floats


@dataclass(frozen=True)
class Curve:
    """A curve ready to be drawn, in the drawing's own units.

    Attributes:
        points: Its corners, as SVG writes them.
        last: Where it ends.
        columns: Where the ticks of the axis of steps stand, and what they say.
        rows: The same for the axis of values.
        text: What it shows, for those who cannot see it.
    """

    points: str
    last: tuple[float, float]
    columns: Sequence[tuple[float, str]]
    rows: Sequence[tuple[float, str]]
    text: str


def plotted(values: Sequence[float], steps: int | None) -> Curve | None:
    """Lay a curve out in a box of `CURVE_WIDTH` by `CURVE_HEIGHT`.

    Args:
        values: The objective in equal strides from the first step to the last.
        steps: The number of steps that they span; None leaves the numbers off the axis.

    Returns:
        The curve, or None where there is nothing to draw.
    """
    end = len(values) - 1
    kept = sorted({round(place * end / (CURVE_POINTS - 1)) for place in range(CURVE_POINTS)}) if end > 0 else []
    drawn = [(place, values[place]) for place in kept if abs(values[place]) < LARGEST_DRAWN]
    if len(drawn) < 2:
        return None
    low, high = _domain([value for _, value in drawn])
    across, up = CURVE_WIDTH / end, CURVE_HEIGHT / (high - low)
    places = [(across * place, up * (high - value)) for place, value in drawn]
    columns = [(0.0, "first step"), (float(CURVE_WIDTH), "last step")]
    if steps is not None and steps > 0:
        columns = [(CURVE_WIDTH * step / steps, text) for step, text in _ticks(0, steps)]
    return Curve(
        points=" ".join(f"{x:.1f},{y:.1f}" for x, y in places),
        last=places[-1],
        columns=columns,
        rows=[(up * (high - value), text) for value, text in _ticks(low, high)],
        text=f"The objective goes from {number_text(drawn[0][1])} to {number_text(drawn[-1][1])} as the picture grows.",
    )


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
    """Write a number with a few digits and a real minus sign.

    Args:
        value: The number.
        digits: How many digits that count.

    Returns:
        Its text.
    """
    text = f"{value + 0.0:.{digits}g}"  # the sum turns -0.0 into 0.0
    return text.replace("e+0", "e").replace("e+", "e").replace("e-0", "e-").replace("-", "\N{MINUS SIGN}")
