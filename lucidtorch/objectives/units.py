"""Objectives on the units of a layer: channels, neurons, logits, and the layer as a whole."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from lucidtorch.base.errors import ObjectiveError, UnknownLabelError
from lucidtorch.base.shown import shown
from lucidtorch.objectives.projection import mean_over_space
from lucidtorch.objectives.selection import VECTOR_AXES, at_position, select_channel
from lucidtorch.objectives.term import objective, unit_objective
from lucidtorch.objectives.trace import Activations

LOGITS = "logits"


@unit_objective
def channel(activations: Activations, layer: str, index: int | Sequence[int]) -> Tensor:
    """The mean activation of one channel: what texture or part it looks for anywhere in the image.

    On a layer without space (`[B, C]`) it is the value itself.

    Formula: mean over positions of a[index].
    Source: Lucid's `channel`.

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

    Formula: a[index] at row y and column x.
    Source: Lucid's `neuron`, whose x is the row; here x is the column and y the row.

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
    return select_channel(at_position(activations[layer], x, y, t, layer), index, layer)


@unit_objective
def logit(activations: Activations, label: int | str | Sequence[int | str], layer: str = LOGITS) -> Tensor:
    """The score of one class before the softmax: what the network takes for that class.

    Formula: a[label] of the scores.
    Source: Lucid's `class_logit`.

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
                f"The class {shown(one)} was given by name, and no model's labels are at hand: write its number."
            )
    scores = activations[layer]
    if scores.ndim != VECTOR_AXES:
        raise ObjectiveError(
            f"`logit` needs scores [B, K], but {shown(layer)} has {scores.ndim} dimensions; use `channel`."
        )
    return select_channel(scores, label, layer)  # type: ignore[arg-type]  # no text is left in it


@objective
def layer_mean(activations: Activations, layer: str) -> Tensor:
    """The mean activation of a whole layer: what excites all of it at once.

    Formula: mean over channels and positions of a.
    Source: captum's `LayerActivation`.

    Args:
        activations: Address to activations.
        layer: The address of the layer.

    Returns:
        `[B]`.
    """
    return activations[layer].flatten(1).mean(1)


@objective
def deepdream(activations: Activations, layer: str) -> Tensor:
    """The mean square of a whole layer: whatever the layer sees already, more of it (DeepDream).

    Formula: mean over channels and positions of a².
    Source: Lucid's `deepdream`.

    Args:
        activations: Address to activations.
        layer: The address of the layer.

    Returns:
        `[B]`.
    """
    return activations[layer].square().flatten(1).mean(1)
