"""How far a picture that was made again is from the original: in its pixels, and in what layers make of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lucidtorch.models.model import Model
from lucidtorch.recipes.parts.charts.layer_chart import Line, chart

SMALLEST = 0.01  # per cent that an axis reaches at least


@dataclass(frozen=True)
class Errors:
    """How far an inversion is from the original, as it stands in its file.

    Args:
        image: The mean absolute error, from 0 to 1.
        layers: The relative squared error in each layer.
    """

    image: float
    layers: Mapping[str, float]

    @classmethod
    def of(cls, network: Model, layers: tuple[str, ...], picture: Tensor, original: Tensor) -> Errors:
        """Measure a picture."""
        return cls(image_error(picture, original), feature_errors(network, layers, picture, original))


def feature_errors(network: Model, layers: tuple[str, ...], picture: Tensor, original: Tensor) -> dict[str, float]:
    """Measure how far a network's layers are from what they make of another picture.

    Formula: |a - a0|^2 / |a0|^2 over the whole layer, with a0 the activations of the original.
    """
    found, wanted = (network.activations(one[None], layers) for one in (picture, original))
    return {layer: _relative(found[layer].double(), wanted[layer].double()) for layer in layers}


def _relative(found: Tensor, wanted: Tensor) -> float:
    apart, size = (found - wanted).square().sum(), wanted.square().sum()
    return float(apart / size) if float(apart) > 0 else 0.0


def image_error(picture: Tensor, original: Tensor) -> float:
    """Measure how far a picture is from another one.

    Formula: mean of |x - x0| over all numbers.
    """
    return float((picture.double() - original.double()).abs().mean())


def flat_error(original: Tensor) -> float:
    """Measure how far an even picture in the mean colour of another is from that: the error of knowing no more."""
    mean = original.double().mean((-2, -1), keepdim=True)
    return image_error(torch.broadcast_to(mean, original.shape), original)


def error_chart(errors: Mapping[str, Sequence[float]]) -> Tensor:
    """Draw the image error over depth."""
    values = [[100 * one for one in own] for own in errors.values()]
    means = [sum(own) / len(own) for own in values]
    name = "mean absolute error of the pixels, %"
    line = Line(name, means)
    if len(values[0]) > 1:
        line = Line(f"{name} (pale: from the least to the most)", means, [*map(min, values)], [*map(max, values)])
    return chart(tuple(errors), [line], _ticks(max(map(max, values))))


def _ticks(most: float) -> list[tuple[float, str]]:
    """Choose round numbers from 0 to a value, or a little beyond it."""
    power = 10.0 ** math.floor(math.log10(max(most, SMALLEST) / 4))
    stride = next(factor * power for factor in (1, 2, 5, 10) if factor * power * 5 >= most)
    return [(place * stride, f"{place * stride:.6g}") for place in range(math.ceil(max(most, SMALLEST) / stride) + 1)]
