"""Objectives across the images of a batch: how alike they are."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from lucidtorch.base.bounds import Positive
from lucidtorch.objectives.term import objective
from lucidtorch.objectives.textures import grams
from lucidtorch.objectives.trace import Activations

GRAM_EPSILON = 1e-10  # Lucid: under the root of the Gram matrix's length
FARTHEST = 4  # Lucid: images more than four places apart are not aligned


@objective
def diversity(activations: Activations, layer: str) -> Tensor:
    """How alike the images of the batch are in a layer's textures: subtract it to make them differ.

    The mean over images is Lucid's value, which is used with the weight 100.

    Formula: sum over the other images j of <G_i, G_j>, with G = A A^T / sqrt(|A A^T|^2 + 1e-10) and A the `[C, H W]`
        activations of one image.
    Source: Lucid's `diversity`.

    Args:
        activations: Address to activations.
        layer: The address of the layer.

    Returns:
        `[B]`; 0 for a single image, B - 1 for identical ones.
    """
    found = grams(activations[layer]).flatten(1)
    found = found / (found.square().sum(1, keepdim=True) + GRAM_EPSILON).sqrt()
    likeness = torch.einsum("im,jm->ij", found, found)
    apart = 1 - torch.eye(len(found), dtype=found.dtype, device=found.device)
    return (likeness * apart).sum(1)


@objective
def alignment(activations: Activations, layer: str, decay_ratio: Positive = 2) -> Tensor:
    """How far neighbouring images of the batch are apart in a layer: subtract it to keep a walk of images in step.

    Each image of a pair carries half of the pair's distance, so that the sum over images is Lucid's value without its
    minus. The batch has two ends: its last image is no neighbour of its first. Weights of 0.1 are usual.

    Formula: 1/2 sum over d = 1 .. 4 of [mean((a_i - a_{i+d})^2) + mean((a_i - a_{i-d})^2)] / decay_ratio^d, where
        both images are in the batch.
    Source: Lucid's `alignment`, with the sign turned.

    Args:
        activations: Address to activations.
        layer: The address of the layer.
        decay_ratio: By how much a pair counts less for every place that it is farther apart.

    Returns:
        `[B]`; 0 for a single image and for identical ones.

    Raises:
        ObjectiveError: The ratio is not above 0.
    """
    values = activations[layer].flatten(1)
    total = values[:, :0].sum(1)  # a zero for every image, also for one that has no neighbour
    for distance in range(1, min(FARTHEST, len(values) - 1) + 1):
        halves = (values[distance:] - values[:-distance]).square().mean(1) / (2 * decay_ratio**distance)
        total = total + functional.pad(halves, (0, distance)) + functional.pad(halves, (distance, 0))
    return total
