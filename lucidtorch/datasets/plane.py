"""The plane of a drawing: pixel coordinates, value noise, periodic patterns and signed distance functions.

A signed distance `[H, W]` is negative inside a figure, positive outside, and near the edge it is the distance to it.
The union of two figures is the minimum of their distances, their intersection the maximum, and their difference
`maximum(one, -other)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Rng: TypeAlias = np.random.Generator

Field: TypeAlias = NDArray[np.floating[Any]]
"""An array `[H, W]` of float32: one number per pixel."""

Cell: TypeAlias = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Row and column of the lattice cell that each pixel lies in, each `[H, W]`."""

LATTICE = 64  # random values per side of a noise or cell table; it wraps around


@dataclass(frozen=True)
class Plane:
    """Coordinates of every pixel, in units of the figure.

    Args:
        x: `[H, W]`, growing to the right.
        y: `[H, W]`, growing downwards.
        pixel: The side of one pixel in the same units; edges are softened over this length.
    """

    x: Field
    y: Field
    pixel: float

    def moved(self, x: float, y: float, *, scale: float = 1, angle: float = 0) -> Plane:
        """The same pixels in the coordinates of a figure at `(x, y)` that is scaled and turned."""
        cosine, sine = float(np.cos(angle)) / scale, float(np.sin(angle)) / scale
        right, down = self.x - x, self.y - y
        return Plane(cosine * right + sine * down, cosine * down - sine * right, self.pixel / scale)

    def folded(self) -> Plane:
        """The plane mirrored at its vertical axis: the union of what is drawn on it and of its mirror image."""
        return Plane(np.abs(self.x), self.y, self.pixel)

    def repeated(self, period: float) -> Plane:
        """The plane with an origin in the centre of each square of a lattice."""
        return Plane(centred(self.x, period), centred(self.y, period), self.pixel)

    def warped(self, random: Rng, amount: float, *, wavelength: float) -> Plane:
        """The plane distorted by two sine waves of random phase."""
        turn = 2 * np.pi / wavelength
        phases = random.uniform(0, 2 * np.pi, 2).tolist()
        x = self.x + amount * np.sin(turn * self.y + phases[0])
        y = self.y + amount * np.sin(turn * self.x + phases[1])
        return Plane(x, y, self.pixel)

    def soft(self, distance: Field) -> Field:
        """The coverage of each pixel: 1 where the distance is negative, 0 outside, a ramp one pixel wide between."""
        cover: Field = np.clip(0.5 - distance / self.pixel, 0, 1)
        return cover


