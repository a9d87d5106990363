"""Parameterizations of images: a sum of parts, then colour, then the range from 0 to 1."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from lucidtorch.base.arrays import Array, ArrayLike
from lucidtorch.base.checks import Count, Positive, checked
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.machine import check_memory
from lucidtorch.base.notation import bind, format_call
from lucidtorch.base.seeds import generators, image_seeds
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import Size, short_size, size_sides
from lucidtorch.param.bases import Basis, Part, pixels
from lucidtorch.param.bases import fft as fourier
from lucidtorch.param.finish import Finish
from lucidtorch.param.param import Param

OF_THE_BASIS = ("fft", "sd", "decay", "spectrum")  # arguments that say no more than a part does
COPIES = 4  # numbers, their gradient, and the two moments of Adam


class Image(Param):
    """Images from a sum of parts, through colour and bounds: the arguments of `image`, frozen, and the parts added."""

    def __init__(self, arguments: dict[str, Any], added: tuple[Part, ...] = ()) -> None:
        super().__init__()
        self.arguments = arguments
        self.added = added
        self.size = size_sides(arguments["size"])
        self.batch = arguments["batch"]
        self.alpha = arguments["alpha"]
        self.channels = arguments["channels"] + self.alpha
        made = self.batch * self.channels * math.prod(self.size)
        check_memory(COPIES * made, f"image({short_size(self.size)}, batch={self.batch}, channels={self.channels})")
        self.finish = Finish(arguments, self.batch, self.channels, self.size)
        self.held = self.finish.held
        self.words = (_main_part(arguments), *added)
        self.parts = nn.ModuleList(word.basis(self.batch, self.finish.free, self.size) for word in self.words)
        self.invertible = self._bases[0].invertible  # whatever is added
        if self.finish.start is not None and not self.invertible:
            raise BadInputError(
                f"init= needs a basis that can make any picture, which {self.words[0]!r} cannot; use fft(), "
                "pixels() or pyramid()."
            )
        self.is_text = all(word.is_text for word in self.words)
        own = (one for one in (*arguments.values(), *(arguments["hold"] or {}).values()) if isinstance(one, Array))
        self.arrays = tuple(dict.fromkeys((*own, *(array for word in self.words for array in word.arrays))))

    @checked
    def fill(self, seeds: Sequence[int]) -> None:
        """Draw the start of every image from its own seed, or take the start image."""
        seeds = image_seeds(seeds, self.batch)
        main, *added = self._bases
        for place, part in enumerate(added, 1):
            part.fill(generators(seeds, f"start {place}"))
        if self.finish.start is None:
            main.fill(generators(seeds, "start"))
        else:
            self._assign(self.finish.start)
        self.filled = True

    @checked
    def assign(self, images: Tensor) -> None:
        """Set the numbers of the main part so that these images come out; what is added stays as it is."""
        self._ensure_filled()
        self._assign(images)

    def forward(self) -> Tensor:
        self._ensure_filled()
        return self._finished(part() for part in self.parts)

    @checked
    def at(self, size: int | Size) -> Tensor:
        """Make the same images at another size, where all parts have any."""
        sides = size_sides(size)
        if sides == self.size:
            return self.forward()
        self.finish.check_size(sides)
        self._ensure_filled()
        return self._finished(part.at(sides) for part in self._bases)

    def reads(self, name: str) -> Tensor:
        """Say which images depend on which row of a parameter; only shared parts have fewer rows than images."""
        _, place, inner = name.split(".", 2)
        return self._bases[int(place)].reads(inner)

    @checked
    def resized(self, *, batch: Count) -> Image:
        """Make the same param, unfilled, for another number of images."""
        return Image({**self.arguments, "batch": batch}, self.added)

    def __add__(self, part: Part) -> Image:
        if not isinstance(part, Part):
            raise BadInputError(
                f"A param and a part such as shared([1, 3, 16, 16]) make a sum, but {shown(part)} is none; several "
                "params in one batch are stack(a, b)."
            )
        return Image(self.arguments, (*self.added, part))

    def __repr__(self) -> str:
        said = () if self.arguments["spatial"] is None else OF_THE_BASIS  # the part says these
        counting = {name: value for name, value in self.arguments.items() if name not in said}
        text = format_call("image", inspect.signature(image), counting)
        return " + ".join([text, *map(repr, self.added)])

    @property
    def _bases(self) -> list[Basis]:
        return [part for part in self.parts if isinstance(part, Basis)]

    def _finished(self, pixels: Iterable[Tensor]) -> Tensor:
        first, *others = pixels
        images: Tensor = self.finish(sum(others, start=first))
        return images

    def _assign(self, images: Tensor) -> None:
        main, *added = self._bases
        with torch.no_grad():
            pixels = self.finish.inverse(images.to(main.place))
            main.assign(pixels - sum(part() for part in added))


def image(
    size: int | Size,
    *,
    batch: Count = 1,
    channels: Count = 3,
    fft: bool = True,
    decorrelate: bool = True,
    alpha: bool = False,
    sd: Positive = 0.01,
    decay: float = 1.0,
    init: ArrayLike | None = None,
    hold: Mapping[int, float | ArrayLike] | None = None,
    mask: ArrayLike | None = None,
    bounds: Literal["sigmoid", "clip"] = "sigmoid",
    spatial: Part | None = None,
    colour: ArrayLike | None = None,
    spectrum: ArrayLike | None = None,
) -> Image:
    """Parameterize images, clips or volumes by their frequencies, or in another basis, in decorrelated colours.

    Formula: images = bounds(colour(spatial + added parts)), the sigmoid by default.
    Source: Lucid's `image`.

    Args:
        size: Pixels on each side, or (height, width); (time, height, width) for clips, with depth for volumes. Odd ones
            too.
        batch: The number of images.
        channels: The number of channels, without the opacity; what the network takes.
        fft: Whether the numbers are frequencies; pixels otherwise. `spatial` gives other bases.
        decorrelate: Whether colours lie on the independent axes of natural images; only for three channels
            that are free, or as many as `colour` has.
        alpha: Whether there is one more channel, the last: opacity. A transform such as `background()` uses it.
        sd: The standard deviation of the numbers at the start.
        decay: How fast high frequencies fade in the Fourier basis; 1 is nature's.
        init: An image to start from, `[C, *size]` or `[B, C, *size]` in [0, 1], instead of noise. What it says of held
            channels is left out: it may give the free ones alone.
        hold: Channels that stay as they are, with their values in [0, 1]: `{3: 1.0}`, or a mask `[H, W]` (for clips
            also `[T, H, W]`), or one number or one mask of the full size per image. They come out exactly so, pass the
            transforms with the others, and never change.
        mask: Where the picture may change, from 0 to 1: `[H, W]` or one per image, `[B, H, W]`; for clips also
            `[T, H, W]`. Where it is 0, `init` comes out exactly.
        bounds: What brings the numbers into [0, 1]: ``sigmoid``, or ``clip``, which reaches black and white.
        spatial: The main part, such as `pyramid()`, where it is neither frequencies nor pixels, or has arguments of its
            own; `fft`, `sd`, `decay` and `spectrum` are then its to say.
        colour: The colour root of your own images, `[C, C]`, in the place of ImageNet's; for any number of channels.
        spectrum: The amplitudes of your own images at equally spaced frequencies from 0 to the square root of .5 cycles
            per pixel, in the place of `decay`.

    Returns:
        The param, unfilled: nothing is drawn until a render, or a call, fills it.

    Raises:
        BadInputError: Two arguments say different things.
        ImageError: The start image, the mask or a held channel has another shape, or leaves [0, 1]; or no channel is
            free.

    Example:
        >>> image(128, batch=4)
        image(128, batch=4)
        >>> image((16, 112, 112), channels=4, hold={3: 1.0})
        image([16, 112, 112], channels=4, hold={3: 1.0})
    """
    arguments = {**locals(), "size": short_size(size_sides(size))}
    return Image(bind(image, (), arguments))


def _main_part(arguments: Mapping[str, Any]) -> Part:
    """The main part: the one that is given, or the one that `fft`, `sd`, `decay` and `spectrum` describe."""
    spatial: Part | None = arguments["spatial"]
    sd, decay, spectrum = arguments["sd"], arguments["decay"], arguments["spectrum"]
    if spatial is None:
        if arguments["fft"]:
            return fourier(sd=sd, decay=decay, spectrum=spectrum)
        if spectrum is not None:
            raise BadInputError("A spectrum weighs frequencies, and fft=False has none; leave one of the two out.")
        return pixels(sd=sd)
    defaults = inspect.signature(image).parameters
    said = [name for name in OF_THE_BASIS if arguments[name] != defaults[name].default]
    if said:
        raise BadInputError(
            f"spatial={spatial!r} says all of its basis; leave {said[0]}= out, or write it in the part."
        )
    return spatial
