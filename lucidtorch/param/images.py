"""The front door to image parameterizations: numbers, then colour, then the range from 0 to 1."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from lucidtorch.base.arrays import Array, ArrayLike
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.frozen_mapping import FrozenMapping
from lucidtorch.base.notation import bind, format_call
from lucidtorch.base.seeds import generators, image_seeds
from lucidtorch.base.sizes import PLANE, Size, size_sides
from lucidtorch.param.colour import Decorrelated
from lucidtorch.param.given import given_picture
from lucidtorch.param.held import Held
from lucidtorch.param.param import Param
from lucidtorch.param.spatial import Fourier, Pixels, Spatial

RGB = 3
EDGE = 1e-4  # a start image is kept this far from 0 and 1, where the sigmoid's inverse is infinite


class Image(Param):
    """Images from a basis of pixels or frequencies, through colour and a sigmoid. Made by `image`.

    Args:
        arguments: The arguments of `image`, all of them, frozen.
    """

    numbers: nn.Parameter | None
    place: Tensor

    def __init__(self, arguments: dict[str, object]) -> None:
        super().__init__()
        self.arguments = arguments
        self._size = size_sides(arguments["size"])
        self._batch = _whole(arguments["batch"], "batch")
        self._channels = _whole(arguments["channels"], "channels")
        self.holding = self._holding()
        sd, decay = _positive(arguments["sd"], "sd"), _finite(arguments["decay"], "decay")
        free = self.channels - len(self.held)
        self.spatial: Spatial
        if arguments["fft"]:
            self.spatial = Fourier(free, self.size, sd, decay)
        else:
            self.spatial = Pixels(free, self.size, sd)
        self.colour = Decorrelated() if arguments["decorrelate"] and free == RGB else None
        self._start_images()
        self.register_buffer("place", torch.zeros(()), persistent=False)  # on the device where `fill` puts the numbers
        self.register_parameter("numbers", None)

    @property
    def batch(self) -> int:
        """The number of images."""
        return self._batch

    @property
    def channels(self) -> int:
        """The number of channels."""
        return self._channels

    @property
    def size(self) -> Size:
        """Height and width; of clips and volumes, frames or slices before them."""
        return self._size

    @property
    def held(self) -> tuple[int, ...]:
        """The channels that stay as they are."""
        return () if self.holding is None else self.holding.channels

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The start image and the held channels, as far as their numbers stand in files."""
        hold = self.arguments["hold"]
        values = hold.values() if isinstance(hold, FrozenMapping) else ()
        return tuple(value for value in (self.arguments["init"], *values) if isinstance(value, Array))

    def fill(self, seeds: Sequence[int]) -> None:
        """Draw the start of every image from its own seed, or take the start image.

        Args:
            seeds: One per image.

        Raises:
            BadInputError: There are not as many seeds as images.
        """
        seeds = image_seeds(seeds, self.batch)
        start = self._start_images()
        if start is None:
            numbers = torch.stack([self.spatial.start(one) for one in generators(seeds, "start")])
        else:
            numbers = self.inverse(start.to(self.place.device))
        self.numbers = nn.Parameter(numbers.to(self.place.device))

    def forward(self) -> Tensor:
        """Make the images.

        Returns:
            `[B, C, *size]` in [0, 1].
        """
        if self.numbers is None:
            self.fill(image_seeds(0, self.batch))
        pixels = self.spatial(self.numbers)
        if self.colour is not None:
            pixels = self.colour(pixels)
        free = torch.sigmoid(pixels)
        images: Tensor = free if self.holding is None else self.holding(free)
        return images

    def inverse(self, images: Tensor) -> Tensor:
        """Find the numbers that make given images; exact but for values within 1e-4 of 0 or 1.

        Args:
            images: `[B, C, *size]` in [0, 1]; what stands in held channels is left out, and may be missing.

        Returns:
            The numbers of this param's basis.
        """
        free = images if self.holding is None else self.holding.taken(images)
        pixels = torch.logit(free.clamp(EDGE, 1 - EDGE))
        return self.spatial.inverse(pixels if self.colour is None else self.colour.inverse(pixels))

    def resized(self, *, batch: int) -> Image:
        """Make the same param, unfilled, for another number of images.

        Args:
            batch: The number of images.

        Returns:
            A new param.
        """
        return Image({**self.arguments, "batch": batch})

    def __repr__(self) -> str:
        return format_call("image", inspect.signature(image), self.arguments)

    def _holding(self) -> Held | None:
        hold = self.arguments["hold"]
        if hold is None:
            return None
        if not isinstance(hold, FrozenMapping):
            raise BadInputError(f"image(hold=) takes channels and their values, such as {{3: 1.0}}, not {hold!r:.80}.")
        return Held(hold, self.batch, self.channels, self.size) if hold else None

    def _start_images(self) -> Tensor | None:
        """Check and give the images of `init`, `[B, C, *size]`, or with the free channels only; None without them."""
        init = self.arguments["init"]
        if init is None:
            return None
        counts = dict.fromkeys((self.channels, self.channels - len(self.held)))
        wanted = [(count, *self.size) for count in counts]
        axes = "[C, H, W]" if len(self.size) == PLANE else "[C, T, H, W]"
        words = f"{axes} = {' or '.join(str(list(one)) for one in wanted)}, or one such per image"
        images = given_picture(init, "init", [*wanted, *((self.batch, *one) for one in wanted)], words)
        return images.expand(self.batch, *images.shape[-len(wanted[0]) :])


