"""Objectives on the image itself, or on any map: penalties that the user subtracts."""

from __future__ import annotations

import torch
from torch import Tensor

from lucidtorch.base.errors import ObjectiveError
from lucidtorch.objectives.term import objective
from lucidtorch.objectives.trace import Activations

INPUT = "input"


@objective
def total_variation(activations: Activations, layer: str = INPUT) -> Tensor:
    """How much neighbouring values differ: subtract a little of it for a smoother picture.

    Lucid's `total_variation`: the sum of abs(differences) down the rows plus the same along the columns, over all
    channels; in clips and volumes, from frame to frame too.

    Args:
        activations: Address to activations.
        layer: The address of the map; the image where left out.

    Returns:
        `[B]`.

    Raises:
        ObjectiveError: The layer has no positions.
    """
    values = activations[layer]
    if values.ndim < 4:
        raise ObjectiveError(
            f"`total_variation` needs a map [B, C, H, W], but {layer!r} has no positions; use L1 or L2."
        )
    along = [values.diff(dim=axis).abs().flatten(1).sum(1) for axis in range(2, values.ndim)]
    return torch.stack(along).sum(0)


@objective
def L1(activations: Activations, layer: str = INPUT, constant: float = 0) -> Tensor:
    """The sum of absolute distances from a constant: subtract it to keep a picture near that value.

    Args:
        activations: Address to activations.
        layer: The address of the map; the image where left out.
        constant: The value to measure from; 0.5 is the grey of an image.

    Returns:
        `[B]`.
    """
    return (activations[layer] - constant).abs().flatten(1).sum(1)


@objective
def L2(activations: Activations, layer: str = INPUT, constant: float = 0, epsilon: float = 1e-6) -> Tensor:
    """The Euclidean distance from a constant: subtract it to keep a picture near that value.

    Args:
        activations: Address to activations.
        layer: The address of the map; the image where left out.
        constant: The value to measure from; 0.5 is the grey of an image.
        epsilon: Added under the root, so that the gradient is finite at distance 0 (Lucid's 1e-6).

    Returns:
        `[B]`.
    """
    return (epsilon + (activations[layer] - constant).square().flatten(1).sum(1)).sqrt()
