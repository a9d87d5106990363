"""Activations measured along vectors: what is given for each image, dot products, cosines and means."""

from __future__ import annotations

import torch
from torch import Tensor

from lucidtorch.base.arrays import Array, ArrayLike
from lucidtorch.base.errors import ObjectiveError, UnitError

COSINE_FLOOR = 0.1  # Lucid: a direction at a right angle still pulls a little
COSINE_EPSILON = 1e-4  # Lucid: keeps the cosine finite at zero activation


def match_vector(values: Tensor, vector: ArrayLike, layer: str, what: str = "directions") -> Tensor:
    """Bring vectors over channels into the shape of a layer's activations.

    Args:
        values: `[B, C]` or `[B, C, ...]`.
        vector: C numbers, or `[B, C]`.
        layer: Where the values come from, for messages.
        what: What the vectors are called there.

    Returns:
        `[1, C, ...]` or `[B, C, ...]`, with an axis of length 1 for every axis of space.

    Raises:
        UnitError: A vector has not as many numbers as there are channels.
        ObjectiveError: There are not as many vectors as images.
    """
    rows = for_images(values, vector, ("C",), layer, what)
    return rows.reshape(*rows.shape, *[1] * (values.ndim - 2))


def for_images(values: Tensor, given: ArrayLike, axes: tuple[str, ...], layer: str, what: str) -> Tensor:
    """Give what was given for one image or for each an axis of images.

    Args:
        values: The activations that it belongs to, `[B, C, ...]`.
        given: The numbers, with the axes of one image's, or with one more in front of them.
        axes: The letters of one image's axes; ``C`` is the number of the layer's channels.
        layer: Where the values come from, for messages.
        what: What the numbers are called there.

    Returns:
        `[1, *axes]` or `[B, *axes]`, of the kind and on the device of the values.

    Raises:
        UnitError: They have other axes, or another number of channels.
        ObjectiveError: They are neither for one image nor for all.
    """
    array = Array.of(given)
    batch, channels = values.shape[:2]
    shape = list(array.shape)
    if len(shape) - len(axes) not in (0, 1) or ("C" in axes and shape[-len(axes)] != channels):
        wanted = ", ".join(str(channels) if one == "C" else one for one in axes)
        raise UnitError(
            f"{layer!r} has {channels} channels, but {what} of shape {shape} were given; give [{wanted}], or "
            f"[{batch}, {wanted}] for one per image."
        )
    numbers = array.tensor(values).reshape(-1, *shape[-len(axes) :])
    if numbers.shape[0] not in (1, batch):
        raise ObjectiveError(
            f"{numbers.shape[0]} {what} were given for {batch} images of {layer!r}; give one, or one per image."
        )
    return numbers


def dot_cossim(values: Tensor, target: Tensor, power: float) -> Tensor:
    """Multiply vectors, and their product by a power of the cosine between them.

    Args:
        values: `[B, C, ...]`.
        target: `[B, C, ...]` or `[1, C, ...]`; axes of space may have the length 1.
        power: The power p of dot · max(0.1, cos) ** p, with cos = dot / (1e-4 + |values|) / (1e-4 + |target|); 0 leaves
            the cosine out.

    Returns:
        `[B, ...]`.
    """
    dot = (values * target).sum(1)
    if not power:
        return dot
    cosine = dot / (COSINE_EPSILON + length(values)) / (COSINE_EPSILON + length(target))
    return dot * cosine.clamp(min=COSINE_FLOOR) ** power


def length(values: Tensor) -> Tensor:
    """Compute the Euclidean length over channels, with a zero gradient at the origin.

    Args:
        values: `[B, C, ...]`.

    Returns:
        `[B, ...]`.
    """
    squares = values.square().sum(1)
    return torch.where(squares > 0, squares, 1).sqrt() * (squares > 0)


def mean_over_space(values: Tensor) -> Tensor:
    """Average over positions.

    Args:
        values: `[B, ...]`.

    Returns:
        `[B]`; values without positions come back as they are.
    """
    return values if values.ndim == 1 else values.flatten(1).mean(1)
