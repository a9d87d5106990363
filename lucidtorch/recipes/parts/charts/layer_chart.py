"""Lines over the layers of a network, drawn as a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from lucidtorch.recipes.parts.charts.palette import COLOURS, GROUND, INK, RULE

FINE = 2  # times finer that it is drawn, so that lines are smooth
WIDTH, HEIGHT = 1160 * FINE, 300 * FINE  # of the whole, and of the plot
LEFT, TOP, RIGHT, BELOW = 76 * FINE, 40 * FINE, 20 * FINE, 16 * FINE
LETTERS = 14 * FINE
THICK, DOT = 2 * FINE, 4 * FINE
MOST = 2  # lines of a chart
PALE = 56  # how much of its line's colour a band has, of 255

Colour: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True)
class Line:
    """A line of a chart.

    Args:
        name: What it is.
        values: One per layer; None where there is none.
        low: The ends of a band round it, one per layer; no band where empty.
        high: Its other ends.
    """

    name: str
    values: Sequence[float | None]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


def chart(names: Sequence[str], lines: Sequence[Line], ticks: Sequence[tuple[float, str]]) -> Tensor:
    """Draw lines over layers, in their order from left to right."""
    font = ImageFont.load_default(LETTERS)
    longest = max(math.ceil(font.getlength(name)) for name in names)
    turned = longest > 0.92 * (WIDTH - LEFT - RIGHT) / len(names)
    foot = BELOW + (longest if turned else LETTERS) + BELOW // 2
    picture = Image.new("RGB", (WIDTH, TOP + HEIGHT + foot), GROUND)
    plot = _Plot(ImageDraw.Draw(picture, "RGBA"), font, len(names), ticks[0][0], ticks[-1][0])
    plot.axes(ticks)
    for line, colour in zip(lines, COLOURS, strict=False):
        plot.band(line, colour)
    for place, (line, colour) in enumerate(zip(lines, COLOURS, strict=False)):
        plot.line(line, colour)
        plot.legend(place, line.name, colour)
    for place, name in enumerate(names):
        _name(picture, font, name, round(plot.across(place)), turned)
    small = picture.reduce(FINE)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1).float() / 255


@dataclass(frozen=True)
class _Plot:
    """What is drawn on, and where values lie on it."""

    draw: ImageDraw.ImageDraw
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont
    count: int
    first: float
    last: float

    def across(self, place: int) -> float:
        return LEFT + (place + 0.5) * (WIDTH - LEFT - RIGHT) / self.count

    def up(self, value: float) -> float:
        return TOP + HEIGHT * (self.last - value) / (self.last - self.first)

    def axes(self, ticks: Sequence[tuple[float, str]]) -> None:
        for value, text in ticks:
            height = self.up(value)
            self.draw.line((LEFT, height, WIDTH - RIGHT, height), RULE, FINE)
            self.draw.text((LEFT - BELOW // 2, height), text, INK, self.font, anchor="rm")

    def band(self, line: Line, colour: Colour) -> None:
        """Lay a pale band between the least and the most; a single layer has a pale stroke."""
        above = [(self.across(place), self.up(value)) for place, value in enumerate(line.high)]
        below = [(self.across(place), self.up(value)) for place, value in enumerate(line.low)]
        pale = (*colour, PALE)
        if len(above) > 1:
            self.draw.polygon([*above, *below[::-1]], pale)
        elif above:
            self.draw.line([*above, *below], pale, 3 * THICK)

    def line(self, line: Line, colour: Colour) -> None:
        points = [(self.across(place), self.up(value)) for place, value in enumerate(line.values) if value is not None]
        if len(points) > 1:
            self.draw.line(points, colour, THICK, joint="curve")
        for x, y in points:
            self.draw.ellipse((x - DOT, y - DOT, x + DOT, y + DOT), colour)

    def legend(self, place: int, name: str, colour: Colour) -> None:
        left = LEFT + place * (WIDTH - LEFT - RIGHT) // MOST
        middle = TOP // 2 - FINE
        self.draw.line((left, middle, left + 3 * LETTERS // 2, middle), colour, 2 * THICK)
        self.draw.text((left + 2 * LETTERS, middle), name, INK, self.font, anchor="lm")


def _name(
    picture: Image.Image, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, name: str, middle: int, turned: bool
) -> None:
    """Write the name of a layer below the plot, upwards where there is no room across."""
    size = (math.ceil(font.getlength(name)), LETTERS * 3 // 2)
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).text((0, size[1] // 2), name, 255, font, anchor="lm")
    placed = mask.rotate(90, expand=True) if turned else mask
    picture.paste(INK, (middle - placed.width // 2, TOP + HEIGHT + BELOW // (1 if turned else 2)), placed)
