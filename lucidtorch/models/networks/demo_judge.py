"""The network `demo-judge`: a small residual network that classifies the pictures rendered with `demo`."""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise

import torch
from torch import Tensor, nn

from lucidtorch.models.networks.labels import DRAWINGS

WIDTHS = (24, 48, 96, 160)  # channels of the stem and of the three stages


class Residual(nn.Module):
    """Two convolutions with a shortcut; halves the sides and changes the channels."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride=2, padding=1)
        self.act1 = nn.SiLU()
        self.conv2 = nn.Conv2d(after, after, 3, padding=1)
        self.halve = nn.AvgPool2d(2, ceil_mode=True)
        self.shortcut = nn.Conv2d(before, after, 1)
        self.act2 = nn.SiLU()

    def forward(self, images: Tensor) -> Tensor:
        """Apply the block."""
        changed: Tensor = self.conv2(self.act1(self.conv1(images)))
        kept: Tensor = self.act2(changed + self.shortcut(self.halve(images)))
        return kept


def build() -> nn.Sequential:
    """Build the network, with untrained weights.

    A stem with stride 2, three residual blocks, global average pooling, logits. It differs from `demo` in strides
    instead of pooling, shortcuts, SiLU instead of ReLU, widths, depth and seed, so that their errors are independent.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    with torch.random.fork_rng(devices=[]):
        layers["stem"], layers["stem_act"] = nn.Conv2d(3, WIDTHS[0], 5, stride=2, padding=2), nn.SiLU()
        for stage, (before, after) in enumerate(pairwise(WIDTHS), start=1):
            layers[f"stage{stage}"] = Residual(before, after)
        layers["mean"], layers["flat"] = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        layers["logits"] = nn.Linear(WIDTHS[-1], len(DRAWINGS))
    return nn.Sequential(layers)
