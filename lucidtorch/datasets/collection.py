"""What every set of images can do: count them, give them by number or in batches, and save them as a folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from lucidtorch.base.checks import checked, is_whole
from lucidtorch.base.errors import BadInputError, SizeError
from lucidtorch.base.files import atomic_write_bytes, check_output_folder
from lucidtorch.base.images import encode_png
from lucidtorch.base.sizes import size_pair
from lucidtorch.base.surroundings import pinned

SPLITS = ("train", "test")
SMALLEST = 16  # pixels; below it no drawing can be told from another


class Collection(Dataset[tuple[Tensor, int]], ABC):
    """A set of images with a class each, numbered from 0; the same number always gives the same image."""

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of their numbers."""

    @abstractmethod
    def __len__(self) -> int:
        """How many images there are."""

    @abstractmethod
    def item(self, index: int) -> tuple[Tensor, int]:
        """The image of one number and its class.

        Args:
            index: From 0 to `len(self) - 1`.

        Returns:
            An image `[C, H, W]` in [0, 1], float32, and the number of its class.
        """

    @pinned()
    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """The image of one number and its class; numbers below zero count from the end.

        Raises:
            IndexError: There is no such number.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f"there is no image {index}: the numbers go from 0 to {len(self) - 1}")
        return self.item(index % len(self))

    def __iter__(self) -> Iterator[tuple[Tensor, int]]:
        """All images with their classes, in order."""
        return (self[index] for index in range(len(self)))

    @checked
    def batch(self, numbers: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Several images at once.

        Args:
            numbers: Which ones; all must be of one size.

        Returns:
            Images `[B, C, H, W]` in [0, 1] and classes `[B]`, int64.
        """
        drawn = [self[number] for number in numbers]
        return torch.stack([image for image, _ in drawn]), torch.tensor([label for _, label in drawn])

    @checked
    def save(self, folder: Path | str) -> Path:
        """Write every image as `folder/CLASS/NNNN.png` with 8 bits per channel.

        Args:
            folder: Where to; made when missing. Files of the same names are replaced.

        Returns:
            The folder.

        Raises:
            OutputError: The folder is a file or cannot be written to.
        """
        target = Path(folder)
        check_output_folder(target)
        digits = max(4, len(str(len(self) - 1)))
        for index, (image, label) in enumerate(self):
            path = target / self.classes[label] / f"{index:0{digits}d}.png"
            atomic_write_bytes(path, encode_png(image))
        return target


class Generated(Collection):
    """Images drawn when asked for: each depends on seed, split, size and its number alone, so none needs to be kept.

    Args:
        split: `train` or `test`; the two share no image.
        length: How many there are.
        size: The side in pixels, or `(height, width)`.
        seed: Another seed gives other images of the same kinds.
    """

    def __init__(self, split: str, length: int, size: int | tuple[int, int], seed: int) -> None:
        self._split_number = split_number(split)
        if not is_whole(seed) or seed < 0:
            raise BadInputError(f"The seed was given as {seed!r}; write a whole number from 0.")
        self.height, self.width = height_and_width(size)
        self.split, self.length, self.seed = split, positive(length, "length"), seed

    def __len__(self) -> int:
        return self.length

    def generator(self, index: int) -> np.random.Generator:
        """What the image of one number is drawn from."""
        return np.random.default_rng((self.seed, self._split_number, index))


def split_number(split: str) -> int:
    """The number of a split, which goes into the seeds of its images."""
    if split not in SPLITS:
        raise BadInputError(f"There is no split {split!r}; write 'train' or 'test'.")
    return SPLITS.index(split)


def height_and_width(size: int | tuple[int, int]) -> tuple[int, int]:
    """Read a size."""
    height, width = size_pair(size)
    if min(height, width) < SMALLEST:
        raise SizeError(f"A side of {min(height, width)} pixels was given; write one of at least {SMALLEST}.")
    return height, width


def positive(length: int, what: str) -> int:
    """Check a count."""
    if not is_whole(length) or length < 1:
        raise BadInputError(f"{what} was given as {length!r}; write a whole number of at least 1.")
    return length
