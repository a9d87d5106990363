"""The shapes with parts: things, plants and animals, each drawn with a few figures.

Functions and parts as in `lucidtorch.datasets.figures`.
"""

from __future__ import annotations

import numpy as np

from lucidtorch.datasets.figures import Parts, Shape
from lucidtorch.datasets.outlines import box, disc, ellipse, polygon, stroke, union
from lucidtorch.datasets.plane import Plane


def _house(plane: Plane, random: np.random.Generator) -> Parts:
    """Walls, a roof, a door and a window."""
    walls = box(plane, 0, 0.42, 0.68, 0.5)
    roof = polygon(plane, [(0.0, -1.0), (0.98, -0.05), (-0.98, -0.05)])
    door, window = box(plane, -0.28, 0.6, 0.17, 0.32), box(plane, 0.3, 0.35, 0.18, 0.18)
    return [(np.minimum(walls, roof), 1), (roof, 2), (door, 3), (window, 0)]


def _fish(plane: Plane, random: np.random.Generator) -> Parts:
    """A fish from the side, swimming to the left or right."""
    way = -1.0 if random.random() < 0.5 else 1.0
    body = ellipse(plane, -0.15 * way, 0, 0.78, 0.48)
    tail = polygon(plane, [(0.42 * way, 0.0), (1.05 * way, -0.52), (0.9 * way, 0.0), (1.05 * way, 0.52)])
    fin = polygon(plane, [(0.05 * way, -0.15), (0.4 * way, 0.05), (0.05 * way, 0.25)])
    white, pupil = disc(plane, -0.55 * way, -0.1, 0.17), disc(plane, -0.57 * way, -0.1, 0.09)
    return [(np.minimum(body, tail), 1), (tail, 2), (fin, 2), (white, 0), (pupil, 3)]


def _eye(plane: Plane, random: np.random.Generator) -> Parts:
    """An eye: an almond, the iris and the pupil with a glint."""
    almond = np.maximum(disc(plane, 0, 0.62, 1.2), disc(plane, 0, -0.62, 1.2))
    look = random.uniform(-0.12, 0.12)
    iris, pupil, glint = disc(plane, look, 0, 0.45), disc(plane, look, 0, 0.22), disc(plane, look - 0.12, -0.14, 0.1)
    inside = [(np.maximum(one, almond), tone) for one, tone in ((iris, 1), (pupil, 3), (glint, 0))]
    return [(almond - 0.09, 3), (almond, 0), *inside]


def _face(plane: Plane, random: np.random.Generator) -> Parts:
    """A round smiling face."""
    head = disc(plane, 0, 0, 0.98)
    eyes = np.minimum(ellipse(plane, -0.36, -0.25, 0.13, 0.2), ellipse(plane, 0.36, -0.25, 0.13, 0.2))
    smile = np.maximum(np.abs(disc(plane, 0, -0.02, 0.6)) - 0.085, 0.16 - plane.y)
    return [(head, 1), (eyes, 3), (smile, 3)]


def _leaf(plane: Plane, random: np.random.Generator) -> Parts:
    """A pointed leaf with a midrib and side veins."""
    blade = np.maximum(disc(plane, 0.62, 0, 1.16), disc(plane, -0.62, 0, 1.16))
    rib = stroke(plane, (0.0, -0.8), (0.0, 1.2), 0.055)
    veins = [
        stroke(plane, (0.0, at + 0.25), (side * 0.42, at), 0.04) for at in (-0.35, 0.05, 0.4) for side in (-1.0, 1.0)
    ]
    inside = np.maximum(union(plane, *veins), blade + 0.05)
    return [(np.minimum(blade, rib), 1), (np.minimum(rib, inside), 2)]


def _tree(plane: Plane, random: np.random.Generator) -> Parts:
    """A fir tree: three tiers on a trunk."""
    tiers = [
        polygon(plane, [(0.0, top), (wide, top + 0.72), (-wide, top + 0.72)])
        for top, wide in ((-1.08, 0.45), (-0.68, 0.62), (-0.22, 0.8))
    ]
    crown, trunk = union(plane, *tiers), box(plane, 0, 0.72, 0.15, 0.32)
    return [(np.minimum(crown, trunk), 3), (trunk, 2), (crown, 1)]


def _key(plane: Plane, random: np.random.Generator) -> Parts:
    """An old key: a ring, a shaft and a bit."""
    bow = np.maximum(disc(plane, -0.62, 0, 0.45), -disc(plane, -0.62, 0, 0.22))
    shaft = box(plane, 0.42, 0, 0.64, 0.1)
    bit = np.minimum(box(plane, 0.92, 0.22, 0.1, 0.24), box(plane, 0.6, 0.18, 0.1, 0.2))
    return [(union(plane, bow, shaft, bit), 1)]