def pixels(height: int, width: int) -> Plane:
    """The plane in pixels, its origin at the centre of the picture."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return Plane(x - (width - 1) / 2, y - (height - 1) / 2, 1.0)


def noise(plane: Plane, random: Rng, wavelength: float) -> Field:
    """Value noise on a square lattice, in [-1, 1]."""
    heights = per_cell(random, -1, 1)
    (row, column), across, down = cells(plane, wavelength)
    across, down = across * across * (3 - 2 * across), down * down * (3 - 2 * down)
    top = _between(heights, row, column, across)
    bottom = _between(heights, (row + 1) % LATTICE, column, across)
    return top + (bottom - top) * down


def cell_of(values: Field) -> tuple[NDArray[np.intp], Field]:
    """The index of the unit cell that each value lies in, wrapped to the lattice, and the offset inside it."""
    whole = np.floor(values)
    return whole.astype(np.intp) % LATTICE, values - whole


def cells(plane: Plane, side: float) -> tuple[Cell, Field, Field]:
    """The lattice cell of each pixel, and the offset in it to the right and down as a share of its side."""
    column, across = cell_of(plane.x / side)
    row, down = cell_of(plane.y / side)
    return (row, column), across, down


def per_cell(random: Rng, low: float, high: float) -> Field:
    """A uniform random number for each cell of the lattice."""
    return random.uniform(low, high, (LATTICE, LATTICE)).astype(np.float32)


def triangle_wave(values: Field, period: float) -> Field:
    """A triangle wave of slope 1, which is the signed distance to its nearest zero."""
    return np.abs(centred(values, period)) - period / 4


def band(values: Field, period: float, duty: float) -> Field:
    """Signed distance to parallel bands; `duty` is the share of a period that they cover."""
    return np.abs(centred(values, period)) - duty * period / 2


def centred(values: Field, period: float, *, half: bool = False) -> Field:
    """The signed distance to the nearest multiple of a period, or to the middle of the period around a value."""
    if half:
        middles: Field = (np.floor(values / period) + 0.5) * period
        return values - middles
    return values - np.round(values / period) * period


def disc(plane: Plane, x: float, y: float, radius: float) -> Field:
    """Signed distance to a disc."""
    distance: Field = np.hypot(plane.x - x, plane.y - y) - radius
    return distance


def ellipse(plane: Plane, x: float, y: float, half_width: float, half_height: float) -> Field:
    """Signed distance to an upright ellipse; exact on its edge only."""
    reach = np.hypot((plane.x - x) / half_width, (plane.y - y) / half_height)
    distance: Field = (reach - 1) * min(half_width, half_height)
    return distance


def box(plane: Plane, x: float, y: float, half_width: float, half_height: float) -> Field:
    """Signed distance to an upright rectangle."""
    distance: Field = np.maximum(np.abs(plane.x - x) - half_width, np.abs(plane.y - y) - half_height)
    return distance


def stroke(plane: Plane, start: tuple[float, float], end: tuple[float, float], half_width: float) -> Field:
    """Signed distance to a straight line with round ends."""
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    x, y = plane.x - start[0], plane.y - start[1]
    share = np.clip((x * along_x + y * along_y) / (along_x**2 + along_y**2), 0, 1)
    return np.hypot(x - share * along_x, y - share * along_y) - half_width


def polygon(plane: Plane, corners: Sequence[tuple[float, float]]) -> Field:
    """Signed distance to a polygon."""
    nearest = np.full_like(plane.x, np.inf)
    inside = np.zeros(plane.x.shape, dtype=bool)
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        nearest = np.minimum(nearest, stroke(plane, (x0, y0), (x1, y1), 0.0))
        if y0 != y1:
            crosses = (plane.y < y0) != (plane.y < y1)
            inside ^= crosses & (plane.x < x0 + (plane.y - y0) * ((x1 - x0) / (y1 - y0)))
    return np.where(inside, -nearest, nearest)


def spikes(count: int, outer: float, inner: float, *, start: float = -np.pi / 2) -> list[tuple[float, float]]:
    """The corners of a star."""
    corners = []
    for index in range(2 * count):
        radius, angle = (outer, inner)[index % 2], start + np.pi * index / count
        corners.append((radius * float(np.cos(angle)), radius * float(np.sin(angle))))
    return corners


def polar(plane: Plane) -> tuple[Field, Field]:
    """Distance from the origin and angle of each pixel."""
    return np.hypot(plane.x, plane.y), np.arctan2(plane.y, plane.x)


def lobes(plane: Plane, count: int, radius: float, depth: float, *, sharpness: float = 1.0) -> Field:
    """Signed distance to a disc with lobes, like the teeth of a gear."""
    reach, angle = polar(plane)
    wave = np.clip(sharpness * np.cos(count * angle), -1, 1)
    return (reach - radius - depth * wave) * 0.8


def union(*distances: Field) -> Field:
    """Signed distance to the union of several figures."""
    nearest: Field = np.minimum.reduce(distances)
    return nearest


def _between(heights: Field, row: NDArray[np.intp], column: NDArray[np.intp], across: Field) -> Field:
    left = heights[row, column]
    return left + (heights[row, (column + 1) % LATTICE] - left) * across
