"""How strong each frequency of an image is, for every size: that of natural images, and that of given ones."""

from __future__ import annotations

import torch
from torch import Tensor

from lucidtorch.base.natural_images import frequencies
from lucidtorch.base.sizes import Size

# Of ImageNet in decorrelated colours, at 512 x 512 pixels: how strong frequency 0 is in each, and the slope over the
# logarithm of frequency at the finest.
MEANS = (255052.0, 269511.0, 227829.0)
STEEP = 2.25
FLAT = 1.25  # the slope of photographs at coarse frequencies
BEND = 0.25  # cycles per pixel: where one slope goes over into the other
COARSEST = 0.13  # of photographs: how strong one cycle per picture is beside frequency 0


def natural_magnitude(channels: int, size: Size) -> Tensor:
    """Compute how strong each frequency is in natural images: a curve of two slopes over its length."""
    lengths = frequencies(size).clamp(min=1 / max(size))
    fading = (1 + (lengths / BEND).square()) ** ((FLAT - STEEP) / 2)
    curve = COARSEST * (lengths * max(size)) ** -FLAT * fading
    curve[0, 0] = 1
    means = MEANS if channels == len(MEANS) else MEANS[:1] * channels
    return torch.tensor(means, dtype=torch.float64)[:, None, None] * curve


def scaled_magnitude(magnitude: Tensor, size: Size) -> Tensor:
    """Interpolate a magnitude between its frequencies."""
    means = magnitude[:, 0, 0].clone()
    magnitude = magnitude.clone()
    magnitude[:, 0, 0] = (
        magnitude[:, 0, min(1, magnitude.shape[2] - 1)] + magnitude[:, min(1, magnitude.shape[1] - 1), 0]
    ) / 2
    rows = torch.fft.fftfreq(size[0], dtype=torch.float64) * magnitude.shape[1]
    columns = torch.fft.rfftfreq(size[1], dtype=torch.float64) * 2 * (magnitude.shape[2] - 1)
    found = _between(_between(magnitude, rows, 1), columns, 2)
    found[:, 0, 0] = means
    return found


def _between(values: Tensor, places: Tensor, axis: int) -> Tensor:
    """Values between those of an axis that goes on from its beginning."""
    below = places.floor()
    share = (places - below).reshape(-1, *(1,) * (values.ndim - 1 - axis))
    length = values.shape[axis]
    lower = values.index_select(axis, below.long() % length)
    upper = values.index_select(axis, (below.long() + 1) % length)
    return torch.lerp(lower, upper, share)
