"""One way to give a network to tools that know no input convention: it normalizes by itself."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

import lucidtorch as lt

INNER = "network"


class Normalizing(nn.Module):
    """A private copy of a network that takes images in [0, 1].

    Its modules are those of the network, one level down: `features.7` is `network.features.7`.

    Args:
        model: The network and its input convention.
    """

    def __init__(self, model: lt.Model) -> None:
        super().__init__()
        scale, shift = model.convention.columns(torch.device("cpu"), torch.float32)
        self.register_buffer("scale", scale)
        self.register_buffer("shift", shift)
        self.add_module(
            INNER, copy.deepcopy(model.module).eval().requires_grad_(True)
        )  # a render that runs holds the network's weights frozen

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.get_submodule(INNER)(images * self.scale + self.shift)
        return found
