"""Other libraries' transforms: how they are called with images and with clips."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from lucidtorch.base.errors import BadInputError
from lucidtorch.base.noting import noting
from lucidtorch.base.seeds import OwnRandomState
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import PLANE, Size

RGB = 3


def called(function: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Give a function its images as one batch, or its clips one at a time, the frames of each as a batch.

    Args:
        function: Takes `[B, C, H, W]` and gives `[B, C, h, w]`.
        images: `[B, C, H, W]`, or `[B, C, T, H, W]`.

    Returns:
        What it makes of them, the frames of clips put back in their place.
    """
    with noting(f"raised by the transform {shown(function)}"):
        if images.ndim == 2 + PLANE:
            return function(images)
        return torch.stack([function(clip.transpose(0, 1)).transpose(0, 1) for clip in images])


def tried(function: Callable[[Tensor], Tensor], size: Size, channels: Iterable[int]) -> Size:
    """Find out what size a function makes of a size by giving it a black image; global randomness stays as it is.

    Args:
        function: Takes `[B, C, H, W]` and gives `[B, C, h, w]`.
        size: The height and width that go in.
        channels: The counts of channels that it took before; RGB is tried where there is none.

    Returns:
        The height and width that come out.
    """
    count = next(iter(channels), RGB)
    with OwnRandomState(0)(), torch.no_grad():
        moved = called(function, torch.zeros(1, count, *size))
    if not isinstance(moved, Tensor) or moved.ndim != 2 + PLANE:
        raise BadInputError(f"The transform {shown(function)} gives {shown(moved)} for an image [1, {count}, H, W].")
    return tuple(moved.shape[-PLANE:])
