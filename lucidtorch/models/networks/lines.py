"""The network `lines`: one trunk and four heads for the length, width, angle and colour of a line."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

LENGTHS = ("short", "middling", "long")
WIDTHS = ("thin", "medium", "thick")
ANGLES = ("lying", "rising", "upright", "falling")
COLOURS = ("red", "yellow", "green", "cyan", "blue", "magenta", "white", "black")

HEADS: dict[str, tuple[str, ...]] = {"length": LENGTHS, "width": WIDTHS, "angle": ANGLES, "colour": COLOURS}
"""The classes of each head, in the order of its outputs."""


class Lines(nn.Module):
    """A trunk of four blocks (`conv1`, `relu1`, `pool1`, ...), global average pooling, and four dense heads."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = _trunk((16, 32, 48, 64))
        self.length = nn.Linear(64, len(LENGTHS))
        self.width = nn.Linear(64, len(WIDTHS))
        self.angle = nn.Linear(64, len(ANGLES))
        self.colour = nn.Linear(64, len(COLOURS))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Compute the logits of each head."""
        seen = self.trunk(images)
        return {
            "length": self.length(seen),
            "width": self.width(seen),
            "angle": self.angle(seen),
            "colour": self.colour(seen),
        }


def build() -> Lines:
    """Build the network, with untrained weights."""
    with torch.random.fork_rng(devices=[]):
        return Lines()


def _trunk(widths: tuple[int, ...]) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    before = 3
    for place, width in enumerate(widths, start=1):
        layers[f"conv{place}"] = nn.Conv2d(before, width, 3, padding=1)
        layers[f"relu{place}"] = nn.ReLU()
        layers[f"pool{place}"] = nn.AvgPool2d(2)
        before = width
    layers["mean"], layers["flat"] = nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return nn.Sequential(layers)
