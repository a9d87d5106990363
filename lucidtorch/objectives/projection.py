"""Activations measured along vectors: what is given for each image, dot products, cosines and means."""

from __future__ import annotations

import torch
from torch import Tensor

from lucidtorch.base.arrays import Array, ArrayLike
from lucidtorch.base.errors import ObjectiveError, UnitError

COSINE_FLOOR = 0.1  # Lucid: a direction at a right angle still pulls a little
COSINE_EPSILON = 1e-4  # Lucid: keeps the cosine finite at zero activation


def match_vector(values: Tensor, vector: ArrayLike, layer: str, what: str = "directions") -> Tensor:
    """Bring vectors over channels into the shape of a layer's activations."""
    rows = for_images(values, vector, ("C",), layer, what)
    return rows.reshape(*rows.shape, *[1] * (values.ndim - 2))


def for_images(values: Tensor, given: ArrayLike, axes: tuple[str, ...], layer: str, what: str) -> Tensor:
    """Give what was given for one image or for each an axis of images."""
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
    """Multiply vectors, and their product by a power of the cosine between them."""
    dot = (values * target).sum(1)
    if not power:
        return dot
    cosine = dot / (COSINE_EPSILON + length(values)) / (COSINE_EPSILON + length(target))
    return dot * cosine.clamp(min=COSINE_FLOOR) ** power


def length(values: Tensor) -> Tensor:
    """Compute the Euclidean length over channels, with a zero gradient at the origin."""
    squares = values.square().sum(1)
    return torch.where(squares > 0, squares, 1).sqrt() * (squares > 0)


def mean_over_space(values: Tensor) -> Tensor:
    """Average over positions."""
    return values if values.ndim == 1 else values.flatten(1).mean(1)
