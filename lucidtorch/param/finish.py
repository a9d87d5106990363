"""From pixels to images: colour, bounds, a mask, and channels that are held."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from lucidtorch.base.errors import BadInputError
from lucidtorch.base.sizes import PLANE, Size
from lucidtorch.param.bounds import CENTRE, COLOUR_MEAN, Clip, Sigmoid
from lucidtorch.param.colour import Decorrelated
from lucidtorch.param.given import given_picture
from lucidtorch.param.held import Held
from lucidtorch.param.masked import Masked

RGB = len(COLOUR_MEAN)


class Finish(nn.Module):
    """What every picture goes through once its pixels are there.

    Args:
        arguments: The arguments of `image`, frozen.
        batch: The number of images.
        channels: The number of channels, the held ones and the opacity among them.
        size: The sides of the images.

    Raises:
        BadInputError: An argument does not fit.
    """

    start: Tensor | None

    def __init__(self, arguments: Mapping[str, Any], batch: int, channels: int, size: Size) -> None:
        super().__init__()
        self.batch, self.channels, self.size = batch, channels, size
        self.holding = self._holding(arguments["hold"])
        held = () if self.holding is None else self.holding.channels
        self.free = channels - len(held)
        self.painted = self.free - (bool(arguments["alpha"]) and channels - 1 not in held)
        self.colour = self._colour(arguments["colour"], bool(arguments["decorrelate"]))
        self.bounds = self._bounds(arguments["bounds"], arguments["colour"])
        self.register_buffer("start", self._start(arguments["init"]), persistent=False)
        self.masked = None
        if arguments["mask"] is not None:
            if self.start is None:
                raise BadInputError("A mask says where init= stays as it is; give that image as init=, too.")
            self.masked = Masked(arguments["mask"], batch, size)

    def forward(self, pixels: Tensor) -> Tensor:
        """Make images of pixels."""
        if self.colour is not None:
            pixels = self._coloured(self.colour, pixels)
        images: Tensor = self.bounds(pixels)
        if self.masked is not None:
            images = self.masked(images, self.start)
        if self.holding is not None:
            images = self.holding(images)
        return images

    def inverse(self, images: Tensor) -> Tensor:
        """Find the pixels of images; under a mask, of its inside."""
        free = images if self.holding is None else self.holding.taken(images)
        pixels: Tensor = self.bounds.inverse(free)
        return pixels if self.colour is None else self._coloured(self.colour.inverse, pixels)

    def check_size(self, size: Size) -> None:
        """Refuse another size where something has one size only."""
        if (self.holding is not None or self.masked is not None) and size != self.size:
            raise BadInputError(f"What is held, and a mask, have one size, {list(self.size)}, not {list(size)}.")

    def _coloured(self, mixed: Callable[[Tensor], Tensor], pixels: Tensor) -> Tensor:
        """Mix the colours, and leave the opacity behind them alone."""
        if self.painted == self.free:
            return mixed(pixels)
        return torch.cat([mixed(pixels[:, : self.painted]), pixels[:, self.painted :]], 1)

    def _holding(self, hold: Mapping[int, object] | None) -> Held | None:
        return Held(hold, self.batch, self.channels, self.size) if hold else None

    def _colour(self, root: object, decorrelate: bool) -> Decorrelated | None:
        if root is None:
            return Decorrelated() if decorrelate and self.painted == RGB else None
        if not decorrelate:
            raise BadInputError("colour= says how colours are decorrelated; leave it out, or decorrelate=False.")
        colour = Decorrelated(root)
        if len(colour.matrix) != self.painted:
            raise BadInputError(
                f"colour= is a root of {len(colour.matrix)} colours, but {self.painted} channels are made."
            )
        return colour

    def _bounds(self, name: object, root: object) -> Sigmoid | Clip:
        if name == "sigmoid":
            return Sigmoid()
        natural = self.colour is not None and root is None
        centre = COLOUR_MEAN if natural else (CENTRE,) * self.painted
        return Clip((*centre, *(CENTRE,) * (self.free - self.painted)))

    def _start(self, init: object) -> Tensor | None:
        """Check and give the free channels of `init`, `[B, F, *size]`; None without it."""
        if init is None:
            return None
        wanted = [(count, *self.size) for count in dict.fromkeys((self.channels, self.free))]
        axes = "[C, H, W]" if len(self.size) == PLANE else "[C, T, H, W]"
        words = f"{axes} = {' or '.join(str(list(one)) for one in wanted)}, or one such per image"
        images = given_picture(init, "init", [*wanted, *((self.batch, *one) for one in wanted)], words)
        images = images.expand(self.batch, *images.shape[-len(wanted[0]) :])
        return images if self.holding is None else self.holding.taken(images)
