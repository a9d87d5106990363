"""What natural images are like: their colours, as ImageNet has them, and how strong each spatial frequency is."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from lucidtorch.base.sizes import Size

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
# The root of the covariance of ImageNet's colours (Lucid); its columns are the three axes, light to dark first.
IMAGENET_ROOT = ((0.26, 0.09, 0.02), (0.27, 0.0, -0.05), (0.27, -0.09, 0.03))
HIGHEST = math.sqrt(0.5)  # the highest radial frequency of an image, in cycles per pixel: the corner of its transform


def frequencies(size: Size) -> Tensor:
    """Compute the length of each frequency of a real image's Fourier transform over all its sides."""
    axes = [torch.fft.fftfreq(side, dtype=torch.float64) for side in size[:-1]]
    squares = torch.zeros((), dtype=torch.float64)
    for axis in (*axes, torch.fft.rfftfreq(size[-1], dtype=torch.float64)):
        squares = squares[..., None] + axis.square()
    return squares.sqrt()


def amplitudes(size: Size, decay: float) -> Tensor:
    """Compute how much each frequency weighs: 1 / f ** decay, as in natural images.

    Lucid's spectrum: frequencies below one cycle per picture count as one cycle per picture. A frame counts as a pixel.
    """
    weights: Tensor = _counted(size) ** -decay
    return weights


def radial_amplitudes(size: Size, spectrum: np.ndarray) -> Tensor:
    """Compute how much each frequency weighs where the amplitude at each radial frequency is given.

    Between the given frequencies it is interpolated linearly, and the last holds beyond them. The whole is scaled so
    that white noise under it has the same power as under `amplitudes(size, 1)`.
    """
    steps = np.linspace(0, HIGHEST, len(spectrum))
    weights = torch.from_numpy(np.interp(_counted(size).numpy(), steps, spectrum))
    return weights * (_power(size, amplitudes(size, 1)) / _power(size, weights)).sqrt()


def _counted(size: Size) -> Tensor:
    """The frequencies, those below one cycle per picture counted as one cycle per picture."""
    return frequencies(size).clamp(min=1 / max(size))


def _power(size: Size, weights: Tensor) -> Tensor:
    """The power, up to a constant, of the picture that white noise makes with these weights.

    An inner column of half a transform stands for two frequencies and is complex. In the first, and the last of an even
    width, only the Hermitian part of the noise counts.
    """
    columns = weights.square().flatten(0, -2).sum(0)
    edges = torch.full_like(columns, 4)
    edges[0] = 1
    if size[-1] % 2 == 0:
        edges[-1] = 1
    return (edges * columns).sum()
