"""A generator network as prior: only its latents are optimized."""

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
TRIED = 2  # latents in a test batch: the images must not depend on each other
SAME = 1e-4  # relative to the largest value: a rounding error
MANY = 0.25  # share of the pixels outside the range, above which the range is probably wrong


class Generated(Param):
    """Images that a module generates from latents, of the shape `made`, `[C, H, W]`. Created by `generated`."""

    arrays = ()
    is_text = False  # a module cannot be parsed
    latents: nn.Parameter
    place: Tensor

    def __init__(self, module: nn.Module, arguments: dict[str, Any], made: Size) -> None:
        super().__init__()
        self.arguments = arguments  # of `generated`, without the module
        self.made = made
        self.batch, self.channels = arguments["batch"], made[0]
        self.size = made[1:] if arguments["size"] is None else size_pair(arguments["size"])
        self.low, self.high = arguments["value_range"]
        if not self.low < self.high:
            raise BadInputError(
                f"generated(value_range=) is (low, high) with low < high, not ({self.low:g}, {self.high:g})."
            )
        self.borrowed = SharedModule(module)
        self.bounds = Clip((0.0,) * made[0])
        self.register_buffer("place", torch.zeros(()), persistent=False)  # has the device of the latents
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
        """Return the same param, not filled, for another number of images."""
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
    """Generate the images by a module, such as a decoder or the generator of a GAN, from optimized latents.

    The module runs in eval mode without gradients of its weights, and is restored afterwards. If the latents are on
    another device or in float64, a copy of it runs. This call runs it on two latents to check its output. The param
    cannot be parsed from text, and has no inverse.

    Formula: images = clip((module(latents) - low) / (high - low)); at the start latents ~ N(0, sd ** 2). Gradients
        of clipped pixels pass if they lead back into the range.
    Source: Nguyen et al. 2016, "Synthesizing the preferred inputs for neurons in neural networks via deep generator
        networks".

    Args:
        module: Maps latents `[B, *latent]` to images `[B, C, H, W]`, each from its own latents alone.
        latent: The shape of the latents of one image, such as 128 or `[4, 16, 16]`.
        size: Pixels on each side, or (height, width), to which the output is scaled; the output's own size if None.
        batch: The number of images.
        value_range: The output values of black and white: `(-1, 1)` for most GANs.
        sd: The initial standard deviation of the latents; that with which the module was trained.

    Raises:
        BadInputError: An argument is invalid, or the module returns no images for such latents, or is not
            deterministic.

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


class SharedModule:
    """The user's module: shared by all copies of a param, and not part of its parameters or state."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self._copy: nn.Module | None = None

    def __call__(self, latents: Tensor) -> Tensor:
        """Run the module, or a copy of the needed device and dtype, in eval mode without gradients of its weights."""
        module = self._module_for(latents)
        with frozen(module):
            made: Tensor = module(latents.to(_dtype(module, latents)))
        return widened(made)

    def _module_for(self, latents: Tensor) -> nn.Module:
        """Return the module if it has the needed device and dtype, else a copy that has."""
        wanted = (latents.device, _dtype(self.module, latents))
        if _device_and_dtype(self.module) in (None, wanted):
            return self.module
        if self._copy is None or _device_and_dtype(self._copy) != wanted:
            self._copy = copy.deepcopy(self.module).to(*wanted)
        return self._copy

    def __reduce__(self) -> tuple[type[SharedModule], tuple[nn.Module]]:
        return SharedModule, (self.module,)

    def __deepcopy__(self, memo: dict[int, Any]) -> SharedModule:
        return SharedModule(self.module)


def _latent_shape(arguments: dict[str, Any]) -> tuple[int, ...]:
    latent = arguments["latent"]
    return latent if isinstance(latent, tuple) else (latent,)


def _device_and_dtype(module: nn.Module) -> tuple[torch.device, torch.dtype] | None:
    """Return the device and the dtype of a module; None if it has no parameters or buffers."""
    numbers = (one for one in (*module.parameters(), *module.buffers()) if one.is_floating_point())
    return next(((one.device, one.dtype) for one in numbers), None)


def _dtype(module: nn.Module, latents: Tensor) -> torch.dtype:
    """Return the dtype in which a module runs: its own, but float64 for latents in float64."""
    found = _device_and_dtype(module)
    return latents.dtype if found is None or latents.dtype == torch.float64 else found[1]


def _tried(module: nn.Module, latent: tuple[int, ...]) -> Tensor:
    """Run a module on two batches that share one latent, check the output, and return that of the first."""
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
            f"{name} does not make the same image of the same latents: it draws random numbers, or depends on the "
            "rest of the batch. Wrap it in a module with fixed noise."
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
        raise BadInputError(f"{name} gives inf or nan; check that its weights are loaded.")
