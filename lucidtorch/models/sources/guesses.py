"""What a network that states nothing is taken to expect."""

from __future__ import annotations

import math

from torch import nn

from lucidtorch.models.inputs.convention import InputConvention

COLOURS = 3
USUAL_SIDE = 224
USUAL_CLIP = (16, 112, 112)


def guess(channels: int, size: tuple[int, ...]) -> InputConvention:
    """Write down a convention that nobody stated."""
    return InputConvention(channels, size, (0.0, 1.0), (0.0,) * channels, (1.0,) * channels, stated=False)


def guessed_input(module: nn.Module) -> tuple[int, tuple[int, ...]]:
    """Guess what a network takes, from its first convolution or a dense layer that takes all pixels of a square."""
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
