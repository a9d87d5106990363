"""Resampling: one bilinear warp per image, done by kornia."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from kornia.geometry.transform import get_perspective_transform, warp_affine, warp_perspective
from torch import Tensor

from lucidtorch.base.sizes import Size


def warped(
    images: Tensor, matrix: Tensor, size: Size, outside: float | Tensor | str, *, projective: bool = False
) -> Tensor:
    """Move images by matrices onto a canvas, in the images' own precision whatever autocast says.

    Args:
        images: `[B, C, H, W]`.
        matrix: `[B, 3, 3]`, from pixel (x, y, 1) of the image to pixel (x, y, 1) of the canvas.
        size: The height and width of the canvas.
        outside: The value of what lies outside the image, into which its edge blends, one value per image, or that it
            is their mirror image.
        projective: Whether the matrices may be more than affine.

    Returns:
        `[B, C, h, w]`.
    """
    fill: float | Tensor = 0.0
    if isinstance(outside, Tensor):
        fill = outside.to(images.dtype).to(images.device).reshape(-1, 1, 1, 1)
    elif not isinstance(outside, str):
        fill = outside
    beyond = "reflection" if isinstance(outside, str) else "zeros"
    moving = _at_least_two(images - fill, beyond)
    placed = matrix.to(images.dtype).to(images.device)
    with torch.autocast(images.device.type, enabled=False):
        if projective:
            moved = warp_perspective(moving, placed, size, padding_mode=beyond, align_corners=True)
        else:
            moved = warp_affine(moving, placed[:, :2], size, padding_mode=beyond, align_corners=True)
    found: Tensor = moved + fill
    return found


def corners_to(points: Tensor, targets: Tensor) -> Tensor:
    """Find the matrices that move four points to four others.

    Args:
        points: `[B, 4, 2]`, each (x, y).
        targets: `[B, 4, 2]`, where they go.

    Returns:
        `[B, 3, 3]`.
    """
    found: Tensor = get_perspective_transform(points, targets)
    return found


def _at_least_two(images: Tensor, beyond: str) -> Tensor:
    """Widen a side of one pixel by a second, because kornia divides by a side less one."""
    height, width = images.shape[-2:]
    if min(height, width) > 1:
        return images
    return F.pad(
        images, (0, int(width == 1), 0, int(height == 1)), mode="replicate" if beyond != "zeros" else "constant"
    )
