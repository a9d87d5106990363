"""The spatial spectrum: how strong each frequency of a natural image is."""

from __future__ import annotations

import torch
from torch import Tensor

from lucidtorch.base.sizes import Size


def frequencies(size: Size) -> Tensor:
    """Compute the length of each frequency of a real image's Fourier transform over all its sides.

    Args:
        size: The sides of the image, clip or volume; odd ones too.

    Returns:
        `[H, W // 2 + 1]`, or `[T, H, W // 2 + 1]`, in float64, in cycles per pixel (and per frame).
    """
    axes = [torch.fft.fftfreq(side, dtype=torch.float64) for side in size[:-1]]
    squares = torch.zeros((), dtype=torch.float64)
    for axis in (*axes, torch.fft.rfftfreq(size[-1], dtype=torch.float64)):
        squares = squares[..., None] + axis.square()
    return squares.sqrt()


def amplitudes(size: Size, decay: float) -> Tensor:
    """Compute how much each frequency weighs: 1 / f ** decay, as in natural images.

    Lucid's spectrum: frequencies below one cycle per picture count as one cycle per picture. A frame counts as a pixel.

    Args:
        size: The sides of the image, clip or volume.
        decay: The power; 1 is nature's, 0 is white noise.

    Returns:
        `[H, W // 2 + 1]`, or `[T, H, W // 2 + 1]`, in float64.
    """
    weights: Tensor = frequencies(size).clamp(min=1 / max(size)) ** -decay
    return weights
