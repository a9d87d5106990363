"""The drawings: textures and shapes in any number, each from a seed of its own."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lucidtorch.base.checks import checked, is_whole
from lucidtorch.base.errors import BadInputError
from lucidtorch.datasets.collection import Collection, height_and_width, positive, split_number
from lucidtorch.datasets.scene import draw
from lucidtorch.models.networks.labels import DRAWINGS

LENGTHS = {"train": 1000 * len(DRAWINGS), "test": 50 * len(DRAWINGS)}


class Drawings(Collection):
    """Drawings of 51 classes, made when asked for; image i is of class `i % 51`.

    Image i depends on seed, split, size and i alone, so the splits share no image and nothing needs to be kept.

    Args:
        split: `train` or `test`.
        length: How many there are.
        height: Rows.
        width: Columns.
        seed: Another seed gives other drawings of the same kinds.
    """

    def __init__(self, split: str, length: int, height: int, width: int, seed: int) -> None:
        self.split, self.length, self.height, self.width, self.seed = split, length, height, width, seed
        self._split_number = split_number(split)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, textures first."""
        return DRAWINGS

    def __len__(self) -> int:
        """How many drawings there are."""
        return self.length

    def item(self, index: int) -> tuple[Tensor, int]:
        """The drawing of one number and its class."""
        label = index % len(DRAWINGS)
        random = np.random.default_rng((self.seed, self._split_number, index))
        return torch.from_numpy(draw(DRAWINGS[label], self.height, self.width, random)), label


@checked
def drawings(
    split: str = "train", *, length: int | None = None, size: int | tuple[int, int] = 64, seed: int = 0
) -> Drawings:
    """Open the drawings that `demo` was trained on.

    Args:
        split: `train` or `test`; no drawing is in both.
        length: How many; 1000 of each class to train on and 50 to test on by default.
        size: The side in pixels, or `(height, width)`; at least 16.
        seed: Another seed gives other drawings of the same kinds.

    Returns:
        A collection of `[3, H, W]` images in 51 classes.

    Raises:
        BadInputError: The split, the length or the seed is none.
        SizeError: A side is below 16 pixels.

    Example:
        >>> image, label = drawings("test", length=51)[3]
        >>> image.shape, drawings().classes[label]
        (torch.Size([3, 64, 64]), 'rings')
    """
    split_number(split)
    if not is_whole(seed) or seed < 0:
        raise BadInputError(f"The seed was given as {seed!r}; write a whole number from 0.")
    height, width = height_and_width(size)
    return Drawings(split, LENGTHS[split] if length is None else positive(length, "length"), height, width, seed)
