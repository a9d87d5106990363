"""Parameterizations of images: a sum of parts, then colour, then the map to [0, 1]."""

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

OF_THE_BASIS = ("fft", "sd", "decay", "spectrum")  # arguments that `spatial` replaces
COPIES = 4  # parameters, gradients, and the two moments of Adam


class Image(Param):
    """Images from a sum of parts, with colour and bounds: the frozen arguments of `image`, and the added parts."""

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
        self.invertible = self._bases[0].invertible  # the added parts do not matter
        if self.finish.start is not None and not self.invertible:
            raise BadInputError(
                f"init= needs an invertible basis, which {self.words[0]!r} is not; use fft(), pixels() or pyramid()."
            )
        self.is_text = all(word.is_text for word in self.words)
        own = (one for one in (*arguments.values(), *(arguments["hold"] or {}).values()) if isinstance(one, Array))
        self.arrays = tuple(dict.fromkeys((*own, *(array for word in self.words for array in word.arrays))))

    @checked
    def fill(self, seeds: Sequence[int]) -> None:
        """Draw the initial values of every image from its own seed, or set them from the initial image."""
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
        """Set the parameters of the main part so that these images result; the added parts stay as they are."""
        self._ensure_filled()
        self._assign(images)

    def forward(self) -> Tensor:
        self._ensure_filled()
        return self._finished(part() for part in self.parts)

    @checked
    def at(self, size: int | Size) -> Tensor:
        """Compute the same images at another size, if all parts can."""
        sides = size_sides(size)
        if sides == self.size:
            return self.forward()
        self.finish.check_size(sides)
        self._ensure_filled()
        return self._finished(part.at(sides) for part in self._bases)

    def reads(self, name: str) -> Tensor:
        """Return which images depend on which row of a parameter; only shared parts have fewer rows than images."""
        _, place, inner = name.split(".", 2)
        return self._bases[int(place)].reads(inner)

    @checked
    def resized(self, *, batch: Count) -> Image:
        """Return the same param, not filled, for another number of images."""
        return Image({**self.arguments, "batch": batch}, self.added)

    def __add__(self, part: Part) -> Image:
        if not isinstance(part, Part):
            raise BadInputError(
                f"A param takes a part such as shared([1, 3, 16, 16]) in a sum, not {shown(part)}; several "
                "params in one batch are stack(a, b)."
            )
        return Image(self.arguments, (*self.added, part))

    def __repr__(self) -> str:
        said = () if self.arguments["spatial"] is None else OF_THE_BASIS  # the part replaces these
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
    """Parameterize images, clips or volumes in a Fourier or another basis, in decorrelated colours.

    Formula: images = bounds(colour(spatial + added parts)), the sigmoid by default.
    Source: Lucid's `image`.

    Args:
        size: Pixels on each side, or (height, width); (time, height, width) for clips, with depth for volumes. Odd
            sizes are possible.
        batch: The number of images.
        channels: The number of channels, without the opacity: those of the network's input.
        fft: Whether the basis is Fourier; pixels otherwise. `spatial` selects another basis.
        decorrelate: Whether colours are decorrelated as in natural images; only for three free channels, or as many
            as `colour` has.
        alpha: Whether to add a last channel, the opacity. A transform such as `background()` uses it.
        sd: The initial standard deviation of the parameters.
        decay: The exponent with which amplitudes decrease with frequency in the Fourier basis; 1 is that of natural
            images.
        init: An initial image, `[C, *size]` or `[B, C, *size]` in [0, 1], instead of noise. Its held channels are
            ignored, and may be left out.
        hold: Channels that stay as they are, with their values in [0, 1]: `{3: 1.0}`, or a mask `[H, W]` (for clips
            also `[T, H, W]`), or one number or one mask of the full size per image. They never change, and pass
            the transforms with the others.
        mask: Where the image may change, from 0 to 1: `[H, W]` or one per image, `[B, H, W]`; for clips also
            `[T, H, W]`. Where it is 0, the image equals `init`.
        bounds: The map to [0, 1]: ``sigmoid``, or ``clip``, which reaches black and white.
        spatial: The main part, such as `pyramid()`; it replaces `fft`, `sd`, `decay` and `spectrum`.
        colour: The colour root of your own images, `[C, C]`, instead of ImageNet's; for any number of channels.
        spectrum: The amplitudes of your own images at equally spaced frequencies from 0 to the square root of .5 cycles
            per pixel, instead of `decay`.

    Returns:
        The param, not filled: nothing is drawn until a render, or a call, fills it.

    Raises:
        BadInputError: Two arguments contradict each other.
        ImageError: The initial image, the mask or a held channel has a wrong shape or values outside [0, 1]; or no
            channel is free.

    Example:
        >>> image(128, batch=4)
        image(128, batch=4)
        >>> image((16, 112, 112), channels=4, hold={3: 1.0})
        image([16, 112, 112], channels=4, hold={3: 1.0})
    """
    arguments = {**locals(), "size": short_size(size_sides(size))}
    return Image(bind(image, (), arguments))


def _main_part(arguments: Mapping[str, Any]) -> Part:
    """Return the main part: `spatial`, or the one that `fft`, `sd`, `decay` and `spectrum` describe."""
    spatial: Part | None = arguments["spatial"]
    sd, decay, spectrum = arguments["sd"], arguments["decay"], arguments["spectrum"]
    if spatial is None:
        if arguments["fft"]:
            return fourier(sd=sd, decay=decay, spectrum=spectrum)
        if spectrum is not None:
            raise BadInputError("A spectrum weighs frequencies, and fft=False has none; leave one of the two out.")
        return pixels(sd=sd)
    defaults = inspect.signature(image).parameters
    extra = [name for name in OF_THE_BASIS if arguments[name] != defaults[name].default]
    if extra:
        raise BadInputError(f"spatial={spatial!r} states the basis; leave {extra[0]}= out, or put it there.")
    return spatial
