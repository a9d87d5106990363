"""The plane a drawing is made on: pixel coordinates, their moves, and the noise and cells laid over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Field: TypeAlias = NDArray[np.floating[Any]]
"""An array `[H, W]` of float32: one number per pixel."""

LATTICE = 64  # random values per side of a noise or cell table; it wraps around


@dataclass(frozen=True)
class Plane:
    """Coordinates of every pixel, in units of the thing being drawn.

    Args:
        x: `[H, W]`, growing to the right.
        y: `[H, W]`, growing downwards.
        pixel: The side of one pixel in the same units; edges are softened over this length.
    """

    x: Field
    y: Field
    pixel: float

    def moved(self, x: float, y: float, *, scale: float, angle: float) -> Plane:
        """The same pixels seen from a thing that sits at `(x, y)`, is `scale` times larger and turned by `angle`."""
        cosine, sine = float(np.cos(angle)) / scale, float(np.sin(angle)) / scale
        right, down = self.x - x, self.y - y
        return Plane(cosine * right + sine * down, cosine * down - sine * right, self.pixel / scale)

    def warped(self, random: np.random.Generator, amount: float, *, wavelength: float) -> Plane:
        """The plane bent by two slow sine waves, as a sheet that does not lie flat."""
        turn = 2 * np.pi / wavelength
        phases = [float(value) for value in random.uniform(0, 2 * np.pi, 2)]
        x = self.x + amount * np.sin(turn * self.y + phases[0])
        y = self.y + amount * np.sin(turn * self.x + phases[1])
        return Plane(x, y, self.pixel)

    def soft(self, distance: Field) -> Field:
        """How much of each pixel lies inside: 1 where the distance is negative, 0 outside, a ramp one pixel wide."""
        cover: Field = np.clip(0.5 - distance / self.pixel, 0, 1)
        return cover


def pixels(height: int, width: int) -> Plane:
    """The plane in pixels with its origin at the middle of the picture."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return Plane(x - (width - 1) / 2, y - (height - 1) / 2, 1.0)


def noise(plane: Plane, random: np.random.Generator, wavelength: float) -> Field:
    """Smooth random hills: value noise on a square lattice."""
    heights = random.uniform(-1, 1, (LATTICE, LATTICE)).astype(np.float32)
    column, across = split(plane.x / wavelength)
    row, down = split(plane.y / wavelength)
    across, down = across * across * (3 - 2 * across), down * down * (3 - 2 * down)
    top = _between(heights, row, column, across)
    bottom = _between(heights, (row + 1) % LATTICE, column, across)
    return top + (bottom - top) * down


def split(values: Field) -> tuple[NDArray[np.intp], Field]:
    """Which cell of unit length each value lies in, and how far inside."""
    whole = np.floor(values)
    return whole.astype(np.intp) % LATTICE, values - whole


def table(random: np.random.Generator, low: float, high: float) -> Field:
    """One random number for each cell of the lattice."""
    return random.uniform(low, high, (LATTICE, LATTICE)).astype(np.float32)


def _between(heights: Field, row: NDArray[np.intp], column: NDArray[np.intp], across: Field) -> Field:
    left = heights[row, column]
    return left + (heights[row, (column + 1) % LATTICE] - left) * across
