"""The grown textures: whatever repeats without a rule, as wood, stone, skin and cloth do.

Functions and layers as in `lucidtorch.datasets.patterns`.
"""

from __future__ import annotations

import math

import numpy as np

from lucidtorch.datasets.patterns import Layers, Texture
from lucidtorch.datasets.plane import Field, Plane, noise, split, table
from lucidtorch.datasets.repeats import centred


def _maze(plane: Plane, random: np.random.Generator) -> Layers:
    """Walls at right angles with gaps: a labyrinth from above."""
    side, half = random.uniform(8, 12), random.uniform(1.1, 1.7)
    open_wall = table(random, 0, 1)
    row, _ = split(plane.y / side)
    column, _ = split(plane.x / side)
    upright, _ = split(plane.x / side + 0.5)
    lying, _ = split(plane.y / side + 0.5)
    across = np.abs(centred(plane.x, side)) - half
    down = np.abs(centred(plane.y, side)) - half
    walls = np.minimum(
        np.where(open_wall[row, upright] < 0.55, across, side), np.where(open_wall[lying, column] > 0.45, down, side)
    )
    return [(plane.soft(walls), 1)]


def _cracks(plane: Plane, random: np.random.Generator) -> Layers:
    """Dry mud: many-cornered plates with dark gaps between."""
    side = random.uniform(12, 19)
    first, second, owner = _two_nearest(plane, random, side)
    gap = plane.soft(random.uniform(1.2, 2.2) - (second - first))
    return [(np.ones_like(first), 1), (np.clip(owner, 0, 1), 2), (gap, 3)]


def _bubbles(plane: Plane, random: np.random.Generator) -> Layers:
    """Clear balls of many sizes, each with a rim and a glint."""
    layers: Layers = []
    for side in (random.uniform(20, 28), random.uniform(11, 16)):
        shifted = plane.moved(*random.uniform(0, side, 2), scale=1, angle=random.uniform(0, 6))
        column, _ = split(shifted.x / side)
        row, _ = split(shifted.y / side)
        radius = side * table(random, 0.25, 0.46)[row, column]
        x, y = centred(shifted.x, side, half=True), centred(shifted.y, side, half=True)
        reach = np.hypot(x, y)
        glint = np.hypot(x + radius * 0.35, y + radius * 0.35) - radius * 0.2
        rim = plane.soft(np.abs(reach - radius) - 1.0)
        layers += [(plane.soft(reach - radius) * 0.6, 2), (rim, 1), (plane.soft(glint), 1)]
    return layers


def _fur(plane: Plane, random: np.random.Generator) -> Layers:
    """Hair: short strokes that flow side by side."""
    bent = plane.warped(random, random.uniform(2, 5), wavelength=random.uniform(40, 70))
    layers: Layers = []
    for tone, thickness in ((1, 2.6), (2, 1.9), (3, 1.9)):
        long = Plane(bent.x / thickness, bent.y / (thickness * 5), plane.pixel)
        layers.append((np.clip(1.6 * noise(long, random, 1.0) + (0.5 if tone == 1 else -0.1), 0, 1), tone))
    return layers


def _wood(plane: Plane, random: np.random.Generator) -> Layers:
    """A board: long uneven year rings and fine fibres."""
    slow = Plane(plane.x, plane.y * 0.22, plane.pixel)
    bent = plane.x + random.uniform(5, 9) * noise(slow, random, 12)
    period = random.uniform(7, 11)
    rise = bent / period - np.floor(bent / period)
    fibre = noise(Plane(plane.x, plane.y * 0.08, plane.pixel), random, 1.4)
    return [(rise**1.5, 1), (np.clip(rise * 8 - 7, 0, 1) * 0.8, 3), (np.clip(fibre - 0.25, 0, 1) * 0.5, 3)]


