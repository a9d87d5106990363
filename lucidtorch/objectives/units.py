"""Objectives on the units of a layer: channels, neurons, logits, tokens, attention heads, and the layer as a whole.

Args:
    activations: Address to activations.
    layer: The address of the layer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Concatenate

import torch
from torch import Tensor

from lucidtorch.base.errors import ObjectiveError, UnitError, UnknownLabelError
from lucidtorch.base.shown import shown
from lucidtorch.objectives.algebra import Activations
from lucidtorch.objectives.selection import (
    VECTOR_AXES,
    at_position,
    mean_over_space,
    select_unit,
)
from lucidtorch.objectives.term import Arguments, Term, define, objective, unit_objective

LOGITS = "logits"
TOKENS = "[tokens]"


def _view_objective(
    suffixes: Callable[..., Sequence[str]],
) -> Callable[[Callable[Concatenate[Activations, Arguments], Tensor]], Callable[Arguments, Term]]:
    """Register a unit objective that reads views of its layer instead of the activations."""
    return lambda function: define(function, unit=True, suffixes=suffixes)


@unit_objective
def channel(activations: Activations, layer: str, index: int | Sequence[int]) -> Tensor:
    """The mean activation of one channel: the texture or part that it detects anywhere in the image.

    On a layer without positions (`[B, C]`) it is the value itself.

    Formula: mean over positions of a[index].
    Source: Lucid's `channel`.

    Args:
        index: The channel, from 0; or one channel per image.

    Raises:
        UnitError: The layer has no such channel.
        ObjectiveError: There are not as many channels as images.

    Example:
        >>> channel("conv3_1", 12)
        channel('conv3_1', 12)
    """
    return mean_over_space(select_unit(activations[layer], index, layer))


@unit_objective
def neuron(
    activations: Activations,
    layer: str,
    index: int | Sequence[int],
    x: int | None = None,
    y: int | None = None,
    t: int | None = None,
) -> Tensor:
    """The activation of one channel at one position: what it detects at one place of the image.

    Formula: a[index] at row y and column x.
    Source: Lucid's `neuron`, whose x is the row; here x is the column and y the row.

    Args:
        index: The channel, from 0; or one channel per image.
        x: The column in the layer's map, from 0; the centre, ``width // 2``, where None.
        y: The row in the layer's map, from 0; the centre, ``height // 2``, where None.
        t: The frame of a clip or the slice of a volume, from 0; the middle one where None.

    Raises:
        UnitError: The layer has no such channel or position.
        ObjectiveError: There are not as many channels as images.
    """
    return select_unit(at_position(activations[layer], x, y, t, layer), index, layer)


@unit_objective
def logit(activations: Activations, label: int | str | Sequence[int | str], layer: str = LOGITS) -> Tensor:
    """The score of one class before the softmax: what the network recognizes as that class.

    Formula: a[label] of the scores.
    Source: Lucid's `class_logit`.

    Args:
        label: The class, by number from 0 or by name; or one class per image. Names are looked up in the model's
            labels.
        layer: The address of the scores.

    Raises:
        UnknownLabelError: A name was given, and no model to look it up in.
        UnitError: The network has no such class.
        ObjectiveError: There are not as many classes as images, or the scores are not `[B, K]`.
    """
    for one in label if isinstance(label, tuple) else (label,):
        if isinstance(one, str):
            raise UnknownLabelError(
                f"The class {shown(one)} was given by name, and no model's labels are known: write its number."
            )
    scores = activations[layer]
    if scores.ndim != VECTOR_AXES:
        raise ObjectiveError(
            f"`logit` needs scores [B, K], but {shown(layer)} has {scores.ndim} dimensions; use `channel`."
        )
    return select_unit(scores, label, layer)  # type: ignore[arg-type]  # no text is left in it


@objective
def layer_mean(activations: Activations, layer: str) -> Tensor:
    """The mean activation of a whole layer: what excites all of it at once.

    Formula: mean over channels and positions of a.
    Source: captum's `LayerActivation`.
    """
    return activations[layer].flatten(1).mean(1)


@objective
def deepdream(activations: Activations, layer: str) -> Tensor:
    """The mean square of a whole layer: amplifies whatever already activates it (DeepDream).

    Formula: mean over channels and positions of a².
    Source: Lucid's `deepdream`.
    """
    return activations[layer].square().flatten(1).mean(1)


@_view_objective(lambda **_: (TOKENS,))
def token(
    activations: Activations, layer: str, index: int | Sequence[int], position: int | Sequence[int] = 0
) -> Tensor:
    """The activation of one channel at one token of a transformer, by default its class token.

    Formula: a[n, k], with n the token and k the channel.
    Source: the class token and registers of vision transformers, as units.

    Args:
        layer: The address of a layer whose outputs are tokens; `layer[tokens]` are `[B, C, N]`.
        index: The channel, from 0; or one channel per image.
        position: The token, from 0, or one token per image. Where a network has a class token and registers, they come
            first, and the image's own tokens follow row by row.

    Raises:
        UnitError: The layer has no such channel or token.
        ObjectiveError: There are not as many channels or tokens as images.

    Example:
        >>> token("encoder.layers.encoder_layer_11", 5)
        token('encoder.layers.encoder_layer_11', 5)
    """
    values = _viewed(activations, layer, TOKENS)
    if values.ndim != 3:
        raise UnitError(f"{layer!r} has no tokens [B, C, N], but values {list(values.shape)}; use `neuron`.")
    return select_unit(select_unit(values, index, layer), position, layer, "tokens")


def _own_heads(index: object, **_: object) -> Sequence[str]:
    heads = index if isinstance(index, tuple | list) else (index,)
    return tuple(dict.fromkeys(f"[heads][{head}]" for head in heads))


@_view_objective(_own_heads)
def head(
    activations: Activations, layer: str, index: int | Sequence[int], channel: int | Sequence[int] | None = None
) -> Tensor:
    """The output of one attention head, or of one of its channels, averaged over the image.

    Formula: mean over positions and channels of a[head k] ** 2, or mean over positions of its channel c.
    Source: attention heads as units, as in the notebooks on transformers that followed Lucid's.

    Args:
        layer: The address of a module that computes attention; `layer[heads][k]` are `[B, C, H, W]`, with the C
            channels of head k.
        index: The head, from 0; or one head per image.
        channel: The channel within the head, from 0, or one per image, whose mean is taken. The mean square over all
            of the head's channels, as in `deepdream`, where None.

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
    return mean_over_space(select_unit(values, channel, layer))


def _of_images(activations: Activations, layer: str, index: int | Sequence[int]) -> Tensor:
    if not isinstance(index, tuple | list):
        return _viewed(activations, layer, *_own_heads(index))
    found = [_viewed(activations, layer, *_own_heads(one)) for one in index]
    if len(found) != len(found[0]):
        raise ObjectiveError(
            f"{len(found)} heads of {layer!r} are named for {len(found[0])} images; name one per image."
        )
    return torch.stack([values[image] for image, values in enumerate(found)])


def _viewed(activations: Activations, layer: str, suffix: str) -> Tensor:
    """Look up a view of a layer; its activations stand in where the view is missing."""
    return activations[layer + suffix] if layer + suffix in activations else activations[layer]
