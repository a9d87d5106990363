"""The textures: periodic patterns, and irregular ones such as wood, stone, skin and cloth.

A texture is a function `(plane, random) -> layers`, its plane in pixels. A layer is a coverage `[H, W]` in [0, 1] and
the tone it is painted in: 0 paper, 1 ink, 2 accent, 3 contrast. Layers are painted on paper in order.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from lucidtorch.datasets.plane import (
    Field,
    Plane,
    Rng,
    band,
    cell_of,
    cells,
    centred,
    disc,
    noise,
    per_cell,
    polar,
    triangle_wave,
)

Layers: TypeAlias = list[tuple[Field, int]]
"""The layers of a texture, from the bottom up."""

Texture: TypeAlias = Callable[[Plane, Rng], Layers]
"""Draws one kind of texture."""


def _stripes(plane: Plane, random: Rng) -> Layers:
    """Straight parallel bands."""
    return [(plane.soft(band(plane.x, random.uniform(7, 15), random.uniform(0.4, 0.6))), 1)]


def _checks(plane: Plane, random: Rng) -> Layers:
    """A chess board."""
    side = random.uniform(6, 12)
    across, down = triangle_wave(plane.x, 2 * side), triangle_wave(plane.y, 2 * side)
    nearest = np.minimum(np.abs(across), np.abs(down)) * -np.sign(across * down)
    return [(plane.soft(nearest), 1)]


def _dots(plane: Plane, random: Rng) -> Layers:
    """Small equal discs on a lattice."""
    period = random.uniform(10, 16)
    row = np.floor(plane.y / period)
    shift = random.integers(0, 2) * 0.5 * period * (row % 2)
    x, y = centred(plane.x + shift, period), centred(plane.y, period, half=True)
    return [(plane.soft(np.hypot(x, y) - period * random.uniform(0.26, 0.34)), 1)]


def _rings(plane: Plane, random: Rng) -> Layers:
    """Circles inside circles, around one centre or around several."""
    period, duty = random.uniform(6, 12), random.uniform(0.4, 0.6)
    one = random.random() < 0.6
    moved = _off_centre(plane, random) if one else plane.repeated(period * random.integers(4, 7))
    reach, _ = polar(moved)
    return [(plane.soft(band(reach, period, duty)), 1)]


def _spirals(plane: Plane, random: Rng) -> Layers:
    """Arms that wind outwards, from one centre or from several."""
    one = random.random() < 0.5
    reach, angle = polar(_off_centre(plane, random) if one else plane.repeated(random.uniform(28, 48)))
    arms, way = int(random.integers(1, 3)), 1 if random.random() < 0.5 else -1
    period = random.uniform(7, 12)
    wound = reach + way * arms * period * angle / (2 * np.pi)
    return [(plane.soft(band(wound, period, random.uniform(0.4, 0.6))), 1)]


def _grid(plane: Plane, random: Rng) -> Layers:
    """Thin lines both ways, with much room between."""
    period, half = random.uniform(9, 16), random.uniform(0.8, 1.5)
    lines = np.minimum(np.abs(centred(plane.x, period)), np.abs(centred(plane.y, period))) - half
    return [(plane.soft(lines), 1)]


def _zigzag(plane: Plane, random: Rng) -> Layers:
    """Bands with sharp turns, all parallel."""
    wavelength = random.uniform(14, 24)
    bent = plane.y + triangle_wave(plane.x, wavelength) * random.uniform(0.8, 1.3)
    return [(plane.soft(band(bent, random.uniform(8, 14), random.uniform(0.4, 0.6)) * 0.7), 1)]


def _waves(plane: Plane, random: Rng) -> Layers:
    """Bands that swing softly, with pale crests."""
    wavelength, period = random.uniform(18, 32), random.uniform(8, 13)
    bent = plane.y + random.uniform(2.5, 4.5) * np.sin(2 * np.pi * plane.x / wavelength)
    return [(plane.soft(band(bent, period, 0.5)), 1), (plane.soft(band(bent - period * 0.28, period, 0.14)), 2)]


def _bricks(plane: Plane, random: Rng) -> Layers:
    """A wall: rows of long blocks, each row half a block further, light mortar between."""
    height = random.uniform(7, 11)
    width, joint = height * random.uniform(1.7, 2.4), random.uniform(0.7, 1.2)
    row, _ = cell_of(plane.y / height)
    shifted = plane.x + (row % 2) * width / 2
    column, _ = cell_of(shifted / width)
    x, y = centred(shifted, width, half=True), centred(plane.y, height, half=True)
    inside = plane.soft(np.maximum(np.abs(x) - width / 2, np.abs(y) - height / 2) + joint)
    second = per_cell(random, -0.3, 0.8)[row, column]
    return [(inside, 1), (inside * np.clip(second, 0, 1), 2)]


def _scales(plane: Plane, random: Rng) -> Layers:
    """Round tiles that overlap as on a fish or a roof."""
    width = random.uniform(11, 18)
    height = width / 2
    row = np.floor(plane.y / height)
    upper = np.hypot(centred(plane.x + (row % 2) * height, width), plane.y - row * height)
    lower = np.hypot(centred(plane.x + ((row + 1) % 2) * height, width), plane.y - (row + 1) * height)
    reach = np.where(upper < height, upper, lower)
    rim = plane.soft(height - random.uniform(1.2, 2.2) - reach)
    return [(np.ones_like(reach), 1), (np.clip(1 - reach / height, 0, 1) * 0.9, 2), (rim, 3)]


def _honeycomb(plane: Plane, random: Rng) -> Layers:
    """Six-sided cells with walls between."""
    side = random.uniform(11, 17)
    high = side * 3**0.5
    first = _hexagon(centred(plane.x, side), centred(plane.y, high))
    second = _hexagon(centred(plane.x + side / 2, side), centred(plane.y + high / 2, high))
    inner = np.minimum(first, second)
    wall = plane.soft(side / 2 - random.uniform(1.0, 1.8) - inner)
    return [(np.clip(1 - inner / side * 1.4, 0, 1), 2), (wall, 1)]


def _weave(plane: Plane, random: Rng) -> Layers:
    """A basket: strands that pass over and under each other by turns."""
    side = random.uniform(8, 13)
    (row, column), across, down = cells(plane, side)
    over = ((column + row) % 2).astype(np.float32)
    half = 0.5 - random.uniform(0.06, 0.12)
    edge = np.where(over > 0, np.abs(down - 0.5), np.abs(across - 0.5))
    along = np.where(over > 0, np.abs(across - 0.5), np.abs(down - 0.5))
    inside = plane.soft((edge - half) * side)
    dip = np.clip(1.25 - 2.2 * along, 0, 1)
    return [(np.ones_like(edge), 3), (inside * over * dip, 1), (inside * (1 - over) * dip, 2)]


def _rays(plane: Plane, random: Rng) -> Layers:
    """Wedges that spread from one point, as of a rising sun."""
    moved = _off_centre(plane, random)
    reach, angle = polar(moved)
    count = int(random.integers(8, 15))
    wedge = triangle_wave(angle, 2 * np.pi / count) * reach
    layers: Layers = [(plane.soft(wedge), 1)]
    if random.random() < 0.5:
        layers.append((plane.soft(disc(moved, 0, 0, random.uniform(4, 9))), 2))
    return layers


def _plaid(plane: Plane, random: Rng) -> Layers:
    """Cloth of see-through bands that cross, with a thin line in between."""
    period, duty = random.uniform(17, 28), random.uniform(0.4, 0.55)
    across, down = plane.soft(band(plane.x, period, duty)), plane.soft(band(plane.y, period, duty))
    thin = random.uniform(0.08, 0.12)
    lines = [plane.soft(band(values + period / 2, period, thin)) * 0.9 for values in (plane.x, plane.y)]
    return [(across * 0.55, 1), (down * 0.55, 1), (across * down * 0.5, 3), (lines[0], 2), (lines[1], 2)]


def _maze(plane: Plane, random: Rng) -> Layers:
    """Walls at right angles with gaps: a labyrinth from above."""
    side, half = random.uniform(8, 12), random.uniform(1.1, 1.7)
    open_wall = per_cell(random, 0, 1)
    (row, column), _, _ = cells(plane, side)
    upright, _ = cell_of(plane.x / side + 0.5)
    lying, _ = cell_of(plane.y / side + 0.5)
    across = np.abs(centred(plane.x, side)) - half
    down = np.abs(centred(plane.y, side)) - half
    walls = np.minimum(
        np.where(open_wall[row, upright] < 0.55, across, side), np.where(open_wall[lying, column] > 0.45, down, side)
    )
    return [(plane.soft(walls), 1)]


def _cracks(plane: Plane, random: Rng) -> Layers:
    """Dry mud: many-cornered plates with dark gaps between."""
    side = random.uniform(12, 19)
    first, second, owner = _two_nearest(plane, random, side)
    gap = plane.soft(random.uniform(1.2, 2.2) - (second - first))
    return [(np.ones_like(first), 1), (np.clip(owner, 0, 1), 2), (gap, 3)]


def _bubbles(plane: Plane, random: Rng) -> Layers:
    """Clear balls of many sizes, each with a rim and a glint."""
    layers: Layers = []
    for side in (random.uniform(20, 28), random.uniform(11, 16)):
        shifted = plane.moved(*random.uniform(0, side, 2), angle=random.uniform(0, 6))
        cell, _, _ = cells(shifted, side)
        radius = side * per_cell(random, 0.25, 0.46)[cell]
        x, y = centred(shifted.x, side, half=True), centred(shifted.y, side, half=True)
        reach = np.hypot(x, y)
        glint = np.hypot(x + radius * 0.35, y + radius * 0.35) - radius * 0.2
        rim = plane.soft(np.abs(reach - radius) - 1.0)
        layers += [(plane.soft(reach - radius) * 0.6, 2), (rim, 1), (plane.soft(glint), 1)]
    return layers


def _fur(plane: Plane, random: Rng) -> Layers:
    """Hair: short strokes that flow side by side."""
    bent = plane.warped(random, random.uniform(2, 5), wavelength=random.uniform(40, 70))
    layers: Layers = []
    for tone, thickness in ((1, 2.6), (2, 1.9), (3, 1.9)):
        long = Plane(bent.x / thickness, bent.y / (thickness * 5), plane.pixel)
        layers.append((np.clip(1.6 * noise(long, random, 1.0) + (0.5 if tone == 1 else -0.1), 0, 1), tone))
    return layers


def _wood(plane: Plane, random: Rng) -> Layers:
    """A board: long uneven year rings and fine fibres."""
    slow = Plane(plane.x, plane.y * 0.22, plane.pixel)
    bent = plane.x + random.uniform(5, 9) * noise(slow, random, 12)
    period = random.uniform(7, 11)
    rise = bent / period - np.floor(bent / period)
    fibre = noise(Plane(plane.x, plane.y * 0.08, plane.pixel), random, 1.4)
    return [(rise**1.5, 1), (np.clip(rise * 8 - 7, 0, 1) * 0.8, 3), (np.clip(fibre - 0.25, 0, 1) * 0.5, 3)]


def _marble(plane: Plane, random: Rng) -> Layers:
    """Polished stone: thin wandering veins on a clouded ground."""
    coarse, fine = noise(plane, random, 20), noise(plane, random, 8)
    cloud = np.clip(0.5 + 0.6 * noise(plane, random, 14), 0, 1) * 0.5
    layers: Layers = [(cloud, 2)]
    for period, width in ((random.uniform(20, 28), 1.4), (random.uniform(30, 44), 2.4)):
        bent = (plane.x + 0.5 * plane.y) + 13 * coarse + 6 * fine
        distance = np.abs(centred(bent + period * random.random(), period))
        layers.append((np.clip(1.3 - distance / width, 0, 1), 1))
    return layers


def _camouflage(plane: Plane, random: Rng) -> Layers:
    """Large rounded patches of a few muted colours."""
    layers: Layers = []
    size = random.uniform(9, 14)
    for tone in (1, 2, 3):
        height = noise(plane, random, size) + 0.45 * noise(plane, random, size / 2.5)
        layers.append((np.clip((height - 0.12) * size * 0.45 + 0.5, 0, 1), tone))
    return layers


def _zebra(plane: Plane, random: Rng) -> Layers:
    """Stripes that bend, fork and end, as on an animal's skin."""
    angles = random.uniform(-0.7, 0.7, 9)
    phases = random.uniform(0, 2 * np.pi, 9)
    turn = 2 * np.pi / random.uniform(9, 14)
    height = np.zeros_like(plane.x)
    for angle, phase in zip(angles.tolist(), phases.tolist(), strict=True):
        height += np.cos(turn * (math.cos(angle) * plane.x + math.sin(angle) * plane.y) + phase)
    return [(np.clip(height * 1.3 + 0.5, 0, 1), 1)]


