"""Resampling: one bilinear warp per image, done by kornia."""

from __future__ import annotations

from kornia.geometry.transform import warp_affine
from torch import Tensor

from lucidtorch.transforms.transform import Size


def warped(images: Tensor, matrix: Tensor, size: Size, fill: float) -> Tensor:
    """Move images by matrices onto a canvas.

    Args:
        images: `[B, C, H, W]`.
        matrix: `[B, 3, 3]`, from pixel (x, y, 1) of the image to pixel (x, y, 1) of the canvas.
        size: The height and width of the canvas.
        fill: The value of what lies outside the image; its edge blends into it.

    Returns:
        `[B, C, h, w]`.
    """
    affine = matrix[:, :2].to(images.device, images.dtype)
    moved: Tensor = warp_affine(images - fill, affine, size, align_corners=True)
    return moved + fill
