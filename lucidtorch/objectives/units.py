"""Objectives on the units of a layer: channels, neurons, logits, directions, and the layer as a whole."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lucidtorch.base.arrays import Array, ArrayLike
from lucidtorch.base.errors import ObjectiveError, UnitError, UnknownLabelError
from lucidtorch.objectives.term import check_unit, objective, unit_objective
from lucidtorch.objectives.trace import Activations

LOGITS = "logits"
COSINE_FLOOR = 0.1  # Lucid: a direction at a right angle still pulls a little
COSINE_EPSILON = 1e-4  # Lucid: keeps the cosine finite at zero activation


@unit_objective
def channel(activations: Activations, layer: str, index: int | Sequence[int]) -> Tensor:
    """The mean activation of one channel: what texture or part it looks for anywhere in the image.

    Lucid's `channel`. On a layer without space (`[B, C]`) it is the value itself.

    Args:
        activations: Address to activations.
        layer: The address of the layer.
        index: The channel, from 0; or one channel per image.

    Returns:
        `[B]`.

    Raises:
        UnitError: The layer has no such channel.
        ObjectiveError: There are not as many channels as images.

    Example:
        >>> channel("conv3_1", 12)
        channel('conv3_1', 12)
    """
    return mean_over_space(select_channel(activations[layer], index, layer))


@unit_objective
def neuron(
    activations: Activations,
    layer: str,
    index: int | Sequence[int],
    x: int | None = None,
    y: int | None = None,
    t: int | None = None,
) -> Tensor:
    """The activation of one channel at one position: what it looks for at one place of the image.

    Lucid's `neuron`, with x as the column and y as the row.

    Args:
        activations: Address to activations.
        layer: The address of the layer.
        index: The channel, from 0; or one channel per image.
        x: The column in the layer's map, from 0; the centre, ``width // 2``, where None.
        y: The row in the layer's map, from 0; the centre, ``height // 2``, where None.
        t: The frame of a clip or the slice of a volume, from 0; the middle one where None.

    Returns:
        `[B]`.

    Raises:
        UnitError: The layer has no such channel or position.
        ObjectiveError: There are not as many channels as images.
    """
    selected = select_channel(activations[layer], index, layer)
    if selected.ndim == 1:
        if x is not None or y is not None or t is not None:
            raise UnitError(f"{layer!r} has no positions; leave x, y and t out.")
        return selected
    return at_position(selected, x, y, layer, t)


@unit_objective
def logit(activations: Activations, label: int | str | Sequence[int | str], layer: str = LOGITS) -> Tensor:
    """The score of one class before the softmax: what the network takes for that class.

    Args:
        activations: Address to activations; the scores are `[B, K]`.
        label: The class, by number from 0 or by name; or one class per image. Names are looked up in the model's
            labels.
        layer: The address of the scores.

    Returns:
        `[B]`.

    Raises:
        UnknownLabelError: A name was not looked up in a model.
        UnitError: The network has no such class.
        ObjectiveError: There are not as many classes as images, or the scores are not `[B, K]`.
    """
    for one in label if isinstance(label, tuple) else (label,):
        if isinstance(one, str):
            raise UnknownLabelError(
                f"The class {one!r} was given by name, and no model's labels are at hand: write its number."
            )
    scores = activations[layer]
    if scores.ndim != 2:
        raise ObjectiveError(f"`logit` needs scores [B, K], but {layer!r} has {scores.ndim} dimensions; use `channel`.")
    return select_channel(scores, label, layer)  # type: ignore[arg-type]  # no text is left in it


@unit_objective
def direction(activations: Activations, layer: str, vector: ArrayLike, cossim_pow: float = 0) -> Tensor:
    """How far the activations go in one direction of the layer's space, averaged over positions.

    Lucid's `direction`: the mean over positions of a·v, or with a power p of (a·v) · max(0.1, cos(a, v)) ** p.

    Args:
        activations: Address to activations.
        layer: The address of the layer, with C channels.
        vector: The direction, C numbers; or `[B, C]`, one direction per image.
        cossim_pow: The power p; 0 leaves the cosine out.

    Returns:
        `[B]`.

    Raises:
        UnitError: The direction has not as many numbers as the layer has channels.
        ObjectiveError: There are not as many directions as images.
    """
    values = activations[layer]
    target = match_vector(values, vector, layer)
    dot = (values * target).sum(1)
    if cossim_pow:
        lengths = (COSINE_EPSILON + length(values)) * (COSINE_EPSILON + length(target))
        dot = dot * (dot / lengths).clamp(min=COSINE_FLOOR) ** cossim_pow
    return mean_over_space(dot)


@objective
def deepdream(activations: Activations, layer: str) -> Tensor:
    """The mean square of a whole layer: whatever the layer sees already, more of it (DeepDream).

    Args:
        activations: Address to activations.
        layer: The address of the layer.

    Returns:
        `[B]`.
    """
    return activations[layer].square().flatten(1).mean(1)


def select_channel(values: Tensor, index: int | Sequence[int], layer: str) -> Tensor:
    """Take one channel of each image.

    Args:
        values: `[B, C, ...]`.
        index: The channel, or one per image.
        layer: Where the values come from, for messages.

    Returns:
        `[B, ...]`.

    Raises:
        UnitError: There is no such channel.
        ObjectiveError: There are not as many channels as images.
    """
    batch, channels = values.shape[:2]
    if not isinstance(index, tuple | list):
        return values[:, check_unit(index, channels, "channels", layer)]
    if len(index) != batch:
        raise ObjectiveError(f"{len(index)} channels of {layer!r} are named for {batch} images; name one per image.")
    chosen = [check_unit(one, channels, "channels", layer) for one in index]
    return values[torch.arange(batch, device=values.device), torch.tensor(chosen, device=values.device)]


def at_position(values: Tensor, x: int | None, y: int | None, layer: str, t: int | None = None) -> Tensor:
    """Take one position of a map.

    Args:
        values: `[B, H, W]`, or `[B, T, H, W]` of clips and volumes.
        x: The column, or None for ``W // 2``.
        y: The row, or None for ``H // 2``.
        layer: Where the values come from, for messages.
        t: The frame, or None for ``T // 2``.

    Returns:
        `[B]`.

    Raises:
        UnitError: The map has no such position.
    """
    if values.ndim == 4:
        frames = values.shape[1]
        values = values[:, frames // 2 if t is None else check_unit(t, frames, "frames (t)", layer)]
    elif t is not None:
        raise UnitError(f"{layer!r} has no frames; leave t out.")
    height, width = values.shape[-2:]
    column = width // 2 if x is None else check_unit(x, width, "columns (x)", layer)
    row = height // 2 if y is None else check_unit(y, height, "rows (y)", layer)
    return values[:, row, column]


def match_vector(values: Tensor, vector: ArrayLike, layer: str) -> Tensor:
    """Bring directions into the shape of a layer's activations.

    Args:
        values: `[B, C]` or `[B, C, H, W]`.
        vector: C numbers, or `[B, C]`.
        layer: Where the values come from, for messages.

    Returns:
        `[1, C, 1, 1]` or `[B, C, 1, 1]`; without the last two axes where the values have none.

    Raises:
        UnitError: The direction has not as many numbers as there are channels.
        ObjectiveError: There are not as many directions as images.
    """
    array = Array.of(vector)
    rows = array.tensor(values).reshape(-1, array.shape[-1])
    if rows.shape[1] != values.shape[1] or len(array.shape) > 2:
        raise UnitError(
            f"{layer!r} has {values.shape[1]} channels, but a direction of shape {list(array.shape)} was given."
        )
    if rows.shape[0] not in (1, values.shape[0]):
        raise ObjectiveError(f"{rows.shape[0]} directions were given for {values.shape[0]} images; give one per image.")
    return rows.reshape(*rows.shape, *[1] * (values.ndim - 2))


def mean_over_space(values: Tensor) -> Tensor:
    """Average over positions.

    Args:
        values: `[B, ...]`.

    Returns:
        `[B]`; values without positions come back as they are.
    """
    return values if values.ndim == 1 else values.flatten(1).mean(1)


def length(values: Tensor) -> Tensor:
    """Compute the Euclidean length over channels, with a zero gradient at the origin.

    Args:
        values: `[B, C, ...]`.

    Returns:
        `[B, ...]`.
    """
    squares = values.square().sum(1)
    return torch.where(squares > 0, squares, 1).sqrt() * (squares > 0)
