"""The network `demo`: a small VGG for the drawings of textures and shapes."""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise

import torch
from torch import nn

from lucidtorch.models.networks.labels import DRAWINGS

WIDTHS = (24, 48, 96, 128)  # channels of the four blocks
HIDDEN = 128  # units of the layer before the logits


def build() -> nn.Sequential:
    """Build the network, with untrained weights.

    Four blocks of two convolutions, 3x3 except for the first (5x5 with stride 2), a pooling after each of the first
    three, then global average pooling and two dense layers. The names of the modules are the addresses of the layers:
    `conv1_1`, `relu1_1`, `conv1_2`, `relu1_2`, `pool1`, ..., `relu4_2`, `mean`, `flat`, `fc`, `relu_fc`, `logits`.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    with torch.random.fork_rng(devices=[]):
        layers["conv1_1"], layers["relu1_1"] = nn.Conv2d(3, WIDTHS[0], 5, stride=2, padding=2), nn.ReLU()
        layers["conv1_2"], layers["relu1_2"] = nn.Conv2d(WIDTHS[0], WIDTHS[0], 3, padding=1), nn.ReLU()
        for block, (before, after) in enumerate(pairwise(WIDTHS), start=2):
            layers[f"pool{block - 1}"] = nn.MaxPool2d(2)
            layers[f"conv{block}_1"], layers[f"relu{block}_1"] = nn.Conv2d(before, after, 3, padding=1), nn.ReLU()
            layers[f"conv{block}_2"], layers[f"relu{block}_2"] = nn.Conv2d(after, after, 3, padding=1), nn.ReLU()
        layers["mean"], layers["flat"] = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        layers["fc"], layers["relu_fc"] = nn.Linear(WIDTHS[-1], HIDDEN), nn.ReLU()
        layers["logits"] = nn.Linear(HIDDEN, len(DRAWINGS))
    return nn.Sequential(layers)
