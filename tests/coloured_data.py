"""A network that knows three colours, and images of solid colours: what its units prefer is known by counting."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model

SIDE = 8
CLASSES = ("red", "green", "blue", "grey")


class Coloured:
    """Images of one colour each, class by class; within a class the first is the brightest.

    One of the green images is a dark red, which the network takes for red.
    """

    def __init__(self, counts: Sequence[int] = (3, 6, 2, 4), *, odd: bool = True) -> None:
        self.classes = CLASSES
        self.labels = [label for label, count in enumerate(counts) for _ in range(count)]
        self.images = [self._image(counts, place) for place in range(len(self.labels))]
        if odd:
            self.images[sum(counts[:2]) - 1] = self._solid(0, 0.1)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        return self.images[number], self.labels[number]

    def _image(self, counts: Sequence[int], place: int) -> Tensor:
        label = self.labels[place]
        bright = 0.9 - 0.05 * (place - sum(counts[:label]))
        return self._solid(label, bright) if label < 3 else torch.full((3, SIDE, SIDE), 0.2 * bright)

    def _solid(self, colour: int, bright: float) -> Tensor:
        found = torch.zeros(3, SIDE, SIDE)
        found[colour] = bright
        return found


def colour_network() -> Model:
    """Channels for red, green, blue and again red, each against the mean of the other two; logits of three classes."""
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    with torch.no_grad():
        own = 1.5 * torch.eye(3) - 0.5
        net[0].weight.copy_(torch.cat([own, own[:1]])[:, :, None, None])
        net[0].bias.zero_()
        net[4].weight.copy_(torch.eye(3, 4))
        net[4].bias.zero_()
    return load_model(net, mean=0.0, std=1.0, size=SIDE, channels=3, labels=list(CLASSES[:3]))
