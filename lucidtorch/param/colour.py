"""Colour: axes along which the colours of natural images vary independently."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lucidtorch.base.colours import IMAGENET_ROOT


class Decorrelated(nn.Module):
    """Colours on the independent axes of natural images: numbers to RGB, and exactly back.

    Lucid's matrix, divided by the length of its longest column. Its three axes are about brightness, blue to orange,
    and green to purple.
    """

    matrix: Tensor

    def __init__(self) -> None:
        super().__init__()
        root = torch.tensor(IMAGENET_ROOT, dtype=torch.float64)
        self.register_buffer("matrix", (root / root.norm(dim=0).max()).float(), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Make RGB of independent axes.

        Args:
            pixels: `[B, 3, ...]`.

        Returns:
            `[B, 3, ...]`.
        """
        return self._mixed(self.matrix, pixels)

    def inverse(self, pixels: Tensor) -> Tensor:
        """Find the independent axes of RGB.

        Args:
            pixels: `[B, 3, ...]`.

        Returns:
            `[B, 3, ...]`.
        """
        return self._mixed(torch.linalg.inv(self.matrix.double()).to(self.matrix.dtype), pixels)

    @staticmethod
    def _mixed(matrix: Tensor, pixels: Tensor) -> Tensor:
        with torch.autocast(pixels.device.type, enabled=False):
            return torch.einsum("ij,bj...->bi...", matrix, pixels)
