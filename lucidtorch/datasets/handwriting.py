"""Handwritten digits: the 1,797 small images that come with scikit-learn."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lucidtorch.base.checks import checked
from lucidtorch.datasets.collection import Collection, height_and_width, split_number
from lucidtorch.models.networks.digits import LABELS

EVERY = 5  # each fifth digit is held out for the test
BRIGHTEST = 16.0  # the largest value in scikit-learn's images


class Digits(Collection):
    """Digits in white on black, one channel.

    Args:
        images: `[N, 1, H, W]` in [0, 1].
        labels: `[N]`, from 0 to 9.
        split: `train` or `test`.
    """

    def __init__(self, images: Tensor, labels: Tensor, split: str) -> None:
        self.images, self.labels, self.split = images, labels, split

    @property
    def classes(self) -> tuple[str, ...]:
        """`"0"` to `"9"`."""
        return LABELS

    def __len__(self) -> int:
        return len(self.labels)

    def label(self, index: int) -> int:
        """The class of the digit of one number."""
        return int(self.labels[index])

    def item(self, index: int) -> tuple[Tensor, int]:
        return self.images[index], self.label(index)


@checked
def digits(split: str = "train", *, size: int | tuple[int, int] = 32) -> Digits:
    """Open the digits that the network `digits` was trained on.

    Args:
        split: `train` or `test`; every fifth digit is a test one.
        size: The side in pixels, or `(height, width)`, that the 8x8 originals are enlarged to, smoothly.

    Returns:
        A collection of `[1, H, W]` images in ten classes.

    Raises:
        BadInputError: The split is none.
        SizeError: A side is below 16 pixels.
    """
    held_out, sides = split_number(split) == 1, height_and_width(size)
    from sklearn.datasets import load_digits  # takes seconds to load, and nothing else here needs it

    known = load_digits()
    chosen = (np.arange(len(known.target)) % EVERY == 0) == held_out
    small = torch.from_numpy((known.images[chosen] / BRIGHTEST).astype(np.float32))[:, None]
    large = F.interpolate(small, sides, mode="bicubic", align_corners=False).clamp(0, 1)
    return Digits(large, torch.from_numpy(known.target[chosen]).to(torch.int64), split)
