"""Objectives on how rough a picture is: penalties that the user subtracts.

The weights that are named here suit a unit whose value reaches 1, in a picture of about 100 x 100 pixels. They grow
with the value (those of InceptionV1 reach hundreds) and, where a size is a sum, shrink with the number of pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from lucidtorch.base.bounds import AtLeastOne, Count
from lucidtorch.base.errors import ObjectiveError
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import PLANE
from lucidtorch.objectives.norms import root
from lucidtorch.objectives.references import INPUT
from lucidtorch.objectives.selection import MAP_AXES
from lucidtorch.objectives.term import objective
from lucidtorch.objectives.trace import Activations

RIM_WEIGHT = 0.5  # Lucid: of the outermost taps of a blur; those inside weigh 1
NARROW, BROAD = 3, 5  # Lucid: the taps of the blur of the input, and of the one at the boundary
GREY_SHARE = 0.8  # Lucid: how much the distance from grey counts at the boundary


@objective
def total_variation(activations: Activations, layer: str = INPUT) -> Tensor:
    """How much neighbouring values differ: subtract a little of it for a smoother picture.

    In clips and volumes, the differences from frame to frame count too. Weights of about 1e-4 (Lucid's notebooks take
    0.25 on InceptionV1).

    Formula: sum of |a[y + 1, x] - a[y, x]| + sum of |a[y, x + 1] - a[y, x]|, over all channels.
    Source: Lucid's `total_variation`.

    Args:
        activations: Address to activations.
        layer: The address of the map; the image where left out.

    Returns:
        `[B]`.

    Raises:
        ObjectiveError: The layer has no positions.
    """
    values = mapped_values(activations, layer, "total_variation")
    along = [values.diff(dim=axis).abs().flatten(1).sum(1) for axis in range(2, values.ndim)]
    return torch.stack(along).sum(0)


@objective
def tv_beta(activations: Activations, layer: str = INPUT, beta: AtLeastOne = 2) -> Tensor:
    """How steep a picture is: subtract it for a smoother picture, with a large beta for one without sharp edges.

    The last row and the last column have no next one, and are left out. In clips and volumes, the difference to the
    next frame is a third square. Weights of 1e-3 to 1e-2.

    Formula: sum of ((a[y, x + 1] - a[y, x])^2 + (a[y + 1, x] - a[y, x])^2)^(beta/2), over all channels.
    Source: Mahendran and Vedaldi 2015; keras-vis's `TotalVariation`.

    Args:
        activations: Address to activations.
        layer: The address of the map; the image where left out.
        beta: The power, 1 or more; 1 is the length of the gradient, and 2 its square.

    Returns:
        `[B]`.

    Raises:
        ObjectiveError: The layer has no positions, or the power is below 1.
    """
    values = mapped_values(activations, layer, "tv_beta")
    axes = range(2, values.ndim)
    steps = torch.zeros_like(_without_last(values, axes))
    for axis in axes:
        across = [other for other in axes if other != axis]
        steps = steps + _without_last(values, across).diff(dim=axis).square()
    return root(steps, 2 / beta).flatten(1).sum(1)


@objective
def blur_input(activations: Activations, layer: str = INPUT) -> Tensor:
    """How far a picture is from its blurred self: subtracting k of it moves every step a share k toward the blur.

    The blur is the weighted mean of the 3 x 3 places around, 1 in the middle and 0.5 around it; places outside the
    picture do not count. It is held still, so that the gradient is the difference itself. Weights of about 0.01.

    Formula: 1/2 sum of (a - blur(a))^2, without a gradient through blur(a).
    Source: Lucid's `blur_input_each_step`.

    Args:
        activations: Address to activations.
        layer: The address of the map; the image where left out.

    Returns:
        `[B]`.

    Raises:
        ObjectiveError: The layer has no positions.
    """
    values = mapped_values(activations, layer, "blur_input")
    return toward_blur(values)


@objective
def boundary_complexity(
    activations: Activations, layer: str = INPUT, width: Count = 20, constant: float = 0.5
) -> Tensor:
    """How much there is near the edges of a picture: subtract it for pictures that fade to grey at their border.

    The blur is the weighted mean of the 5 x 5 places around, 1 inside and 0.5 in the outermost ring. Weights of 0.01 to
    0.1.

    Formula: sum over places nearer than width to an edge of (blur(a) - a)^2 + 0.8 (a - constant)^2.
    Source: Lucid's `penalize_boundary_complexity`, with the sign turned.

    Args:
        activations: Address to activations.
        layer: The address of the map; the image where left out.
        width: How many places from each edge inwards count, 1 or more.
        constant: The value that the border shall have; the grey of an image where left out.

    Returns:
        `[B]`.

    Raises:
        ObjectiveError: The layer has no positions, or the width is no whole number from 1.
    """
    values = mapped_values(activations, layer, "boundary_complexity")
    border = torch.ones_like(values[:1, :1])
    border[..., width:-width, width:-width] = 0
    found = (blurred(values, BROAD) - values).square() + GREY_SHARE * (values - constant).square()
    return (found * border).flatten(1).sum(1)


def mapped_values(activations: Activations, layer: str, word: str) -> Tensor:
    """Look up a map."""
    values = activations[layer]
    if values.ndim < MAP_AXES:
        raise ObjectiveError(f"`{word}` needs a map [B, C, H, W], but {shown(layer)} has no positions; use L1 or L2.")
    return values


def toward_blur(values: Tensor) -> Tensor:
    """Measure how far maps are from their blur, with a gradient that points from it."""
    return 0.5 * (values - blurred(values, NARROW).detach()).square().flatten(1).sum(1)


def blurred(values: Tensor, width: int) -> Tensor:
    """Blur each plane as Lucid does, without looking beyond its edges."""
    taps = torch.full((1, 1, width, width), RIM_WEIGHT, dtype=values.dtype, device=values.device)
    taps[..., 1:-1, 1:-1] = 1
    planes = values.reshape(-1, 1, *values.shape[-PLANE:])
    weights = functional.conv2d(torch.ones_like(planes[:1]), taps, padding=width // 2)
    return (functional.conv2d(planes, taps, padding=width // 2) / weights).reshape(values.shape)


def _without_last(values: Tensor, axes: Sequence[int]) -> Tensor:
    for axis in axes:
        values = values.narrow(axis, 0, values.shape[axis] - 1)
    return values
