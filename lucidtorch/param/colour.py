"""Colour: axes along which the colours of natural images vary independently."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from lucidtorch.base.arrays import Array
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.natural_images import IMAGENET_ROOT

STEEPEST = 1e6  # a root whose axes differ more than this in length has no inverse in float32


class Decorrelated(nn.Module):
    """Colours on the independent axes of images: numbers to colours, and exactly back.

    The root of the covariance of their colours, divided by the length of its longest column (Lucid). ImageNet's three
    axes are about brightness, blue to orange, and green to purple.

    Args:
        root: The root, `[C, C]`; its columns are the axes.

    Raises:
        BadInputError: It is not square, or has no inverse.
    """

    matrix: Tensor

    def __init__(self, root: object = IMAGENET_ROOT) -> None:
        super().__init__()
        axes = torch.from_numpy(np.array(Array.of(root).numpy(), dtype=np.float64))
        if axes.ndim != 2 or axes.shape[0] != axes.shape[1]:
            raise BadInputError(f"A colour root is a matrix [C, C], but its shape is {list(axes.shape)}.")
        if not torch.linalg.cond(axes) < STEEPEST:
            raise BadInputError("This colour root has no inverse: its columns must point into different directions.")
        self.register_buffer("matrix", (axes / axes.norm(dim=0).max()).float(), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Make colours of independent axes."""
        return _mixed(self.matrix, pixels)

    def inverse(self, pixels: Tensor) -> Tensor:
        """Find the independent axes of colours."""
        inverse = torch.linalg.inv(self.matrix.double()).to(self.matrix.dtype)
        return _mixed(inverse, pixels)


def _mixed(matrix: Tensor, pixels: Tensor) -> Tensor:
    """Multiply the colour of every pixel; image by image, which moves no axis as one product for all would."""
    return torch.bmm(matrix.expand(len(pixels), -1, -1), pixels.flatten(2)).reshape(pixels.shape)
