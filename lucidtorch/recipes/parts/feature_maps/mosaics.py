"""The maps of a layer as one picture: a mosaic, unit after unit; and the values of a dense layer as bars."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from lucidtorch.analysis.overlays import Tones, toned
from lucidtorch.recipes.parts.mosaic import tiled

Scale: TypeAlias = Literal["unit", "layer"]

MARGIN, MARGIN_TONE = 1, 0.35  # pixels round each map, and how bright they are
WIDTH = 1100  # that a picture comes near to, where its maps are small
RATIO, NARROWEST, WIDEST = 1.5, 0.8, 2.1  # of a mosaic's width to its height
BARS_IN_A_ROW, BAR_HEIGHT, WIDEST_BAR, ROW_GAP = 1024, 180, 24, 12
GROUND, BAR, ZERO_LINE = 0.97, (0.13, 0.31, 0.55), 0.6


def columns_of(count: int, height: int, width: int) -> int:
    """Choose how many maps stand in a row."""
    ratios = {one: one * one * width / (count * height) for one in range(1, count + 1) if count % one == 0}
    fitting = [one for one, ratio in ratios.items() if NARROWEST <= ratio <= WIDEST]
    if fitting:
        return min(fitting, key=lambda one: abs(math.log(ratios[one] / RATIO)))
    return min(count, max(1, math.ceil(math.sqrt(count * height / width))))


def mosaic(maps: Tensor, scale: Scale, tones: Tones) -> Tensor:
    """Lay the maps of a layer out in a grid, unit after unit, each enlarged by whole pixels where there is room."""
    count, height, width = maps.shape
    columns = columns_of(count, height, width)
    tiles = toned(shares(maps, scale), bool((maps < 0).any()), tones).transpose(0, 1)
    times = max(1, WIDTH // (columns * (width + 2 * MARGIN)))
    large = tiles.repeat_interleave(times, 2).repeat_interleave(times, 3)
    framed = F.pad(large, (MARGIN,) * 4, value=MARGIN_TONE)
    empty = framed.new_full((-count % columns, *framed.shape[1:]), MARGIN_TONE)
    return tiled(torch.cat([framed, empty]), columns)


def shares(maps: Tensor, scale: Scale) -> Tensor:
    """Divide maps by the largest size in them."""
    sizes = maps.abs()
    peak = sizes.amax((1, 2), keepdim=True) if scale == "unit" else sizes.amax()
    return maps / torch.where(peak > 0, peak, torch.ones_like(peak))


def bars(values: Tensor) -> Tensor:
    """Draw the values of a dense layer as bars from a line at zero, unit after unit."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    rows = math.ceil(len(values) / BARS_IN_A_ROW)
    across = min(len(values), BARS_IN_A_ROW)
    times = max(1, min(WIDEST_BAR, WIDTH // across))
    own = torch.split(F.pad(values, (0, rows * across - len(values))), across)
    drawn = [_row(one, low, high, times) for one in own]
    gap = torch.full((3, ROW_GAP, drawn[0].shape[2]), GROUND)
    return torch.cat([part for one in drawn for part in (gap, one)] + [gap], 1)


def _row(values: Tensor, low: float, high: float, times: int) -> Tensor:
    """Some bars, each `times` pixels wide; the last of them is bare where there is room for a gap."""
    step = (high - low) / BAR_HEIGHT or 1.0
    at = high - step * (torch.arange(BAR_HEIGHT) + 0.5)[:, None]
    filled = ((at > 0) & (at < values)) | ((at < 0) & (at > values))
    bare = 1 if times > 2 else 0
    wide = F.pad(filled[:, :, None].expand(-1, -1, times - bare), (0, bare)).reshape(BAR_HEIGHT, -1)
    picture = torch.full((3, *wide.shape), GROUND)
    picture[:, min(BAR_HEIGHT - 1, round(high / step)), :] = ZERO_LINE
    return torch.where(wide, torch.tensor(BAR)[:, None, None], picture)