def image(
    size: int | Size,
    *,
    batch: int = 1,
    channels: int = 3,
    fft: bool = True,
    decorrelate: bool = True,
    sd: float = 0.01,
    decay: float = 1.0,
    init: ArrayLike | None = None,
    hold: Mapping[int, float | ArrayLike] | None = None,
) -> Image:
    """Parameterize images, clips or volumes by their frequencies, in decorrelated colours.

    Args:
        size: Pixels on each side, or (height, width); (time, height, width) for clips, with depth for volumes. Odd ones
            too.
        batch: The number of images.
        channels: The number of channels; what the network takes.
        fft: Whether the numbers are frequencies; pixels otherwise.
        decorrelate: Whether colours lie on the independent axes of natural images; only for three channels
            that are free.
        sd: The standard deviation of the numbers at the start.
        decay: How fast high frequencies fade in the Fourier basis; 1 is nature's.
        init: An image to start from, `[C, *size]` or `[B, C, *size]` in [0, 1], instead of noise. What it says of held
            channels is left out: it may give the free ones alone.
        hold: Channels that stay as they are, with their values in [0, 1]: `{3: 1.0}`, or a mask `[H, W]` (for clips
            also `[T, H, W]`), or one number or one mask of the full size per image. They come out exactly so, pass the
            transforms with the others, and never change.

    Returns:
        The param, unfilled: nothing is drawn until a render, or a call, fills it.

    Raises:
        SizeError: The size is not positive.
        BadInputError: A number does not fit.
        ImageError: The start image or a held channel has another shape, or leaves [0, 1]; or no channel is free.

    Example:
        >>> image(128, batch=4)
        image(128, batch=4)
        >>> image((16, 112, 112), channels=4, hold={3: 1.0})
        image([16, 112, 112], channels=4, hold={3: 1.0})
    """
    sides = size_sides(size)
    square = len(sides) == PLANE and sides[0] == sides[1]
    named = {"batch": batch, "channels": channels, "fft": fft, "decorrelate": decorrelate, "sd": sd, "decay": decay}
    return Image(bind(image, (sides[0] if square else sides,), {**named, "init": init, "hold": hold}))


def _whole(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadInputError(f"image({name}=) takes a whole number from 1, but {value!r} was given.")
    return value


def _finite(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadInputError(f"image({name}=) takes a number, but {value!r} was given.")
    return float(value)


def _positive(value: object, name: str) -> float:
    number = _finite(value, name)
    if number <= 0:
        raise BadInputError(f"image({name}=) takes a positive number, but {value!r} was given.")
    return number
