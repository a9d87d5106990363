"""How alike finished pictures are to a network."""

from __future__ import annotations

from torch import Tensor

from lucidtorch.models.model import Model
from lucidtorch.objectives.matching import diversity

DIGITS = 3


def likeness(network: Model, images: Tensor, layer: str) -> tuple[float, ...] | None:
    """Measure how alike each picture's textures are to those of the others.

    Formula: for picture i the mean over j != i of the cosine between the Gram matrices of i and j, `diversity` / (B-1).
    """
    if images.shape[1] != network.convention.channels or network.refusal(images.shape[2:]) is not None:
        return None
    sums = diversity(layer)(network.activations(images, [layer]))
    return tuple(round(float(one) / (len(images) - 1), DIGITS) for one in sums)
