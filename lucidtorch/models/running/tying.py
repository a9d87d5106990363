"""Readings of an output that the rest of the network is tied to, so that gradients to them can be taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor

Reader: TypeAlias = Callable[[Tensor], Tensor]
"""Selects numbers of a tensor and moves them to other places, as reading tokens as a map does."""


def tied(output: Tensor, values: Tensor, reader: Reader) -> Tensor:
    """Let a network go on with what it had, such that it depends on a reading of it."""
    found: Tensor = _Tie.apply(output, values, reader)
    return found


class _Tie(torch.autograd.Function):
    """The identity in `output`, with the gradient's read part led through `values`."""

    @staticmethod
    def forward(ctx: Any, output: Tensor, values: Tensor, reader: Reader) -> Tensor:
        ctx.reader, ctx.dtype = reader, values.dtype
        return output.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        with torch.enable_grad():
            ground = torch.zeros_like(grad, requires_grad=True)
            read = ctx.reader(ground)
        part = ctx.reader(grad)
        (put_back,) = torch.autograd.grad(read, ground, part)
        return grad - put_back, part.to(ctx.dtype), None
