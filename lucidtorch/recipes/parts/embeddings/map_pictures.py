"""Maps as pictures: images at their places, images on a grid, and dots in the colours of classes."""

from __future__ import annotations

import torch
from torch import Tensor

from lucidtorch.base.images import GAP_VALUE, shrunk

WIDTH, DOTS_WIDTH = 2400, 1200  # pixels of a map, of images and of dots
DENSITY = 1.6  # how many times the sides of all images would fit side by side across a map
SMALLEST = 20  # pixels on the longer side of an image on a map
TOUCH = 0.5  # images whose middles are closer than this share of their sides would hide one another
DOT_SHARE, DOTS = 0.18, (4, 14)  # the radius of a dot, as a share of the room that each has, and in pixels
PALER = 0.25  # how far colours go to white, that all of them stand out from the dark ground


def image_map(thumbs: Tensor, places: Tensor, width: int | None = None) -> tuple[Tensor, int]:
    """Put images at their places; one that would hide much of another is left out."""
    beside = DENSITY * len(thumbs) ** 0.5
    width = min(WIDTH, round(beside * max(thumbs.shape[2:]))) if width is None else width
    tiles = shrunk(thumbs, max(SMALLEST, round(width / beside)))
    _, channels, high, wide = tiles.shape
    corners = (places * (width - wide)).round().long()
    across, down = corners.max(0).values.tolist()
    canvas = torch.full((channels, down + high, across + wide), GAP_VALUE)
    shown: list[int] = []
    for one in _mixed(len(tiles)):
        apart = (corners[shown] - corners[one]).abs().double() / torch.tensor([wide, high])
        if not bool((apart < TOUCH).all(1).any()):
            shown.append(one)
            x, y = corners[one].tolist()
            canvas[:, y : y + high, x : x + wide] = tiles[one]
    return canvas, len(tiles) - len(shown)


def image_grid(thumbs: Tensor, cells: Tensor) -> Tensor:
    """Put images into the cells of a grid."""
    _, channels, high, wide = thumbs.shape
    columns, rows = (cells.max(0).values + 1).tolist()
    canvas = torch.full((channels, rows * high, columns * wide), GAP_VALUE)
    for one, (column, row) in zip(thumbs, cells.tolist(), strict=True):
        canvas[:, row * high : (row + 1) * high, column * wide : (column + 1) * wide] = one
    return canvas


def dot_map(places: Tensor, colours: Tensor, width: int = DOTS_WIDTH) -> Tensor:
    """Draw a dot at each place."""
    low, high = DOTS
    radius = max(low, min(high, round(DOT_SHARE * width / len(places) ** 0.5)))
    span = torch.arange(-radius - 1, radius + 2)
    cover = (radius + 0.5 - (span[:, None] ** 2 + span[None, :] ** 2).double().sqrt()).clamp(0, 1).float()
    side = len(span)
    corners = (places * (width - side)).round().long()
    across, down = corners.max(0).values.tolist()
    canvas = torch.full((3, down + side, across + side), GAP_VALUE)
    for one in _mixed(len(places)):
        x, y = corners[one].tolist()
        below = canvas[:, y : y + side, x : x + side]
        below += cover * (colours[one][:, None, None] - below)
    return canvas


def pale(colours: Tensor) -> Tensor:
    """Bring colours closer to white."""
    return colours + PALER * (1 - colours)


def hexadecimal(colour: Tensor) -> str:
    """Write a colour as pages do."""
    return "#" + "".join(f"{round(255 * one):02x}" for one in colour.tolist())


def _mixed(count: int) -> list[int]:
    """All numbers in an order that favours none: data often stands class by class."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(0)).tolist()
