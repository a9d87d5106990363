"""What the names in the examples of the reference pages stand for: a picture, and what a network makes of it."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

import lucidtorch as lt
from lucidtorch.base.arrays import Array
from lucidtorch.base.images import encode_png
from lucidtorch.datasets import drawings
from lucidtorch.models.networks.labels import DRAWINGS

SIDE = 64
TOLD = {
    "drawing": "a picture, written as `photo('drawing.png', 64)`",
    "vector": "as many numbers as the layer has channels",
    "weights": "a few channels, one of them against",
    "unit": "zeros, and a one for the channel",
    "matrix": "the inverse of the layer's second moments, `[C, C]`",
    "map": "numbers `[h, w]`, large in a ring",
    "maps": "the layer's activations for that picture, `[C, h, w]`",
    "disc": "a mask `[64, 64]`, one in a disc",
}


@functools.cache
def drawing() -> Tensor:
    """The picture: a butterfly, `[3, 64, 64]`."""
    return drawings("test", length=len(DRAWINGS), size=SIDE)[DRAWINGS.index("butterfly")][0].float()


def disc(side: int = SIDE) -> Tensor:
    """A mask that is one in a disc and zero around it, `[side, side]`."""
    places = torch.linspace(-1, 1, side)
    return (torch.hypot(places[:, None], places[None, :]) < 0.8).float()


@dataclass(frozen=True)
class Things:
    """What the names stand for with one network.

    Attributes:
        model: The network, or its name.
        layer: The layer that vectors and maps speak of.
        top: A layer above it.
        channel: A channel of that one.
    """

    model: lt.Model | str = "demo"
    layer: str = "conv3_2"
    top: str = "conv4_1"
    channel: int = 12

    def written_out(self, text: str, folder: Path) -> str:
        """Put what the names stand for in their place.

        Args:
            text: The text of an example.
            folder: Where the files go that the text then names.

        Returns:
            A text that the notation reads.
        """
        for name in names_in(text):
            text = re.sub(rf"\b{name}\b(?!['(])", lambda _, name=name: self._value(name, folder), text)
        return text

    def tensor(self, name: str) -> Tensor:
        """Make the numbers that a name stands for."""
        if name == "disc":
            return disc()
        if name == "map":
            places = torch.arange(8.0) - 3.5
            return torch.where((torch.hypot(places[:, None], places[None, :]) - 2.5).abs() < 0.8, 1.0, -0.5)
        if name == "unit":
            return torch.eye(self._activations(drawing()[None], self.top).shape[1])[self.channel]
        if name == "matrix":
            return self._whitening()
        if name == "weights":
            return self._few()
        maps = self._activations(drawing()[None], self.layer)[0]
        return maps if name == "maps" else maps[:, maps.shape[1] // 2, maps.shape[2] // 2]

    def _few(self) -> Tensor:
        """Two channels for, and one against."""
        found = torch.zeros(self._activations(drawing()[None], self.layer).shape[1])
        found[[5, 12, 20]] = torch.tensor([1.0, 1.0, -0.5])
        return found

    def _activations(self, images: Tensor, layer: str) -> Tensor:
        model = lt.load_model(self.model, device="cpu") if isinstance(self.model, str) else self.model
        return model.activations(images, layer)[layer]

    def _whitening(self) -> Tensor:
        """The inverse of the second moments of the layer over some drawings, steadied."""
        images, _ = drawings("test", length=len(DRAWINGS), size=SIDE).batch(range(len(DRAWINGS)))
        values = self._activations(images.float(), self.layer).transpose(0, 1).flatten(1).double()
        moments = values @ values.T / values.shape[1]
        return torch.linalg.inv(moments + moments.trace() / len(moments) * torch.eye(len(moments), dtype=torch.float64))

    def _value(self, name: str, folder: Path) -> str:
        if name == "drawing":
            (folder / "drawing.png").write_bytes(encode_png(drawing()))
            return f"photo('drawing.png', {SIDE})"
        array = Array.of(self.tensor(name))
        if not array.is_inline:
            array.save(folder)
        return repr(array)


def names_in(text: str) -> list[str]:
    """Say which names that stand for something a text has."""
    outside = re.sub(r"'[^']*'", "", text)
    return [name for name in TOLD if re.search(rf"\b{name}\b(?!\()", outside)]
