"""The floor that speeds are compared with: the bare loop, built without the library's engine.

The network cut after the layer, weights frozen, gradient of the same objective to the network's input only, same batch,
same input size, same precision. Everything else (param, transforms, hooks, optimizer, bookkeeping) is the overhead.
The matching floor has the engine's memory layout and its batch norms folded; the plain one is the network as it comes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.fx.experimental.optimization import fuse
from torchvision.models.feature_extraction import create_feature_extractor


def floor_step(module: nn.Module, layer: str, images: Tensor, *, matching: bool) -> Callable[[], Tensor]:
    """Make one step of the bare loop: forward through the cut network, backward to its input.

    Args:
        module: The network; a copy of it is used.
        layer: The address of the layer.
        images: What the network sees, `[B, C, H, W]`, on the device that shall compute.
        matching: Whether in `channels_last` with batch norms folded, as the engine computes, or as it comes.

    Returns:
        The step; it gives the gradient.
    """
    cut: nn.Module = create_feature_extractor(copy.deepcopy(module).eval(), {layer: "out"})
    cut = cut.eval().requires_grad_(False).to(images.device)
    layout = torch.channels_last if matching else torch.contiguous_format
    if matching:
        cut = fuse(cut, inplace=True).requires_grad_(False).to(memory_format=torch.channels_last)
    seen = images.detach().clone(memory_format=layout).requires_grad_(True)

    def step() -> Tensor:
        values = cut(seen)["out"][:, 0].flatten(1).mean(1)
        return torch.autograd.grad(-values.sum(), seen)[0]

    return step
