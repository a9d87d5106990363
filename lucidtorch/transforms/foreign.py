"""Other libraries' transforms: how they are called with images and with clips."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from lucidtorch.base.errors import BadInputError, noting
from lucidtorch.base.seeds import OwnRandomState
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import PLANE, Size

RGB = 3


def called(function: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Give a function its images as one batch, or its clips one at a time, the frames of each as a batch."""
    if images.ndim != 2 + PLANE:
        return torch.stack([called(function, clip.transpose(0, 1)).transpose(0, 1) for clip in images])
    with noting(f"raised by {shown(function)} among the transforms"):
        moved = function(images)
    if not isinstance(moved, Tensor) or moved.ndim != images.ndim:
        raise BadInputError(f"{shown(function)} among the transforms gives {shown(moved)}; it must leave an image.")
    return moved


def takes_images(function: Callable[..., object]) -> bool:
    """Say whether a function can be called with images and nothing else."""
    try:
        inspect.signature(getattr(function, "forward", function)).bind(None)
    except ValueError:  # a function of another language has no signature
        return True
    except TypeError:
        return False
    return not isinstance(function, type)


def tried(function: Callable[[Tensor], Tensor], size: Size, channels: Iterable[int]) -> Size:
    """Find out what size a function makes of a size by giving it a black image; global randomness stays as it is."""
    count = next(iter(channels), RGB)
    with OwnRandomState(0)(), torch.no_grad():
        moved = called(function, torch.zeros(1, count, *size))
    return tuple(moved.shape[-PLANE:])
