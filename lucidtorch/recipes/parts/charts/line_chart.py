"""Line charts as pictures: a few named lines over a common axis, with words large enough to be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from lucidtorch.recipes.parts.charts.palette import COLOURS, GROUND, INK, RULE

WIDTH, HEIGHT = 1000, 460  # of a chart, in pixels
LEFT, RIGHT, TOP, BOTTOM = 92, 250, 44, 74  # round the plot; the names of the lines stand to its right
LETTERS, LINE, TICK = 18, 3, 6
MARGIN = 0.06  # of the span of the values, above and below them

Point: TypeAlias = tuple[float, float]
Ticks: TypeAlias = Sequence[tuple[float, str]]


@dataclass(frozen=True)
class Axes:
    """What stands along a chart.

    Args:
        columns: Places along the axis from left to right, with what they are called.
        rows: The same for the axis from bottom to top.
        across: What is counted from left to right.
        up: What is counted from bottom to top.
    """

    columns: Ticks
    rows: Ticks
    across: str
    up: str


def line_chart(lines: Mapping[str, Sequence[Point]], axes: Axes) -> Tensor:
    """Draw lines."""
    places = [point for points in lines.values() for point in points]
    across = _domain([x for x, _ in places] + [x for x, _ in axes.columns], 0.02)
    up = _domain([y for _, y in places] + [y for y, _ in axes.rows], MARGIN)
    canvas = Image.new("RGB", (WIDTH, HEIGHT), GROUND)
    pen = ImageDraw.Draw(canvas)
    _rule(pen, axes, across, up)
    ends = []
    for number, (name, points) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        corners = [(_along(x, across), _above(y, up)) for x, y in points]
        if len(corners) > 1:
            pen.line(corners, fill=colour, width=LINE, joint="curve")
        if corners:
            ends.append((corners[-1], name, colour))
    _name(pen, ends)
    return torch.from_numpy(np.array(canvas)).permute(2, 0, 1).float() / 255


def _domain(values: Sequence[float], margin: float) -> Point:
    low, high = min(values), max(values)
    room = margin * (high - low) if high > low else 0.5
    return low - room, high + room


def _along(value: float, domain: Point) -> float:
    return LEFT + (value - domain[0]) / (domain[1] - domain[0]) * (WIDTH - LEFT - RIGHT)


def _above(value: float, domain: Point) -> float:
    return HEIGHT - BOTTOM - (value - domain[0]) / (domain[1] - domain[0]) * (HEIGHT - TOP - BOTTOM)


def _rule(pen: ImageDraw.ImageDraw, axes: Axes, across: Point, up: Point) -> None:
    """Draw the axes, their ticks, and what they count."""
    font, bottom = ImageFont.load_default(LETTERS), HEIGHT - BOTTOM
    for value, text in axes.rows:
        y = _above(value, up)
        pen.line([(LEFT, y), (WIDTH - RIGHT, y)], fill=RULE, width=1)
        pen.text((LEFT - 10, y), text, fill=INK, font=font, anchor="rm")
    for value, text in axes.columns:
        x = _along(value, across)
        pen.line([(x, bottom), (x, bottom + TICK)], fill=INK, width=1)
        pen.text((x, bottom + TICK + 4), text, fill=INK, font=font, anchor="mt")
    pen.line([(LEFT, bottom), (WIDTH - RIGHT, bottom)], fill=INK, width=1)
    pen.text(((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8), axes.across, fill=INK, font=font, anchor="mb")
    pen.text((8, 2), axes.up, fill=INK, font=font, anchor="lt")


def _name(pen: ImageDraw.ImageDraw, ends: Sequence[tuple[Point, str, tuple[int, int, int]]]) -> None:
    """Write the names of the lines where they end, each under the one that ends above it."""
    font, free = ImageFont.load_default(LETTERS), float(TOP)
    for (x, y), name, colour in sorted(ends, key=lambda one: one[0][1]):
        free = max(free, y)
        pen.text((max(x, WIDTH - RIGHT) + 12, free), name, fill=colour, font=font, anchor="lm")
        free += LETTERS + 4
