"""Meshes that need no file: a sphere, a torus, a knot and a cube, with their places in a texture."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from lucidtorch.transforms.meshes.mesh import Mesh

TUBE = 0.42  # the radius of the torus's tube, as a share of that of the circle it follows
ROPE = 0.62  # the radius of the knot's tube; its curve keeps about 3 from its middle
FLAT = 1e-9  # twice the area of a triangle with two corners at a pole, which is none, is less
# The charts of the cube, left to right and upper row first: outwards, to the right and up on the chart. The three of
# a row are neighbours on the cube too, so that a texture runs on across their edges.
CHARTS = (
    ((-1, 0, 0), (0, 0, 1), (0, 1, 0)),
    ((0, 0, 1), (1, 0, 0), (0, 1, 0)),
    ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    ((0, -1, 0), (0, 0, -1), (1, 0, 0)),
    ((0, 0, -1), (0, 1, 0), (1, 0, 0)),
    ((0, 1, 0), (0, 0, 1), (1, 0, 0)),
)


def sphere() -> Mesh:
    """A ball, 64 by 32: u runs around it from the back, and v from the lower pole to the upper.

    At a pole each triangle has its own tip, in the middle of its part of the texture.
    """
    across, high = 64, 32
    u, v = _grid(across, high)
    around, above = (u - 0.5) * 2 * math.pi, (v - 0.5) * math.pi
    positions = torch.stack([around.sin() * above.cos(), above.sin(), around.cos() * above.cos()], -1)
    tips = torch.zeros_like(u)
    tips[0], tips[-1] = 0.5 / across, -0.5 / across
    whole = _sheet(positions, u + tips, v)
    a, b, c = whole.positions[whole.faces].unbind(1)
    kept = torch.linalg.cross(b - a, c - a).norm(dim=1) > FLAT
    return Mesh(whole.positions, whole.uvs, whole.faces[kept])


def torus() -> Mesh:
    """A ring that faces the viewer, 72 by 36: u runs along it and v around its tube; both close."""
    return _tube(lambda t: torch.stack([t.cos(), t.sin(), 0 * t], -1), TUBE, 72, 36)


def knot() -> Mesh:
    """A trefoil knot that faces the viewer, 192 by 24: u runs along it and v around its tube; both close."""

    def curve(t: Tensor) -> Tensor:
        return torch.stack([t.sin() + 2 * (2 * t).sin(), t.cos() - 2 * (2 * t).cos(), -(3 * t).sin()], -1)

    return _tube(curve, ROPE, 192, 24)


def cube() -> Mesh:
    """A cube: each side has a third of the texture's width and half of its height.

    Above are its left, front and right; below, turned by a quarter, are its bottom, back and top.
    """
    positions, uvs, faces = [], [], []
    for place, chart in enumerate(CHARTS):
        outwards, right, up = (torch.tensor(axis, dtype=torch.float64) for axis in chart)
        column, row = place % 3, place // 3
        for across, high in ((0, 0), (1, 0), (1, 1), (0, 1)):
            positions.append(outwards + (2 * across - 1) * right + (2 * high - 1) * up)
            uvs.append([(column + across) / 3, (1 - row + high) / 2])
        faces += [[4 * place + corner for corner in corners] for corners in ((0, 1, 2), (0, 2, 3))]
    return Mesh(torch.stack(positions), torch.tensor(uvs, dtype=torch.float64), torch.tensor(faces)).fitted()


SHAPES: Mapping[str, Callable[[], Mesh]] = {made.__name__: made for made in (cube, knot, sphere, torus)}


def _tube(curve: Callable[[Tensor], Tensor], radius: float, along: int, around: int) -> Mesh:
    """A tube around a closed curve of a parameter from 0 to 2 pi, which never goes straight on."""
    u, v = _grid(along, around)
    t, turn = u * 2 * math.pi, v[..., None] * 2 * math.pi
    step = 1e-4
    behind, here, ahead = curve(t - step), curve(t), curve(t + step)
    forward = torch.nn.functional.normalize(ahead - behind, dim=-1)
    bend = ahead + behind - 2 * here
    inwards = torch.nn.functional.normalize(bend - (bend * forward).sum(-1, keepdim=True) * forward, dim=-1)
    sideways = torch.linalg.cross(forward, inwards)
    return _sheet(here + radius * (turn.sin() * sideways - turn.cos() * inwards), u, v)


def _grid(across: int, high: int) -> tuple[Tensor, Tensor]:
    """The places of a grid of cells in a texture, each `[high + 1, across + 1]`."""
    u = torch.linspace(0, 1, across + 1, dtype=torch.float64)
    v = torch.linspace(0, 1, high + 1, dtype=torch.float64)
    v, u = torch.meshgrid(v, u, indexing="ij")
    return u, v


def _sheet(positions: Tensor, u: Tensor, v: Tensor) -> Mesh:
    """Span two triangles over each cell of a grid of positions `[h, w, 3]`."""
    index = torch.arange(u.numel()).reshape(u.shape)
    low_left, low_right = index[:-1, :-1].flatten(), index[:-1, 1:].flatten()
    high_left, high_right = index[1:, :-1].flatten(), index[1:, 1:].flatten()
    lower, upper = (low_left, low_right, high_right), (low_left, high_right, high_left)
    faces = torch.stack([torch.stack(lower, 1), torch.stack(upper, 1)], 1).flatten(0, 1)
    return Mesh(positions.flatten(0, 1), torch.stack([u.flatten(), v.flatten()], 1), faces).fitted()
