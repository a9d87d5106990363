"""Objectives that weight a layer's channels: everywhere, at one position, or in a window."""

from __future__ import annotations

from torch import Tensor

from lucidtorch.base.arrays import ArrayLike
from lucidtorch.objectives.projection import match_vector
from lucidtorch.objectives.selection import at_position, window
from lucidtorch.objectives.term import unit_objective
from lucidtorch.objectives.trace import Activations

WEIGHTS = "vectors of weights"


@unit_objective
def channel_weight(activations: Activations, layer: str, weights: ArrayLike) -> Tensor:
    """The mean of a whole layer with a weight for each channel: many channels at once, some of them against.

    It is `direction` divided by the number of channels.

    Formula: mean over channels and positions of a · w.
    Source: lucent's `channel_weight`.

    Args:
        activations: Address to activations.
        layer: The address of the layer, with C channels.
        weights: One number per channel, C numbers; or `[B, C]`, weights of its own for each image.

    Returns:
        `[B]`.

    Raises:
        UnitError: There are not as many weights as channels.
        ObjectiveError: There are not as many rows of weights as images.
    """
    return _weighted_mean(activations[layer], weights, layer)


@unit_objective
def neuron_weight(
    activations: Activations,
    layer: str,
    weights: ArrayLike,
    x: int | None = None,
    y: int | None = None,
    t: int | None = None,
) -> Tensor:
    """The mean over a layer's channels at one position, with a weight for each channel.

    Formula: mean over channels of a · w at row y and column x.
    Source: lucent's `neuron_weight`.

    Args:
        activations: Address to activations.
        layer: The address of the layer, with C channels.
        weights: One number per channel, C numbers; or `[B, C]`, weights of its own for each image.
        x: The column in the layer's map, from 0; the centre, ``width // 2``, where None.
        y: The row in the layer's map, from 0; the centre, ``height // 2``, where None.
        t: The frame of a clip or the slice of a volume, from 0; the middle one where None.

    Returns:
        `[B]`.

    Raises:
        UnitError: There are not as many weights as channels, or there is no such position.
        ObjectiveError: There are not as many rows of weights as images.
    """
    return _weighted_mean(at_position(activations[layer], x, y, t, layer), weights, layer)


@unit_objective
def localgroup_weight(
    activations: Activations,
    layer: str,
    weights: ArrayLike,
    x: int | None = None,
    y: int | None = None,
    wx: int = 1,
    wy: int = 1,
) -> Tensor:
    """The mean of a window of a layer, with a weight for each channel: a group of neurons at one place.

    Formula: mean over channels, and over the rows y to y + wy - 1 and the columns x to x + wx - 1, of a · w.
    Source: lucent's `localgroup_weight`.

    Args:
        activations: Address to activations.
        layer: The address of the layer, with C channels and positions; of clips, the window is taken at every frame.
        weights: One number per channel, C numbers; or `[B, C]`, weights of its own for each image.
        x: The first column of the window, from 0; ``(width - wx) // 2`` where None, which puts it in the middle.
        y: The first row of the window, from 0; ``(height - wy) // 2`` where None, which puts it in the middle.
        wx: The number of columns.
        wy: The number of rows.

    Returns:
        `[B]`.

    Raises:
        UnitError: There are not as many weights as channels, or the window does not lie inside the map.
        ObjectiveError: There are not as many rows of weights as images.
    """
    return _weighted_mean(window(activations[layer], x, y, wx, wy, layer), weights, layer)


def _weighted_mean(values: Tensor, weights: ArrayLike, layer: str) -> Tensor:
    return (values * match_vector(values, weights, layer, WEIGHTS)).flatten(1).mean(1)
