"""Where the viewer stands, and where on the canvas a point of space appears to him."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lucidtorch.base.sizes import Size


def look_at(eye: Tensor, target: Tensor, up: Tensor) -> Tensor:
    """Make the matrix from space to the viewer's own axes."""
    back = torch.nn.functional.normalize(eye - target, dim=0)
    right = torch.nn.functional.normalize(torch.linalg.cross(up, back), dim=0)
    turn = torch.stack([right, torch.linalg.cross(back, right), back])
    matrix = torch.eye(4, dtype=eye.dtype)
    matrix[:3, :3] = turn
    matrix[:3, 3] = -turn @ eye
    return matrix


def orbit(azimuth: float, elevation: float, distance: float) -> Tensor:
    """Make the matrix of a viewer who looks at the origin."""
    around, above = math.radians(azimuth), math.radians(elevation)
    flat, height = math.cos(above), math.sin(above)
    eye = torch.tensor([math.sin(around) * flat, height, math.cos(around) * flat], dtype=torch.float64)
    up = torch.tensor([-math.sin(around) * height, flat, -math.cos(around) * height], dtype=torch.float64)
    return look_at(distance * eye, torch.zeros(3, dtype=torch.float64), up)


def on_canvas(positions: Tensor, viewer: Tensor, field: float, size: Size) -> Tensor:
    """Find where points appear on a canvas, in perspective."""
    seen = positions @ viewer[:3, :3].T + viewer[:3, 3]
    height, width = size
    depth = -seen[:, 2]
    pixels = min(size) / 2 / math.tan(math.radians(field) / 2) / depth
    return torch.stack([width / 2 + seen[:, 0] * pixels, height / 2 - seen[:, 1] * pixels, depth], 1)
