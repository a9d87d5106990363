"""Pictures that an argument gives: their shape and range are checked, and they become tensors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lucidtorch.base.arrays import Array
from lucidtorch.base.errors import ImageError

Shape = tuple[int, ...]


def given_picture(numbers: object, name: str, shapes: Sequence[Shape], words: str) -> Tensor:
    """Take a picture that was given as an argument."""
    array = Array.of(numbers)
    if array.shape not in shapes:
        raise ImageError(f"{name} must be {words}; its shape is {list(array.shape)}.")
    values = array.numpy()
    if values.min() < 0 or values.max() > 1:
        raise ImageError(f"{name} must lie in [0, 1], but it runs from {values.min():.3g} to {values.max():.3g}.")
    return array.tensor(torch.zeros(()))
