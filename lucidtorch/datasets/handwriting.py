"""Handwritten digits: the 1,797 small images that come with scikit-learn."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lucidtorch.base.checks import checked
from lucidtorch.datasets.collection import Collection, Split, height_and_width
from lucidtorch.models.networks.digits import LABELS

EVERY = 5  # one digit in five belongs to the test split
BRIGHTEST = 16.0  # the largest value in scikit-learn's images


class Digits(Collection):
    """Digits in white on black, one channel.

    Args:
        images: `[N, 1, H, W]` in [0, 1].
        labels: `[N]`, from 0 to 9.
        split: `train` or `test`.
    """

    def __init__(self, images: Tensor, labels: Tensor, split: Split) -> None:
        self.images, self.labels, self.split = images, labels, split

    @property
    def classes(self) -> tuple[str, ...]:
        """`"0"` to `"9"`."""
        return LABELS

    def __len__(self) -> int:
        return len(self.labels)

    def label(self, index: int) -> int:
        """Return the class of one digit."""
        return int(self.labels[index])

    def item(self, index: int) -> tuple[Tensor, int]:
        return self.images[index], self.label(index)


@checked
def digits(split: Split = "train", *, size: int | tuple[int, int] = 32) -> Digits:
    """Open the digits that the network `digits` was trained on.

    Args:
        split: `train` or `test`; every fifth digit belongs to `test`.
        size: The side in pixels, or `(height, width)`, to which the 8x8 originals are enlarged (bicubic).

    Returns:
        A collection of `[1, H, W]` images in ten classes.

    Raises:
        BadInputError: The split is not valid.
        SizeError: A side is below 16 pixels.
    """
    sides = height_and_width(size)
    from sklearn.datasets import load_digits  # slow to import, and only this function needs it

    known = load_digits()
    chosen = (np.arange(len(known.target)) % EVERY == 0) == (split == "test")
    small = torch.from_numpy((known.images[chosen] / BRIGHTEST).astype(np.float32))[:, None]
    large = F.interpolate(small, sides, mode="bicubic", align_corners=False).clamp(0, 1)
    return Digits(large, torch.from_numpy(known.target[chosen]).to(torch.int64), split)
