"""Patches of images as tiles of one size: what units see, cut out, and the whole image around it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from lucidtorch.base.images import GAP, GAP_VALUE, dead_mark, sheet, visible
from lucidtorch.scanning.layer_scan import Box, Example, LayerScan
from lucidtorch.scanning.patches import GREY, cut
from lucidtorch.scanning.source import Item, Source

TILE = 60  # pixels: the longer side of a tile
SHARP = 4  # how often a pixel must fit into a tile to be drawn as a square
ROOM = 1200  # pixels of an overview from left to right
BLOCK_GAP = 5  # pixels around the block of a unit
MIDDLING, SMALL = 34, 26  # pixels: the longer side of the tiles of an overview
MANY = 60  # units from which they are small
LINE = torch.tensor([1.0, 0.8, 0.15])
COLOURS = 3


class Tiles(NamedTuple):
    """What units see in some images: `patches [N, 3, h, w]`, and `wholes [N, 3, H, w]`, those images, or None."""

    patches: Tensor
    wholes: Tensor | None

    def part(self, start: int, end: int) -> Tiles:
        """Take some of them."""
        return Tiles(self.patches[start:end], None if self.wholes is None else self.wholes[start:end])

    def strip(self) -> Tensor:
        """Lay them out in one row, each image under its patch."""
        count = len(self.patches)
        rows = [sheet(one, count) for one in (self.patches, self.wholes) if one is not None]
        gap = torch.full((COLOURS, GAP, rows[0].shape[-1]), GAP_VALUE)
        return rows[0] if len(rows) == 1 else torch.cat([rows[0], gap, rows[1]], 1)


def tiles(source: Source, found: LayerScan, examples: Sequence[Example], *, context: bool = False) -> Tiles:
    """Cut out what units of a layer see, each image read once."""
    if not examples:
        return Tiles(torch.zeros(0, COLOURS, 1, 1), None)
    made: dict[int, Tensor] = {}
    wholes: dict[int, Tensor] = {}
    last: tuple[int, Tensor] | None = None
    for place in sorted(range(len(examples)), key=lambda one: examples[one].image):
        example = examples[place]
        if last is None or last[0] != example.image:
            last = example.image, _pixels(source, example.image)
        window = found.window(example.row, example.column)
        made[place] = scaled(cut(last[1], window), TILE)
        if context and (window.bottom - window.top, window.right - window.left) != source.sides:
            wholes[place] = _framed(last[1], example.box, made[place].shape[-1])
    order = range(len(examples))
    return Tiles(torch.stack([made[at] for at in order]), torch.stack([wholes[at] for at in order]) if wholes else None)


def overview(units: Sequence[Tensor]) -> tuple[Tensor, int]:
    """Lay out the patches of units: each unit is a block, about a square."""
    side = MIDDLING if len(units) < MANY else SMALL
    kept = [torch.stack([scaled(one, side) for one in own]) if len(own) else own for own in units]
    shape = next((own.shape[1:] for own in kept if len(own)), torch.Size((COLOURS, side, side)))
    blocks = torch.stack([_block(own, shape, max(1, *map(len, kept))) for own in kept])
    across = min(len(units), max(1, ROOM // (blocks.shape[-1] + GAP)))
    return sheet(blocks, across), across


def scaled(image: Tensor, side: int) -> Tensor:
    """Bring an image to a length of its longer side."""
    shown = visible(image).expand(COLOURS, -1, -1)
    height, width = image.shape[-2:]
    times = side // max(height, width)
    if times >= SHARP:
        return shown.repeat_interleave(times, 1).repeat_interleave(times, 2)
    factor = side / max(height, width)
    return _resized(shown, max(1, round(height * factor)), max(1, round(width * factor)))


def _resized(image: Tensor, height: int, width: int) -> Tensor:
    if tuple(image.shape[1:]) == (height, width):
        return image
    planes = [Image.fromarray(plane).resize((width, height), Image.Resampling.LANCZOS) for plane in image.numpy()]
    return torch.from_numpy(np.stack([np.asarray(one) for one in planes])).clamp(0, 1)


def _pixels(source: Source, number: int) -> Tensor:
    """An image, grey where it cannot be read any more."""
    item = source.read(number)
    return item.pixels if isinstance(item, Item) else torch.full((source.channels, *source.sides), GREY)


def _framed(image: Tensor, box: Box, width: int) -> Tensor:
    """The whole image, small, with a frame around a box."""
    factor = width / image.shape[-1]
    found = _resized(visible(image).expand(COLOURS, -1, -1), max(1, round(image.shape[-2] * factor)), width).clone()
    height = found.shape[-2]
    top, left = (min(int(one * factor), end - 1) for one, end in ((box.top, height), (box.left, width)))
    bottom, right = (
        min(max(math.ceil(one * factor), start + 2), end)
        for one, start, end in ((box.bottom, top, height), (box.right, left, width))
    )
    inner = found[:, top + 1 : bottom - 1, left + 1 : right - 1].clone()
    found[:, top:bottom, left:right] = LINE[:, None, None]
    found[:, top + 1 : bottom - 1, left + 1 : right - 1] = inner
    return found


def _block(own: Tensor, shape: torch.Size, room: int) -> Tensor:
    """The tiles of a unit, filled up with crossed grey where it has fewer."""
    blank = dead_mark(torch.zeros(shape))
    whole = torch.stack([*own, *[blank] * (room - len(own))])
    return F.pad(sheet(whole, math.ceil(math.sqrt(room))), (BLOCK_GAP,) * 4, value=GAP_VALUE)
