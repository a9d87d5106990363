"""What every module of a network gives, and the layout that its table of layers has for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from lucidtorch.models.layouts.layout import Layout
from lucidtorch.models.loading import load_model

Seen = dict[str, tuple[Tensor, Layout | None]]


def seen_in(net: nn.Module, size: tuple[int, ...], channels: int = 3) -> Seen:
    """What every module gives, with its layout; the first tensor of a tuple, the last call."""
    torch.manual_seed(0)
    table = load_model(net.eval(), mean=0.0, std=1.0, channels=channels, size=size).layers
    assert table.broken is None
    places = [place for place in table.directory.places.values() if place.parts == place.call.main]
    layouts = {place.call.module: None if place.leaf is None else place.leaf.layout for place in places}
    images = torch.rand(2, channels, *size)
    found: Seen = {}

    def hook_of(name: str) -> Callable[..., None]:
        def hook(_: nn.Module, __: object, output: Any) -> None:
            value = output if isinstance(output, Tensor) else output[0]
            if isinstance(value, Tensor):
                found[name] = (value, layouts.get(name))

        return hook

    hooks = [module.register_forward_hook(hook_of(name)) for name, module in net.named_modules()]
    with torch.no_grad():
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
