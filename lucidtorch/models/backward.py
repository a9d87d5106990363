"""Backward passes: gradients of a score to images and layers, and the rules that replace the gradient."""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from lucidtorch.base.errors import RenderError
from lucidtorch.base.surroundings import one_at_a_time
from lucidtorch.models.inputs.convention import check_images
from lucidtorch.models.layers.directory import INPUT
from lucidtorch.models.layouts.layout import TOKENS
from lucidtorch.models.model import Model
from lucidtorch.models.running.address import CLASS, Address
from lucidtorch.models.running.capture import capture
from lucidtorch.models.running.frozen import frozen
from lucidtorch.models.running.redirect import rectifying

Score: TypeAlias = Callable[[Mapping[str, Tensor]], Tensor]
"""From activations by address to one number per image, `[B]`; every objective is one."""


@dataclass(frozen=True, eq=False)
class BackwardResult:
    """The score `[B]`, and activations and gradients by address, `[B, C, H, W]` or `[B, C]`."""

    score: Tensor
    activations: dict[str, Tensor]  # of all given layers, without gradients
    gradients: dict[str, Tensor]  # with respect to the requested layers


@one_at_a_time()
def backward(
    model: Model,
    images: Tensor,
    score: Score,
    layers: Sequence[str],
    to: Sequence[str] = (INPUT,),
    *,
    rule: AbstractContextManager[object] | None = None,
) -> BackwardResult:
    """Run a forward pass, and the backward pass of a score.

    The score of an image depends on that image alone, so each gradient is that of the image's own score. The network is
    not changed.
    """
    check_images(images, model.convention, model.name)
    pixels = images.detach().to(model.device, model.dtype).requires_grad_(True)
    named = list(dict.fromkeys([*layers, *to]))
    addresses = model.addresses([layer for layer in named if layer != INPUT], pixels.shape[2:])
    _check_readings(addresses, to)
    with (
        torch.enable_grad(),
        frozen(model.module),
        capture(model.module, addresses, model.feed) as run,
        contextlib.nullcontext() if rule is None else rule,
    ):
        seen = {INPUT: pixels, **run(model.normalize(pixels))}
        value = score(seen)
        asked = [seen[layer] for layer in to]
        found: Sequence[Tensor | None] = [None] * len(asked)
        if value.requires_grad:
            found = torch.autograd.grad(value.sum(), asked, allow_unused=True)
    gradients = {}
    for layer, grad in zip(to, found, strict=True):
        if not seen[layer].requires_grad:
            raise RenderError(f"The gradient does not reach {layer!r}: nothing in it depends on the image.")
        gradients[layer] = torch.zeros_like(seen[layer]) if grad is None else grad.detach()
    return BackwardResult(value.detach(), {layer: seen[layer].detach() for layer in named}, gradients)


def _check_readings(addresses: Mapping[str, Address], to: Sequence[str]) -> None:
    """Raise an error for layers on which the rest of the network does not depend."""
    wanted = [(layer, addresses[layer]) for layer in dict.fromkeys(to) if layer != INPUT]
    for layer, address in wanted:
        if address.parts or address.softmax or address.view not in ("", CLASS, TOKENS):
            raise RenderError(
                f"The gradient to {layer!r} cannot be taken: it is only a part of what {address.module!r} gives; name "
                f"a layer that gives one tensor."
            )
    calls = Counter((address.module, address.call) for _, address in wanted if address.layout is not None)
    for layer, address in wanted:
        if calls[address.module, address.call] > 1:
            raise RenderError(
                f"Ask for one gradient of {address.module!r} at a time; {layer!r} is one of several here."
            )


class BackwardRule(TorchFunctionMode):
    """A rule for the backward pass of ReLU and ReLU6 (modules, functions, methods, in place or not) and max pooling.

    A rule is active inside its `with` block, as in `backward(rule=...)`; enter each one once. All other operations have
    their true gradient under every rule, such as convolutions, batch norm, average pooling, sums, hardswish, leaky ReLU
    or GELU. The forward pass and the network are not changed.
    """

    def __init__(self, *, positive: bool = False, masked: bool = True, switches: bool = True) -> None:
        super().__init__()
        self.positive = positive  # whether only positive gradients pass a ReLU
        self.masked = masked  # whether the gradient is 0 where the output of a ReLU is
        self.switches = switches  # whether max pooling passes gradients to the maximum, or to a fixed position
        self.relus = self.max_poolings = 0  # the numbers in the forward pass so far

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        words = kwargs or {}
        call = rectifying(func, args, words)
        if call is not None and call.floor == 0 and torch.is_grad_enabled():
            self.relus += 1
            if self.positive or not self.masked:
                return call.given(_Rectified.apply(call.values, call.ceiling, self.positive, self.masked))
        found = func(*args, **words)
        if func in _MAX_POOLINGS and torch.is_grad_enabled():
            self.max_poolings += 1
            if not self.switches:
                return _unswitched(func, args, words, found)
        return found


