"""Winograd's way through 3 x 3 convolutions: a quarter of the multiplications, for wide layers on a CPU.

Lavin and Gray, Fast algorithms for convolutional neural networks, 2016: F(4 x 4, 3 x 3). Every 4 x 4 tile of the output
is made of a 6 x 6 tile of the input; between two small linear maps stand 36 matrix products over the channels.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TILE = 4  # of the output, on each side
KERNEL = 3
WINDOW = TILE + KERNEL - 1
POINTS = WINDOW * WINDOW
NARROWEST = 128  # channels; below, the two linear maps cost what the products save
WIDE = 256  # channels; between, that is so on small maps
SMALLEST = {NARROWEST: 24, WIDE: 8}  # pixels on a side, from so many channels on
MEMORY = 192 * 2**20  # bytes; the transformed weights of one direction are four times the weights
_DATA = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
_FILTER = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
_INVERSE = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))


def _both_ways(matrix: tuple[tuple[float, ...], ...]) -> Tensor:
    """The map that does to flattened windows what a matrix does to their rows and their columns."""
    one = torch.tensor(matrix, dtype=torch.float32)
    return torch.kron(one, one)


_TO_POINTS, _FROM_POINTS = _both_ways(_DATA), _both_ways(_INVERSE)  # in float32, as are the layers that suit


class WinogradConv2d(nn.Module):
    """A 3 x 3 convolution of stride 1 and padding 1 with frozen weights, by Winograd's way forward and back.

    Its values are those of the convolution to about 1e-5 of the largest.

    Args:
        convolution: The convolution; its weights are shared.
    """

    forward_weights: Tensor
    backward_weights: Tensor

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        weight = convolution.weight.detach()
        self.weight = convolution.weight
        self.bias = convolution.bias
        narrower = min(weight.shape[:2])
        self.smallest = SMALLEST[WIDE if narrower >= WIDE else NARROWEST]
        self.register_buffer("forward_weights", _transformed(weight), persistent=False)
        self.register_buffer("backward_weights", _transformed(weight.transpose(0, 1).flip(2, 3)), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Convolve; the plain way where the maps are small, or an autocast asks for other numbers.

        Args:
            images: `[B, C, H, W]`.

        Returns:
            `[B, K, H, W]`.
        """
        if min(images.shape[-2:]) < self.smallest or torch.is_autocast_enabled(images.device.type):
            return F.conv2d(images, self.weight, self.bias, padding=1)
        found: Tensor = _Winograd.apply(images, self.forward_weights, self.backward_weights, self.bias)
        return found


def with_winograd(module: nn.Module, names: Iterable[str]) -> None:
    """Let wide 3 x 3 convolutions go Winograd's way, in place, as long as the memory for their weights lasts.

    Args:
        module: A network that is nobody else's.
        names: Which of its modules may, in the order in which they run.
    """
    left = MEMORY
    for name in dict.fromkeys(names):
        layer = module.get_submodule(name) if name else None
        if isinstance(layer, nn.Conv2d) and suits(layer):
            left -= 2 * POINTS * layer.in_channels * layer.out_channels * layer.weight.element_size()
            if left < 0:
                return
            above, _, last = name.rpartition(".")
            setattr(module.get_submodule(above), last, WinogradConv2d(layer))


def suits(layer: nn.Conv2d) -> bool:
    """Say whether a convolution is one that this is faster for.

    Args:
        layer: The convolution.

    Returns:
        Whether it is a plain 3 x 3 convolution of many channels in float32 on a CPU.
    """
    if type(layer) is not nn.Conv2d or layer._forward_hooks or layer._forward_pre_hooks:
        return False
    shape = (layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.groups, layer.padding_mode)
    plain = shape == ((KERNEL, KERNEL), (1, 1), (1, 1), (1, 1), 1, "zeros")
    wide = min(layer.in_channels, layer.out_channels) >= NARROWEST
    return plain and wide and layer.weight.dtype == torch.float32 and layer.weight.device.type == "cpu"


class _Winograd(torch.autograd.Function):
    """The convolution and its gradient to the input, which is a convolution with the turned weights."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, weights: Tensor, turned: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(turned)
        return _convolved(images, weights, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        (turned,) = ctx.saved_tensors
        return _convolved(gradient, turned, None), None, None, None


def _transformed(weight: Tensor) -> Tensor:
    """Weights `[K, C, 3, 3]` as matrices for each point, `[36, C, K]`, computed in float64."""
    points = torch.tensor(_FILTER, dtype=torch.float64)
    found = torch.einsum("ai,kcij,bj->abck", points, weight.double(), points)
    return found.flatten(0, 1).to(weight.dtype).contiguous()


def _convolved(images: Tensor, weights: Tensor, bias: Tensor | None) -> Tensor:
    batch, _, height, width = images.shape
    rows, columns = -(-height // TILE), -(-width // TILE)
    tiles = torch.matmul(_TO_POINTS, _tiles(images, rows, columns))  # [T, 36, C]
    products = torch.bmm(tiles.transpose(0, 1), weights)  # [36, T, K]
    found = torch.matmul(_FROM_POINTS, products.transpose(0, 1))  # [T, 16, K]
    if bias is not None:
        found += bias
    sides = (rows * TILE, columns * TILE)
    whole = torch.empty(batch, weights.shape[-1], *sides, dtype=images.dtype, memory_format=torch.channels_last)
    by_tiles = whole.permute(0, 2, 3, 1).view(batch, rows, TILE, columns, TILE, -1)
    by_tiles.copy_(found.view(batch, rows, columns, TILE, TILE, -1).permute(0, 1, 3, 2, 4, 5))
    return whole if sides == (height, width) else whole[:, :, :height, :width].clone()


def _tiles(images: Tensor, rows: int, columns: int) -> Tensor:
    """Cut images, with a border of zeros, into overlapping windows: `[T, 36, C]`."""
    batch, channels, height, width = images.shape
    padded = images.new_zeros(batch, rows * TILE + 2, columns * TILE + 2, channels)
    padded[:, 1 : height + 1, 1 : width + 1] = images.permute(0, 2, 3, 1)
    image, row, pixel, _ = padded.stride()
    windows = padded.as_strided(
        (batch, rows, columns, WINDOW, WINDOW, channels), (image, row * TILE, pixel * TILE, row, pixel, 1)
    )
    return windows.reshape(batch * rows * columns, POINTS, channels)
