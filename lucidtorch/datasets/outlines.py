"""Signed distances to the plain figures that drawings are put together from.

Each function takes a plane and gives `[H, W]`: negative inside the figure, positive outside, near its edge the distance
to it. The union of two figures is the minimum of their distances, what they share the maximum, and one without the
other `maximum(one, -other)`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lucidtorch.datasets.plane import Field, Plane


def disc(plane: Plane, x: float, y: float, radius: float) -> Field:
    """A disc."""
    distance: Field = np.hypot(plane.x - x, plane.y - y) - radius
    return distance


def ellipse(plane: Plane, x: float, y: float, half_width: float, half_height: float) -> Field:
    """An upright ellipse; the distance is exact on its edge only."""
    reach = np.hypot((plane.x - x) / half_width, (plane.y - y) / half_height)
    distance: Field = (reach - 1) * min(half_width, half_height)
    return distance


def box(plane: Plane, x: float, y: float, half_width: float, half_height: float) -> Field:
    """An upright rectangle."""
    distance: Field = np.maximum(np.abs(plane.x - x) - half_width, np.abs(plane.y - y) - half_height)
    return distance


def stroke(plane: Plane, start: tuple[float, float], end: tuple[float, float], half_width: float) -> Field:
    """A straight line with round ends."""
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    x, y = plane.x - start[0], plane.y - start[1]
    share = np.clip((x * along_x + y * along_y) / (along_x**2 + along_y**2), 0, 1)
    return np.hypot(x - share * along_x, y - share * along_y) - half_width


def polygon(plane: Plane, corners: Sequence[tuple[float, float]]) -> Field:
    """A closed figure of straight sides."""
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
    """Where each pixel is, seen from the origin."""
    return np.hypot(plane.x, plane.y), np.arctan2(plane.y, plane.x)


def lobes(plane: Plane, count: int, radius: float, depth: float, *, sharpness: float = 1.0) -> Field:
    """A disc whose rim goes in and out, like the teeth of a wheel."""
    reach, angle = polar(plane)
    wave = np.clip(sharpness * np.cos(count * angle), -1, 1)
    return (reach - radius - depth * wave) * 0.8


def union(plane: Plane, *distances: Field) -> Field:
    """What any of several figures covers; nothing where there are none."""
    nearest = np.full_like(plane.x, np.inf)
    for distance in distances:
        nearest = np.minimum(nearest, distance)
    return nearest
