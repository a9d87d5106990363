"""InceptionV1 (GoogLeNet) as in TensorFlow's "inception5h", the network of Lucid's articles.

Architecture: Szegedy et al., "Going deeper with convolutions" (2014), with the names and constants of the released
graph: paddings are TensorFlow's SAME, and local response normalization has radius 5, bias 2, alpha 1e-4, beta 0.5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CLASSES = 1008
LRN_RADIUS, LRN_BIAS, LRN_ALPHA, LRN_BETA = 5, 2.0, 1e-4, 0.5
PUBLISHED_ENDING = re.compile(r"_(?:conv|matmul)\.(weight|bias)$")


class MixedBlock(NamedTuple):
    """The channels of one mixed block's branches, in the paper's order."""

    one: int
    three_bottleneck: int
    three: int
    five_bottleneck: int
    five: int
    pool_reduce: int

    @property
    def channels(self) -> int:
        """The channels of the concatenated block."""
        return self.one + self.three + self.five + self.pool_reduce


BLOCKS = {
    "mixed3a": MixedBlock(64, 96, 128, 16, 32, 32),
    "mixed3b": MixedBlock(128, 128, 192, 32, 96, 64),
    "mixed4a": MixedBlock(192, 96, 204, 16, 48, 64),
    "mixed4b": MixedBlock(160, 112, 224, 24, 64, 64),
    "mixed4c": MixedBlock(128, 128, 256, 24, 64, 64),
    "mixed4d": MixedBlock(112, 144, 288, 32, 64, 64),
    "mixed4e": MixedBlock(256, 160, 320, 32, 128, 128),
    "mixed5a": MixedBlock(256, 160, 320, 48, 128, 128),
    "mixed5b": MixedBlock(384, 192, 384, 48, 128, 128),
}
POOLED_BEFORE = {"mixed4a": "maxpool4", "mixed5a": "maxpool10"}  # the graph's own numbering


class SameConv2d(nn.Conv2d):
    """A convolution with TensorFlow's SAME padding: the output side is ceil(side / stride); odd pads go last."""

    def forward(self, input: Tensor) -> Tensor:
        """Pad by the input size, and convolve."""
        return super().forward(F.pad(input, _same_padding(input, self.kernel_size[0], self.stride[0])))


class SameMaxPool2d(nn.MaxPool2d):
    """Max pooling with TensorFlow's SAME padding, of minus infinity."""

    def forward(self, input: Tensor) -> Tensor:
        """Pad by the input size, and pool."""
        padding = _same_padding(input, _side(self.kernel_size), _side(self.stride))
        pooled: Tensor = super().forward(F.pad(input, padding, value=-torch.inf))
        return pooled


class Concatenation(nn.Module):
    """Concatenates the channels of a mixed block's branches."""

    def forward(self, *branches: Tensor) -> Tensor:
        """Concatenate."""
        return torch.cat(branches, dim=1)


class InceptionV1(nn.Module):
    """Lucid's network; every layer of the literature is a direct child with its name.

    `X_pre_relu` is a convolution and `X` its ReLU; `mixed4a` and similar names are the concatenated blocks. Weights are
    initialized by He's normal distribution.
    """

    def __init__(self) -> None:
        super().__init__()
        self._add_convolution("conv2d0", 3, 64, kernel=7, stride=2)
        self.maxpool0 = SameMaxPool2d(3, 2)
        self.localresponsenorm0 = _response_norm()
        self._add_convolution("conv2d1", 64, 64, kernel=1)
        self._add_convolution("conv2d2", 64, 192, kernel=3)
        self.localresponsenorm1 = _response_norm()
        self.maxpool1 = SameMaxPool2d(3, 2)
        channels = 192
        for name, block in BLOCKS.items():
            if name in POOLED_BEFORE:
                self.add_module(POOLED_BEFORE[name], SameMaxPool2d(3, 2))
            self._add_block(name, channels, block)
            channels = block.channels
        self.avgpool0 = nn.AdaptiveAvgPool2d(1)
        self.softmax2_pre_activation = nn.Linear(channels, CLASSES)
        self.softmax2 = nn.Softmax(dim=1)
        self._start_weights()

    def forward(self, images: Tensor) -> Tensor:
        """Classify."""
        stem = self.localresponsenorm0(self.maxpool0(self._convolved("conv2d0", images)))
        stem = self._convolved("conv2d2", self._convolved("conv2d1", stem))
        values: Tensor = self.maxpool1(self.localresponsenorm1(stem))
        for name in BLOCKS:
            if name in POOLED_BEFORE:
                values = self.get_submodule(POOLED_BEFORE[name])(values)
            values = self._mixed(name, values)
        logits = self.softmax2_pre_activation(self.avgpool0(values).flatten(1))
        probabilities: Tensor = self.softmax2(logits)
        return probabilities

    def _add_convolution(self, name: str, before: int, after: int, *, kernel: int, stride: int = 1) -> None:
        self.add_module(f"{name}_pre_relu", SameConv2d(before, after, kernel, stride))
        self.add_module(name, nn.ReLU())

    def _add_block(self, name: str, before: int, block: MixedBlock) -> None:
        self._add_convolution(f"{name}_1x1", before, block.one, kernel=1)
        self._add_convolution(f"{name}_3x3_bottleneck", before, block.three_bottleneck, kernel=1)
        self._add_convolution(f"{name}_3x3", block.three_bottleneck, block.three, kernel=3)
        self._add_convolution(f"{name}_5x5_bottleneck", before, block.five_bottleneck, kernel=1)
        self._add_convolution(f"{name}_5x5", block.five_bottleneck, block.five, kernel=5)
        self.add_module(f"{name}_pool", SameMaxPool2d(3, 1))
        self._add_convolution(f"{name}_pool_reduce", before, block.pool_reduce, kernel=1)
        self.add_module(name, Concatenation())

    def _convolved(self, name: str, values: Tensor) -> Tensor:
        pre_relu = self.get_submodule(f"{name}_pre_relu")(values)
        activated: Tensor = self.get_submodule(name)(pre_relu)
        return activated

    def _mixed(self, name: str, values: Tensor) -> Tensor:
        one = self._convolved(f"{name}_1x1", values)
        three = self._convolved(f"{name}_3x3", self._convolved(f"{name}_3x3_bottleneck", values))
        five = self._convolved(f"{name}_5x5", self._convolved(f"{name}_5x5_bottleneck", values))
        pooled = self._convolved(f"{name}_pool_reduce", self.get_submodule(f"{name}_pool")(values))
        mixed: Tensor = self.get_submodule(name)(one, three, five, pooled)
        return mixed

    def _start_weights(self) -> None:
        for part in self.modules():
            if isinstance(part, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
                if part.bias is not None:
                    nn.init.zeros_(part.bias)


def own_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename published weights to the names of this class."""
    return {PUBLISHED_ENDING.sub(r".\1", name): value for name, value in state.items()}


def _response_norm() -> nn.LocalResponseNorm:
    window = 2 * LRN_RADIUS + 1
    return nn.LocalResponseNorm(
        window, alpha=LRN_ALPHA * window, beta=LRN_BETA, k=LRN_BIAS
    )  # torch divides by the window


def _side(value: int | tuple[int, ...]) -> int:
    return value if isinstance(value, int) else value[0]


def _same_padding(values: Tensor, kernel: int, stride: int) -> tuple[int, int, int, int]:
    padding: list[int] = []
    for side in (values.shape[-1], values.shape[-2]):
        total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
        padding += [total // 2, total - total // 2]
    left, right, top, bottom = padding
    return left, right, top, bottom
