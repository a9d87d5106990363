"""The shapes: figures of one colour, and objects, plants and animals with parts.

A shape is a function `(plane, random) -> parts` of a figure at the origin with a radius of about one unit. A part
is a signed distance `[H, W]` and the tone it is painted in: 0 light, 1 ink, 2 accent, 3 dark. The first part is the
silhouette.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from lucidtorch.datasets.plane import (
    Field,
    Plane,
    Rng,
    box,
    disc,
    ellipse,
    lobes,
    polar,
    polygon,
    spikes,
    stroke,
    union,
)

Parts: TypeAlias = list[tuple[Field, int]]
"""The parts of a shape, the silhouette first."""

Shape: TypeAlias = Callable[[Plane, Rng], Parts]
"""Draws one kind of shape."""


def _disc(plane: Plane, random: Rng) -> Parts:
    """A large ball."""
    return [(disc(plane, 0, 0, 0.95), 1), (ellipse(plane, -0.35, -0.4, 0.22, 0.16), 0)]


def _square(plane: Plane, random: Rng) -> Parts:
    """A square with sharp corners."""
    return [(box(plane, 0, 0, 0.82, 0.82), 1)]


def _triangle(plane: Plane, random: Rng) -> Parts:
    """A triangle with equal sides."""
    return [(polygon(plane, [(0.0, -1.0), (0.98, 0.75), (-0.98, 0.75)]), 1)]


def _star(plane: Plane, random: Rng) -> Parts:
    """A star with five points."""
    return [(polygon(plane, spikes(5, 1.08, random.uniform(0.4, 0.5))), 1)]


def _cross(plane: Plane, random: Rng) -> Parts:
    """A thick plus."""
    arm = random.uniform(0.26, 0.36)
    return [(union(box(plane, 0, 0, 1, arm), box(plane, 0, 0, arm, 1)), 1)]


def _heart(plane: Plane, random: Rng) -> Parts:
    """A heart, upright."""
    arcs = disc(plane.folded(), 0.46, -0.32, 0.52)
    tip = polygon(plane, [(-0.9, -0.05), (0.0, -0.45), (0.9, -0.05), (0.0, 1.0)])
    return [(union(arcs, tip), 1), (ellipse(plane, -0.5, -0.45, 0.14, 0.12), 0)]


def _crescent(plane: Plane, random: Rng) -> Parts:
    """The moon, a few days old."""
    return [(np.maximum(disc(plane, 0, 0, 1), -disc(plane, 0.48, -0.1, random.uniform(0.74, 0.84))), 1)]


def _arrow(plane: Plane, random: Rng) -> Parts:
    """A thick arrow with a broad head."""
    shaft = random.uniform(0.18, 0.26)
    corners = [(1.05, 0.0), (0.15, -0.78), (0.15, -shaft), (-1.0, -shaft), (-1.0, shaft), (0.15, shaft), (0.15, 0.78)]
    return [(polygon(plane, corners), 1)]


def _flower(plane: Plane, random: Rng) -> Parts:
    """A flower from above: petals around a heart."""
    count = int(random.integers(5, 8))
    reach, angle = polar(plane)
    petals = (reach - 0.35 - 0.65 * np.sqrt(np.abs(np.cos(count * angle / 2)))) * 0.7
    return [(petals, 1), (disc(plane, 0, 0, 0.52), 3), (disc(plane, 0, 0, 0.36), 2)]


def _gear(plane: Plane, random: Rng) -> Parts:
    """A toothed wheel with a hole."""
    wheel = lobes(plane, int(random.integers(8, 11)), 0.86, 0.15, sharpness=3.0)
    hole = disc(plane, 0, 0, random.uniform(0.3, 0.42))
    return [(np.maximum(wheel, -hole), 1)]


def _drop(plane: Plane, random: Rng) -> Parts:
    """A drop of water."""
    body = disc(plane, 0, 0.35, 0.64)
    tip = polygon(plane, [(0.0, -1.08), (0.57, 0.07), (-0.57, 0.07)])
    return [(union(body, tip), 1), (ellipse(plane, -0.25, 0.3, 0.12, 0.2), 0)]


def _bolt(plane: Plane, random: Rng) -> Parts:
    """A flash of lightning."""
    corners = [(0.25, -1.05), (-0.6, 0.12), (-0.06, 0.12), (-0.3, 1.05), (0.62, -0.25), (0.08, -0.25), (0.6, -1.05)]
    return [(polygon(plane, corners), 1)]


def _snowflake(plane: Plane, random: Rng) -> Parts:
    """Six thin arms with twigs."""
    reach, angle = polar(plane)
    sector = np.pi / 3
    folded = np.abs(angle - np.round(angle / sector) * sector)
    arm = Plane(reach * np.cos(folded), reach * np.sin(folded), plane.pixel)
    half = random.uniform(0.075, 0.1)
    twigs = [stroke(arm, (at, 0.0), (at + 0.26, 0.28), half) for at in (0.32, 0.62)]
    return [(union(stroke(arm, (0.0, 0.0), (1.05, 0.0), half), *twigs), 1)]


def _clover(plane: Plane, random: Rng) -> Parts:
    """A leaf of three round leaflets on a stem."""
    half, turns = plane.folded(), (0.0, 2.09)
    leaves = [disc(half, 0.47 * np.sin(turn), -0.15 - 0.47 * np.cos(turn), 0.43) for turn in turns]
    stem = stroke(plane, (0.0, 0.0), (0.18, 1.05), 0.09)
    veins = [stroke(half, (0.0, -0.15), (0.5 * np.sin(turn), -0.15 - 0.5 * np.cos(turn)), 0.05) for turn in turns]
    return [(union(*leaves, stem), 1), (union(*veins), 2)]


def _house(plane: Plane, random: Rng) -> Parts:
    """Walls, a roof, a door and a window."""
    walls = box(plane, 0, 0.42, 0.68, 0.5)
    roof = polygon(plane, [(0.0, -1.0), (0.98, -0.05), (-0.98, -0.05)])
    door, window = box(plane, -0.28, 0.6, 0.17, 0.32), box(plane, 0.3, 0.35, 0.18, 0.18)
    return [(union(walls, roof), 1), (roof, 2), (door, 3), (window, 0)]


def _fish(plane: Plane, random: Rng) -> Parts:
    """A fish from the side, swimming to the left or right."""
    way = -1.0 if random.random() < 0.5 else 1.0
    body = ellipse(plane, -0.15 * way, 0, 0.78, 0.48)
    tail = polygon(plane, [(0.42 * way, 0.0), (1.05 * way, -0.52), (0.9 * way, 0.0), (1.05 * way, 0.52)])
    fin = polygon(plane, [(0.05 * way, -0.15), (0.4 * way, 0.05), (0.05 * way, 0.25)])
    white, pupil = disc(plane, -0.55 * way, -0.1, 0.17), disc(plane, -0.57 * way, -0.1, 0.09)
    return [(union(body, tail), 1), (tail, 2), (fin, 2), (white, 0), (pupil, 3)]


def _eye(plane: Plane, random: Rng) -> Parts:
    """An eye: an almond, the iris and the pupil with a glint."""
    almond = np.maximum(disc(plane, 0, 0.62, 1.2), disc(plane, 0, -0.62, 1.2))
    look = random.uniform(-0.12, 0.12)
    iris, pupil, glint = disc(plane, look, 0, 0.45), disc(plane, look, 0, 0.22), disc(plane, look - 0.12, -0.14, 0.1)
    inside = [(np.maximum(one, almond), tone) for one, tone in ((iris, 1), (pupil, 3), (glint, 0))]
    return [(almond - 0.09, 3), (almond, 0), *inside]


def _face(plane: Plane, random: Rng) -> Parts:
    """A round smiling face."""
    head = disc(plane, 0, 0, 0.98)
    eyes = ellipse(plane.folded(), 0.36, -0.25, 0.13, 0.2)
    smile = np.maximum(np.abs(disc(plane, 0, -0.02, 0.6)) - 0.085, 0.16 - plane.y)
    return [(head, 1), (eyes, 3), (smile, 3)]


def _leaf(plane: Plane, random: Rng) -> Parts:
    """A pointed leaf with a midrib and side veins."""
    half = plane.folded()
    blade = disc(half, -0.62, 0, 1.16)
    rib = stroke(plane, (0.0, -0.8), (0.0, 1.2), 0.055)
    veins = [stroke(half, (0.0, at + 0.25), (0.42, at), 0.04) for at in (-0.35, 0.05, 0.4)]
    inside = np.maximum(union(*veins), blade + 0.05)
    return [(union(blade, rib), 1), (union(rib, inside), 2)]


def _tree(plane: Plane, random: Rng) -> Parts:
    """A fir tree: three tiers on a trunk."""
    tiers = [
        polygon(plane, [(0.0, top), (wide, top + 0.72), (-wide, top + 0.72)])
        for top, wide in ((-1.08, 0.45), (-0.68, 0.62), (-0.22, 0.8))
    ]
    crown, trunk = union(*tiers), box(plane, 0, 0.72, 0.15, 0.32)
    return [(union(crown, trunk), 3), (trunk, 2), (crown, 1)]


def _key(plane: Plane, random: Rng) -> Parts:
    """An old key: a ring, a shaft and a bit."""
    bow = np.maximum(disc(plane, -0.62, 0, 0.45), -disc(plane, -0.62, 0, 0.22))
    shaft = box(plane, 0.42, 0, 0.64, 0.1)
    bit = union(box(plane, 0.92, 0.22, 0.1, 0.24), box(plane, 0.6, 0.18, 0.1, 0.2))
    return [(union(bow, shaft, bit), 1)]


def _mushroom(plane: Plane, random: Rng) -> Parts:
    """A toadstool: a spotted cap on a pale stem."""
    cap = np.maximum(ellipse(plane, 0, 0.05, 1.0, 0.95), plane.y - 0.1)
    stem = np.maximum(ellipse(plane, 0, 0.55, 0.36, 0.62), -(plane.y - 0.05))
    spots = [disc(plane, x, y, radius) for x, y, radius in ((-0.5, -0.2, 0.16), (0.05, -0.55, 0.18), (0.5, -0.2, 0.15))]
    return [(union(cap, stem), 0), (cap, 1), (union(*spots), 0)]


def _butterfly(plane: Plane, random: Rng) -> Parts:
    """Four wings with spots around a thin body."""
    half = plane.folded()
    wings = union(ellipse(half, 0.56, -0.38, 0.5, 0.46), ellipse(half, 0.42, 0.45, 0.38, 0.4))
    spots = union(disc(half, 0.6, -0.4, 0.2), disc(half, 0.44, 0.46, 0.15))
    body = ellipse(plane, 0, 0, 0.1, 0.75)
    antennae = stroke(half, (0.0, -0.65), (0.3, -1.08), 0.045)
    return [(union(wings, body, antennae), 3), (wings + 0.07, 1), (spots, 2), (body, 3)]


def _umbrella(plane: Plane, random: Rng) -> Parts:
    """An open umbrella with a hooked stick."""
    dome = np.maximum(disc(plane, 0, 0.05, 1.0), plane.y - 0.05)
    scallops = [ellipse(plane.folded(), x, 0.08, 0.33, 0.2) for x in (0.0, 0.66)]
    roof = np.maximum(dome, -union(*scallops))
    stick = box(plane, 0, 0.35, 0.06, 0.55)
    hook = np.maximum(np.abs(disc(plane, 0.2, 0.88, 0.2)) - 0.06, 0.86 - plane.y)
    panel = np.maximum(roof, np.abs(plane.x) - 0.33)
    return [(union(roof, stick, hook), 3), (roof, 1), (panel, 2)]


def _cherries(plane: Plane, random: Rng) -> Parts:
    """Two cherries whose stalks meet at a leaf."""
    fruits = union(disc(plane, -0.5, 0.52, 0.46), disc(plane, 0.52, 0.6, 0.44))
    stalks = union(stroke(plane, (-0.45, 0.2), (0.12, -0.92), 0.06), stroke(plane, (0.5, 0.25), (0.12, -0.92), 0.06))
    blade = np.maximum(disc(plane, 0.5, -0.55, 0.56), disc(plane, 0.62, -1.15, 0.56))
    glints = union(disc(plane, -0.65, 0.36, 0.11), disc(plane, 0.37, 0.45, 0.1))
    return [(union(fruits, stalks, blade), 3), (stalks, 3), (blade, 2), (fruits, 1), (glints, 0)]


def _paw(plane: Plane, random: Rng) -> Parts:
    """The print of a paw: a pad and four toes."""
    pad = ellipse(plane, 0, 0.42, 0.56, 0.46)
    toes = [ellipse(plane.folded(), x, y, 0.21, 0.28) for x, y in ((0.28, -0.58), (0.76, -0.1))]
    return [(union(pad, *toes), 1)]


def _cup(plane: Plane, random: Rng) -> Parts:
    """A mug with a handle, seen from a little above."""
    wall = union(box(plane, -0.15, 0.15, 0.62, 0.62), ellipse(plane, -0.15, 0.77, 0.62, 0.2))
    handle = np.abs(ellipse(plane, 0.55, 0.15, 0.36, 0.38)) - 0.1
    rim, coffee = ellipse(plane, -0.15, -0.47, 0.62, 0.24), ellipse(plane, -0.15, -0.45, 0.5, 0.16)
    return [(union(wall, handle, rim), 1), (rim, 0), (coffee, 3)]


_DRAWERS: tuple[Shape, ...] = (
    _disc, _square, _triangle, _star, _cross, _heart, _crescent, _arrow, _flower, _gear, _drop, _bolt, _snowflake,
    _clover, _house, _fish, _eye, _face, _leaf, _tree, _key, _mushroom, _butterfly, _umbrella, _cherries, _paw,
    _cup,
)  # fmt: skip
SHAPE_OF = {drawer.__name__.removeprefix("_"): drawer for drawer in _DRAWERS}
"""The shapes by class."""
