"""What a param is: numbers that make images, one seed per image."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lucidtorch.base.arrays import Array
from lucidtorch.base.checks import Count
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.sizes import Size, size_sides
from lucidtorch.base.surroundings import pinned


class Param(nn.Module):
    """A parameterization: a module whose numbers make images in [0, 1].

    It holds arguments until `fill` draws its start; building one draws nothing. Every parameter's first axis is the
    image, so that one image can be stopped, or started from its own seed, without touching another; where images share
    rows, `reads` says which.
    """

    def __init_subclass__(cls, **words: Any) -> None:
        super().__init_subclass__(**words)
        if "__init__" in vars(cls):  # buffers are made whatever surrounds the call
            cls.__init__ = pinned()(cls.__init__)  # type: ignore[method-assign]

    @property
    @abstractmethod
    def batch(self) -> int:
        """The number of images it makes."""

    @property
    @abstractmethod
    def channels(self) -> int:
        """The number of channels of its images, the opacity among them."""

    @property
    @abstractmethod
    def size(self) -> Size:
        """The height and width of its images; of clips and volumes, frames or slices before them."""

    @property
    @abstractmethod
    def arrays(self) -> tuple[Array, ...]:
        """The large arrays that its text names and that must stand beside a picture."""

    @property
    def held(self) -> tuple[int, ...]:
        """The channels that stay as they are while the others change; none unless the param says so."""
        return ()

    @property
    def alpha(self) -> bool:
        """Whether the last channel is opacity; not unless the param says so."""
        return False

    @property
    def is_text(self) -> bool:
        """Whether its text says all of it, so that it can be read back; not where a module of Python is inside."""
        return True

    @property
    def invertible(self) -> bool:
        """Whether it can make every picture, so that `assign` works; not unless the param says so."""
        return False

    @abstractmethod
    def fill(self, seeds: Sequence[int]) -> None:
        """Draw the start of every image from its own seed.

        Args:
            seeds: One per image.

        Raises:
            BadInputError: There are not as many seeds as images.
        """

    @abstractmethod
    def forward(self) -> Tensor:
        """Make the images; a param that was never filled starts from seed 0.

        Returns:
            `[B, C, H, W]` in [0, 1], in float32 or better; `[B, C, T, H, W]` for clips and volumes.
        """

    @pinned()
    def __call__(self) -> Tensor:
        """Make the images, whatever surrounds the call.

        Returns:
            What `forward` gives.
        """
        images: Tensor = super().__call__()
        return images

    @abstractmethod
    def resized(self, *, batch: Count) -> Param:
        """Make the same param, unfilled, for another number of images.

        Args:
            batch: The number of images.

        Returns:
            A new param.
        """

    def assign(self, images: Tensor) -> None:
        """Set the numbers so that these images come out.

        Args:
            images: `[B, C, *size]` in [0, 1].

        Raises:
            BadInputError: The param cannot make every picture.
        """
        raise BadInputError(f"{self!r} cannot take on a given picture: it has no inverse.")

    def reads(self, name: str) -> Tensor:
        """Say which images depend on which row of a parameter; each on its own row, unless rows are shared.

        Args:
            name: The parameter's name.

        Returns:
            Truth values `[rows, B]`, on the CPU.
        """
        return torch.eye(self.batch, dtype=torch.bool)

    def at(self, size: int | Size) -> Tensor:
        """Make the same pictures at another size.

        Args:
            size: Pixels on each side, or each side.

        Returns:
            `[B, C, *size]` in [0, 1].

        Raises:
            BadInputError: The param has one resolution.
        """
        sides = size_sides(size)
        if sides != self.size:
            raise BadInputError(f"{self!r} has one resolution, {list(self.size)}, not {list(sides)}.")
        images: Tensor = self()
        return images
