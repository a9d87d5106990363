"""The front door to image parameterizations: numbers, then colour, then the range from 0 to 1."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lucidtorch.base.arrays import Array, ArrayLike
from lucidtorch.base.errors import BadInputError, ImageError
from lucidtorch.base.notation import bind, format_call
from lucidtorch.base.seeds import generators, image_seeds
from lucidtorch.base.sizes import Size, size_pair
from lucidtorch.param.colour import Decorrelated
from lucidtorch.param.param import Param
from lucidtorch.param.spatial import Fourier, Pixels, Spatial

EDGE = 1e-4  # a start image is kept this far from 0 and 1, where the sigmoid's inverse is infinite


class Image(Param):
    """Images from a basis of pixels or frequencies, through colour and a sigmoid. Made by `image`.

    Args:
        arguments: The arguments of `image`, all of them, frozen.
    """

    numbers: nn.Parameter | None

    def __init__(self, arguments: dict[str, object]) -> None:
        super().__init__()
        self.arguments = arguments
        self._size = size_pair(arguments["size"])
        self._batch = _whole(arguments["batch"], "batch")
        self._channels = _whole(arguments["channels"], "channels")
        sd, decay = _positive(arguments["sd"], "sd"), _finite(arguments["decay"], "decay")
        self.spatial: Spatial
        if arguments["fft"]:
            self.spatial = Fourier(self._channels, self._size, sd, decay)
        else:
            self.spatial = Pixels(self._channels, self._size, sd)
        self.colour = Decorrelated() if arguments["decorrelate"] and self._channels == 3 else None
        self._check_init()
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
        """Height and width."""
        return self._size

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The start image, where there is one."""
        init = self.arguments["init"]
        return (init,) if isinstance(init, Array) else ()

    def fill(self, seeds: Sequence[int]) -> None:
        """Draw the start of every image from its own seed, or take the start image.

        Args:
            seeds: One per image.

        Raises:
            BadInputError: There are not as many seeds as images.
        """
        seeds = image_seeds(seeds, self.batch)
        if self.arguments["init"] is None:
            numbers = torch.stack([self.spatial.start(one) for one in generators(seeds, "start")])
        else:
            numbers = self.inverse(self._init_images())
        buffers = list(self.buffers())
        device = buffers[0].device if buffers else numbers.device
        self.numbers = nn.Parameter(numbers.to(device))

    def forward(self) -> Tensor:
        """Make the images.

        Returns:
            `[B, C, H, W]` in [0, 1].
        """
        if self.numbers is None:
            self.fill(image_seeds(0, self.batch))
        pixels = self.spatial(self.numbers)
        if self.colour is not None:
            pixels = self.colour(pixels)
        images: Tensor = torch.sigmoid(pixels)
        return images

    def inverse(self, images: Tensor) -> Tensor:
        """Find the numbers that make given images; exact but for values within 1e-4 of 0 or 1.

        Args:
            images: `[B, C, H, W]` in [0, 1].

        Returns:
            The numbers of this param's basis.
        """
        pixels = torch.logit(images.clamp(EDGE, 1 - EDGE))
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

    def _check_init(self) -> None:
        init = self.arguments["init"]
        if init is None:
            return
        wanted = (self.channels, *self.size)
        array = Array.of(init)
        if array.shape not in (wanted, (self.batch, *wanted)):
            given = list(array.shape)
            raise ImageError(f"init must be [C, H, W] = {list(wanted)}, or one such per image; its shape is {given}.")
        values = array.numpy()
        if values.min() < 0 or values.max() > 1:
            raise ImageError(f"init must lie in [0, 1], but it runs from {values.min():.3g} to {values.max():.3g}.")

    def _init_images(self) -> Tensor:
        init = self.arguments["init"]
        images = Array.of(init).tensor(torch.zeros(()))
        return images.expand(self.batch, -1, -1, -1) if images.ndim == 3 else images


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
) -> Image:
    """Parameterize images by their frequencies, in decorrelated colours.

    Args:
        size: Pixels on each side, or (height, width); odd ones too.
        batch: The number of images.
        channels: The number of channels; what the network takes.
        fft: Whether the numbers are frequencies; pixels otherwise.
        decorrelate: Whether colours lie on the independent axes of natural images; only for three channels.
        sd: The standard deviation of the numbers at the start.
        decay: How fast high frequencies fade in the Fourier basis; 1 is nature's.
        init: An image to start from, `[C, H, W]` or `[B, C, H, W]` in [0, 1], instead of noise.

    Returns:
        The param, unfilled: nothing is drawn until a render, or a call, fills it.

    Raises:
        SizeError: The size is not positive.
        BadInputError: A number does not fit.
        ImageError: The start image has another shape, or leaves [0, 1].

    Example:
        >>> image(128, batch=4)
        image(128, batch=4)
    """
    height, width = size_pair(size)
    sides = height if height == width else (height, width)
    named = {"batch": batch, "channels": channels, "fft": fft, "decorrelate": decorrelate}
    return Image(bind(image, (sides,), {**named, "sd": sd, "decay": decay, "init": init}))


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
