"""Several params as one batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lucidtorch.base.arrays import Array
from lucidtorch.base.checks import Count, checked
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.seeds import image_seeds
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import Size
from lucidtorch.param.param import Param


class Stack(Param):
    """The images of several params, one after the other. Made by `stack`.

    Args:
        params: The params, unfilled and each its own.
    """

    def __init__(self, params: Sequence[Param]) -> None:
        super().__init__()
        self.params = nn.ModuleList(params)
        self.filled = False

    @property
    def batch(self) -> int:
        """The number of images of all params together."""
        return sum(one.batch for one in self._params)

    @property
    def channels(self) -> int:
        """The number of channels."""
        return self._params[0].channels

    @property
    def size(self) -> Size:
        """The sides of the images."""
        return self._params[0].size

    @property
    def held(self) -> tuple[int, ...]:
        """The channels that stay as they are."""
        return self._params[0].held

    @property
    def alpha(self) -> bool:
        """Whether the last channel is opacity."""
        return self._params[0].alpha

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The arrays of all params."""
        return tuple(dict.fromkeys(array for one in self._params for array in one.arrays))

    @property
    def is_text(self) -> bool:
        """Whether the text of every param says all of it."""
        return all(one.is_text for one in self._params)

    @property
    def invertible(self) -> bool:
        """Whether every param can make every picture."""
        return all(one.invertible for one in self._params)

    def fill(self, seeds: Sequence[int]) -> None:
        """Draw the start of every image from its own seed."""
        own = image_seeds(seeds, self.batch)
        for one, first in zip(self._params, self._firsts, strict=True):
            one.fill(own[first : first + one.batch])
        self.filled = True

    def assign(self, images: Tensor) -> None:
        """Set the numbers so that these images come out."""
        self._fill_once()
        for one, some in zip(self._params, torch.split(images, [one.batch for one in self._params]), strict=True):
            one.assign(some)

    def forward(self) -> Tensor:
        """Make the images of all params."""
        self._fill_once()
        return torch.cat([one() for one in self.params])

    def at(self, size: int | Size) -> Tensor:
        """Make the same pictures at another size, where all params can."""
        self._fill_once()
        return torch.cat([one.at(size) for one in self._params])

    def reads(self, name: str) -> Tensor:
        """Say which images depend on which row of a parameter: only images of the param that has it."""
        _, place, inner = name.split(".", 2)
        own = self._params[int(place)].reads(inner)
        found = torch.zeros(len(own), self.batch, dtype=torch.bool)
        first = self._firsts[int(place)]
        found[:, first : first + own.shape[1]] = own
        return found

    @checked
    def resized(self, *, batch: Count) -> Stack:
        """Make the same stack, unfilled, for as many images, or a multiple of them."""
        if batch % self.batch:
            raise BadInputError(
                f"A stack has as many images as its params, here {self.batch}, or a multiple of that, not {batch}; "
                "write the params out."
            )
        return Stack([one.resized(batch=one.batch * (batch // self.batch)) for one in self._params])

    def __repr__(self) -> str:
        return f"stack({', '.join(map(repr, self._params))})"

    def _fill_once(self) -> None:
        if not self.filled:
            self.fill(image_seeds(0, self.batch))

    @property
    def _params(self) -> list[Param]:
        return [one for one in self.params if isinstance(one, Param)]

    @property
    def _firsts(self) -> list[int]:
        """The place of the first image of each param."""
        batches = [one.batch for one in self._params]
        return [sum(batches[:place]) for place in range(len(batches))]


@checked
def stack(*params: Param) -> Stack:
    """Join params to one batch: the images of the first, then those of the second, and so on.

    Formula: the images of all, one after the other.
    Source: lucidtorch's own.

    Args:
        params: The params, of one size, one number of channels, and the same held channels.

    Returns:
        The param, unfilled.

    Raises:
        BadInputError: There is none, something is no param, or they do not fit together.

    Example:
        >>> from lucidtorch.param.images import image
        >>> stack(image(64), image(64, fft=False))
        stack(image(64), image(64, fft=False))
    """
    if not params:
        raise BadInputError("A stack holds at least one param, for example stack(image(64), image(64, fft=False)).")
    for one in params:
        if not isinstance(one, Param):
            raise BadInputError(f"A stack holds params, but {shown(one)} is none; write for example image(64).")
        kind = (one.size, one.channels, one.held, one.alpha)
        first = params[0]
        if kind != (first.size, first.channels, first.held, first.alpha):
            raise BadInputError(
                f"The params of a stack make images of one size and of the same channels, but {shown(first)} and "
                f"{shown(one)} do not."
            )
    return Stack([one.resized(batch=one.batch) for one in params])
