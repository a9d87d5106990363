"""Images without a resolution: a small network that maps a place to a colour."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Generator, Tensor
from torch.nn.functional import pad

from lucidtorch.base.checks import Count
from lucidtorch.base.sizes import PLANE, Size
from lucidtorch.param.bases import Basis, Part, normal

EVEN = 16  # pixels are filled up to a multiple of it, so that an image's rounding does not depend on its place
REACH = math.sqrt(3)  # numbers spread evenly over -REACH..REACH have a standard deviation of 1
BIAS_SD = 0.1
GAIN = 2.0  # He's: the variance of a weight is this over the number of inputs
# Of atan(N(0, 1)): root mean square, that of its square, mean and standard deviation of its square; of max(N(0, 1), 0):
# mean and standard deviation.
ATAN_RMS, SQUARE_RMS, SQUARE_MEAN, SQUARE_STD = 0.67, 0.6, 0.45, 0.396
RELU_MEAN, RELU_STD = 0.40, 0.58


def _atan(values: Tensor) -> Tensor:
    bent = values.atan()
    return torch.cat([bent / ATAN_RMS, bent.square() / SQUARE_RMS], 1)


def _unbiased_atan(values: Tensor) -> Tensor:
    bent = values.atan()
    return torch.cat([bent / ATAN_RMS, (bent.square() - SQUARE_MEAN) / SQUARE_STD], 1)


def _relu(values: Tensor) -> Tensor:
    return (values.relu() - RELU_MEAN) / RELU_STD


# By name, with how many numbers come out per number that goes in.
ACTIVATIONS: dict[str, tuple[Callable[[Tensor], Tensor], int]] = {
    "atan": (_atan, 2),
    "unbiased_atan": (_unbiased_atan, 2),
    "relu": (_relu, 1),
}


@dataclass(frozen=True, repr=False)
class cppn(Part):  # noqa: N801  # a word of the notation
    """A small network per image, from the place of a pixel to its colour: smooth shapes, at any resolution.

    It starts grey. Colours are its own to find and the step must be small: `image(224, spatial=cppn(),
    decorrelate=False)` with `lr=0.005`, or 0.01. `param.at(1024)` makes the same picture larger.

    Formula: colour = W_n f(... f(W_1 place + b_1) ...) + b_n; places from -sqrt(3) to sqrt(3) along the longest side;
        at the start W ~ N(0, 2 / inputs), b ~ N(0, .1 ** 2), and 0 both in the last layer.
    Source: Lucid's `cppn`; Stanley 2007, "Compositional pattern producing networks".

    Args:
        hidden: The number of values that each hidden layer computes, from 1; ``atan`` makes two of each.
        layers: The number of hidden layers, from 1.
        activation: What bends them: ``atan``, the arc tangent beside its square; ``unbiased_atan``, the same with the
            square around 0, which makes finer detail; or ``relu``. All are scaled to keep a deviation of 1.
    """

    hidden: Count = 24
    layers: Count = 8
    activation: Literal["atan", "unbiased_atan", "relu"] = "atan"

    def basis(self, batch: int, channels: int, size: Size) -> Basis:
        return PatternNetwork(batch, channels, size, self.hidden, self.layers, self.activation)


class PatternNetwork(Basis):
    """The basis of `cppn`: every image has a network of its own."""

    def __init__(self, batch: int, channels: int, size: Size, hidden: int, layers: int, activation: str) -> None:
        super().__init__(batch, channels, size)
        self.activation, outputs = ACTIVATIONS[activation]
        inputs = hidden * outputs
        self.widths = [(hidden, len(size)), *[(hidden, inputs)] * (layers - 1), (channels, inputs)]

    def fill(self, generators: Sequence[Generator]) -> None:
        for number, (outputs, inputs) in enumerate(self.widths):
            last = number == len(self.widths) - 1
            weight_sd, bias_sd = (0.0, 0.0) if last else (math.sqrt(GAIN / inputs), BIAS_SD)
            self.put(f"weight{number}", weight_sd * normal((outputs, inputs), generators))
            self.put(f"bias{number}", bias_sd * normal((outputs, 1), generators))

    def forward(self) -> Tensor:
        return self.at(self.size)

    def at(self, size: Size) -> Tensor:
        here = places(size).to(self.place)
        values = pad(here, (0, -here.shape[1] % EVEN)).expand(self.batch, -1, -1)
        for number in range(len(self.widths)):
            if number:
                values = self.activation(values)
            values = torch.baddbmm(getattr(self, f"bias{number}"), getattr(self, f"weight{number}"), values)
        return values[..., : here.shape[1]].reshape(self.batch, self.channels, *size)


def places(size: Size) -> Tensor:
    """Compute the coordinates of each pixel.

    The middle is 0; the longer of height and width goes from -sqrt(3) to sqrt(3), and the other keeps the aspect. The
    time of a clip has that reach for itself, so that more frames show the same motion more slowly.
    """
    plane = max(size[-PLANE:])
    lengths = [*size[:-PLANE], plane, plane]
    axes = [_spread(side, length) for side, length in zip(size, lengths, strict=True)]
    return torch.stack(torch.meshgrid(*axes, indexing="ij")).flatten(1)


def _spread(count: int, length: int) -> Tensor:
    """Places in even steps around 0, of which `length` would reach from end to end."""
    middle = (count - 1) / 2
    return (torch.arange(count, dtype=torch.float64) - middle) * (2 * REACH / max(1, length - 1))
