"""Channels that stay as they are while the others change: a mask, a depth map, a class that is given."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lucidtorch.base.errors import ImageError
from lucidtorch.base.sizes import PLANE, Size
from lucidtorch.param.given import given_picture


class Held(nn.Module):
    """Puts channels that are held beside those that are free, each at its place.

    Args:
        hold: The values of each channel that is held, in [0, 1]: a number, an image `[H, W]` (one for all frames of a
            clip), a clip `[T, H, W]`, or one number or one of the full size per image.
        batch: The number of images.
        channels: The number of channels, held and free.
        size: The sides of the images.

    Raises:
        ImageError: There is no such channel, none is free, or the values have another shape or leave [0, 1].
    """

    values: Tensor
    order: Tensor

    def __init__(self, hold: Mapping[int, object], batch: int, channels: int, size: Size) -> None:
        super().__init__()
        self.channels = tuple(sorted(hold))
        wrong = [channel for channel in self.channels if not 0 <= channel < channels]
        if wrong:
            raise ImageError(f"hold= names channel {wrong[0]}, but the {channels} channels count from 0.")
        if len(hold) == channels:
            raise ImageError(
                f"hold= names all {channels} channels; leave at least one free, or there is nothing to make."
            )
        self.free = tuple(channel for channel in range(channels) if channel not in hold)
        places = {channel: place for place, channel in enumerate((*self.free, *self.channels))}
        self.register_buffer("order", torch.tensor([places[one] for one in range(channels)]), persistent=False)
        planes = [_planes(hold[channel], channel, batch, size) for channel in self.channels]
        self.register_buffer("values", torch.stack(planes, 1), persistent=False)

    def forward(self, free: Tensor) -> Tensor:
        """Join free and held channels."""
        return torch.cat([free, self.values.to(free.dtype)], 1).index_select(1, self.order)

    def taken(self, images: Tensor) -> Tensor:
        """Take the free channels out of images."""
        return images if images.shape[1] == len(self.free) else images[:, list(self.free)]


def _planes(given: object, channel: int, batch: int, size: Size) -> Tensor:
    """Spread what was given for one channel over all images, `[B, *size]`."""
    plane = size[-PLANE:]
    words = f"a number, [H, W] = {list(plane)}, or one per image: [B] = {[batch]}, [B, H, W] = {[batch, *plane]}"
    if len(size) > PLANE:
        words = (
            f"a number, [H, W] = {list(plane)}, [T, H, W] = {list(size)}, or one per image: [B] = {[batch]}, "
            f"[B, T, H, W] = {[batch, *size]}"
        )
    values = given_picture(given, f"hold={{{channel}: ...}}", ((), (batch,), plane, size, (batch, *size)), words)
    if values.ndim == 1:
        values = values.view(-1, *(1 for _ in size))
    return values.expand(batch, *size)
