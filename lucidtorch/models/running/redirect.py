"""Dead starts: a ReLU that blocks an image's whole gradient lets the part through that would wake it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

STEPS = 16  # Lucid: only the first updates are redirected
HARDSWISH_FLOOR = -3.0  # where hardswish begins to rise


class _RedirectedReLU(torch.autograd.Function):
    """ReLU, or ReLU6 with a ceiling, whose gradient is redirected image by image; signs are those of a loss.

    An image whose gradient is blocked everywhere gets the gradient of the identity instead, without the part that
    would push further into the flat sides: Lucid's `redirected_relu_grad` and `redirected_relu6_grad`.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor, ceiling: float | None) -> Tensor:
        above = values > ceiling if ceiling is not None else torch.zeros_like(values, dtype=torch.bool)
        open_side = (values > 0) & (values < ceiling) if ceiling is not None else values > 0
        ctx.save_for_backward(open_side, values < 0, above)  # not the values: the network may overwrite them in place
        return values.clamp(min=0, max=ceiling)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        open_side, below, above = ctx.saved_tensors
        return _redirected(grad * open_side, grad, below, above), None


class _RedirectedHardswish(torch.autograd.Function):
    """Hardswish, x · relu6(x + 3) / 6, redirected likewise: it is flat from -3 down."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, _: None) -> Tensor:
        slope = torch.ops.aten.hardswish_backward(torch.ones_like(values), values)
        ctx.save_for_backward(slope, values <= HARDSWISH_FLOOR)
        return F.hardswish(values)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        slope, below = ctx.saved_tensors
        return _redirected(grad * slope, grad, below, torch.zeros_like(below)), None


def _redirected(passed: Tensor, grad: Tensor, below: Tensor, above: Tensor) -> Tensor:
    """Give the images whose whole gradient is blocked the part of it that leads out of the flat sides."""
    outward = (below & (grad > 0)) | (above & (grad < 0))
    blocked = (passed == 0).flatten(1).all(1).reshape(-1, *[1] * (grad.ndim - 1))
    return torch.where(blocked, grad.masked_fill(outward, 0), passed)


class redirected_relu(TorchFunctionMode):  # noqa: N801  # used as `with redirected_relu():`
    """While the block runs, every ReLU, ReLU6 and Hardswish, module or function, has the redirected gradient.

    The network itself is not touched. The signs are those of a loss that is minimized.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        known = _FUNCTIONS.get(func)
        if known is None or not torch.is_grad_enabled():
            return func(*args, **kwargs)
        ceiling, in_place = known
        values = args[0] if args else kwargs["input"]
        if func is F.hardtanh or func is F.hardtanh_:
            low, high = _bounds(args, kwargs)
            if low != 0:
                return func(*args, **kwargs)
            ceiling = high
        if func is F.hardswish:
            redirected = _RedirectedHardswish.apply(values, None)
        else:
            redirected = _RedirectedReLU.apply(values, ceiling)
        if in_place or kwargs.get("inplace") or (len(args) > 1 and args[-1] is True):
            return values.copy_(redirected)
        return redirected


def _bounds(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[float, float]:
    low = args[1] if len(args) > 1 else kwargs.get("min_val", -1.0)
    high = args[2] if len(args) > 2 else kwargs.get("max_val", 1.0)
    return low, high


# Each function with its ceiling, and whether it always works in place.
_FUNCTIONS: dict[Callable[..., Any], tuple[float | None, bool]] = {
    F.relu: (None, False),
    F.relu_: (None, True),
    torch.relu: (None, False),
    torch.relu_: (None, True),
    Tensor.relu: (None, False),
    Tensor.relu_: (None, True),
    F.relu6: (6.0, False),
    F.hardtanh: (None, False),
    F.hardtanh_: (None, True),
    F.hardswish: (None, False),
}
