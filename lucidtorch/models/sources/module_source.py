"""A module of the caller's own as a network."""

from __future__ import annotations

import math
from pathlib import Path

from torch import nn

from lucidtorch.base.errors import WeightsError
from lucidtorch.models.inputs.convention import InputConvention
from lucidtorch.models.sources.found_network import FoundNetwork
from lucidtorch.models.sources.weights import load_weights, read_weights

COLOURS = 3
USUAL_SIDE = 224
USUAL_CLIP = (16, 112, 112)


def find_in_module(module: nn.Module, weights: str | Path, name: str | None = None) -> FoundNetwork:
    """Take a module as it is, and guess what it expects of its input.

    Args:
        module: The network. A weights file is loaded into this very object.
        weights: `default` to keep its weights, or a file.
        name: What messages call it; the name of its class where None.

    Returns:
        The network, with a convention that is a guess: images in [0, 1], mean 0, std 1, and as many channels as its
        first convolution takes; clips where that convolution is three-dimensional.

    Raises:
        WeightsError: The file cannot be used, or weights were to be random.
    """
    name = type(module).__name__ if name is None else name
    if weights == "random":
        raise WeightsError("weights='random' is for networks with a name; a module is taken with the weights it has.")
    file = weights if isinstance(weights, Path) else None
    if file is not None:
        load_weights(module, read_weights(file), name=name, origin=str(file))
    channels, size = _guessed_input(module)
    return FoundNetwork(name, module, guess(channels, size), None, file, size_known=False)


def guess(channels: int, size: tuple[int, ...]) -> InputConvention:
    """Write down a convention that nobody stated.

    Args:
        channels: The number of image channels.
        size: Height and width; (time, height, width) for clips and volumes.

    Returns:
        Images in [0, 1] as they are.
    """
    return InputConvention(channels, size, (0.0, 1.0), (0.0,) * channels, (1.0,) * channels, stated=False)


def _guessed_input(module: nn.Module) -> tuple[int, tuple[int, ...]]:
    """Guess channels and size: from the first convolution, or from a dense layer that takes all pixels of a square."""
    kinds = nn.Conv2d | nn.Conv3d | nn.Linear
    first = next((part for part in module.modules() if isinstance(part, kinds)), None)
    if isinstance(first, nn.Conv2d):
        return first.in_channels, (USUAL_SIDE, USUAL_SIDE)
    if isinstance(first, nn.Conv3d):
        return first.in_channels, USUAL_CLIP
    if isinstance(first, nn.Linear):
        for channels in (1, COLOURS):
            side = math.isqrt(first.in_features // channels)
            if channels * side * side == first.in_features:
                return channels, (side, side)
    return COLOURS, (USUAL_SIDE, USUAL_SIDE)
