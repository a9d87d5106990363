"""The colours of the drawings: often those that a thing has by nature, often any that stand apart."""

from __future__ import annotations

import colorsys
from typing import TypeAlias

import numpy as np

Colour: TypeAlias = tuple[float, float, float]
"""Red, green and blue in [0, 1]."""

Tones: TypeAlias = tuple[Colour, Colour, Colour, Colour]
"""The four tones that layers and parts are painted in."""

NATURAL_SHARE = 0.8  # of the drawings wear the colours of their kind
CONTRAST = 0.6  # least distance in RGB between ink and what lies under it

BLACK, WHITE, CREAM = (0.6, 0.3, 0.1), (0.12, 0.04, 0.96), (0.11, 0.25, 0.95)
NATURAL: dict[str, tuple[Colour, Colour, Colour, Colour]] = {
    "stripes": (WHITE, (0.98, 0.85, 0.85), WHITE, BLACK),
    "checks": (WHITE, BLACK, WHITE, BLACK),
    "dots": ((0.93, 0.6, 0.9), WHITE, WHITE, BLACK),
    "rings": (WHITE, (0.0, 0.9, 0.85), WHITE, BLACK),
    "spirals": ((0.13, 0.6, 0.98), (0.78, 0.75, 0.6), WHITE, BLACK),
    "grid": ((0.6, 0.75, 0.6), (0.5, 0.15, 0.98), WHITE, BLACK),
    "zigzag": ((0.13, 0.8, 0.98), (0.5, 0.85, 0.45), WHITE, BLACK),
    "waves": ((0.53, 0.5, 0.9), (0.6, 0.85, 0.7), WHITE, BLACK),
    "bricks": ((0.1, 0.12, 0.85), (0.03, 0.75, 0.68), (0.04, 0.7, 0.5), BLACK),
    "scales": ((0.45, 0.7, 0.5), (0.45, 0.8, 0.55), (0.38, 0.5, 0.95), (0.5, 0.8, 0.2)),
    "honeycomb": ((0.11, 0.9, 0.75), (0.08, 0.8, 0.35), (0.14, 0.75, 1.0), BLACK),
    "weave": (CREAM, (0.1, 0.5, 0.85), (0.08, 0.6, 0.7), (0.06, 0.7, 0.2)),
    "rays": ((0.02, 0.85, 0.9), (0.14, 0.65, 1.0), (0.15, 0.4, 1.0), BLACK),
    "plaid": (CREAM, (0.98, 0.85, 0.7), WHITE, (0.62, 0.8, 0.3)),
    "maze": ((0.35, 0.2, 0.95), (0.36, 0.8, 0.35), WHITE, BLACK),
    "cracks": (CREAM, (0.08, 0.45, 0.72), (0.09, 0.4, 0.85), (0.06, 0.6, 0.2)),
    "bubbles": ((0.56, 0.75, 0.65), (0.5, 0.1, 1.0), (0.5, 0.5, 0.9), BLACK),
    "fur": ((0.07, 0.7, 0.3), (0.08, 0.65, 0.65), (0.1, 0.5, 0.9), (0.05, 0.7, 0.18)),
    "wood": ((0.09, 0.5, 0.85), (0.07, 0.65, 0.62), WHITE, (0.05, 0.7, 0.32)),
    "marble": ((0.3, 0.05, 0.95), (0.45, 0.3, 0.25), (0.4, 0.15, 0.7), BLACK),
    "camouflage": ((0.2, 0.4, 0.6), (0.28, 0.55, 0.35), (0.09, 0.55, 0.4), (0.3, 0.4, 0.15)),
    "zebra": (WHITE, BLACK, WHITE, BLACK),
    "leopard": ((0.11, 0.55, 0.9), (0.06, 0.6, 0.15), (0.07, 0.7, 0.6), BLACK),
    "confetti": (WHITE, (0.95, 0.8, 0.95), (0.14, 0.85, 1.0), (0.53, 0.85, 0.9)),
    "disc": (WHITE, (0.02, 0.85, 0.9), WHITE, BLACK),
    "square": (WHITE, (0.6, 0.85, 0.8), WHITE, BLACK),
    "triangle": (WHITE, (0.33, 0.8, 0.65), WHITE, BLACK),
    "star": (WHITE, (0.14, 0.9, 1.0), WHITE, BLACK),
    "cross": (WHITE, (0.99, 0.9, 0.85), WHITE, BLACK),
    "heart": (WHITE, (0.98, 0.9, 0.9), WHITE, BLACK),
    "crescent": (WHITE, (0.15, 0.45, 1.0), WHITE, BLACK),
    "arrow": (WHITE, (0.38, 0.85, 0.7), WHITE, BLACK),
    "flower": (WHITE, (0.88, 0.6, 0.95), (0.14, 0.85, 1.0), (0.1, 0.8, 0.6)),
    "gear": (WHITE, (0.6, 0.12, 0.55), WHITE, BLACK),
    "drop": (WHITE, (0.57, 0.8, 0.9), WHITE, BLACK),
    "bolt": (WHITE, (0.15, 0.85, 1.0), WHITE, BLACK),
    "snowflake": (WHITE, (0.53, 0.12, 1.0), WHITE, BLACK),
    "clover": (WHITE, (0.36, 0.85, 0.6), (0.3, 0.5, 0.9), BLACK),
    "house": (CREAM, (0.12, 0.35, 0.92), (0.02, 0.8, 0.75), (0.06, 0.7, 0.3)),
    "fish": (WHITE, (0.07, 0.9, 0.98), (0.03, 0.9, 0.8), BLACK),
    "eye": (WHITE, (0.57, 0.75, 0.75), WHITE, BLACK),
    "face": (WHITE, (0.13, 0.8, 1.0), WHITE, (0.05, 0.7, 0.15)),
    "leaf": (WHITE, (0.3, 0.8, 0.6), (0.24, 0.5, 0.9), BLACK),
    "tree": (WHITE, (0.38, 0.8, 0.5), (0.07, 0.7, 0.45), (0.4, 0.85, 0.22)),
    "key": (WHITE, (0.12, 0.75, 0.85), WHITE, BLACK),
    "mushroom": (CREAM, (0.0, 0.88, 0.85), WHITE, BLACK),
    "butterfly": (WHITE, (0.07, 0.9, 0.98), (0.6, 0.7, 0.9), BLACK),
    "umbrella": (WHITE, (0.78, 0.7, 0.75), (0.92, 0.6, 0.95), BLACK),
    "cherries": (WHITE, (0.98, 0.92, 0.8), (0.33, 0.8, 0.6), (0.33, 0.7, 0.3)),
    "paw": (WHITE, (0.06, 0.6, 0.35), WHITE, BLACK),
    "cup": (WHITE, (0.53, 0.6, 0.85), WHITE, (0.06, 0.75, 0.28)),
}
"""Hue, saturation and value of the four tones of each class."""

