"""Taking what an address names out of what a module gave in a forward pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn

from lucidtorch.base.errors import RenderError, UnknownLayerError
from lucidtorch.models.layers.address import Address
from lucidtorch.models.layers.outputs import gives, pick
from lucidtorch.models.layers.views import CLASS, COUNTED, HEADS, TOKENS, channels_of_head
from lucidtorch.models.running.recurrent import CELL, HIDDEN, OUTPUT, cell_states, time_axis


@dataclass(frozen=True, slots=True)
class Pass:
    """One call of one module, as a forward hook sees it.

    Args:
        layer: The module.
        args: What it was called with, by place.
        kwargs: What it was called with, by name.
        output: What it gave.
        heads: What its attention heads gave, where it was watched.
    """

    layer: nn.Module
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    output: object
    heads: Tensor | None = None


def read(address: Address, seen: Pass) -> Tensor:
    """Take the activations that an address names."""
    if address.view in (OUTPUT, HIDDEN, CELL):
        return _state(address, seen)
    raw = seen.heads if address.view == HEADS else pick(seen.output, address.parts)
    if address.view == HEADS and raw is None:
        raise RenderError(f"Layer {address.module!r} computed no attention in this forward pass.")
    if not isinstance(raw, Tensor):
        raise RenderError(f"Layer {address.module!r} {gives(raw)}, not one tensor; name a part of it.")
    layout = address.layout
    if layout is None:
        return raw
    if address.view == CLASS:
        return layout.tokens(raw)[:, :, 0]
    if address.view == TOKENS:
        return _selected(layout.tokens(raw), 2, address)
    values = layout.apply(raw)
    if address.view != HEADS or address.index is None:
        return values
    return _selected(torch.unflatten(values, 1, (-1, channels_of_head(raw, layout))), 1, address)


def is_rearranged(output: object, address: Address) -> TypeGuard[Tensor]:
    """Say whether what an address names is a part of a module's one output in other places, such as tokens as a map."""
    plain = address.view in ("", CLASS, TOKENS) and not address.parts and not address.softmax
    return plain and address.layout is not None and isinstance(output, Tensor)


def _state(address: Address, seen: Pass) -> Tensor:
    """Take states over time, `[B, C, 1, T]`, or one step `[B, C]`."""
    layer: Any = seen.layer
    axis = time_axis(layer)
    if address.view == CELL:
        given = dict(zip(("input", "hx"), seen.args, strict=False)) | dict(seen.kwargs)
        values = cell_states(layer, given["input"], given.get("hx"))
    else:
        values = pick(seen.output, (0,))
    if address.index is not None:
        return _selected(values, axis, address)
    return values.permute(1 - axis, 2, axis)[:, :, None]


def _selected(values: Tensor, axis: int, address: Address) -> Tensor:
    """Take one token, head or step, where a number says which."""
    index, count = address.index, values.shape[axis]
    if index is None:
        return values
    if not -count <= index < count:
        raise UnknownLayerError(
            f"'{address.module}[{address.view}]' has {count} {COUNTED[address.view]} for images of this size, [0] to "
            f"[{count - 1}], but [{index}] was given."
        )
    return values.select(axis, index)
