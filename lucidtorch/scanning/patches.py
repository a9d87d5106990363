"""What a unit sees of an image, cut out, and several of these side by side."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from lucidtorch.base.images import GAP, shrunk, visible
from lucidtorch.scanning.layer_scan import Box, Example, LayerScan
from lucidtorch.scanning.source import Skipped, Source

GREY = 0.5
LARGEST = 112  # pixels on the longer side of a patch in a strip; a larger one is scaled down


def patch(source: Source, found: LayerScan, example: Example) -> Tensor:
    """Cut out what a unit sees in an image that excites it.

    Args:
        source: The images, from `Scan.open`.
        found: The layer, from `Scan[layer]`.
        example: One of its `top` or `bottom`.

    Returns:
        `[C, H, W]` in [0, 1], of one size for all places of a layer; grey beyond the border of the image, and grey all
        over where the image can no longer be read.
    """
    item = source.read(example.image)
    window = found.window(example.row, example.column)
    if isinstance(item, Skipped):
        return torch.full((source.channels, window.bottom - window.top, window.right - window.left), GREY)
    return cut(item.pixels, window)


def cut(image: Tensor, window: Box) -> Tensor:
    """Cut a window out of an image, grey beyond its border."""
    _, height, width = image.shape
    found = image.new_full((len(image), window.bottom - window.top, window.right - window.left), GREY)
    top, left = max(window.top, 0), max(window.left, 0)
    bottom, right = max(min(window.bottom, height), top), max(min(window.right, width), left)
    inside = image[:, top:bottom, left:right]
    found[:, top - window.top : bottom - window.top, left - window.left : right - window.left] = inside
    return found


def strip(patches: Sequence[Tensor], largest: int = LARGEST) -> Tensor:
    """Lay patches out in a row, `[C + 1, H, W]`, with narrow transparent gaps."""
    shown = torch.stack([visible(one) for one in patches]).float()
    shown = shrunk(shown, largest)
    opaque = torch.cat([shown, torch.ones_like(shown[:, :1])], 1)
    spaced = functional.pad(opaque, (0, GAP))
    return torch.cat(list(spaced), 2)[..., :-GAP]
