"""The plain shapes: figures of one colour, and signs that everybody knows.

A shape is a function `(plane, random) -> parts`; its plane has the shape at the origin, about one unit around it. A
part is a signed distance `[H, W]` and the tone it is painted in: 0 light, 1 ink, 2 accent, 3 dark. The first part is
the silhouette.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from lucidtorch.datasets.outlines import box, disc, ellipse, lobes, polar, polygon, spikes, stroke, union
from lucidtorch.datasets.plane import Field, Plane

Parts: TypeAlias = list[tuple[Field, int]]
"""What a shape is painted with, the silhouette first."""

Shape: TypeAlias = Callable[[Plane, np.random.Generator], Parts]
"""Draws one kind of shape."""


def _disc(plane: Plane, random: np.random.Generator) -> Parts:
    """A large ball."""
    return [(disc(plane, 0, 0, 0.95), 1), (ellipse(plane, -0.35, -0.4, 0.22, 0.16), 0)]


def _square(plane: Plane, random: np.random.Generator) -> Parts:
    """A square with sharp corners."""
    return [(box(plane, 0, 0, 0.82, 0.82), 1)]


def _triangle(plane: Plane, random: np.random.Generator) -> Parts:
    """A triangle with equal sides."""
    return [(polygon(plane, [(0.0, -1.0), (0.98, 0.75), (-0.98, 0.75)]), 1)]


def _star(plane: Plane, random: np.random.Generator) -> Parts:
    """A star with five points."""
    return [(polygon(plane, spikes(5, 1.08, random.uniform(0.4, 0.5))), 1)]


def _cross(plane: Plane, random: np.random.Generator) -> Parts:
    """A thick plus."""
    arm = random.uniform(0.26, 0.36)
    return [(np.minimum(box(plane, 0, 0, 1, arm), box(plane, 0, 0, arm, 1)), 1)]


def _heart(plane: Plane, random: np.random.Generator) -> Parts:
    """A heart, upright."""
    left, right = disc(plane, -0.46, -0.32, 0.52), disc(plane, 0.46, -0.32, 0.52)
    tip = polygon(plane, [(-0.9, -0.05), (0.0, -0.45), (0.9, -0.05), (0.0, 1.0)])
    return [(union(plane, left, right, tip), 1), (ellipse(plane, -0.5, -0.45, 0.14, 0.12), 0)]


def _crescent(plane: Plane, random: np.random.Generator) -> Parts:
    """The moon, a few days old."""
    return [(np.maximum(disc(plane, 0, 0, 1), -disc(plane, 0.48, -0.1, random.uniform(0.74, 0.84))), 1)]


def _arrow(plane: Plane, random: np.random.Generator) -> Parts:
    """A thick arrow with a broad head."""
    shaft = random.uniform(0.18, 0.26)
    corners = [(1.05, 0.0), (0.15, -0.78), (0.15, -shaft), (-1.0, -shaft), (-1.0, shaft), (0.15, shaft), (0.15, 0.78)]
    return [(polygon(plane, corners), 1)]


def _flower(plane: Plane, random: np.random.Generator) -> Parts:
    """A flower from above: petals around a heart."""
    count = int(random.integers(5, 8))
    reach, angle = polar(plane)
    petals = (reach - 0.35 - 0.65 * np.sqrt(np.abs(np.cos(count * angle / 2)))) * 0.7
    return [(petals, 1), (disc(plane, 0, 0, 0.52), 3), (disc(plane, 0, 0, 0.36), 2)]


def _gear(plane: Plane, random: np.random.Generator) -> Parts:
    """A toothed wheel with a hole."""
    wheel = lobes(plane, int(random.integers(8, 11)), 0.86, 0.15, sharpness=3.0)
    hole = disc(plane, 0, 0, random.uniform(0.3, 0.42))
    return [(np.maximum(wheel, -hole), 1)]


def _drop(plane: Plane, random: np.random.Generator) -> Parts:
    """A drop of water."""
    body = disc(plane, 0, 0.35, 0.64)
    tip = polygon(plane, [(0.0, -1.08), (0.57, 0.07), (-0.57, 0.07)])
    return [(np.minimum(body, tip), 1), (ellipse(plane, -0.25, 0.3, 0.12, 0.2), 0)]


def _bolt(plane: Plane, random: np.random.Generator) -> Parts:
    """A flash of lightning."""
    corners = [(0.25, -1.05), (-0.6, 0.12), (-0.06, 0.12), (-0.3, 1.05), (0.62, -0.25), (0.08, -0.25), (0.6, -1.05)]
    return [(polygon(plane, corners), 1)]


def _snowflake(plane: Plane, random: np.random.Generator) -> Parts:
    """Six thin arms with twigs."""
    reach, angle = polar(plane)
    sector = np.pi / 3
    folded = np.abs(angle - np.round(angle / sector) * sector)
    arm = Plane(reach * np.cos(folded), reach * np.sin(folded), plane.pixel)
    half = random.uniform(0.075, 0.1)
    twigs = [stroke(arm, (at, 0.0), (at + 0.26, 0.28), half) for at in (0.32, 0.62)]
    return [(union(plane, stroke(arm, (0.0, 0.0), (1.05, 0.0), half), *twigs), 1)]


def _clover(plane: Plane, random: np.random.Generator) -> Parts:
    """A leaf of three round leaflets on a stem."""
    leaves = [disc(plane, 0.47 * np.sin(turn), -0.15 - 0.47 * np.cos(turn), 0.43) for turn in (0.0, 2.09, -2.09)]
    stem = stroke(plane, (0.0, 0.0), (0.18, 1.05), 0.09)
    veins = [
        stroke(plane, (0.0, -0.15), (0.5 * np.sin(turn), -0.15 - 0.5 * np.cos(turn)), 0.05)
        for turn in (0.0, 2.09, -2.09)
    ]
    return [(union(plane, *leaves, stem), 1), (union(plane, *veins), 2)]


FIGURES: dict[str, Shape] = {
    "disc": _disc,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "cross": _cross,
    "heart": _heart,
    "crescent": _crescent,
    "arrow": _arrow,
    "flower": _flower,
    "gear": _gear,
    "drop": _drop,
    "bolt": _bolt,
    "snowflake": _snowflake,
    "clover": _clover,
}
"""The plain shapes by their classes."""
