"""Numbers about a picture itself, whatever a network makes of it."""

from __future__ import annotations

import torch
from torch import Tensor

FINE = 0.25  # cycles per pixel; half of the finest that a picture can hold
STEPS = 255  # of brightness in a file


def fine_share(image: Tensor) -> float:
    """Say how much of a picture's contrast is fine: waves shorter than 4 pixels.

    Formula: energy above 0.25 cycles per pixel, across or down or in between, by the energy of all waves.
    """
    energy = torch.fft.fft2(image.double() - image.double().mean((-2, -1), keepdim=True)).abs().square().sum(0)
    rows, columns = (torch.fft.fftfreq(length, dtype=torch.float64) for length in image.shape[-2:])
    fine = torch.hypot(rows[:, None], columns[None]) > FINE
    whole = float(energy.sum())
    return float(energy[fine].sum()) / whole if whole > 0 else 0.0


def roughness(image: Tensor) -> float:
    """Say how much neighbouring pixels differ.

    Formula: the mean of |x[y + 1, x] - x[y, x]| and |x[y, x + 1] - x[y, x]|, over all channels.
    """
    steps = torch.cat([image.diff(dim=axis).abs().flatten() for axis in (-2, -1)])
    return float(steps.double().mean()) if len(steps) else 0.0


def clipped_share(image: Tensor) -> float:
    """Say how much of a picture is as dark or as bright as a file can hold."""
    numbers = (image.double() * STEPS).round()
    return float(((numbers <= 0) | (numbers >= STEPS)).double().mean())
