"""Bounds: from numbers of any size to [0, 1], and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

EDGE = 1e-4  # a start image is kept this far from 0 and 1, where the sigmoid's inverse is infinite
CENTRE = 0.5
COLOUR_MEAN = (0.48, 0.46, 0.41)  # Lucid's, about that of ImageNet


class Sigmoid(nn.Module):
    """The sigmoid: 0 is grey, and no picture reaches 0 or 1."""

    def forward(self, pixels: Tensor) -> Tensor:
        """Bring pixels into (0, 1)."""
        return torch.sigmoid(pixels)

    def inverse(self, images: Tensor) -> Tensor:
        """Find the pixels of images; exact but for values within 1e-4 of 0 or 1."""
        return torch.logit(images.clamp(EDGE, 1 - EDGE))


class Clip(nn.Module):
    """Clipping: pixels around a mean colour; of what lies outside [0, 1], only what leads back has a gradient.

    Args:
        centre: What a pixel of 0 becomes, one value per channel.
    """

    centre: Tensor

    def __init__(self, centre: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("centre", torch.tensor(centre), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Bring pixels into [0, 1]."""
        images: Tensor = _Clipped.apply(pixels + self._beside(pixels))
        return images

    def inverse(self, images: Tensor) -> Tensor:
        """Find the pixels of images, exactly."""
        return images - self._beside(images)

    def _beside(self, pixels: Tensor) -> Tensor:
        return self.centre.view(-1, *(1 for _ in pixels.shape[2:]))


class _Clipped(torch.autograd.Function):
    """Clip to [0, 1]; the gradient is that of a loss, which a step goes against: back is up below 0, down above 1."""

    @staticmethod
    def forward(context: Any, pixels: Tensor) -> Tensor:
        context.save_for_backward(pixels)
        return pixels.clamp(0, 1)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        (pixels,) = context.saved_tensors
        leads_on = ((pixels < 0) & (gradient > 0)) | ((pixels > 1) & (gradient < 0))
        return gradient.masked_fill(leads_on, 0)
