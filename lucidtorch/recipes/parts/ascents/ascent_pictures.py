"""Measures of pictures drawn as pictures: the spectrum, how often each value stands there, and what repeats."""

from __future__ import annotations

import torch
from torch import Tensor

from lucidtorch.analysis.picture_measures import Repeat, histogram, power_spectrum

DECADES = 6  # of power, from black to white
BINS = 64
CUT = 6.0  # times the share that each bin has where all values are equally frequent: the top of a drawn histogram
DARK, LIGHT = 0.08, 0.9
MARK = (1.0, 0.55, 0.0)
MARK_REACH = 3  # pixels from the middle of the mark to its sides


def spectrum_picture(image: Tensor) -> Tensor:
    """Draw the spectrum of a picture: the longest waves in the middle, the finest at the edges.

    Formula: 1 + log10(power / largest power) / 6, not below 0.
    """
    power = power_spectrum(image)
    tiny = torch.finfo(power.dtype).tiny
    shares = power / power.max().clamp(min=tiny)
    return (1 + shares.clamp(min=tiny).log10() / DECADES).clamp(0, 1)[None].float()


def histogram_picture(image: Tensor) -> Tensor:
    """Draw how often each value stands in a picture: from black on the left to full on the right, by colours.

    A bar that reaches the top is at least 6 times as high as where all values are equally frequent.
    """
    height, width = image.shape[-2:]
    bins = min(BINS, width)
    bars = (histogram(image, bins) * bins / CUT).clamp(max=1)
    columns = torch.arange(width) * bins // width
    levels = (height - torch.arange(height, dtype=torch.float64)) / height
    filled = bars[:, None, columns] >= levels[None, :, None]
    return torch.where(filled, LIGHT, DARK).expand(3, height, width).float().clone()


def correlation_picture(correlation: Tensor, repeat: Repeat | None) -> Tensor:
    """Draw how alike a picture is to its shifted self: no shift in the middle, white for alike, black for opposite."""
    grey = (0.5 + 0.5 * correlation).clamp(0, 1).float()
    picture = grey.expand(3, *grey.shape).clone()
    if repeat is None:
        return picture
    rows, columns = (torch.arange(side) - side // 2 for side in grey.shape)
    reach = torch.maximum((rows[:, None] - repeat.down).abs(), (columns[None] - repeat.across).abs())
    return torch.where(reach == MARK_REACH, torch.tensor(MARK)[:, None, None], picture)