def _mushroom(plane: Plane, random: np.random.Generator) -> Parts:
    """A toadstool: a spotted cap on a pale stem."""
    cap = np.maximum(ellipse(plane, 0, 0.05, 1.0, 0.95), plane.y - 0.1)
    stem = np.maximum(ellipse(plane, 0, 0.55, 0.36, 0.62), -(plane.y - 0.05))
    spots = [disc(plane, x, y, radius) for x, y, radius in ((-0.5, -0.2, 0.16), (0.05, -0.55, 0.18), (0.5, -0.2, 0.15))]
    return [(np.minimum(cap, stem), 0), (cap, 1), (union(plane, *spots), 0)]


def _butterfly(plane: Plane, random: np.random.Generator) -> Parts:
    """Four wings with spots around a thin body."""
    upper = np.minimum(*(ellipse(plane, side * 0.56, -0.38, 0.5, 0.46) for side in (-1, 1)))
    lower = np.minimum(*(ellipse(plane, side * 0.42, 0.45, 0.38, 0.4) for side in (-1, 1)))
    spots = [disc(plane, side * 0.6, -0.4, 0.2) for side in (-1, 1)]
    body = ellipse(plane, 0, 0, 0.1, 0.75)
    feelers = [stroke(plane, (0.0, -0.65), (side * 0.3, -1.08), 0.045) for side in (-1.0, 1.0)]
    return [
        (union(plane, upper, lower, body, *feelers), 3),
        (np.minimum(upper, lower) + 0.07, 1),
        (union(plane, *spots, *(disc(plane, side * 0.44, 0.46, 0.15) for side in (-1, 1))), 2),
        (body, 3),
    ]


def _umbrella(plane: Plane, random: np.random.Generator) -> Parts:
    """An open umbrella with a hooked stick."""
    dome = np.maximum(disc(plane, 0, 0.05, 1.0), plane.y - 0.05)
    scallops = [ellipse(plane, x, 0.08, 0.33, 0.2) for x in (-0.66, 0.0, 0.66)]
    roof = np.maximum(dome, -union(plane, *scallops))
    stick = box(plane, 0, 0.35, 0.06, 0.55)
    hook = np.maximum(np.abs(disc(plane, 0.2, 0.88, 0.2)) - 0.06, 0.86 - plane.y)
    panel = np.maximum(roof, np.abs(plane.x) - 0.33)
    return [(union(plane, roof, stick, hook), 3), (roof, 1), (panel, 2)]


def _cherries(plane: Plane, random: np.random.Generator) -> Parts:
    """Two cherries whose stalks meet at a leaf."""
    fruits = np.minimum(disc(plane, -0.5, 0.52, 0.46), disc(plane, 0.52, 0.6, 0.44))
    stalks = np.minimum(
        stroke(plane, (-0.45, 0.2), (0.12, -0.92), 0.06), stroke(plane, (0.5, 0.25), (0.12, -0.92), 0.06)
    )
    blade = np.maximum(disc(plane, 0.5, -0.55, 0.56), disc(plane, 0.62, -1.15, 0.56))
    glints = np.minimum(disc(plane, -0.65, 0.36, 0.11), disc(plane, 0.37, 0.45, 0.1))
    return [(union(plane, fruits, stalks, blade), 3), (stalks, 3), (blade, 2), (fruits, 1), (glints, 0)]


def _paw(plane: Plane, random: np.random.Generator) -> Parts:
    """The print of a paw: a pad and four toes."""
    pad = ellipse(plane, 0, 0.42, 0.56, 0.46)
    toes = [ellipse(plane, x, y, 0.21, 0.28) for x, y in ((-0.76, -0.1), (-0.28, -0.58), (0.28, -0.58), (0.76, -0.1))]
    return [(union(plane, pad, *toes), 1)]


def _cup(plane: Plane, random: np.random.Generator) -> Parts:
    """A mug with a handle, seen from a little above."""
    wall = np.minimum(box(plane, -0.15, 0.15, 0.62, 0.62), ellipse(plane, -0.15, 0.77, 0.62, 0.2))
    handle = np.abs(ellipse(plane, 0.55, 0.15, 0.36, 0.38)) - 0.1
    rim, coffee = ellipse(plane, -0.15, -0.47, 0.62, 0.24), ellipse(plane, -0.15, -0.45, 0.5, 0.16)
    return [(union(plane, wall, handle, rim), 1), (rim, 0), (coffee, 3)]


THINGS: dict[str, Shape] = {
    "house": _house,
    "fish": _fish,
    "eye": _eye,
    "face": _face,
    "leaf": _leaf,
    "tree": _tree,
    "key": _key,
    "mushroom": _mushroom,
    "butterfly": _butterfly,
    "umbrella": _umbrella,
    "cherries": _cherries,
    "paw": _paw,
    "cup": _cup,
}
"""The shapes with parts by their classes."""
