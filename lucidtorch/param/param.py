"""The interface of params, which map parameters to images; and several params as one batch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn

from lucidtorch.base.arrays import Array
from lucidtorch.base.checks import Count, checked
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.seeds import image_seeds
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import Size, size_sides
from lucidtorch.base.surroundings import pinned


class Param(nn.Module):
    """A parameterization: a module that maps its parameters to images in [0, 1].

    The constructor draws nothing; `fill` draws the initial values. The first axis of every parameter is the image, so
    that images can be stopped and seeded independently; where images share rows, `reads` returns which. A subclass sets
    `batch`, `channels`, `size` and `arrays`, and the other attributes that differ from the defaults.
    """

    batch: int  # the number of images
    channels: int  # of an image, with the opacity
    size: Size  # height and width; of clips and volumes, preceded by frames or slices
    arrays: tuple[Array, ...]  # large arrays among its arguments, which are saved beside a picture
    held: tuple[int, ...] = ()  # the constant channels
    alpha: bool = False  # whether the last channel is opacity
    is_text: bool = True  # whether its text is complete, so that it can be parsed; not if it holds a Python module
    invertible: bool = False  # whether `assign` works, for every image
    filled: bool = False

    def __init_subclass__(cls, **words: Any) -> None:
        super().__init_subclass__(**words)
        if "__init__" in vars(cls):  # buffers do not depend on the caller's default dtype and device
            cls.__init__ = pinned()(cls.__init__)  # type: ignore[method-assign]

    @abstractmethod
    def fill(self, seeds: Sequence[int]) -> None:
        """Draw the initial values of every image from its own seed.

        Args:
            seeds: One per image.

        Raises:
            BadInputError: There are not as many seeds as images.
        """

    @abstractmethod
    def forward(self) -> Tensor:
        """Compute the images; a param that is not filled uses seed 0.

        Returns:
            `[B, C, H, W]` in [0, 1], in float32 or float64; `[B, C, T, H, W]` for clips and volumes.
        """

    @pinned()
    def __call__(self) -> Tensor:
        """Compute the images, independently of the caller's autocast, default dtype and device."""
        images: Tensor = super().__call__()
        return images

    @abstractmethod
    def resized(self, *, batch: Count) -> Param:
        """Return the same param, not filled, for another number of images.

        Args:
            batch: The number of images.
        """

    def assign(self, images: Tensor) -> None:
        """Set the parameters so that these images result.

        Args:
            images: `[B, C, *size]` in [0, 1].

        Raises:
            BadInputError: The param is not invertible.
        """
        raise BadInputError(f"{self!r} cannot be set to a given picture: it has no inverse.")

    def reads(self, name: str) -> Tensor:
        """Return which images depend on which row of a parameter; each on its own row, unless rows are shared.

        Args:
            name: The parameter's name.

        Returns:
            Booleans `[rows, B]`, on the CPU.
        """
        return torch.eye(self.batch, dtype=torch.bool)

    def at(self, size: int | Size) -> Tensor:
        """Compute the same images at another size, `[B, C, *size]` in [0, 1].

        Args:
            size: Pixels on each side, or each side.

        Raises:
            BadInputError: The param has one resolution.
        """
        sides = size_sides(size)
        if sides != self.size:
            raise BadInputError(f"{self!r} has one resolution, {list(self.size)}, not {list(sides)}.")
        images: Tensor = self()
        return images

    def _ensure_filled(self) -> None:
        if not self.filled:
            self.fill(image_seeds(0, self.batch))


class Stack(Param):
    """The images of several params, concatenated. Created by `stack`."""

    def __init__(self, params: Sequence[Param]) -> None:
        super().__init__()
        self.params = nn.ModuleList(params)
        self.batches = [one.batch for one in params]
        self.firsts = [0, *accumulate(self.batches)]  # the index of the first image of each param
        self.batch = sum(self.batches)
        first = params[0]
        self.channels = first.channels
        self.size = first.size
        self.held = first.held
        self.alpha = first.alpha
        self.arrays = tuple(dict.fromkeys(array for one in params for array in one.arrays))
        self.is_text = all(one.is_text for one in params)
        self.invertible = all(one.invertible for one in params)

    def fill(self, seeds: Sequence[int]) -> None:
        own = image_seeds(seeds, self.batch)
        for one, first in zip(self._params, self.firsts, strict=False):
            one.fill(own[first : first + one.batch])
        self.filled = True

    def assign(self, images: Tensor) -> None:
        self._ensure_filled()
        for one, some in zip(self._params, torch.split(images, self.batches), strict=True):
            one.assign(some)

    def forward(self) -> Tensor:
        self._ensure_filled()
        return torch.cat([one() for one in self.params])

    def at(self, size: int | Size) -> Tensor:
        self._ensure_filled()
        return torch.cat([one.at(size) for one in self._params])

    def reads(self, name: str) -> Tensor:
        _, place, inner = name.split(".", 2)
        own = self._params[int(place)].reads(inner)
        found = torch.zeros(len(own), self.batch, dtype=torch.bool)
        first = self.firsts[int(place)]
        found[:, first : first + own.shape[1]] = own
        return found

    @checked
    def resized(self, *, batch: Count) -> Stack:
        """Return the same stack, not filled, for as many images, or a multiple of them."""
        if batch % self.batch:
            raise BadInputError(
                f"A stack has as many images as its params, here {self.batch}, or a multiple of that, not {batch}; "
                "list the params."
            )
        return Stack([one.resized(batch=one.batch * (batch // self.batch)) for one in self._params])

    def __repr__(self) -> str:
        return f"stack({', '.join(map(repr, self._params))})"

    @property
    def _params(self) -> list[Param]:
        return [one for one in self.params if isinstance(one, Param)]


@checked
def stack(*params: Param) -> Stack:
    """Concatenate params to one batch: the images of the first, then those of the second, and so on.

    Formula: the images of all, concatenated.
    Source: lucidtorch's own.

    Args:
        params: The params, of one size, one number of channels, and the same held channels.

    Example:
        >>> from lucidtorch.param.images import image
        >>> stack(image(64), image(64, fft=False))
        stack(image(64), image(64, fft=False))
    """
    if not params:
        raise BadInputError("A stack holds at least one param, for example stack(image(64), image(64, fft=False)).")
    first = params[0]
    for one in params:
        if (one.size, one.channels, one.held, one.alpha) != (first.size, first.channels, first.held, first.alpha):
            raise BadInputError(
                f"The params of a stack need images of one size and the same channels, but those of {shown(first)} and "
                f"{shown(one)} differ."
            )
    return Stack([one.resized(batch=one.batch) for one in params])
