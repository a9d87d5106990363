"""The regular textures: whatever repeats by a rule.

A texture is a function `(plane, random) -> layers`, its plane in pixels. A layer is a covered share `[H, W]` in [0, 1]
and the tone it is painted in: 0 paper, 1 ink, 2 accent, 3 contrast. Layers are painted one over the other on paper.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from lucidtorch.datasets.outlines import disc, polar
from lucidtorch.datasets.plane import Field, Plane, split, table
from lucidtorch.datasets.repeats import band, centred, triangle_wave

Layers: TypeAlias = list[tuple[Field, int]]
"""What a texture is painted with, from the ground up."""

Texture: TypeAlias = Callable[[Plane, np.random.Generator], Layers]
"""Draws one kind of texture."""


def _stripes(plane: Plane, random: np.random.Generator) -> Layers:
    """Straight parallel bands."""
    return [(plane.soft(band(plane.x, random.uniform(7, 15), random.uniform(0.4, 0.6))), 1)]


def _checks(plane: Plane, random: np.random.Generator) -> Layers:
    """A chess board."""
    side = random.uniform(6, 12)
    across, down = triangle_wave(plane.x, 2 * side), triangle_wave(plane.y, 2 * side)
    nearest = np.minimum(np.abs(across), np.abs(down)) * -np.sign(across * down)
    return [(plane.soft(nearest), 1)]


def _dots(plane: Plane, random: np.random.Generator) -> Layers:
    """Small equal discs on a lattice."""
    period = random.uniform(10, 16)
    row = np.floor(plane.y / period)
    shift = random.integers(0, 2) * 0.5 * period * (row % 2)
    x, y = centred(plane.x + shift, period), centred(plane.y, period, half=True)
    return [(plane.soft(np.hypot(x, y) - period * random.uniform(0.26, 0.34)), 1)]


def _rings(plane: Plane, random: np.random.Generator) -> Layers:
    """Circles inside circles, around one centre or around several."""
    period, duty = random.uniform(6, 12), random.uniform(0.4, 0.6)
    if random.random() < 0.6:
        moved = plane.moved(*_near_middle(random), scale=1, angle=0)
    else:
        cell = period * random.integers(4, 7)
        moved = Plane(centred(plane.x, cell), centred(plane.y, cell), plane.pixel)
    reach, _ = polar(moved)
    return [(plane.soft(band(reach, period, duty)), 1)]


def _spirals(plane: Plane, random: np.random.Generator) -> Layers:
    """Arms that wind outwards, from one centre or from several."""
    if random.random() < 0.5:
        moved = plane.moved(*_near_middle(random), scale=1, angle=0)
    else:
        cell = random.uniform(28, 48)
        moved = Plane(centred(plane.x, cell), centred(plane.y, cell), plane.pixel)
    reach, angle = polar(moved)
    arms, way = int(random.integers(1, 3)), 1 if random.random() < 0.5 else -1
    period = random.uniform(7, 12)
    wound = reach + way * arms * period * angle / (2 * np.pi)
    return [(plane.soft(band(wound, period, random.uniform(0.4, 0.6))), 1)]


def _grid(plane: Plane, random: np.random.Generator) -> Layers:
    """Thin lines both ways, with much room between."""
    period, half = random.uniform(9, 16), random.uniform(0.8, 1.5)
    lines = np.minimum(np.abs(centred(plane.x, period)), np.abs(centred(plane.y, period))) - half
    return [(plane.soft(lines), 1)]


def _zigzag(plane: Plane, random: np.random.Generator) -> Layers:
    """Bands with sharp turns, all parallel."""
    wavelength = random.uniform(14, 24)
    bent = plane.y + triangle_wave(plane.x, wavelength) * random.uniform(0.8, 1.3)
    return [(plane.soft(band(bent, random.uniform(8, 14), random.uniform(0.4, 0.6)) * 0.7), 1)]


def _waves(plane: Plane, random: np.random.Generator) -> Layers:
    """Bands that swing softly, with pale crests."""
    wavelength, period = random.uniform(18, 32), random.uniform(8, 13)
    bent = plane.y + random.uniform(2.5, 4.5) * np.sin(2 * np.pi * plane.x / wavelength)
    return [(plane.soft(band(bent, period, 0.5)), 1), (plane.soft(band(bent - period * 0.28, period, 0.14)), 2)]


def _bricks(plane: Plane, random: np.random.Generator) -> Layers:
    """A wall: rows of long blocks, each row half a block further, light mortar between."""
    height = random.uniform(7, 11)
    width, joint = height * random.uniform(1.7, 2.4), random.uniform(0.7, 1.2)
    row, _ = split(plane.y / height)
    shifted = plane.x + (row % 2) * width / 2
    column, _ = split(shifted / width)
    x, y = centred(shifted, width, half=True), centred(plane.y, height, half=True)
    inside = plane.soft(np.maximum(np.abs(x) - width / 2, np.abs(y) - height / 2) + joint)
    second = table(random, -0.3, 0.8)[row, column]
    return [(inside, 1), (inside * np.clip(second, 0, 1), 2)]


def _scales(plane: Plane, random: np.random.Generator) -> Layers:
    """Round tiles that overlap as on a fish or a roof."""
    width = random.uniform(11, 18)
    height = width / 2
    row = np.floor(plane.y / height)
    upper = np.hypot(centred(plane.x + (row % 2) * height, width), plane.y - row * height)
    lower = np.hypot(centred(plane.x + ((row + 1) % 2) * height, width), plane.y - (row + 1) * height)
    reach = np.where(upper < height, upper, lower)
    rim = plane.soft(height - random.uniform(1.2, 2.2) - reach)
    return [(np.ones_like(reach), 1), (np.clip(1 - reach / height, 0, 1) * 0.9, 2), (rim, 3)]


def _honeycomb(plane: Plane, random: np.random.Generator) -> Layers:
    """Six-sided cells with walls between."""
    side = random.uniform(11, 17)
    high = side * 3**0.5
    first = _hexagon(centred(plane.x, side), centred(plane.y, high))
    second = _hexagon(centred(plane.x + side / 2, side), centred(plane.y + high / 2, high))
    inner = np.minimum(first, second)
    wall = plane.soft(side / 2 - random.uniform(1.0, 1.8) - inner)
    return [(np.clip(1 - inner / side * 1.4, 0, 1), 2), (wall, 1)]


def _weave(plane: Plane, random: np.random.Generator) -> Layers:
    """A basket: strands that pass over and under each other by turns."""
    side = random.uniform(8, 13)
    column, across = split(plane.x / side)
    row, down = split(plane.y / side)
    over = ((column + row) % 2).astype(np.float32)
    half = 0.5 - random.uniform(0.06, 0.12)
    edge = np.where(over > 0, np.abs(down - 0.5), np.abs(across - 0.5))
    along = np.where(over > 0, np.abs(across - 0.5), np.abs(down - 0.5))
    inside = plane.soft((edge - half) * side)
    dip = np.clip(1.25 - 2.2 * along, 0, 1)
    return [(np.ones_like(edge), 3), (inside * over * dip, 1), (inside * (1 - over) * dip, 2)]


def _rays(plane: Plane, random: np.random.Generator) -> Layers:
    """Wedges that spread from one point, as of a rising sun."""
    moved = plane.moved(*_near_middle(random), scale=1, angle=0)
    reach, angle = polar(moved)
    count = int(random.integers(8, 15))
    wedge = triangle_wave(angle, 2 * np.pi / count) * reach
    layers: Layers = [(plane.soft(wedge), 1)]
    if random.random() < 0.5:
        layers.append((plane.soft(disc(moved, 0, 0, random.uniform(4, 9))), 2))
    return layers


def _plaid(plane: Plane, random: np.random.Generator) -> Layers:
    """Cloth of see-through bands that cross, with a thin line in between."""
    period, duty = random.uniform(17, 28), random.uniform(0.4, 0.55)
    across, down = plane.soft(band(plane.x, period, duty)), plane.soft(band(plane.y, period, duty))
    thin = random.uniform(0.08, 0.12)
    lines = [plane.soft(band(values + period / 2, period, thin)) * 0.9 for values in (plane.x, plane.y)]
    return [(across * 0.55, 1), (down * 0.55, 1), (across * down * 0.5, 3), (lines[0], 2), (lines[1], 2)]


def _hexagon(x: Field, y: Field) -> Field:
    x, y = np.abs(x), np.abs(y)
    reach: Field = np.maximum(x, x * 0.5 + y * (3**0.5 / 2))
    return reach


def _near_middle(random: np.random.Generator) -> tuple[float, float]:
    x, y = random.uniform(-16, 16, 2)
    return float(x), float(y)


PATTERNS: dict[str, Texture] = {
    "stripes": _stripes,
    "checks": _checks,
    "dots": _dots,
    "rings": _rings,
    "spirals": _spirals,
    "grid": _grid,
    "zigzag": _zigzag,
    "waves": _waves,
    "bricks": _bricks,
    "scales": _scales,
    "honeycomb": _honeycomb,
    "weave": _weave,
    "rays": _rays,
    "plaid": _plaid,
}
"""The regular textures by their classes."""
