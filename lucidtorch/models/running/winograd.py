"""Winograd's way through 3 x 3 convolutions: a quarter of the multiplications, for wide layers on a CPU.

Lavin and Gray, Fast algorithms for convolutional neural networks, 2016: F(4 x 4, 3 x 3). Every 4 x 4 tile of the output
is made of a 6 x 6 tile of the input; between two small linear maps stand 36 matrix products over the channels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lucidtorch.models.running.convolutions import is_plain, replace

TILE = 4  # of the output, on each side
KERNEL = 3
WINDOW = TILE + KERNEL - 1
POINTS = WINDOW * WINDOW
WIDE = 128  # channels on one side at least; below, the two linear maps cost what the products save
SMALLEST = {256: 8, 96: 16, 64: 32}  # pixels on a side, from so many channels on the other side on
FEWEST, SHARED = 64, 512  # tiles in a block: at least so many, and one for every so many weights of a point
MEMORY = 128 * 2**20  # bytes; the transformed weights of one direction are four times the weights
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
        self.smallest = next(side for width, side in SMALLEST.items() if min(weight.shape[:2]) >= width)
        self.register_buffer("forward_weights", _transformed(weight), persistent=False)
        self.register_buffer("backward_weights", _transformed(weight.transpose(0, 1).flip(2, 3)), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Convolve; the plain way where the maps are small, or an autocast asks for other numbers."""
        if min(images.shape[-2:]) < self.smallest or torch.is_autocast_enabled(images.device.type):
            return F.conv2d(images, self.weight, self.bias, padding=1)
        found: Tensor = _Winograd.apply(images, self.forward_weights, self.backward_weights, self.bias)
        return found


def with_winograd(module: nn.Module, names: Iterable[str]) -> None:
    """Let wide 3 x 3 convolutions go Winograd's way, in place, as long as the memory for their weights lasts."""
    left = MEMORY
    for name in dict.fromkeys(names):
        layer = module.get_submodule(name) if name else None
        if isinstance(layer, nn.Conv2d) and suits(layer):
            left -= 2 * POINTS * layer.in_channels * layer.out_channels * layer.weight.element_size()
            if left < 0:
                return
            replace(module, name, WinogradConv2d(layer))


def suits(layer: nn.Conv2d) -> bool:
    """Say whether a convolution is one that this is faster for."""
    if not is_plain(layer) or (layer.kernel_size, layer.stride, layer.padding) != ((KERNEL, KERNEL), (1, 1), (1, 1)):
        return False
    narrower, wider = sorted((layer.in_channels, layer.out_channels))
    return wider >= WIDE and narrower >= min(SMALLEST)


class _Winograd(torch.autograd.Function):
    """The convolution and its gradient to the input, which is a convolution with the turned weights."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, weights: Tensor, turned: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(weights, turned)
        return _convolved(images, weights, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        weights, turned = ctx.saved_tensors
        return _Winograd.apply(gradient, turned, weights, None), None, None, None


def _transformed(weight: Tensor) -> Tensor:
    """Weights `[K, C, 3, 3]` as matrices for each point, `[36, C, K]`, computed in float64."""
    points = torch.tensor(_FILTER, dtype=torch.float64)
    found = torch.einsum("ai,kcij,bj->abck", points, weight.double(), points)
    return found.flatten(0, 1).to(weight.dtype).contiguous()


def _convolved(images: Tensor, weights: Tensor, bias: Tensor | None) -> Tensor:
    """Convolve a few tiles at a time, always in the same memory: what is between the maps stays in the cache."""
    (batch, _, height, width), (_, given, made) = images.shape, weights.shape
    rows, columns = -(-height // TILE), -(-width // TILE)
    some, band = _block(batch, rows, columns, at_once=max(FEWEST, given * made // SHARED))
    sides = (rows * TILE, columns * TILE)
    whole = torch.empty(batch, made, *sides, dtype=images.dtype, memory_format=torch.channels_last)
    tiles = whole.view(batch, made, rows, TILE, columns, TILE).permute(3, 5, 0, 2, 4, 1)
    padded = images.new_zeros(some, sides[0] + KERNEL - 1, sides[1] + KERNEL - 1, given)
    room = [images.new_empty(size * some * band * columns) for size in (given * POINTS, given * POINTS, made * POINTS)]
    for image in range(0, batch, some):
        shown = images[image : image + some].permute(0, 2, 3, 1)
        padded[: len(shown), 1 : height + 1, 1 : width + 1] = shown
        windows = _windows(padded[: len(shown)], rows, columns)
        for row in range(0, rows, band):
            here = (slice(None), slice(None), slice(image, image + some), slice(row, row + band))
            found = _of_windows(windows[:, :, :, row : row + band], weights, room)
            if bias is None:
                tiles[here] = found
            else:
                torch.add(found, bias, out=tiles[here])
    return whole if sides == (height, width) else whole[:, :, :height, :width].clone()


def _of_windows(windows: Tensor, weights: Tensor, room: Sequence[Tensor]) -> Tensor:
    """Make tiles `[4, 4, B, rows, columns, K]` of windows `[6, 6, B, rows, columns, C]`, in memory that is there."""
    shape, (_, given, made) = windows.shape[2:5], weights.shape
    count = shape.numel()
    taken, points = (one[: POINTS * count * given].view(POINTS, count * given) for one in room[:2])
    products = room[2][: POINTS * count * made].view(POINTS, count * made)
    taken.view(windows.shape).copy_(windows)
    torch.mm(_TO_POINTS, taken, out=points)
    torch.bmm(points.view(POINTS, count, given), weights, out=products.view(POINTS, count, made))
    return torch.mm(_FROM_POINTS, products).view(TILE, TILE, *shape, made)


def _block(batch: int, rows: int, columns: int, at_once: int) -> tuple[int, int]:
    """Say how many images, and how many rows of tiles of each, make about so many tiles."""
    return max(1, min(batch, at_once // (rows * columns))), max(1, min(rows, at_once // columns))


def _windows(padded: Tensor, rows: int, columns: int) -> Tensor:
    """Look at images `[B, H + 2, W + 2, C]` as overlapping windows: `[6, 6, B, rows, columns, C]`."""
    image, row, pixel, one = padded.stride()
    return padded.as_strided(
        (WINDOW, WINDOW, len(padded), rows, columns, padded.shape[-1]),
        (row, pixel, image, row * TILE, pixel * TILE, one),
    )
