"""What every module of a network gives, as the tracer sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from lucidtorch.models.axes.field_tracer import FieldTracer
from lucidtorch.models.axes.layout import Layout

Seen = dict[str, tuple[Tensor, Layout | None]]


def seen_in(net: nn.Module, size: tuple[int, ...], channels: int = 3) -> Seen:
    """What every module gives, with the layout that was traced; the first tensor of a tuple, the last call."""
    torch.manual_seed(0)
    images = torch.rand(2, channels, *size)
    tracer = FieldTracer(images)
    found: Seen = {}

    def hook_of(name: str) -> Callable[..., None]:
        def hook(_: nn.Module, __: object, output: Any) -> None:
            value = output if isinstance(output, Tensor) else output[0]
            if isinstance(value, Tensor):
                found[name] = (value, tracer.layout(value))

        return hook

    hooks = [module.register_forward_hook(hook_of(name)) for name, module in net.eval().named_modules()]
    with torch.no_grad(), tracer:
        net(images)
    for hook in hooks:
        hook.remove()
    return found


def applied(seen: Seen, name: str) -> Tensor:
    value, layout = seen[name]
    assert layout is not None, name
    return layout.apply(value)


def words(seen: Seen, name: str) -> str:
    return str(seen[name][1])
