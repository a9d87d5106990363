"""The interface of every set of images: length, items, batches, and saving as a folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from lucidtorch.base.checks import Within, checked
from lucidtorch.base.errors import SizeError
from lucidtorch.base.files import atomic_write_bytes, check_output_folder
from lucidtorch.base.images import encode_png
from lucidtorch.base.sizes import size_pair
from lucidtorch.base.surroundings import pinned

Split: TypeAlias = Literal["train", "test"]
Seed: TypeAlias = Annotated[int, Within(0)]
SMALLEST = 16  # pixels: drawings of different classes look the same below it


class Collection(Dataset[tuple[Tensor, int]], ABC):
    """A set of images with a class each, numbered from 0; the same number always gives the same image."""

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of their numbers."""

    @abstractmethod
    def __len__(self) -> int:
        """The number of images."""

    @abstractmethod
    def item(self, index: int) -> tuple[Tensor, int]:
        """Return one image and its class.

        Args:
            index: From 0 to `len(self) - 1`.

        Returns:
            An image `[C, H, W]` in [0, 1], float32, and the number of its class.
        """

    @pinned()
    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return one image and its class; a negative index counts from the end.

        Raises:
            IndexError: The index is out of range.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f"there is no image {index}: the numbers go from 0 to {len(self) - 1}")
        return self.item(index % len(self))

    def __iter__(self) -> Iterator[tuple[Tensor, int]]:
        """Iterate over all images and their classes, in order."""
        return (self[index] for index in range(len(self)))

    @checked
    def batch(self, numbers: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Stack several images.

        Args:
            numbers: Their indices; all images must have the same size.

        Returns:
            Images `[B, C, H, W]` in [0, 1] and classes `[B]`, int64.
        """
        drawn = [self[number] for number in numbers]
        return torch.stack([image for image, _ in drawn]), torch.tensor([label for _, label in drawn])

    @checked
    def save(self, folder: Path | str) -> Path:
        """Write every image as `folder/CLASS/NNNN.png` with 8 bits per channel.

        Args:
            folder: The target folder, created if missing. Existing files of the same names are replaced.

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


class SyntheticCollection(Collection):
    """Images generated on access: each depends on seed, split, size and index alone, so none is stored.

    Args:
        split: `train` or `test`, which have no image in common.
        length: The number of images.
        size: The side in pixels, or `(height, width)`.
        seed: The seed of all images.
    """

    def __init__(self, split: Split, length: int, size: int | tuple[int, int], seed: int) -> None:
        self.height, self.width = height_and_width(size)
        self.split, self.length, self.seed = split, length, seed

    def __len__(self) -> int:
        return self.length

    def generator(self, index: int) -> np.random.Generator:
        """Create the random generator of one image."""
        return np.random.default_rng((self.seed, int(self.split == "test"), index))


def height_and_width(size: int | tuple[int, int]) -> tuple[int, int]:
    """Read a size, and check its lower bound."""
    height, width = size_pair(size)
    if min(height, width) < SMALLEST:
        raise SizeError(f"A side of {min(height, width)} pixels was given; write one of at least {SMALLEST}.")
    return height, width
