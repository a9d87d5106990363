"""The map that takes four corners to four others; kornia finds it."""

from __future__ import annotations

from kornia.geometry.transform import get_perspective_transform
from torch import Tensor


def corners_to(points: Tensor, targets: Tensor) -> Tensor:
    """Find the matrices that move four points to four others."""
    found: Tensor = get_perspective_transform(points, targets)
    return found