def _marble(plane: Plane, random: np.random.Generator) -> Layers:
    """Polished stone: thin wandering veins on a clouded ground."""
    coarse, fine = noise(plane, random, 20), noise(plane, random, 8)
    cloud = np.clip(0.5 + 0.6 * noise(plane, random, 14), 0, 1) * 0.5
    layers: Layers = [(cloud, 2)]
    for period, width in ((random.uniform(20, 28), 1.4), (random.uniform(30, 44), 2.4)):
        bent = (plane.x + 0.5 * plane.y) + 13 * coarse + 6 * fine
        distance = np.abs(centred(bent + period * random.random(), period))
        layers.append((np.clip(1.3 - distance / width, 0, 1), 1))
    return layers


def _camouflage(plane: Plane, random: np.random.Generator) -> Layers:
    """Large rounded patches of a few muted colours."""
    layers: Layers = []
    size = random.uniform(9, 14)
    for tone in (1, 2, 3):
        height = noise(plane, random, size) + 0.45 * noise(plane, random, size / 2.5)
        layers.append((np.clip((height - 0.12) * size * 0.45 + 0.5, 0, 1), tone))
    return layers


def _zebra(plane: Plane, random: np.random.Generator) -> Layers:
    """Stripes that bend, fork and end, as on an animal's skin."""
    angles = random.uniform(-0.7, 0.7, 9)
    phases = random.uniform(0, 2 * np.pi, 9)
    turn = 2 * np.pi / random.uniform(9, 14)
    height = np.zeros_like(plane.x)
    for angle, phase in zip(angles.tolist(), phases.tolist(), strict=True):
        height += np.cos(turn * (math.cos(angle) * plane.x + math.sin(angle) * plane.y) + phase)
    return [(np.clip(height * 1.3 + 0.5, 0, 1), 1)]


def _leopard(plane: Plane, random: np.random.Generator) -> Layers:
    """Broken dark rings with a brown heart."""
    side = random.uniform(12, 18)
    rough = noise(plane, random, side / 4)
    row, _ = split(plane.y / side)
    shifted = plane.x + (row % 2) * side / 2
    column, _ = split(shifted / side)
    x = centred(shifted, side, half=True) - side * table(random, -0.12, 0.12)[row, column]
    y = centred(plane.y, side, half=True) - side * table(random, -0.12, 0.12)[row, column]
    reach = np.hypot(x, y) + rough * side * 0.08
    radius = side * random.uniform(0.27, 0.31)
    broken = np.clip(1.6 + 2.5 * noise(plane, random, side / 3), 0, 1)
    ring = plane.soft(np.abs(reach - radius) - side * 0.085)
    return [(plane.soft(reach - radius), 2), (ring * broken, 1)]


def _confetti(plane: Plane, random: np.random.Generator) -> Layers:
    """Small scraps of paper of several colours, thrown at random."""
    layers: Layers = []
    for tone in (1, 2, 3):
        side = random.uniform(11, 14)
        shifted = plane.moved(*random.uniform(0, side, 2), scale=1, angle=random.uniform(0, 6))
        column, _ = split(shifted.x / side)
        row, _ = split(shifted.y / side)
        angle = table(random, 0, 3.2)[row, column]
        x = centred(shifted.x, side, half=True) + table(random, -2, 2)[row, column]
        y = centred(shifted.y, side, half=True) + table(random, -2, 2)[row, column]
        along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
        scrap = np.maximum(np.abs(along) - side * 0.26, np.abs(across) - side * 0.15)
        kept = table(random, 0, 1)[row, column] < 0.75
        layers.append((plane.soft(scrap) * kept, tone))
    return layers


def _two_nearest(plane: Plane, random: np.random.Generator, side: float) -> tuple[Field, Field, Field]:
    """Distances to the nearest and second nearest of scattered points, and a number of the nearest one's own."""
    column, across = split(plane.x / side)
    row, down = split(plane.y / side)
    to_x, to_y, own = table(random, 0.1, 0.9), table(random, 0.1, 0.9), table(random, -0.5, 0.7)
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


GRAINS: dict[str, Texture] = {
    "maze": _maze,
    "cracks": _cracks,
    "bubbles": _bubbles,
    "fur": _fur,
    "wood": _wood,
    "marble": _marble,
    "camouflage": _camouflage,
    "zebra": _zebra,
    "leopard": _leopard,
    "confetti": _confetti,
}
"""The grown textures by their classes."""
