"""Signed values as pictures around middle grey, small pictures enlarged, and frames that say where something is."""

from __future__ import annotations

import torch
from torch import Tensor

from lucidtorch.base.images import BEHIND, GAP_VALUE, visible
from lucidtorch.scanning.layer_scan import Box

SHOWN = 0.99  # of all values, that are shown as they are; the rest is shown in full strength
LEAST = 96  # pixels that the longer side of a picture has at least, once it is enlarged
LINE = (1.0, 0.8, 0.15)
WIDTHS = 96  # this many widths of a frame's line make the longer side of the picture
COLOURS = 3


def signed(values: Tensor) -> tuple[Tensor, float]:
    """Show values of either sign around middle grey.

    Formula: 0.5 + 0.5 * clamp(values / scale, -1, 1), where scale is the 99th percentile of the absolute values that
        are not zero.
    """
    sizes = values.double().abs().flatten()
    sizes = sizes[sizes > 0].sort().values
    if not len(sizes):
        return torch.full_like(values, BEHIND), 0.0
    scale = float(sizes[min(len(sizes) - 1, int(SHOWN * len(sizes)))])
    return (BEHIND + BEHIND * (values.double() / scale).clamp(-1, 1)).to(values.dtype), scale


def enlarged(picture: Tensor, least: int = LEAST) -> Tensor:
    """Repeat the pixels of a small picture, so that it stays crisp wherever it is shown."""
    times = max(1, least // max(picture.shape[1:]))
    return picture.repeat_interleave(times, 1).repeat_interleave(times, 2)


def framed_box(picture: Tensor, box: Box) -> Tensor:
    """Draw a frame around a part of a picture."""
    found = visible(picture).expand(COLOURS, -1, -1).clone()
    _, height, width = found.shape
    line = max(1, round(max(height, width) / WIDTHS))
    outer = (
        max(box.top - line, 0),
        min(box.bottom + line, height),
        max(box.left - line, 0),
        min(box.right + line, width),
    )
    inner = (outer[0] + line, outer[1] - line, outer[2] + line, outer[3] - line)
    kept = found[:, inner[0] : inner[1], inner[2] : inner[3]].clone()
    found[:, outer[0] : outer[1], outer[2] : outer[3]] = found.new_tensor(LINE)[:, None, None]
    found[:, inner[0] : inner[1], inner[2] : inner[3]] = kept
    return found


def in_cell(picture: Tensor, height: int, width: int) -> Tensor:
    """Put a picture into the middle of a cell of a sheet, as large as whole pixels let it be."""
    shown = visible(picture).expand(COLOURS, -1, -1)
    times = max(1, min(height // shown.shape[1], width // shown.shape[2]))
    shown = shown.repeat_interleave(times, 1).repeat_interleave(times, 2)
    cell = torch.full((COLOURS, height, width), GAP_VALUE)
    top, left = (height - shown.shape[1]) // 2, (width - shown.shape[2]) // 2
    cell[:, top : top + shown.shape[1], left : left + shown.shape[2]] = shown
    return cell
