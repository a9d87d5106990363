"""Reading a texture between its texels."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def sampled(textures: Tensor, uvs: Tensor) -> Tensor:
    """Read textures at places between their texels: bilinear, and repeating beyond their sides.

    The gradient goes to the textures. They are read in their own precision whatever autocast says.
    """
    height, width = textures.shape[-2:]
    across, down = uvs[..., 0], 1 - uvs[..., 1]
    columns, rows = (across - across.floor()) * width + 0.5, (down - down.floor()) * height + 0.5
    grid = torch.stack([columns * (2 / (width + 1)) - 1, rows * (2 / (height + 1)) - 1], -1)
    with torch.autocast(textures.device.type, enabled=False):
        bordered = F.pad(textures, (1, 1, 1, 1), mode="circular")
        places = grid.to(textures.device, textures.dtype)
        return F.grid_sample(bordered, places, mode="bilinear", padding_mode="border", align_corners=True)
