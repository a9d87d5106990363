"""Pairs of activations to compare: of the images that are made, and of a picture that was given."""

from __future__ import annotations

from torch import Tensor

from lucidtorch.base.arrays import ImageLike
from lucidtorch.base.errors import ObjectiveError
from lucidtorch.objectives.references import of_image
from lucidtorch.objectives.selection import MAP_AXES, common_middle
from lucidtorch.objectives.trace import Activations


def both(activations: Activations, layer: str, image: ImageLike) -> tuple[Tensor, Tensor]:
    """Look up a layer's activations of the images and of a given picture."""
    found, given = activations[layer], of_image(activations, layer, image)
    if given.shape[0] not in (1, found.shape[0]):
        raise ObjectiveError(f"{given.shape[0]} pictures were given for {found.shape[0]} images; give one per image.")
    if given.ndim != found.ndim or given.shape[1] != found.shape[1]:
        raise ObjectiveError(
            f"The picture gives {layer!r} values of shape {list(given.shape)}, and the images {list(found.shape)}: "
            f"give a picture with as many channels as the images have."
        )
    return found, given


def side_by_side(activations: Activations, layer: str, image: ImageLike) -> tuple[Tensor, Tensor]:
    """Look up a layer's activations of the images and of a given picture, and cut the larger to the other's size."""
    found, given = both(activations, layer, image)
    return common_middle(found, given) if found.ndim >= MAP_AXES else (found, given)
