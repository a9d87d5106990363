"""The way back through a network: how what it says of images depends on them, and on its layers."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from lucidtorch.base.errors import RenderError
from lucidtorch.base.surroundings import one_at_a_time
from lucidtorch.models.inputs.normalization import check_images
from lucidtorch.models.layers.address import Address
from lucidtorch.models.layers.directory import INPUT
from lucidtorch.models.layers.views import CLASS, TOKENS
from lucidtorch.models.model import Model
from lucidtorch.models.running.capture import capture
from lucidtorch.models.running.frozen import frozen

Score: TypeAlias = Callable[[Mapping[str, Tensor]], Tensor]
"""From activations by address to one number per image, `[B]`; every objective is one."""


@dataclass(frozen=True, eq=False)
class WayBack:
    """What came of a pass forward and back.

    Args:
        score: `[B]`.
        activations: By address, `[B, C, H, W]` or `[B, C]`, of all layers that were named, without gradients.
        gradients: By address, of the layers whose gradients were asked for, of the same shapes.
    """

    score: Tensor
    activations: dict[str, Tensor]
    gradients: dict[str, Tensor]


@one_at_a_time()
def way_back(
    model: Model,
    images: Tensor,
    score: Score,
    layers: Sequence[str],
    to: Sequence[str] = (INPUT,),
    *,
    rule: AbstractContextManager[object] | None = None,
) -> WayBack:
    """Run images through a network, and the gradient of a score back.

    The score of an image depends on that image alone, so the gradients are those of each image's own score. The network
    is left as it was.
    """
    check_images(images, model.convention.channels, model.name, dims=len(model.convention.size))
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
    _check(dict(zip(to, asked, strict=True)))
    return WayBack(
        value.detach(),
        {layer: seen[layer].detach() for layer in named},
        {
            layer: torch.zeros_like(seen[layer]) if grad is None else grad.detach()
            for layer, grad in zip(to, found, strict=True)
        },
    )


def _check_readings(addresses: Mapping[str, Address], to: Sequence[str]) -> None:
    """Refuse layers that the rest of the network does not go on with."""
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


def _check(asked: Mapping[str, Tensor]) -> None:
    for layer, values in asked.items():
        if not values.requires_grad:
            raise RenderError(f"The gradient does not reach {layer!r}: nothing in it depends on the image.")
