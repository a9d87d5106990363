"""Where the viewer stands, and where on the canvas a point of space appears to him."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lucidtorch.base.sizes import Size


def look_at(eye: Tensor, target: Tensor, up: Tensor) -> Tensor:
    """Make the matrix from space to the viewer's own axes.

    Args:
        eye: `[3]`, where the viewer stands.
        target: `[3]`, what he looks at.
        up: `[3]`, what is up to him; not along the line of sight.

    Returns:
        `[4, 4]`: the eye goes to the origin, and the target to (0, 0, -distance); x is to the right and y up.
    """
    back = torch.nn.functional.normalize(eye - target, dim=0)
    right = torch.nn.functional.normalize(torch.linalg.cross(up, back), dim=0)
    turn = torch.stack([right, torch.linalg.cross(back, right), back])
    matrix = torch.eye(4, dtype=eye.dtype)
    matrix[:3, :3] = turn
    matrix[:3, 3] = -turn @ eye
    return matrix


def orbit(azimuth: float, elevation: float, distance: float) -> Tensor:
    """Make the matrix of a viewer who looks at the origin.

    Args:
        azimuth: How far he walked around to the right, in degrees; at 0 he stands on the axis of z.
        elevation: How far he climbed, in degrees; at 90 he looks straight down, and up is away from where he came.
        distance: How far he is.

    Returns:
        `[4, 4]` in float64, see `look_at`.
    """
    around, above = math.radians(azimuth), math.radians(elevation)
    flat, height = math.cos(above), math.sin(above)
    eye = torch.tensor([math.sin(around) * flat, height, math.cos(around) * flat], dtype=torch.float64)
    up = torch.tensor([-math.sin(around) * height, flat, -math.cos(around) * height], dtype=torch.float64)
    return look_at(distance * eye, torch.zeros(3, dtype=torch.float64), up)


def on_canvas(positions: Tensor, viewer: Tensor, field: float, size: Size) -> Tensor:
    """Find where points appear on a canvas, in perspective.

    Args:
        positions: `[N, 3]` in space, all in front of the viewer.
        viewer: `[4, 4]`, from space to his own axes.
        field: The angle in degrees that the shorter side of the canvas spans.
        size: The height and width of the canvas in pixels.

    Returns:
        `[N, 3]`: column and row, where the canvas begins at 0 and the middle of its first pixel is 0.5, and the depth,
        how far a point is in front of the viewer.
    """
    seen = positions @ viewer[:3, :3].T + viewer[:3, 3]
    height, width = size
    depth = -seen[:, 2]
    pixels = min(size) / 2 / math.tan(math.radians(field) / 2) / depth
    return torch.stack([width / 2 + seen[:, 0] * pixels, height / 2 - seen[:, 1] * pixels, depth], 1)
