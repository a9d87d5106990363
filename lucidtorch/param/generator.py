"""Any module that makes images as a prior: only the latents that it reads change."""

from __future__ import annotations

import copy
import inspect
import math
import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from lucidtorch.base.checks import Count, Positive, checked
from lucidtorch.base.errors import BadInputError, LucidtorchWarning
from lucidtorch.base.notation import bind, format_call
from lucidtorch.base.seeds import generators, image_seeds
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import PLANE, Size, size_pair
from lucidtorch.base.surroundings import pinned
from lucidtorch.models.running.capture import widened
from lucidtorch.models.running.frozen import frozen, probing
from lucidtorch.param.bases import normal
from lucidtorch.param.finish import Clip
from lucidtorch.param.param import Param

MOST_NUMBERS = 1 << 24  # of one latent
TRIED = 2  # latents at once: what one gives must not depend on the other
SAME = 1e-4  # of the largest value: rounding
MANY = 0.25  # of the pixels outside the range: then the range is probably another


class Generated(Param):
    """Images that a module makes of latents, `made` in channels, height and width. Made by `generated`."""

    arrays = ()
    is_text = False  # the module cannot be read back from a text
    latents: nn.Parameter
    place: Tensor

    def __init__(self, module: nn.Module, arguments: dict[str, Any], made: Size) -> None:
        super().__init__()
        self.arguments = arguments  # of `generated`, but for the module
        self.made = made
        self.batch, self.channels = arguments["batch"], made[0]
        self.size = made[1:] if arguments["size"] is None else size_pair(arguments["size"])
        self.low, self.high = arguments["value_range"]
        if not self.low < self.high:
            raise BadInputError(
                f"generated(value_range=) runs from the lower to the higher, not from {self.low:g} to {self.high:g}."
            )
        self.borrowed = Borrowed(module)
        self.bounds = Clip((0.0,) * made[0])
        self.register_buffer("place", torch.zeros(()), persistent=False)  # on the device where `fill` puts the numbers
        self.register_parameter("latents", None)

    def fill(self, seeds: Sequence[int]) -> None:
        """Draw the latents of every image from its own seed."""
        streams = generators(image_seeds(seeds, self.batch), "start")
        latents = self.arguments["sd"] * normal(_latent_shape(self.arguments), streams)
        self.latents = nn.Parameter(latents.to(self.place))

    def forward(self) -> Tensor:
        if self.latents is None:
            self.fill(image_seeds(0, self.batch))
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
        arguments = {"module": self.borrowed.module, **self.arguments}
        return format_call("generated", inspect.signature(generated), arguments)


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
    made = _tried(module, _latent_shape(arguments))
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


class Borrowed:
    """The user's module: shared by all copies of a param, and no part of it, neither parameters nor state."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self._copy: nn.Module | None = None

    def __call__(self, latents: Tensor) -> Tensor:
        """Run the module in eval mode, without gradients for its weights; it is given back as it was.

        Where the latents are on another device, or are float64, a copy of the module runs there.
        """
        module = self._module_for(latents)
        with frozen(module):
            made: Tensor = module(latents.to(_dtype(module, latents)))
        return widened(made)

    def _module_for(self, latents: Tensor) -> nn.Module:
        """The module itself where it is on the device and of the dtype, else a copy that is."""
        wanted = (latents.device, _dtype(self.module, latents))
        if _device_and_dtype(self.module) in (None, wanted):
            return self.module
        if self._copy is None or _device_and_dtype(self._copy) != wanted:
            self._copy = copy.deepcopy(self.module).to(*wanted)
        return self._copy

    def __reduce__(self) -> tuple[type[Borrowed], tuple[nn.Module]]:
        return Borrowed, (self.module,)

    def __deepcopy__(self, memo: dict[int, Any]) -> Borrowed:
        return Borrowed(self.module)


def _latent_shape(arguments: dict[str, Any]) -> tuple[int, ...]:
    latent = arguments["latent"]
    return latent if isinstance(latent, tuple) else (latent,)


def _device_and_dtype(module: nn.Module) -> tuple[torch.device, torch.dtype] | None:
    """The device and the dtype of a module; None where it has no numbers."""
    numbers = (one for one in (*module.parameters(), *module.buffers()) if one.is_floating_point())
    return next(((one.device, one.dtype) for one in numbers), None)


def _dtype(module: nn.Module, latents: Tensor) -> torch.dtype:
    """What a module computes in: its own dtype, but never less than float64 where that is asked for."""
    found = _device_and_dtype(module)
    return latents.dtype if found is None or latents.dtype == torch.float64 else found[1]


def _tried(module: nn.Module, latent: tuple[int, ...]) -> Tensor:
    """Run a module twice on two latents, of which one is the same both times, and give what it makes."""
    if math.prod(latent) > MOST_NUMBERS:
        raise BadInputError(f"A latent has at most {MOST_NUMBERS} numbers, but the shape {shown(latent)} was given.")
    drawn = torch.randn((TRIED + 1, *latent), generator=torch.Generator().manual_seed(0))
    found = _device_and_dtype(module)
    if found is not None:
        drawn = drawn.to(*found)
    name = type(module).__name__
    with probing(module) as attempt:
        first, second = module(drawn[:TRIED]), module(drawn[::TRIED])
    if attempt.reason is not None:
        raise BadInputError(
            f"{name} cannot make images of latents {[TRIED, *latent]}: {attempt.reason}. Give the shape of the "
            "latents of one image, without the batch."
        )
    _check_images(first, name)
    first, second = widened(first), widened(second)
    if not torch.allclose(first[0], second[0], rtol=0, atol=SAME * float(first.abs().max())):
        raise BadInputError(
            f"{name} does not make the same image of the same latents: it draws random numbers, or looks at the "
            "rest of the batch. Wrap it in a module that holds its noise still."
        )
    return first.cpu()


def _check_images(made: object, name: str) -> None:
    if not isinstance(made, Tensor):
        raise BadInputError(
            f"{name} gives a {type(made).__name__}, not a tensor of images; wrap it in a module that returns the "
            "images alone, such as output.sample or output[0]."
        )
    if made.ndim != PLANE + 2 or len(made) != TRIED or not made.is_floating_point():
        raise BadInputError(
            f"{name} must give images [B, C, H, W] of {TRIED} latents, but it gives {list(made.shape)} of {made.dtype}."
        )
    if not bool(made.isfinite().all()):
        raise BadInputError(f"{name} gives inf or nan; see whether its weights are loaded.")
