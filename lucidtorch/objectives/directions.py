"""Objectives on linear combinations of a layer's channels: directions, and weights.

Args:
    activations: Address to activations.
    layer: The address of the layer.
"""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from lucidtorch.base.arrays import Array, ArrayLike
from lucidtorch.base.errors import UnitError
from lucidtorch.objectives.algebra import Activations
from lucidtorch.objectives.selection import (
    COSINE_EPSILON,
    COSINE_FLOOR,
    at_position,
    dot_cossim,
    length,
    match_maps,
    match_vector,
    mean_over_space,
    window,
)
from lucidtorch.objectives.term import unit_objective


@unit_objective
def direction(activations: Activations, layer: str, vector: ArrayLike, cossim_pow: float = 0) -> Tensor:
    """The projection of the activations on a direction in the space of the layer's channels, averaged over positions.

    Formula: mean over positions of (a·v) · max(0.1, cos(a, v)) ** cossim_pow, with
        cos = a·v / (1e-4 + |a|) / (1e-4 + |v|); the power 0 leaves the cosine out.
    Source: Lucid's `direction`.

    Args:
        vector: The direction, C numbers; or `[B, C]`, one direction per image.
        cossim_pow: The power of the cosine; 0 leaves it out.

    Raises:
        UnitError: The direction has not as many numbers as the layer has channels.
        ObjectiveError: There are not as many directions as images.
    """
    values = activations[layer]
    return mean_over_space(dot_cossim(values, match_vector(values, vector, layer), cossim_pow))


@unit_objective
def direction_neuron(
    activations: Activations,
    layer: str,
    vector: ArrayLike,
    x: int | None = None,
    y: int | None = None,
    cossim_pow: float = 0,
    t: int | None = None,
) -> Tensor:
    """The projection of the activations at one position on a direction in the space of the layer's channels.

    Formula: (a·v) · max(0.1, cos(a, v)) ** cossim_pow, where a is the activation of all channels at row y and column x.
    Source: Lucid's `direction_neuron`.

    Args:
        vector: The direction, C numbers; or `[B, C]`, one direction per image.
        x: The column in the layer's map, from 0; the centre, ``width // 2``, if None.
        y: The row in the layer's map, from 0; the centre, ``height // 2``, if None.
        cossim_pow: The power of the cosine; 0 leaves it out.
        t: The frame of a clip or the slice of a volume, from 0; the middle one where None.

    Raises:
        UnitError: The direction has not as many numbers as the layer has channels, or there is no such position.
        ObjectiveError: There are not as many directions as images.
    """
    values = at_position(activations[layer], x, y, t, layer)
    return dot_cossim(values, match_vector(values, vector, layer), cossim_pow)


@unit_objective
def tensor_direction(
    activations: Activations, layer: str, tensor: Annotated[ArrayLike, "c h w"], cossim_pow: float = 0
) -> Tensor:
    """The projection of the activations on a direction per position: a spatial arrangement.

    Where the layer's map and the given one differ in height or width, the larger is centre-cropped. In clips, the same
    directions apply to every frame.

    Formula: mean over positions of (a·v) · max(0.1, cos(a, v)) ** cossim_pow, with the v of the same position; of the
        larger map (larger - smaller) // 2 rows or columns are cropped before the first one.
    Source: Lucid's `tensor_direction`.

    Args:
        layer: The address of the layer, with C channels and positions.
        tensor: The directions, `[C, h, w]`; or `[B, C, h, w]`, one arrangement per image.
        cossim_pow: The power of the cosine; 0 leaves it out.

    Raises:
        UnitError: The layer has no positions, or another number of channels.
        ObjectiveError: There are not as many arrangements as images.

    Example:
        >>> tensor_direction("conv1_1", [[[1.0, 0.5]], [[0.0, -1.0]]])
        tensor_direction('conv1_1', [[[1.0, 0.5]], [[0.0, -1.0]]])
    """
    values, target = match_maps(activations[layer], tensor, ("C", "h", "w"), layer, "directions")
    return mean_over_space(dot_cossim(values, target, cossim_pow))


