"""From the numbers of pixels to colours in [0, 1], and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lucidtorch.base.arrays import Array
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.natural_images import IMAGENET_ROOT

EDGE = 1e-4  # a start image is kept this far from 0 and 1, where the sigmoid's inverse is infinite
LARGEST_CONDITION = 1e6  # a root whose axes differ more than this in length has no inverse in float32


class Decorrelated(nn.Module):
    """Colours on the independent axes of images: numbers to colours, and exactly back.

    `root`, `[C, C]`, is a root of the covariance of the images' colours. It is divided by the length of its longest
    column (Lucid). ImageNet's three axes are about brightness, blue to orange, and green to purple.
    """

    matrix: Tensor

    def __init__(self, root: object = IMAGENET_ROOT) -> None:
        super().__init__()
        axes = torch.from_numpy(np.array(Array.of(root).numpy(), dtype=np.float64))
        if axes.ndim != 2 or axes.shape[0] != axes.shape[1]:
            raise BadInputError(f"A colour root is a matrix [C, C], but its shape is {list(axes.shape)}.")
        if not torch.linalg.cond(axes) < LARGEST_CONDITION:
            raise BadInputError("This colour root has no inverse: its columns must point into different directions.")
        self.register_buffer("matrix", (axes / axes.norm(dim=0).max()).float(), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Mix the independent axes to colours."""
        return _mixed(self.matrix, pixels)

    def inverse(self, pixels: Tensor) -> Tensor:
        """Find the independent axes of colours."""
        return _mixed(torch.linalg.inv(self.matrix.double()).to(self.matrix.dtype), pixels)


def _mixed(matrix: Tensor, pixels: Tensor) -> Tensor:
    """Multiply the colour of every pixel; image by image, which moves no axis as one product for all would."""
    return torch.bmm(matrix.expand(len(pixels), -1, -1), pixels.flatten(2)).reshape(pixels.shape)


class Sigmoid(nn.Module):
    """The sigmoid: 0 is grey, and no image reaches 0 or 1."""

    def forward(self, pixels: Tensor) -> Tensor:
        """Bring pixels into (0, 1)."""
        return torch.sigmoid(pixels)

    def inverse(self, images: Tensor) -> Tensor:
        """Find the pixels of images; exact but for values within 1e-4 of 0 or 1."""
        return torch.logit(images.clamp(EDGE, 1 - EDGE))


class Clip(nn.Module):
    """Clipping of pixels around a mean colour, one value per channel; outside [0, 1] only what leads back moves."""

    centre: Tensor

    def __init__(self, centre: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("centre", torch.tensor(centre), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Bring pixels into [0, 1]."""
        images: Tensor = _Clipped.apply(pixels + self._centre(pixels))
        return images

    def inverse(self, images: Tensor) -> Tensor:
        """Find the pixels of images, exactly."""
        return images - self._centre(images)

    def _centre(self, images: Tensor) -> Tensor:
        return self.centre.view(-1, *(1 for _ in images.shape[2:]))


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
