"""The colours of the drawings: mostly the natural ones of a class, otherwise random ones with enough contrast."""

from __future__ import annotations

import colorsys
from typing import TypeAlias

from lucidtorch.datasets.plane import Rng

Colour: TypeAlias = tuple[float, float, float]
"""Red, green and blue in [0, 1]."""

Tones: TypeAlias = tuple[Colour, Colour, Colour, Colour]
"""The four tones that layers and parts are painted in."""

NATURAL_SHARE = 0.8  # of the drawings have the natural colours of their class
TONES = 4
CONTRAST = 0.6  # the smallest distance in RGB between ink and background

# Hue, saturation and value of each class in hundredths: its four tones, and for some shapes the usual background.
TABLE = """
stripes     12-4-96   98-85-85   12-4-96    60-30-10
checks      12-4-96   60-30-10   12-4-96    60-30-10
dots        93-60-90  12-4-96    12-4-96    60-30-10
rings       12-4-96   0-90-85    12-4-96    60-30-10
spirals     13-60-98  78-75-60   12-4-96    60-30-10
grid        60-75-60  50-15-98   12-4-96    60-30-10
zigzag      13-80-98  50-85-45   12-4-96    60-30-10
waves       53-50-90  60-85-70   12-4-96    60-30-10
bricks      10-12-85  3-75-68    4-70-50    60-30-10
scales      45-70-50  45-80-55   38-50-95   50-80-20
honeycomb   11-90-75  8-80-35    14-75-100  60-30-10
weave       11-25-95  10-50-85   8-60-70    6-70-20
rays        2-85-90   14-65-100  15-40-100  60-30-10
plaid       11-25-95  98-85-70   12-4-96    62-80-30
maze        35-20-95  36-80-35   12-4-96    60-30-10
cracks      11-25-95  8-45-72    9-40-85    6-60-20
bubbles     56-75-65  50-10-100  50-50-90   60-30-10
fur         7-70-30   8-65-65    10-50-90   5-70-18
wood        9-50-85   7-65-62    12-4-96    5-70-32
marble      30-5-95   45-30-25   40-15-70   60-30-10
camouflage  20-40-60  28-55-35   9-55-40    30-40-15
zebra       12-4-96   60-30-10   12-4-96    60-30-10
leopard     11-55-90  6-60-15    7-70-60    60-30-10
confetti    12-4-96   95-80-95   14-85-100  53-85-90
disc        12-4-96   2-85-90    12-4-96    60-30-10
square      12-4-96   60-85-80   12-4-96    60-30-10
triangle    12-4-96   33-80-65   12-4-96    60-30-10
star        12-4-96   14-90-100  12-4-96    60-30-10  65-75-30
cross       12-4-96   99-90-85   12-4-96    60-30-10  50-5-98
heart       12-4-96   98-90-90   12-4-96    60-30-10  94-20-98
crescent    12-4-96   15-45-100  12-4-96    60-30-10  65-80-30
arrow       12-4-96   38-85-70   12-4-96    60-30-10
flower      12-4-96   88-60-95   14-85-100  10-80-60  31-65-50
gear        12-4-96   60-12-55   12-4-96    60-30-10  10-35-95
drop        12-4-96   57-80-90   12-4-96    60-30-10  55-15-95
bolt        12-4-96   15-85-100  12-4-96    60-30-10  68-50-28
snowflake   12-4-96   53-12-100  12-4-96    60-30-10  60-75-60
clover      12-4-96   36-85-60   30-50-90   60-30-10  16-25-97
house       11-25-95  12-35-92   2-80-75    6-70-30   54-40-95
fish        12-4-96   7-90-98    3-90-80    60-30-10  55-75-70
eye         12-4-96   57-75-75   12-4-96    60-30-10  6-40-92
face        12-4-96   13-80-100  12-4-96    5-70-15   55-50-90
leaf        12-4-96   30-80-60   24-50-90   60-30-10  13-20-97
tree        12-4-96   38-80-50   7-70-45    40-85-22  54-30-97
key         12-4-96   12-75-85   12-4-96    60-30-10  75-45-35
mushroom    11-25-95  0-88-85    12-4-96    60-30-10  27-60-45
butterfly   12-4-96   7-90-98    60-70-90   60-30-10  30-40-85
umbrella    12-4-96   78-70-75   92-60-95   60-30-10  57-20-75
cherries    12-4-96   98-92-80   33-80-60   33-70-30  15-25-98
paw         12-4-96   6-60-35    12-4-96    60-30-10  10-25-90
cup         12-4-96   53-60-85   12-4-96    6-75-28   8-40-90
"""


def _colour(text: str) -> Colour:
    hue, saturation, value = (int(number) / 100 for number in text.split("-"))
    return hue, saturation, value


NATURAL = {label: tuple(map(_colour, cells)) for label, *cells in map(str.split, TABLE.strip().splitlines())}
"""The colours of each class: its four tones, then its usual background where it has one."""


def tones(label: str, random: Rng) -> Tones:
    """Draw the four tones of one drawing."""
    if random.random() < NATURAL_SHARE:
        first, second, third, fourth = (near(colour, random) for colour in NATURAL[label][:TONES])
        return first, second, third, fourth
    paper = any_colour(random)
    ink = apart(paper, random)
    return paper, ink, apart(ink, random), apart(ink, random)


def ground(label: str, ink: Colour, random: Rng) -> Colour:
    """Draw the background colour of a shape."""
    usual = NATURAL[label][TONES:]
    if usual and random.random() < NATURAL_SHARE:
        natural = near(usual[0], random)
        if distance(natural, ink) > CONTRAST:
            return natural
    return apart(ink, random)


def near(colour: Colour, random: Rng) -> Colour:
    """Vary a colour at random, and convert it to RGB."""
    hue, saturation, value = colour
    hue = (hue + random.normal(0, 0.025)) % 1.0
    saturation = min(max(saturation + random.normal(0, 0.08), 0.0), 1.0)
    value = min(max(value + random.normal(0, 0.07), 0.02), 1.0)
    return colorsys.hsv_to_rgb(hue, saturation, value)


def any_colour(random: Rng) -> Colour:
    """Draw a random colour; saturated, bright ones are more frequent."""
    return colorsys.hsv_to_rgb(random.random(), random.random() ** 0.6, 1 - 0.95 * random.random() ** 1.6)


def apart(other: Colour, random: Rng) -> Colour:
    """Draw a random colour with enough contrast to another one."""
    colour = any_colour(random)
    while distance(colour, other) < CONTRAST:
        colour = any_colour(random)
    return colour


def distance(one: Colour, other: Colour) -> float:
    """Compute the Euclidean distance of two colours in RGB."""
    return float(sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5)
