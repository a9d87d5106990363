"""Reference pictures: the activations of the pictures that an objective compares with."""

from __future__ import annotations

from torch import Tensor

from lucidtorch.base.arrays import ImageLike
from lucidtorch.base.checks import checked
from lucidtorch.base.errors import UnknownLayerError
from lucidtorch.objectives.algebra import Activations
from lucidtorch.objectives.arguments import PICTURE_AXES, checked_picture

INPUT = "input"  # the address of the image itself, before transforms


@checked
def reference(layer: str, image: ImageLike) -> str:
    """Return the key of a picture's activations in a mapping of activations.

    Args:
        layer: The address of the layer.
        image: The picture, `[C, H, W]`, or one per image.

    Returns:
        The key.

    Raises:
        ImageError: It is no picture.
    """
    return f"{layer} of {checked_picture(image).sha256[:16]}"


@checked
def of_image(activations: Activations, layer: str, image: ImageLike) -> Tensor:
    """Look up the activations of a given picture.

    Args:
        activations: Address to activations.
        layer: The address of the layer; ``input`` for the picture itself.
        image: The picture, `[C, H, W]`, or one per image.

    Returns:
        `[1, C, ...]` or `[B, C, ...]`, without a gradient.

    Raises:
        UnknownLayerError: The mapping does not contain them.
        ImageError: It is no picture.
    """
    picture = checked_picture(image)
    if layer == INPUT and INPUT in activations:
        values = picture.tensor(activations[INPUT])
        return values if values.ndim > PICTURE_AXES else values[None]
    key = reference(layer, picture)
    if key not in activations:
        raise UnknownLayerError(
            f"The activations of {layer!r} for the given picture are not there; a mapping holds them under "
            f"lucidtorch.objectives.references.reference(layer, image) = {key!r}."
        )
    return activations[key].detach()
