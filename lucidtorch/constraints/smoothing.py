"""Gaussian blur with mirrored edges, done by kornia."""

from __future__ import annotations

import torch
from kornia.filters import gaussian_blur2d
from torch import Tensor

from lucidtorch.base.sizes import PLANE

CUT = 4  # standard deviations at which the Gaussian is cut off, as in scipy's `gaussian_filter`


def smoothed(images: Tensor, sigma: float) -> Tensor:
    """Blur images, in their own precision whatever autocast says; of clips, every frame by itself."""
    radius = int(CUT * sigma + 0.5)
    if radius == 0:
        return images
    side = 2 * radius + 1
    frames = images.flatten(1, -PLANE - 1)
    rows, columns = (mirrored(length, radius).to(images.device) for length in frames.shape[-PLANE:])
    framed = frames[..., rows, :][..., columns]
    with torch.autocast(images.device.type, enabled=False):
        blurred: Tensor = gaussian_blur2d(framed, (side, side), (sigma, sigma), border_type="constant")
    return blurred[..., radius:-radius, radius:-radius].reshape_as(images).clamp(0, 1)


def mirrored(length: int, margin: int) -> Tensor:
    """Say which positions of an axis lie on it and beyond its ends, where it is mirrored with its edge repeated."""
    places = torch.arange(-margin, length + margin) % (2 * length)
    return torch.minimum(places, 2 * length - 1 - places)