def _leopard(plane: Plane, random: Rng) -> Layers:
    """Broken dark rings with a brown heart."""
    side = random.uniform(12, 18)
    rough = noise(plane, random, side / 4)
    row, _ = cell_of(plane.y / side)
    shifted = plane.x + (row % 2) * side / 2
    column, _ = cell_of(shifted / side)
    x = centred(shifted, side, half=True) - side * per_cell(random, -0.12, 0.12)[row, column]
    y = centred(plane.y, side, half=True) - side * per_cell(random, -0.12, 0.12)[row, column]
    reach = np.hypot(x, y) + rough * side * 0.08
    radius = side * random.uniform(0.27, 0.31)
    broken = np.clip(1.6 + 2.5 * noise(plane, random, side / 3), 0, 1)
    ring = plane.soft(np.abs(reach - radius) - side * 0.085)
    return [(plane.soft(reach - radius), 2), (ring * broken, 1)]


def _confetti(plane: Plane, random: Rng) -> Layers:
    """Small scraps of paper of several colours, thrown at random."""
    layers: Layers = []
    for tone in (1, 2, 3):
        side = random.uniform(11, 14)
        shifted = plane.moved(*random.uniform(0, side, 2), angle=random.uniform(0, 6))
        cell, _, _ = cells(shifted, side)
        angle = per_cell(random, 0, 3.2)[cell]
        x = centred(shifted.x, side, half=True) + per_cell(random, -2, 2)[cell]
        y = centred(shifted.y, side, half=True) + per_cell(random, -2, 2)[cell]
        along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
        scrap = np.maximum(np.abs(along) - side * 0.26, np.abs(across) - side * 0.15)
        kept = per_cell(random, 0, 1)[cell] < 0.75
        layers.append((plane.soft(scrap) * kept, tone))
    return layers