def deconvnet(*, switches: bool = True) -> BackwardRule:
    """The rule of a deconvolutional network: each ReLU rectifies the gradient, whatever its input was.

    Formula: at a ReLU, R_below = max(0, R_above); at a max pooling, R_below is R_above at the place of the maximum.
    Source: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014.
    """
    return BackwardRule(positive=True, masked=False, switches=switches)


def guided() -> BackwardRule:
    """Guided backpropagation: a ReLU passes positive gradients only, and only where its output is positive.

    Formula: at a ReLU, R_below = max(0, R_above) where the input is above zero (and below 6, for ReLU6), otherwise 0.
    Source: Springenberg, Dosovitskiy, Brox and Riedmiller, "Striving for Simplicity", 2014.
    """
    return BackwardRule(positive=True)


def saliency() -> BackwardRule:
    """The true gradient.

    Source: Simonyan, Vedaldi and Zisserman, "Deep Inside Convolutional Networks", 2014.
    """
    return BackwardRule()


class _Rectified(torch.autograd.Function):
    """ReLU, or ReLU6 with an upper bound, with another backward pass."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, ceiling: float | None, positive: bool, masked: bool) -> Tensor:
        ctx.positive = positive
        if masked:  # not the values: the network may overwrite them in place
            ctx.save_for_backward((values > 0) & (values < ceiling) if ceiling is not None else values > 0)
        return values.clamp(min=0, max=ceiling)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        signal = grad.clamp(min=0) if ctx.positive else grad
        for opened in ctx.saved_tensors:
            signal = signal * opened
        return signal, None, None, None


class _Lent(torch.autograd.Function):
    """The identity, with the gradient passed to another tensor of the same shape."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, receiver: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor]:
        return None, grad


def _unswitched(
    function: Callable[..., Any], arguments: Sequence[Any], words: Mapping[str, Any], found: Tensor | tuple[Tensor, ...]
) -> Tensor | tuple[Tensor, ...]:
    """Pool, with the gradient passed to the centre of each window, or to the nearest position inside the image."""
    values: Tensor = arguments[0] if arguments else words["input"]
    pooled = found if isinstance(found, Tensor) else found[0]
    axes = next(axes for axes in (1, 2, 3) if f"pool{axes}d" in function.__name__)
    sides, counts = values.shape[-axes:], pooled.shape[-axes:]
    if _MAX_POOLINGS[function]:
        places = [_of_even_parts(side, count) for side, count in zip(sides, counts, strict=True)]
    else:
        windows = _windows(*arguments[1:], **{name: value for name, value in words.items() if name != "input"})
        each = zip(sides, counts, *(_by_axis(one, axes) for one in windows), strict=True)
        places = [_of_windows(*axis) for axis in each]
    for axis, one in enumerate(places, start=-axes):  # gradients are summed where windows share a position
        values = values.index_select(axis, torch.tensor(one, device=values.device))
    lent: Tensor = _Lent.apply(pooled.detach(), values)
    return lent if isinstance(found, Tensor) else (lent, *found[1:])


def _windows(
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Any, Any, Any, Any]:
    """Bind the arguments by the common signature of PyTorch's max poolings."""
    return kernel_size, kernel_size if stride is None or stride == () or stride == [] else stride, padding, dilation


def _by_axis(value: Any, axes: int) -> tuple[int, ...]:
    found = tuple(value) if isinstance(value, Sequence) else (value,)
    return found * axes if len(found) == 1 else found


def _of_windows(side: int, count: int, kernel: int, stride: int, padding: int, dilation: int) -> list[int]:
    return [_place(side, number * stride - padding, kernel, dilation) for number in range(count)]


def _place(side: int, start: int, kernel: int, dilation: int) -> int:
    middle = (kernel - 1) // 2
    inside = [tap for tap in range(kernel) if 0 <= start + tap * dilation < side]
    nearest = min(inside, key=lambda tap: abs(tap - middle), default=middle)
    return min(max(start + nearest * dilation, 0), side - 1)


def _of_even_parts(side: int, count: int) -> list[int]:
    """The centres of the windows of adaptive pooling."""
    ends = [(part * side // count, math.ceil((part + 1) * side / count)) for part in range(count)]
    return [begin + (end - begin - 1) // 2 for begin, end in ends]


# The max pooling functions, and whether each is adaptive.
_MAX_POOLINGS: dict[Callable[..., Any], bool] = {
    **{getattr(F, f"max_pool{axes}d{end}"): False for axes in (1, 2, 3) for end in ("", "_with_indices")},
    **{getattr(F, f"adaptive_max_pool{axes}d{end}"): True for axes in (1, 2, 3) for end in ("", "_with_indices")},
    **dict.fromkeys((torch.max_pool1d, torch.max_pool1d_with_indices, torch.max_pool2d, torch.max_pool3d), False),
    torch.adaptive_max_pool1d: True,
}
