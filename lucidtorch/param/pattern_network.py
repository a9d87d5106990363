"""Images without a resolution: a small network that maps pixel coordinates to colours."""

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

EVEN = 16  # pixels are padded to a multiple of it, so that rounding does not depend on the index of an image
REACH = math.sqrt(3)  # a uniform distribution over -REACH..REACH has a standard deviation of 1
BIAS_SD = 0.1
GAIN = 2.0  # He's: the variance of a weight is this over the number of inputs
# Of atan(N(0, 1)): root mean square, that of its square, mean and standard deviation of its square; of max(N(0, 1), 0):
# mean and standard deviation.
ATAN_RMS, SQUARE_RMS, SQUARE_MEAN, SQUARE_STD = 0.67, 0.6, 0.45, 0.396
RELU_MEAN, RELU_STD = 0.40, 0.58


def _atan(values: Tensor) -> Tensor:
    angles = values.atan()
    return torch.cat([angles / ATAN_RMS, angles.square() / SQUARE_RMS], 1)


def _unbiased_atan(values: Tensor) -> Tensor:
    angles = values.atan()
    return torch.cat([angles / ATAN_RMS, (angles.square() - SQUARE_MEAN) / SQUARE_STD], 1)


def _relu(values: Tensor) -> Tensor:
    return (values.relu() - RELU_MEAN) / RELU_STD


# By name, with the number of outputs per input.
ACTIVATIONS: dict[str, tuple[Callable[[Tensor], Tensor], int]] = {
    "atan": (_atan, 2),
    "unbiased_atan": (_unbiased_atan, 2),
    "relu": (_relu, 1),
}


@dataclass(frozen=True, repr=False)
class cppn(Part):  # noqa: N801  # a word of the notation
    """A small network per image, from pixel coordinates to colours: smooth shapes, at any resolution (CPPN).

    The initial image is grey. It needs undecorrelated colours and a small learning rate: `image(224, spatial=cppn(),
    decorrelate=False)` with `lr=0.005`, or 0.01. `param.at(1024)` returns the same picture at a larger size.

    Formula: colour = W_n f(... f(W_1 place + b_1) ...) + b_n; places from -sqrt(3) to sqrt(3) along the longest side;
        at the start W ~ N(0, 2 / inputs), b ~ N(0, .1 ** 2), and 0 both in the last layer.
    Source: Lucid's `cppn`; Stanley 2007, "Compositional pattern producing networks".

    Args:
        hidden: The width of each hidden layer before its activation, from 1; ``atan`` doubles it.
        layers: The number of hidden layers, from 1.
        activation: ``atan``, the arc tangent and its square; ``unbiased_atan``, the same with a centred square, for
            finer detail; or ``relu``. All are scaled to a standard deviation of 1.
    """

    hidden: Count = 24
    layers: Count = 8
    activation: Literal["atan", "unbiased_atan", "relu"] = "atan"

    def basis(self, batch: int, channels: int, size: Size) -> Basis:
        return PatternNetwork(batch, channels, size, self.hidden, self.layers, self.activation)


class PatternNetwork(Basis):
    """The basis of `cppn`: one network per image."""

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
    """Compute the coordinates of each pixel, `[D, N]`.

    The centre is 0; the longer of height and width spans -sqrt(3) to sqrt(3), and the other keeps the aspect ratio. The
    time axis of a clip has the same range, so that more frames show the same motion more slowly.
    """
    plane = max(size[-PLANE:])
    lengths = [*size[:-PLANE], plane, plane]
    axes = [_spread(side, length) for side, length in zip(size, lengths, strict=True)]
    return torch.stack(torch.meshgrid(*axes, indexing="ij")).flatten(1)


def _spread(count: int, length: int) -> Tensor:
    """Compute equally spaced coordinates around 0, of which `length` span the whole range."""
    middle = (count - 1) / 2
    return (torch.arange(count, dtype=torch.float64) - middle) * (2 * REACH / max(1, length - 1))
