"""Networks with batch normalization whose numbers are not the ones that it starts with."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

NORMALIZATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def with_statistics(module: nn.Module, *, seed: int = 0) -> nn.Module:
    """Give every batch normalization statistics and factors of its own; the network is in eval mode afterwards."""
    dice = torch.Generator().manual_seed(seed)
    for part in module.modules():
        if isinstance(part, NORMALIZATIONS):
            sizes = part.num_features
            if part.running_mean is not None:
                part.running_mean = torch.randn(sizes, generator=dice) * 0.3
                part.running_var = torch.rand(sizes, generator=dice) + 0.5
            if part.affine:
                part.weight.data = torch.rand(sizes, generator=dice) + 0.5
                part.bias.data = torch.randn(sizes, generator=dice) * 0.3
    return module.eval()


def seeded(make: Callable[[], nn.Module], *, seed: int = 0) -> nn.Module:
    """Make a network whose weights and statistics are always the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return with_statistics(make(), seed=seed)


def blocks() -> nn.Sequential:
    """Three times a convolution, its normalization and a ReLU."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        nn.Conv2d(8, 12, 3, padding=1, bias=False),
        nn.BatchNorm2d(12),
        nn.ReLU(),
        nn.Conv2d(12, 6, 1),
        nn.BatchNorm2d(6, affine=False),
        nn.ReLU(),
    )


class Pair(nn.Module):
    """A convolution `conv`, its normalization `norm`, and `last`; what lies between the two says a subclass."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.norm = nn.BatchNorm2d(6)
        self.last = nn.Conv2d(6, 4, 1)

    def between(self, images: Tensor) -> Tensor:
        """What the last convolution gets."""
        return self.norm(self.conv(images))

    def forward(self, images: Tensor) -> Tensor:
        return self.last(self.between(images).relu())
