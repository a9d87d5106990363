"""A mask: the picture changes inside it and stays a given image elsewhere."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lucidtorch.base.errors import ImageError
from lucidtorch.base.sizes import PLANE, Size
from lucidtorch.param.given import given_picture


class Masked(nn.Module):
    """Puts what is made into a given image, as far as a mask says.

    Args:
        mask: From 0 (the given image, exactly) to 1 (what is made): `[H, W]`, one per image `[B, H, W]`, and for clips
            also `[T, H, W]` or `[B, T, H, W]`.
        batch: The number of images.
        size: The sides of the images.

    Raises:
        ImageError: The mask has another shape, leaves [0, 1], or leaves nothing of an image to make.
    """

    mask: Tensor

    def __init__(self, mask: object, batch: int, size: Size) -> None:
        super().__init__()
        plane = size[-PLANE:]
        shapes = tuple(dict.fromkeys([plane, size, (batch, *size)]))
        words = f"[H, W] = {list(plane)}, or one per image, {[batch, *size]}"
        if len(size) > PLANE:
            words = f"[H, W] = {list(plane)}, [T, H, W] = {list(size)}, or one clip per image, {[batch, *size]}"
        values = given_picture(mask, "mask", shapes, words)
        if values.ndim <= len(size):
            values = values.expand(1, *size)
        if not bool(values.flatten(1).any(1).all()):
            raise ImageError(
                "mask is 0 everywhere, which leaves nothing to make; it is 1 where the picture may change."
            )
        self.register_buffer("mask", values[:, None].clone(), persistent=False)

    def forward(self, made: Tensor, given: Tensor) -> Tensor:
        """Join what is made with what was given."""
        mask = self.mask.to(made.dtype)
        return torch.where(mask > 0, mask * made + (1 - mask) * given, given)