def _hexagon(x: Field, y: Field) -> Field:
    x, y = np.abs(x), np.abs(y)
    reach: Field = np.maximum(x, x * 0.5 + y * (3**0.5 / 2))
    return reach


def _off_centre(plane: Plane, random: Rng) -> Plane:
    """The plane with its origin near the centre."""
    return plane.moved(*random.uniform(-16, 16, 2).tolist())


def _two_nearest(plane: Plane, random: Rng, side: float) -> tuple[Field, Field, Field]:
    """Distances to the nearest and second nearest of scattered points, and a random number of the nearest point."""
    (row, column), across, down = cells(plane, side)
    to_x, to_y, own = per_cell(random, 0.1, 0.9), per_cell(random, 0.1, 0.9), per_cell(random, -0.5, 0.7)
    first, second = np.full_like(plane.x, np.inf), np.full_like(plane.x, np.inf)
    owner = np.zeros_like(plane.x)
    for step_y in (-1, 0, 1):
        for step_x in (-1, 0, 1):
            cell = (row + step_y) % len(to_x), (column + step_x) % len(to_x)
            reach = side * np.hypot(to_x[cell] + step_x - across, to_y[cell] + step_y - down)
            nearer = reach < first
            second = np.where(nearer, first, np.minimum(second, reach))
            owner = np.where(nearer, own[cell], owner)
            first = np.where(nearer, reach, first)
    return first, second, owner


_DRAWERS: tuple[Texture, ...] = (
    _stripes, _checks, _dots, _rings, _spirals, _grid, _zigzag, _waves, _bricks, _scales, _honeycomb, _weave, _rays,
    _plaid, _maze, _cracks, _bubbles, _fur, _wood, _marble, _camouflage, _zebra, _leopard, _confetti,
)  # fmt: skip
TEXTURE_OF = {drawer.__name__.removeprefix("_"): drawer for drawer in _DRAWERS}
"""The textures by class."""
