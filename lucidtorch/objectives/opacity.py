"""Objectives on the opacity of a picture, its last channel: penalties that the user subtracts."""

from __future__ import annotations

from torch import Tensor

from lucidtorch.base.errors import ObjectiveError
from lucidtorch.base.shown import shown
from lucidtorch.objectives.references import INPUT
from lucidtorch.objectives.smoothness import mapped_values, toward_blur
from lucidtorch.objectives.term import objective
from lucidtorch.objectives.trace import Activations

WITH_OPACITY = (2, 4)  # the channels of a grey picture and of a colour picture, with the opacity


@objective
def alpha_coverage(activations: Activations, layer: str = INPUT) -> Tensor:
    """The share of a picture that is not see-through: subtract it to keep only what the unit needs.

    Weights of about a third of the unit's own value.

    Formula: mean over positions of the last channel.
    Source: Lucid's notebook on transparency.

    Args:
        activations: Address to activations.
        layer: The address of the picture, which has 2 or 4 channels.

    Returns:
        `[B]`, from 0 (nothing can be seen) to 1.

    Raises:
        ObjectiveError: The picture has no opacity.
    """
    return _opacity(activations, layer, "alpha_coverage").flatten(1).mean(1)


@objective
def blur_alpha(activations: Activations, layer: str = INPUT) -> Tensor:
    """How far a picture's opacity is from its blurred self: subtract it for soft outlines.

    As `blur_input`, on the last channel alone, and with such weights.

    Formula: 1/2 sum of (o - blur(o))^2 over the last channel o, without a gradient through blur(o).
    Source: Lucid's `blur_alpha_each_step`.

    Args:
        activations: Address to activations.
        layer: The address of the picture, which has 2 or 4 channels.

    Returns:
        `[B]`.

    Raises:
        ObjectiveError: The picture has no opacity.
    """
    return toward_blur(_opacity(activations, layer, "blur_alpha"))


def _opacity(activations: Activations, layer: str, word: str) -> Tensor:
    """Take the last channel of pictures that have one of opacity."""
    values = mapped_values(activations, layer, word)
    if values.shape[1] not in WITH_OPACITY:
        raise ObjectiveError(
            f"`{word}` needs pictures with opacity, 2 or 4 channels, but {shown(layer)} has {values.shape[1]}; "
            f"write a param with alpha=True."
        )
    return values[:, -1:]
