"""Dead starts: a ReLU that blocks an image's whole gradient lets the part through that would wake it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from lucidtorch.models.running.rectifiers import rectifying

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
        below = values <= HARDSWISH_FLOOR
        slope = torch.ops.aten.hardswish_backward(torch.ones_like(values), values)
        ctx.save_for_backward(slope.masked_fill(below, 0), below)  # at -3 itself torch 2.6 gives the slope above it
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
        words = kwargs or {}
        if not torch.is_grad_enabled():
            return func(*args, **words)
        if func is F.hardswish:
            values = args[0] if args else words["input"]
            in_place = bool(words.get("inplace")) or (len(args) > 1 and args[1] is True)
            redirected = _RedirectedHardswish.apply(values, None)
            return values.copy_(redirected) if in_place else redirected
        call = rectifying(func, args, words)
        if call is None:
            return func(*args, **words)
        return call.given(_RedirectedReLU.apply(call.values, call.ceiling))
