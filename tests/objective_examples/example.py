"""What an example of an objective is, and the activations that it is called on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lucidtorch.objectives import Objective

SHAPES = {
    "0": (2, 4, 5, 3),
    "logits": (2, 3),
    "input": (2, 3, 6, 4),
    "2.attention[heads][0]": (2, 2, 5, 3),
    "2.attention[heads][1]": (2, 2, 5, 3),
    "2.attention[tokens]": (2, 4, 6),
}


def activations(kind: torch.dtype = torch.float64) -> dict[str, Tensor]:
    """Make activations of two images; the layers are those of the network that the battery renders."""
    dice = torch.Generator().manual_seed(2)
    return {name: torch.randn(shape, generator=dice, dtype=torch.float64).to(kind) for name, shape in SHAPES.items()}


@dataclass(frozen=True)
class Example:
    """One objective with its text and its formula, written naively.

    `apart` says whether each image's value depends on that image alone, `differentiable` whether numerical gradients
    are its gradients, `given` makes the activations that it is called on, and `param` the images that it is rendered
    on: two of 10 pixels.
    """

    goal: Objective
    text: str
    by_hand: Callable[[Mapping[str, Tensor]], Tensor]
    apart: bool = True
    differentiable: bool = True
    given: Callable[[torch.dtype], dict[str, Tensor]] = activations
    param: str = "image(10, batch=2)"
