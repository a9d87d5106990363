"""Resampling: one bilinear warp per image."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lucidtorch.base.machine import sent
from lucidtorch.base.sizes import Size

NEARLY_ZERO = 1e-12  # what a point of the horizon is divided by: it lies far away then, and is a number still


def warped(
    images: Tensor, matrix: np.ndarray, size: Size, outside: float | Tensor | str, *, projective: bool = False
) -> Tensor:
    """Move images by matrices onto a canvas, in the images' own precision whatever autocast says."""
    if isinstance(outside, str):
        return _sampled(images, matrix, size, projective=projective, mirrored=True)
    fill = outside
    if isinstance(fill, Tensor):
        fill = sent(fill.to(images.dtype), images.device).reshape(-1, 1, 1, 1)
    return _sampled(images - fill, matrix, size, projective=projective, mirrored=False).add_(fill)


def _sampled(images: Tensor, matrix: np.ndarray, size: Size, *, projective: bool, mirrored: bool) -> Tensor:
    """Look every pixel of the canvas up; outside the images is 0, or their mirror image, the edge not repeated."""
    to_image = _shares(images.shape[-2:], from_centres=mirrored) @ np.linalg.inv(matrix)
    places = _places(to_image if projective else to_image[:, :2], size, images)
    if projective:
        depth = places[:, 2:]
        places = places[:, :2] / depth.where(depth != 0, NEARLY_ZERO)
    beyond = "reflection" if mirrored else "zeros"
    with torch.autocast(images.device.type, enabled=False):
        return F.grid_sample(images, places.permute(0, 2, 3, 1), padding_mode=beyond, align_corners=mirrored)


def _shares(size: Size, *, from_centres: bool) -> np.ndarray:
    """Make the matrix from pixels to what torch looks images up by: -1 to 1 from edge to edge.

    The edges are the outer ones of the first and last pixels, or their centres, at which a mirror image begins.
    """
    height, width = size
    if from_centres:
        height, width = max(height - 1, 1), max(width - 1, 1)  # one pixel alone is everywhere
        return np.array([[2 / width, 0, -1], [0, 2 / height, -1], [0, 0, 1]])
    return np.array([[2 / width, 0, 1 / width - 1], [0, 2 / height, 1 / height - 1], [0, 0, 1]])


def _places(matrix: np.ndarray, size: Size, like: Tensor) -> Tensor:
    """Multiply matrices, `[B, n, 3]`, with every pixel (x, y, 1) of a canvas.

    A product is a sum of what the column gives and what the row gives. These are computed in float64 for few pixels,
    and added for all of them; the planes of x and y lie apart in memory, as torch looks them up fastest.
    """
    height, width = size
    across = matrix[:, :, :1] * np.arange(width)
    down = matrix[:, :, 1:2] * np.arange(height) + matrix[:, :, 2:]
    both = sent(torch.from_numpy(np.concatenate([across, down], 2)).to(like.dtype), like.device)
    return both[:, :, None, :width] + both[:, :, width:, None]
