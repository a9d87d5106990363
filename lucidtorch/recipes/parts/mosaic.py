"""Pictures put together into one: without gaps, in a row, or smaller within their place."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lucidtorch.base.images import BEHIND, GAP, GAP_VALUE, resized


def tiled(pictures: Tensor, columns: int) -> Tensor:
    """Lay pictures out side by side without gaps."""
    count, channels, height, width = pictures.shape
    rows = count // columns
    shaped = pictures.reshape(rows, columns, channels, height, width).permute(2, 0, 3, 1, 4)
    return shaped.reshape(channels, rows * height, columns * width)


def side_by_side(pictures: Sequence[Tensor]) -> Tensor:
    """Lay pictures of any size out in a row, all as high as the highest, with narrow dark gaps."""
    height = max(picture.shape[1] for picture in pictures)
    found: list[Tensor] = []
    for picture in pictures:
        size = (height, max(1, round(picture.shape[2] * height / picture.shape[1])))
        found += [resized(picture, size), torch.full((picture.shape[0], height, GAP), GAP_VALUE)]
    return torch.cat(found[:-1], 2)


def smaller(picture: Tensor, share: float) -> Tensor:
    """Shrink a picture in the middle of grey, so that it keeps its size."""
    channels, height, width = picture.shape
    size = (max(1, round(height * share)), max(1, round(width * share)))
    top, left = (height - size[0]) // 2, (width - size[1]) // 2
    found = torch.full((channels, height, width), BEHIND)
    found[:, top : top + size[0], left : left + size[1]] = resized(picture, size)
    return found
