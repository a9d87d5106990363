"""Objectives on tokens: what one channel of a transformer says at the class token, a register or a patch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lucidtorch.base.errors import ObjectiveError, UnitError
from lucidtorch.base.transfers import sent
from lucidtorch.objectives.selection import select_channel
from lucidtorch.objectives.term import check_unit, view_objective, viewed
from lucidtorch.objectives.trace import Activations

TOKENS = "[tokens]"


def _all_tokens(**_: object) -> Sequence[str]:
    return (TOKENS,)


@view_objective(_all_tokens)
def token(
    activations: Activations, layer: str, index: int | Sequence[int], position: int | Sequence[int] = 0
) -> Tensor:
    """The activation of one channel at one token: what a transformer gathers there, by default in its class token.

    Formula: a[n, k], with n the token and k the channel.
    Source: the class token and registers of vision transformers, as units.

    Args:
        activations: Address to activations; those of `layer[tokens]` are `[B, C, N]`.
        layer: The address of a layer whose outputs are tokens.
        index: The channel, from 0; or one channel per image.
        position: The token, from 0, or one token per image. Where a network has a class token and registers, they stand
            first, and the image's own tokens follow row by row.

    Returns:
        `[B]`.

    Raises:
        UnitError: The layer has no such channel or token.
        ObjectiveError: There are not as many channels or tokens as images.

    Example:
        >>> token("encoder.layers.encoder_layer_11", 5)
        token('encoder.layers.encoder_layer_11', 5)
    """
    values = viewed(activations, layer, TOKENS)
    if values.ndim != 3:
        raise UnitError(f"{layer!r} has no tokens [B, C, N], but values {list(values.shape)}; use `neuron`.")
    selected = select_channel(values, index, layer)
    batch, count = selected.shape
    if not isinstance(position, tuple | list):
        return selected[:, check_unit(position, count, "tokens", layer)]
    if len(position) != batch:
        raise ObjectiveError(f"{len(position)} tokens of {layer!r} are named for {batch} images; name one per image.")
    chosen = [check_unit(one, count, "tokens", layer) for one in position]
    return selected[torch.arange(batch, device=values.device), sent(torch.tensor(chosen), values.device)]
