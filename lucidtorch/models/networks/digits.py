"""The network `digits`: handwritten digits in one channel."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn

LABELS = tuple("0123456789")
WIDTHS = (16, 32, 64)  # channels of the three convolutions


def build() -> nn.Sequential:
    """Build the network, with untrained weights.

    Three 3x3 convolutions, each followed by a ReLU and average pooling, then two dense layers. The last map keeps 4x4
    positions, because a digit is centred in its image; maps of other sizes are pooled to that.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    before = 1
    with torch.random.fork_rng(devices=[]):
        for place, width in enumerate(WIDTHS, start=1):
            layers[f"conv{place}"] = nn.Conv2d(before, width, 3, padding=1)
            layers[f"relu{place}"] = nn.ReLU()
            layers[f"pool{place}"] = nn.AvgPool2d(2)
            before = width
        layers["places"], layers["flat"] = nn.AdaptiveAvgPool2d(4), nn.Flatten()
        layers["fc"], layers["relu_fc"] = nn.Linear(before * 16, 64), nn.ReLU()
        layers["logits"] = nn.Linear(64, len(LABELS))
    return nn.Sequential(layers)
