"""Small changes that mislead a network the most; trained on them, its features come to look like what they mean."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TINY = 1e-12  # keeps a gradient of zero from being divided by its length


def logits_of(network: nn.Module, inputs: Tensor) -> tuple[Tensor, ...]:
    """Ask a network of one head or of several."""
    answer = network(inputs)
    return tuple(answer.values()) if isinstance(answer, dict) else (answer,)


def loss_of(network: nn.Module, inputs: Tensor, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """How wrong a network is: the cross entropy, summed over the heads and averaged over the images."""
    heads = logits_of(network, inputs)
    losses = [F.cross_entropy(head, targets[:, place], label_smoothing=smoothing) for place, head in enumerate(heads)]
    return torch.stack(losses).sum()


@dataclass(frozen=True)
class Disturbance:
    """Changes of one L2 length per image, from a random one to the most misleading one.

    The gradient by which a network learns a randomly changed batch also says which change misleads it most; the batch
    is then learnt again with that change. It costs no pass of its own.

    Args:
        length: The longest change of one image, in the network's own input units; 0 for none.
        generator: Source of the random starts.
    """

    length: float
    generator: torch.Generator

    def start(self, inputs: Tensor) -> Tensor:
        """Changes in random directions, each of a random share of the length."""
        if self.length == 0:
            return torch.zeros_like(inputs)
        shares = torch.rand(len(inputs), 1, 1, 1, generator=self.generator)
        noise = torch.randn(inputs.shape, generator=self.generator).contiguous(memory_format=torch.channels_last)
        return of_length(noise, self.length) * shares

    def onward(self, change: Tensor, gradient: Tensor) -> Tensor:
        """Changes moved by one length along the gradient, and cut back to the length."""
        moved: Tensor = change + of_length(gradient, self.length)
        lengths = moved.flatten(1).norm(dim=1).clamp_min(TINY)[:, None, None, None]
        cut: Tensor = moved * (self.length / lengths).clamp_max(1)
        return cut


def of_length(directions: Tensor, length: float) -> Tensor:
    """Give each of several directions one L2 length."""
    lengths = directions.flatten(1).norm(dim=1).clamp_min(TINY)
    stretched: Tensor = directions * (length / lengths)[:, None, None, None]
    return stretched
