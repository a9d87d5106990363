"""The spatial spectrum: how strong each frequency of a natural image is."""

from __future__ import annotations

import torch
from torch import Tensor

from lucidtorch.base.sizes import Size


def frequencies(size: Size) -> Tensor:
    """Compute the length of each frequency of a real image's two-dimensional Fourier transform.

    Args:
        size: Height and width of the image; odd ones too.

    Returns:
        `[H, W // 2 + 1]` in float64, in cycles per pixel.
    """
    rows = torch.fft.fftfreq(size[0], dtype=torch.float64)
    columns = torch.fft.rfftfreq(size[1], dtype=torch.float64)
    lengths: Tensor = (rows[:, None].square() + columns[None, :].square()).sqrt()
    return lengths


def amplitudes(size: Size, decay: float) -> Tensor:
    """Compute how much each frequency weighs: 1 / f ** decay, as in natural images.

    Lucid's spectrum: frequencies below one cycle per picture count as one cycle per picture.

    Args:
        size: Height and width of the image.
        decay: The power; 1 is nature's, 0 is white noise.

    Returns:
        `[H, W // 2 + 1]` in float64.
    """
    weights: Tensor = frequencies(size).clamp(min=1 / max(size)) ** -decay
    return weights
