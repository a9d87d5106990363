"""Any module that makes images as a prior: the latent numbers that it reads are the only ones that change."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from lucidtorch.base.arrays import Array
from lucidtorch.base.checks import Count, Positive, checked
from lucidtorch.base.errors import BadInputError, LucidtorchWarning
from lucidtorch.base.notation import bind, format_call
from lucidtorch.base.seeds import generators, image_seeds
from lucidtorch.base.sizes import Size, size_pair
from lucidtorch.base.surroundings import pinned
from lucidtorch.param.borrowed import Borrowed
from lucidtorch.param.bounds import Clip
from lucidtorch.param.param import Param

MANY = 0.25  # of the pixels outside the range: then the range is probably another


class Generated(Param):
    """Images that a module makes of latent numbers. Made by `generated`.

    Args:
        module: The module.
        arguments: The other arguments of `generated`, all of them, frozen.
        made: The channels, height and width of what the module makes.
    """

    latents: nn.Parameter
    place: Tensor

    def __init__(self, module: nn.Module, arguments: dict[str, Any], made: Size) -> None:
        super().__init__()
        self.arguments = arguments
        self.made = made
        self._batch: int = arguments["batch"]
        self._size = made[1:] if arguments["size"] is None else size_pair(arguments["size"])
        latent = arguments["latent"]
        self.latent: tuple[int, ...] = latent if isinstance(latent, tuple) else (latent,)
        self.low, self.high = arguments["value_range"]
        if not self.low < self.high:
            raise BadInputError(
                f"generated(value_range=) runs from the lower to the higher, not from {self.low:g} to {self.high:g}."
            )
        self.sd: float = arguments["sd"]
        self.borrowed = Borrowed(module)
        self.bounds = Clip((0.0,) * made[0])
        self.register_buffer("place", torch.zeros(()), persistent=False)  # on the device where `fill` puts the numbers
        self.register_parameter("latents", None)

    @property
    def batch(self) -> int:
        """The number of images."""
        return self._batch

    @property
    def channels(self) -> int:
        """The number of channels that the module makes."""
        return self.made[0]

    @property
    def size(self) -> Size:
        """Height and width."""
        return self._size

    @property
    def arrays(self) -> tuple[Array, ...]:
        """None: a module has no text."""
        return ()

    @property
    def is_text(self) -> bool:
        """Not: the module cannot be read back from a text."""
        return False

    def fill(self, seeds: Sequence[int]) -> None:
        """Draw the latents of every image from its own seed."""
        streams = generators(image_seeds(seeds, self.batch), "start")
        latents = self.sd * torch.stack([torch.randn(self.latent, generator=one) for one in streams])
        self.latents = nn.Parameter(latents.to(self.place))

    def forward(self) -> Tensor:
        """Make the images."""
        if self.latents is None:
            self.fill(image_seeds(0, self.batch))
        with torch.autocast(self.place.device.type, enabled=False):
            images = (self.borrowed(self.latents) - self.low) / (self.high - self.low)
            if tuple(images.shape[2:]) != self.size:
                images = interpolate(images, self.size, mode="bilinear", antialias=True)
            bounded: Tensor = self.bounds(images)
        return bounded

    @checked
    def resized(self, *, batch: Count) -> Generated:
        """Make the same param, unfilled, for another number of images."""
        return Generated(self.borrowed.module, {**self.arguments, "batch": batch}, self.made)

    def __repr__(self) -> str:
        return format_call(
            "generated", inspect.signature(generated), {"module": self.borrowed.module, **self.arguments}
        )


@pinned()
def generated(
    module: nn.Module,
    latent: Count | Sequence[Count],
    *,
    size: int | Size | None = None,
    batch: Count = 1,
    value_range: tuple[float, float] = (0.0, 1.0),
    sd: Positive = 1.0,
) -> Generated:
    """Let a module make the images, a decoder or the generator of a GAN: only what it reads changes.

    The module runs in eval mode, its weights take no gradient, and afterwards it is as it was. It runs where the
    latents are: on another device, or in float64, a copy of it does. When this is called, it is run on two latents to
    see what it makes. The param has no text, as a module has none, and no inverse.

    Formula: images = clip((module(latents) - low) / (high - low)); at the start latents ~ N(0, sd ** 2). The
        gradient of what is clipped passes where it leads back.
    Source: Nguyen et al. 2016, "Synthesizing the preferred inputs for neurons in neural networks via deep generator
        networks".

    Args:
        module: From latents `[B, *latent]` to images `[B, C, H, W]`, each from its own latents alone.
        latent: The shape of the latents of one image, such as 128 or `[4, 16, 16]`.
        size: Pixels on each side, or (height, width), to which what it makes is scaled; as it makes it where None.
        batch: The number of images.
        value_range: The values that black and white have in what it makes: `(-1, 1)` of most GANs.
        sd: The standard deviation of the latents at the start; that with which the module was trained.

    Returns:
        The param, unfilled.

    Raises:
        BadInputError: An argument does not fit, or the module makes no images of such latents, or not always the same.

    Example:
        >>> decoder = nn.Sequential(nn.Linear(8, 3 * 16 * 16), nn.Unflatten(1, (3, 16, 16)), nn.Sigmoid())
        >>> generated(decoder, 8, batch=2)
        generated(<Sequential>, 8, batch=2)
    """
    named = {"size": size, "batch": batch, "value_range": value_range, "sd": sd}
    arguments: dict[str, Any] = bind(generated, (module, latent), named)
    del arguments["module"]
    sides = arguments["latent"]
    made = Borrowed(module).try_out(sides if isinstance(sides, tuple) else (sides,))
    param = Generated(module, arguments, tuple(made.shape[1:]))
    outside = float(((made < param.low) | (made > param.high)).float().mean())
    if outside > MANY:
        warnings.warn(
            f"{type(module).__name__} makes values from {float(made.min()):.3g} to {float(made.max()):.3g}, and "
            f"{outside:.0%} of them lie outside value_range=({param.low:g}, {param.high:g}), where they are clipped.",
            LucidtorchWarning,
            stacklevel=2,
        )
    return param
