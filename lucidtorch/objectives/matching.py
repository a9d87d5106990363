"""Objectives that compare activations: with those of a given picture, and across the images of a batch.

All that take a picture raise `ObjectiveError` unless one picture, or one per image, is given.

Args:
    activations: Address to activations.
    layer: The address of the layer.
    image: The picture, `[C, H, W]` in [0, 1], or one per image.
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor
from torch.nn import functional

from lucidtorch.base.arrays import ImageLike
from lucidtorch.base.checks import Positive, Within
from lucidtorch.base.errors import ObjectiveError
from lucidtorch.base.sizes import size_text
from lucidtorch.objectives.algebra import Activations, Memory
from lucidtorch.objectives.references import INPUT, of_image
from lucidtorch.objectives.selection import (
    COSINE_EPSILON,
    COSINE_FLOOR,
    MAP_AXES,
    common_crop,
    length,
    mean_over_space,
    root,
)
from lucidtorch.objectives.term import objective

SMALLEST_SQUARE = 1e-12  # the smallest divisor, for a layer whose activations of the picture are all 0
CARICATURE_EPSILON = 1e-6  # Lucid: keeps the similarity finite where the activations of the picture are all 0
GRAM_EPSILON = 1e-10  # Lucid: under the root of the norm of a Gram matrix
FARTHEST = 4  # Lucid: images more than four places apart are not aligned


@objective
def inversion(activations: Activations, layer: str, image: ImageLike) -> Tensor:
    """The distance of a layer to its activations of a given picture: subtract it to see what is encoded of it.

    A positive size: render ``-inversion(...)``, and subtract a little of `total_variation` (1e-5) from it.

    Formula: |a - a0|^2 / |a0|^2, with a0 the activations of the picture, over the whole layer.
    Source: Mahendran and Vedaldi 2015; pytorch-cnn-visualizations' inverted representation.

    Returns:
        `[B]`; 0 where the activations are equal, and 1 where they are all 0.
    """
    found, given = _side_by_side(activations, layer, image)
    size = given.square().flatten(1).sum(1)
    return (found - given).square().flatten(1).sum(1) / size.clamp(min=SMALLEST_SQUARE)


@objective
def caricature(activations: Activations, layer: str, image: ImageLike, cossim_pow: float = 0) -> Tensor:
    """The product of a layer's activations with those of a given picture: maximize it to exaggerate its features.

    With a power, similarity counts: the product in units of the norm of the picture's activations, at least 0.1.
    Lucid's recipe adds `blur_input`; powers of 0 to 2 are usual.

    Formula: d · max(0.1, d / (1e-6 + |a0|))^cossim_pow, with d = sum over the whole layer of a · a0 and a0 the
        activations of the picture.
    Source: Lucid's `dot_compare`, of its caricature recipe.

    Args:
        cossim_pow: The power; 0 leaves the similarity out.
    """
    found, given = _side_by_side(activations, layer, image)
    dot = (found * given).flatten(1).sum(1)
    if not cossim_pow:
        return dot
    similarity = dot / (CARICATURE_EPSILON + given.square().flatten(1).sum(1).sqrt())
    return dot * similarity.clamp(min=COSINE_FLOOR) ** cossim_pow


@objective
def spatial_match(activations: Activations, layer: str, image: ImageLike) -> Tensor:
    """The cosine similarity to the activations of a given picture at each position: maximize it to keep the layout.

    The norm of the activations does not count, only their direction.

    Formula: mean over positions of cos(a, a0) = a · a0 / (1e-4 + |a|) / (1e-4 + |a0|), with a0 the activations of
        the picture.
    Source: faccent's spatial objectives, here for all channels at once; the cosine is Lucid's.

    Returns:
        `[B]`, from -1 to 1.
    """
    found, given = _side_by_side(activations, layer, image)
    lengths = (COSINE_EPSILON + length(found)) * (COSINE_EPSILON + length(given))
    return mean_over_space((found * given).sum(1) / lengths)


@objective
def activation_difference(activations: Activations, layer: str, image: ImageLike) -> Tensor:
    """The mean distance of a layer from what it makes of a given picture: subtract it to keep the picture's content.

    Formula: mean of |a - a0|, with a0 the activations of the picture.
    Source: Lucid's notebook on style transfer.
    """
    found, given = _side_by_side(activations, layer, image)
    return (found - given).abs().flatten(1).mean(1)


@objective
def input_difference(activations: Activations, image: ImageLike, layer: str = INPUT) -> Tensor:
    """The root of the mean squared distance from a given picture: subtract it to change as little of it as possible.

    Formula: sqrt(mean of (a - a0)^2), with a0 the picture.
    Source: Lucid's `input_diff`.

    Args:
        image: The picture, `[C, H, W]` in [0, 1], or one per image, of the render's size.
        layer: The address of a layer to compare in; the image where left out.

    Raises:
        ObjectiveError: The picture has another size than the render, or there are not as many pictures as images.
    """
    found, given = _both(activations, layer, image)
    if layer != INPUT:
        found, given = _side_by_side(activations, layer, image)
    elif found.shape[2:] != given.shape[2:]:
        raise ObjectiveError(
            f"`input_difference` compares places one by one, but the picture has {size_text(given.shape[2:])} and the "
            f"render {size_text(found.shape[2:])}; scale the picture, for example photo('FILE.jpg', 128)."
        )
    return root((found - given).square().flatten(1).mean(1))


@objective
def style(
    activations: Activations,
    layer: str,
    image: ImageLike,
    distance: Literal["L1", "L2"] = "L1",
    decay: Annotated[float, Within(0, 1, below=True)] = 0,
    *,
    memory: Memory,
) -> Tensor:
    """The distance of a layer's Gram matrix to that of a given picture: subtract it to transfer the picture's style.

    The two may differ in size. Add one term for each layer of the style. With a decay, the Gram matrix is averaged over
    the updates so far, the latest with the largest weight, which stabilizes renders whose steps each use a crop only;
    the gradient goes to the latest alone.

    Formula: mean of |G - G0| (``L1``), or sqrt(mean of (G - G0)^2) (``L2``), with G = A A^T / n, A the `[C, n]`
        activations at n positions, and G0 that of the picture; with a decay, G stands for
        G + stop_gradient(average(G) - G), average = (sum of decay^k G_k) / (sum of decay^k), k updates ago.
    Source: Lucid's `StyleLoss`, whose average starts at 0 instead; its notebook's decay is 0.95.

    Args:
        distance: ``L1`` or ``L2``.
        decay: The share of its weight that a Gram matrix keeps per update, from 0 (no average) to below 1.
        memory: The running average.

    Raises:
        ObjectiveError: The distance or the decay is invalid, or there are not as many pictures as images.
    """
    found, given = map(_mean_grams, _both(activations, layer, image))
    if decay:
        found = _average(found.detach(), decay, memory) + (found - found.detach())
    gaps = (found - given).flatten(1)
    return gaps.abs().mean(1) if distance == "L1" else root(gaps.square().mean(1))


@objective
def diversity(activations: Activations, layer: str) -> Tensor:
    """The similarity of the images of the batch in a layer's Gram matrices: subtract it to make them differ.

    The mean over images is Lucid's value, usually with the weight 100.

    Formula: sum over the other images j of <G_i, G_j>, with G = A A^T / sqrt(|A A^T|^2 + 1e-10) and A the `[C, H W]`
        activations of one image.
    Source: Lucid's `diversity`.

    Returns:
        `[B]`; 0 for a single image, B - 1 for identical ones.
    """
    found = _grams(activations[layer]).flatten(1)
    found = found / (found.square().sum(1, keepdim=True) + GRAM_EPSILON).sqrt()
    similarity = torch.einsum("im,jm->ij", found, found)
    others = 1 - torch.eye(len(found), dtype=found.dtype, device=found.device)
    return (similarity * others).sum(1)


@objective
def alignment(activations: Activations, layer: str, decay_ratio: Positive = 2) -> Tensor:
    """The distance of neighbouring images of the batch in a layer: subtract it to align an interpolation.

    Each image of a pair gets half of the pair's distance, so that the sum over images is Lucid's value without its
    minus. The batch is not cyclic: its last image is no neighbour of its first. Weights of 0.1 are usual.

    Formula: 1/2 sum over d = 1 .. 4 of [mean((a_i - a_{i+d})^2) + mean((a_i - a_{i-d})^2)] / decay_ratio^d, where
        both images are in the batch.
    Source: Lucid's `alignment`, with the sign turned.

    Args:
        decay_ratio: The factor by which the weight of a pair decreases per place of distance.

    Returns:
        `[B]`; 0 for a single image and for identical ones.

    Raises:
        ObjectiveError: The ratio is not above 0.
    """
    values = activations[layer].flatten(1)
    total = values[:, :0].sum(1)  # zeros, also for an image without neighbours
    for distance in range(1, min(FARTHEST, len(values) - 1) + 1):
        halves = (values[distance:] - values[:-distance]).square().mean(1) / (2 * decay_ratio**distance)
        total = total + functional.pad(halves, (0, distance)) + functional.pad(halves, (distance, 0))
    return total


def _both(activations: Activations, layer: str, image: ImageLike) -> tuple[Tensor, Tensor]:
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


def _side_by_side(activations: Activations, layer: str, image: ImageLike) -> tuple[Tensor, Tensor]:
    """Look up a layer's activations of the images and of a given picture, the larger cropped to the other's size."""
    found, given = _both(activations, layer, image)
    return common_crop(found, given) if found.ndim >= MAP_AXES else (found, given)


def _grams(values: Tensor) -> Tensor:
    """Compute Gram matrices: the products of every two channels, summed over positions."""
    flat = values.flatten(2) if values.ndim > 2 else values.unsqueeze(2)
    return torch.einsum("bip,bjp->bij", flat, flat)


def _mean_grams(values: Tensor) -> Tensor:
    """Compute Gram matrices divided by the number of positions."""
    return _grams(values) / values[0, 0].numel()


def _average(latest: Tensor, decay: float, memory: Memory) -> Tensor:
    """Add a Gram matrix to the running average."""
    total, weight = memory.get("total"), memory.get("weight")
    memory["total"] = latest if total is None else decay * total + latest
    memory["weight"] = torch.ones_like(latest[:1, :1, :1]) if weight is None else decay * weight + 1
    return memory["total"] / memory["weight"]
