"""Resampling: one bilinear warp per image, done by kornia."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from kornia.geometry.transform import warp_affine
from torch import Tensor

from lucidtorch.base.sizes import Size


def warped(images: Tensor, matrix: Tensor, size: Size, fill: float) -> Tensor:
    """Move images by matrices onto a canvas, in the images' own precision whatever autocast says.

    Args:
        images: `[B, C, H, W]`.
        matrix: `[B, 3, 3]`, from pixel (x, y, 1) of the image to pixel (x, y, 1) of the canvas.
        size: The height and width of the canvas.
        fill: The value of what lies outside the image; its edge blends into it.

    Returns:
        `[B, C, h, w]`.
    """
    height, width = images.shape[-2:]
    images = F.pad(images, (0, int(width == 1), 0, int(height == 1)), value=fill)  # kornia divides by a side less one
    affine = matrix[:, :2].to(images.device, images.dtype)
    with torch.autocast(images.device.type, enabled=False):
        moved: Tensor = warp_affine(images - fill, affine, size, align_corners=True)
    return moved + fill