@unit_objective
def whitened_direction(
    activations: Activations,
    layer: str,
    vector: ArrayLike,
    whitening: Annotated[ArrayLike, "c c"],
    x: int | None = None,
    y: int | None = None,
    cossim_pow: float = 2,
    t: int | None = None,
) -> Tensor:
    """The projection of the activations at one position on a whitened direction: the icons of an activation atlas.

    Formula: d · max(0.1, d / (1e-4 + |a|)) ** cossim_pow, with d = mean over channels of a · (v S), where a are the
        channels at row y and column x and v S is the direction as a row times the matrix; the power 0 gives d.
    Source: `direction_neuron_S` and `direction_neuron_cossim_S` of Lucid's activation atlas.

    Args:
        vector: The direction, C numbers; or `[B, C]`, one direction per image.
        whitening: The matrix S, `[C, C]`, for all images; the atlas uses the inverse of the mean of a aᵀ over many
            activations.
        x: The column in the layer's map, from 0; the centre, ``width // 2``, if None.
        y: The row in the layer's map, from 0; the centre, ``height // 2``, if None.
        cossim_pow: The power of the cosine; 0 leaves it out.
        t: The frame of a clip or the slice of a volume, from 0; the middle one where None.

    Raises:
        UnitError: The direction or the matrix does not fit the layer's channels, or there is no such position.
        ObjectiveError: There are not as many directions as images.
    """
    values = at_position(activations[layer], x, y, t, layer)
    channels = values.shape[1]
    matrix = Array.of(whitening)
    if matrix.shape != (channels, channels):
        raise UnitError(
            f"{layer!r} has {channels} channels, so its whitening is a matrix [{channels}, {channels}], but one of "
            f"shape {list(matrix.shape)} was given."
        )
    dot = (values * (match_vector(values, vector, layer) @ matrix.tensor(values))).mean(1)
    if not cossim_pow:
        return dot
    return dot * (dot / (COSINE_EPSILON + length(values))).clamp(min=COSINE_FLOOR) ** cossim_pow


@unit_objective
def channel_weight(activations: Activations, layer: str, weights: ArrayLike) -> Tensor:
    """The mean of a whole layer with a weight for each channel, which is `direction` divided by the number of channels.

    Formula: mean over channels and positions of a · w.
    Source: lucent's `channel_weight`.

    Args:
        weights: One number per channel, C numbers; or `[B, C]`, weights of its own for each image.

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
        weights: One number per channel, C numbers; or `[B, C]`, weights of its own for each image.
        x: The column in the layer's map, from 0; the centre, ``width // 2``, if None.
        y: The row in the layer's map, from 0; the centre, ``height // 2``, if None.
        t: The frame of a clip or the slice of a volume, from 0; the middle one where None.

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
    """The mean of a window of a layer, with a weight for each channel: a group of neighbouring neurons.

    Formula: mean over channels, and over the rows y to y + wy - 1 and the columns x to x + wx - 1, of a · w.
    Source: lucent's `localgroup_weight`.

    Args:
        layer: The address of the layer, with C channels and positions; of clips, the window is taken at every frame.
        weights: One number per channel, C numbers; or `[B, C]`, weights of its own for each image.
        x: The first column of the window, from 0; centred, ``(width - wx) // 2``, if None.
        y: The first row of the window, from 0; centred, ``(height - wy) // 2``, if None.
        wx: The number of columns.
        wy: The number of rows.

    Raises:
        UnitError: There are not as many weights as channels, or the window does not lie inside the map.
        ObjectiveError: There are not as many rows of weights as images.
    """
    return _weighted_mean(window(activations[layer], x, y, wx, wy, layer), weights, layer)


def _weighted_mean(values: Tensor, weights: ArrayLike, layer: str) -> Tensor:
    return (values * match_vector(values, weights, layer, "vectors of weights")).flatten(1).mean(1)
