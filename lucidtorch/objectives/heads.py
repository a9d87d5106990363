"""Objectives on attention heads: what one head writes before the output projection mixes the heads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lucidtorch.base.errors import ObjectiveError
from lucidtorch.objectives.projection import mean_over_space
from lucidtorch.objectives.selection import select_channel
from lucidtorch.objectives.term import view_objective, viewed
from lucidtorch.objectives.trace import Activations


def _own_heads(index: object, **_: object) -> Sequence[str]:
    heads = index if isinstance(index, tuple | list) else (index,)
    return tuple(dict.fromkeys(f"[heads][{head}]" for head in heads))


@view_objective(_own_heads)
def head(
    activations: Activations, layer: str, index: int | Sequence[int], channel: int | Sequence[int] | None = None
) -> Tensor:
    """What one attention head writes: all of it, or one of its channels, averaged over the image.

    Formula: mean over positions and channels of a[head k] ** 2, or mean over positions of its channel c.
    Source: attention heads as units, as in the notebooks on transformers that followed Lucid's.

    Args:
        activations: Address to activations; those of `layer[heads][k]` are `[B, C, H, W]`, with the C channels of
            head k.
        layer: The address of a module that computes attention.
        index: The head, from 0; or one head per image.
        channel: The channel within the head, from 0, or one per image, whose mean is taken. The mean square over all
            of the head's channels, as in `deepdream`, where None.

    Returns:
        `[B]`.

    Raises:
        UnitError: The head has no such channel.
        ObjectiveError: There are not as many heads or channels as images.

    Example:
        >>> head("encoder.layers.encoder_layer_3.self_attention", 2)
        head('encoder.layers.encoder_layer_3.self_attention', 2)
    """
    values = _of_images(activations, layer, index)
    if channel is None:
        return values.square().flatten(1).mean(1)
    return mean_over_space(select_channel(values, channel, layer))


def _of_images(activations: Activations, layer: str, index: int | Sequence[int]) -> Tensor:
    if not isinstance(index, tuple | list):
        return viewed(activations, layer, *_own_heads(index))
    found = [viewed(activations, layer, *_own_heads(one)) for one in index]
    if len(found) != len(found[0]):
        raise ObjectiveError(
            f"{len(found)} heads of {layer!r} are named for {len(found[0])} images; name one per image."
        )
    return torch.stack([values[image] for image, values in enumerate(found)])