GROUND: dict[str, Colour] = {
    "star": (0.65, 0.75, 0.3), "heart": (0.94, 0.2, 0.98), "crescent": (0.65, 0.8, 0.3), "flower": (0.31, 0.65, 0.5),
    "drop": (0.55, 0.15, 0.95), "bolt": (0.68, 0.5, 0.28), "snowflake": (0.6, 0.75, 0.6), "house": (0.54, 0.4, 0.95),
    "fish": (0.55, 0.75, 0.7), "leaf": (0.13, 0.2, 0.97), "tree": (0.54, 0.3, 0.97), "mushroom": (0.27, 0.6, 0.45),
    "butterfly": (0.3, 0.4, 0.85), "umbrella": (0.57, 0.2, 0.75), "cherries": (0.15, 0.25, 0.98),
    "paw": (0.1, 0.25, 0.9), "cup": (0.08, 0.4, 0.9), "clover": (0.16, 0.25, 0.97), "key": (0.75, 0.45, 0.35),
    "face": (0.55, 0.5, 0.9), "eye": (0.06, 0.4, 0.92), "gear": (0.1, 0.35, 0.95), "cross": (0.5, 0.05, 0.98),
}  # fmt: skip
"""What a shape often lies on; the others lie on anything."""


def tones(label: str, random: np.random.Generator) -> Tones:
    """Draw the four tones of one drawing."""
    if random.random() < NATURAL_SHARE:
        first, second, third, fourth = (near(colour, random) for colour in NATURAL[label])
        return first, second, third, fourth
    paper = any_colour(random)
    ink = apart(paper, random)
    return paper, ink, apart(ink, random), apart(ink, random)


def ground(label: str, ink: Colour, random: np.random.Generator) -> Colour:
    """Draw the background colour of a shape."""
    if label in GROUND and random.random() < NATURAL_SHARE:
        natural = near(GROUND[label], random)
        if distance(natural, ink) > CONTRAST:
            return natural
    return apart(ink, random)


def near(colour: Colour, random: np.random.Generator) -> Colour:
    """A colour like the given one."""
    hue, saturation, value = colour
    hue = (hue + random.normal(0, 0.025)) % 1.0
    saturation = min(max(saturation + random.normal(0, 0.08), 0.0), 1.0)
    value = min(max(value + random.normal(0, 0.07), 0.02), 1.0)
    return colorsys.hsv_to_rgb(hue, saturation, value)


def any_colour(random: np.random.Generator) -> Colour:
    """Any colour, the strong ones more often."""
    return colorsys.hsv_to_rgb(random.random(), random.random() ** 0.6, 1 - 0.95 * random.random() ** 1.6)


def apart(other: Colour, random: np.random.Generator) -> Colour:
    """Any colour that stands apart from another one."""
    colour = any_colour(random)
    while distance(colour, other) < CONTRAST:
        colour = any_colour(random)
    return colour


def distance(one: Colour, other: Colour) -> float:
    """How far apart two colours are, as the root of the summed squares of red, green and blue."""
    return float(sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5)
