"""Objectives on textures: which channels of a layer act together, wherever in the image that is."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor

from lucidtorch.base.arrays import ImageLike
from lucidtorch.base.bounds import Within
from lucidtorch.objectives.norms import root
from lucidtorch.objectives.pairs import both
from lucidtorch.objectives.term import objective
from lucidtorch.objectives.trace import Activations, Memory


def grams(values: Tensor) -> Tensor:
    """Sum the products of every two channels over positions."""
    flat = values.flatten(2) if values.ndim > 2 else values.unsqueeze(2)
    return torch.einsum("bip,bjp->bij", flat, flat)


@objective
def style(
    activations: Activations,
    layer: str,
    image: ImageLike,
    distance: Literal["L1", "L2"] = "L1",
    decay: Annotated[float, Within(0, 1, below=True)] = 0,
    *,
    memory: Memory,
) -> Tensor:
    """How far a layer's textures are from those of a given picture: subtract it to paint in that picture's manner.

    The two may differ in size. Add one term for each layer of the style. With a decay, what is compared is the mean of
    the Gram matrix over the updates so far, the latest counting most, which calms a render whose steps each see only a
    part of it; the gradient goes to the latest alone.

    Formula: mean of |G - G0| (``L1``), or sqrt(mean of (G - G0)^2) (``L2``), with G = A A^T / n, A the `[C, n]`
        activations at n positions, and G0 that of the picture; with a decay, G stands for
        G + stop_gradient(average(G) - G), average = (sum of decay^k G_k) / (sum of decay^k), k updates ago.
    Source: Lucid's `StyleLoss`, whose average starts at 0 instead; its notebook's decay is 0.95.

    Args:
        activations: Address to activations.
        layer: The address of the layer.
        image: The picture, `[C, H, W]` in [0, 1], or one per image.
        distance: ``L1`` or ``L2``.
        decay: How much of its weight a Gram matrix keeps from update to update, from 0 (no average) to below 1.
        memory: What is kept of the updates so far.

    Returns:
        `[B]`.

    Raises:
        ObjectiveError: The distance or the decay is none of those, or there are not as many pictures as images.
    """
    found, given = map(_texture, both(activations, layer, image))
    if decay:
        found = _average(found.detach(), decay, memory) + (found - found.detach())
    gaps = (found - given).flatten(1)
    return gaps.abs().mean(1) if distance == "L1" else root(gaps.square().mean(1))


def _texture(values: Tensor) -> Tensor:
    """Average the products of every two channels over positions."""
    positions = values[0, 0].numel()
    return grams(values) / positions


def _average(latest: Tensor, decay: float, memory: Memory) -> Tensor:
    """Take another Gram matrix into the average over the updates."""
    total, weight = memory.get("total"), memory.get("weight")
    memory["total"] = latest if total is None else decay * total + latest
    memory["weight"] = torch.ones_like(latest[:1, :1, :1]) if weight is None else decay * weight + 1
    return memory["total"] / memory["weight"]
