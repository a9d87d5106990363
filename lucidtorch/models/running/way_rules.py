"""Rules of the way back: how a signal goes down through a network, where that is not the true gradient.

Each rule changes ReLU and ReLU6 (modules, functions and methods, in place or not), or max pooling. All else has its
true gradient under every rule: convolutions, batch norm, average pooling, concatenation, sums, local response
normalization, and all other nonlinearities, such as hardswish, leaky ReLU or GELU. The values of the forward pass, and
the network itself, stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from lucidtorch.models.running.fixed_places import MAX_POOLINGS, fixed_places, picked
from lucidtorch.models.running.rectifiers import rectifying


class WayRule(TorchFunctionMode):
    """A rule while it is entered, as `way_back(rule=...)` does; enter each one once.

    Args:
        positive: Whether only what is above zero of the signal goes down through a ReLU.
        masked: Whether a ReLU lets nothing down where it let nothing up.
        switches: Whether a max pooling leads the signal to where the maximum was; to a fixed place of each window if
            not.
    """

    def __init__(self, *, positive: bool = False, masked: bool = True, switches: bool = True) -> None:
        super().__init__()
        self.positive, self.masked, self.switches = positive, masked, switches
        self.relus = self.max_poolings = 0  # how many the forward pass has met so far

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        words = kwargs or {}
        call = rectifying(func, args, words)
        if call is not None and torch.is_grad_enabled():
            self.relus += 1
            if self.positive or not self.masked:
                return call.given(_Rectified.apply(call.values, call.ceiling, self.positive, self.masked))
        found = func(*args, **words)
        if func in MAX_POOLINGS and torch.is_grad_enabled():
            self.max_poolings += 1
            if not self.switches:
                return _unswitched(func, args, words, found)
        return found


def deconvnet(*, switches: bool = True) -> WayRule:
    """The way down of a deconvolutional network: each ReLU rectifies the signal, whatever was below zero on the way up.

    Formula: at a ReLU, R_below = max(0, R_above); at a max pooling, R_below is R_above at the place of the maximum.
    Source: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014.
    """
    return WayRule(positive=True, masked=False, switches=switches)


def guided() -> WayRule:
    """Guided backpropagation: a ReLU lets down what is above zero, and only where it let something up.

    Formula: at a ReLU, R_below = max(0, R_above) where the input is above zero (and below 6, for ReLU6), otherwise 0.
    Source: Springenberg, Dosovitskiy, Brox and Riedmiller, "Striving for Simplicity", 2014.
    """
    return WayRule(positive=True)


def saliency() -> WayRule:
    """The true gradient.

    Source: Simonyan, Vedaldi and Zisserman, "Deep Inside Convolutional Networks", 2014.
    """
    return WayRule()


class _Rectified(torch.autograd.Function):
    """ReLU, or ReLU6 with a ceiling, with another way down."""

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
    """A value whose gradient goes to another tensor of its shape."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, receiver: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor]:
        return None, grad


def _unswitched(
    function: Callable[..., Any], arguments: Sequence[Any], words: Mapping[str, Any], found: Tensor | tuple[Tensor, ...]
) -> Tensor | tuple[Tensor, ...]:
    """Give what a max pooling gave, with the way down to the fixed places."""
    values: Tensor = arguments[0] if arguments else words["input"]
    pooled = found if isinstance(found, Tensor) else found[0]
    axes = next(axes for axes in (1, 2, 3) if f"pool{axes}d" in function.__name__)
    places = fixed_places(function, arguments, words, values.shape[-axes:], pooled.shape[-axes:])
    lent: Tensor = _Lent.apply(pooled.detach(), picked(values, places))
    return lent if isinstance(found, Tensor) else (lent, *found[1:])
