"""A module of the caller's own as a network."""

from __future__ import annotations

import math
from pathlib import Path

from torch import nn

from lucidtorch.base.errors import WeightsError
from lucidtorch.models.convention import InputConvention
from lucidtorch.models.found_network import FoundNetwork
from lucidtorch.models.weights import load_weights, read_weights

COLOURS = 3
USUAL_SIDE = 224


def find_in_module(module: nn.Module, weights: str | Path) -> FoundNetwork:
    """Take a module as it is, and guess what it expects of its input.

    Args:
        module: The network. A weights file is loaded into this very object.
        weights: `default` to keep its weights, or a file.

    Returns:
        The network, with a convention that is a guess: images in [0, 1], mean 0, std 1, and as many channels as its
        first convolution takes.

    Raises:
        WeightsError: The file cannot be used, or weights were to be random.
    """
    name = type(module).__name__
    if weights == "random":
        raise WeightsError("weights='random' is for networks with a name; a module is taken with the weights it has.")
    file = weights if isinstance(weights, Path) else None
    if file is not None:
        load_weights(module, read_weights(file), name=name, origin=str(file))
    channels, side = _guessed_input(module)
    convention = InputConvention(channels, (side, side), (0.0, 1.0), (0.0,) * channels, (1.0,) * channels, stated=False)
    return FoundNetwork(name, module, convention, None, file, size_known=False)


def _guessed_input(module: nn.Module) -> tuple[int, int]:
    """Guess channels and side: from the first convolution, or from a dense layer that takes all pixels of a square."""
    first = next((part for part in module.modules() if isinstance(part, nn.Conv2d | nn.Linear)), None)
    if isinstance(first, nn.Conv2d):
        return first.in_channels, USUAL_SIDE
    if isinstance(first, nn.Linear):
        for channels in (1, COLOURS):
            side = math.isqrt(first.in_features // channels)
            if channels * side * side == first.in_features:
                return channels, side
    return COLOURS, USUAL_SIDE
