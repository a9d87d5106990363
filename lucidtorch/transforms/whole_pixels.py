"""Moving images by whole pixels and mirroring them: every pixel is copied exactly."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lucidtorch.base.sizes import Size

Line = tuple[int, int]  # a direction, 1 or -1, and where pixel 0 goes


def copied(images: Tensor, matrix: np.ndarray, size: Size, outside: float | Tensor | str) -> Tensor:
    """Move images by whole pixels onto a canvas, or mirror them."""
    columns = [(round(row[0][0]), round(row[0][2])) for row in matrix]
    rows = [(round(row[1][1]), round(row[1][2])) for row in matrix]
    if images.requires_grad:
        # The two ways below give gradients of different memory layouts, and what comes before may round by the layout;
        # an image's bytes would then depend on whether its neighbours happen to move alike.
        images = images.view_as(images)
        images.register_hook(_contiguous)  # type: ignore[no-untyped-call]
    if isinstance(outside, float | int) and len({*zip(rows, columns, strict=True)}) == 1:
        return _on_canvas(images, rows[0], columns[0], size, outside)
    parts = []
    for place, image in enumerate(images.unbind()):
        one = image[None]
        if isinstance(outside, str):
            parts.append(_mirrored(one, rows[place], columns[place], size))
        else:
            value = float(outside[place]) if isinstance(outside, Tensor) else outside
            parts.append(_on_canvas(one, rows[place], columns[place], size, value))
    return torch.cat(parts)


def _contiguous(grad: Tensor | None) -> Tensor | None:
    return None if grad is None else grad.contiguous()


def _on_canvas(images: Tensor, rows: Line, columns: Line, size: Size, value: float) -> Tensor:
    """Place images that all move alike on a canvas of one value."""
    height, width = images.shape[-2:]
    flipped = [axis for axis, (direction, _) in ((-2, rows), (-1, columns)) if direction < 0]
    down, right = (
        offset if direction > 0 else offset - side + 1
        for (direction, offset), side in ((rows, height), (columns, width))
    )
    below, beside = size[0] - height - down, size[1] - width - right
    if min(height, size[0], height + down, height + below, width + right, width + beside) < 1:  # it is off the canvas
        return images.new_full((*images.shape[:2], *size), value)
    return F.pad(images.flip(flipped) if flipped else images, (right, beside, down, below), value=value)


def _mirrored(image: Tensor, rows: Line, columns: Line, size: Size) -> Tensor:
    """Place an image on a canvas that its mirror images fill."""
    for axis, (direction, offset), length in ((-2, rows, size[0]), (-1, columns, size[1])):
        period = max(2 * (image.shape[axis] - 1), 1)  # the edge itself is not repeated
        place = ((torch.arange(length) - offset) * direction).remainder(period)
        image = image.index_select(axis, torch.minimum(place, period - place).to(image.device))
    return image
