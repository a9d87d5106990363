"""Convolutions that a CPU computes faster in another way, where the channels of a place stand side by side in memory.

The numbers are the same up to the order in which they are added. A 1 x 1 convolution is one matrix product. The
gradient of a strided convolution to an image of few channels is a plain convolution that gives all the places of a
block at once. Wide 3 x 3 convolutions go Winograd's way, with a quarter of the multiplications.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FEW = 4  # channels of an image
LANES = 8  # of a CPU's vectors; channels of an output are filled up to a multiple
BATCHED = 4  # dimensions of a batch of images
# Of Winograd's way.
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


def rearrange(module: nn.Module, names: Iterable[str]) -> None:
    """Let convolutions go the faster way, in place."""
    for name in names:
        layer = module.get_submodule(name)
        if not isinstance(layer, nn.Conv2d) or not is_plain(layer):
            continue
        if layer.kernel_size == (1, 1) and layer.padding == (0, 0):
            replace(module, name, PointwiseConv2d(layer))
        elif layer.in_channels <= FEW and layer.stride[0] == layer.stride[1] > 1 and isinstance(layer.padding, tuple):
            replace(module, name, StridedConv2d(layer))


def is_plain(layer: nn.Module) -> bool:
    """Say whether a module is a convolution that can be computed in another way."""
    if type(layer) is not nn.Conv2d or layer._forward_hooks or layer._forward_pre_hooks:
        return False
    usual = (layer.groups, layer.dilation, layer.padding_mode) == (1, (1, 1), "zeros")
    return usual and layer.weight.dtype == torch.float32 and layer.weight.device.type == "cpu"


def replace(module: nn.Module, name: str, layer: nn.Module) -> None:
    """Put a module in the place of another."""
    above, _, last = name.rpartition(".")
    setattr(module.get_submodule(above), last, layer)


class PointwiseConv2d(nn.Module):
    """A 1 x 1 convolution with frozen weights, as one matrix product over all places of all images.

    Args:
        convolution: The convolution; its weights are shared.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.weight, self.bias, self.stride = convolution.weight, convolution.bias, convolution.stride

    def forward(self, images: Tensor) -> Tensor:
        """Convolve; the plain way where an autocast asks for other numbers."""
        if torch.is_autocast_enabled(images.device.type) or images.dim() != BATCHED:
            return F.conv2d(images, self.weight, self.bias, self.stride)
        found: Tensor = _Pointwise.apply(images, self.weight.flatten(1).t(), self.bias, self.stride)
        return found


class StridedConv2d(nn.Module):
    """A strided convolution of an image of few channels with frozen weights, whose gradient is a plain convolution.

    A block of stride x stride places of the image gets its gradient from the same places of the output. So the gradient
    of all of them is one convolution of stride 1, whose output channels are the image's channels at each place of a
    block; libraries compute it many times as fast as one with few channels and a stride.

    Args:
        convolution: The convolution; its weights are shared.
    """

    turned: Tensor

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.weight, self.bias = convolution.weight, convolution.bias
        self.stride, self.padding = convolution.stride[0], tuple(map(int, convolution.padding))
        self.register_buffer("turned", _by_block(convolution.weight.detach(), self.stride), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Convolve; the plain way where an autocast asks for other numbers."""
        if torch.is_autocast_enabled(images.device.type) or images.dim() != BATCHED:
            return F.conv2d(images, self.weight, self.bias, self.stride, self.padding)
        found: Tensor = _Strided.apply(images, self.weight, self.bias, self.turned, self.stride, self.padding)
        return found


class _Pointwise(torch.autograd.Function):
    """Images, or every so many places of them, times a matrix `[C, K]`, and the gradient of that."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, matrix: Tensor, bias: Tensor | None, stride: tuple[int, int]) -> Tensor:
        ctx.save_for_backward(matrix)
        ctx.shape, ctx.stride = images.shape, stride
        places = images.permute(0, 2, 3, 1)[:, :: stride[0], :: stride[1]]
        rows = places.reshape(-1, places.shape[-1])
        # The product goes into it: a ReLU may not work in place on what would be a view of the product.
        whole = _channels_last((len(places), matrix.shape[1], *places.shape[1:3]), images)
        found = whole.permute(0, 2, 3, 1).view(len(rows), -1)
        if bias is None:
            torch.mm(rows, matrix, out=found)
        else:
            torch.addmm(bias, rows, matrix, out=found)
        return whole

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        (matrix,) = ctx.saved_tensors
        found: Tensor = _Pointwise.apply(gradient, matrix.t(), None, (1, 1))
        if ctx.stride == (1, 1):
            return found, None, None, None
        whole = _channels_last(ctx.shape, found).zero_()
        whole[:, :, :: ctx.stride[0], :: ctx.stride[1]] = found
        return whole, None, None, None


class _Strided(torch.autograd.Function):
    """The convolution as it is; its gradient to the image by blocks."""

    @staticmethod
    def forward(
        ctx: Any,
        images: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        turned: Tensor,
        stride: int,
        padding: tuple[int, int],
    ) -> Tensor:
        ctx.save_for_backward(turned)
        ctx.shape, ctx.stride, ctx.padding = images.shape, stride, padding
        return F.conv2d(images, weight, bias, stride, padding)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None, None]:
        (turned,) = ctx.saved_tensors
        (_, channels, height, width), (top, left) = ctx.shape, ctx.padding
        rows, columns = turned.shape[-2:]
        blocks = F.conv2d(gradient, turned, padding=(rows - 1, columns - 1))
        padded = F.pixel_shuffle(blocks[:, : channels * ctx.stride**2], ctx.stride)
        found = padded[:, :, top : top + height, left : left + width]
        missing = (width - found.shape[-1], height - found.shape[-2])  # places that no window reaches
        if any(missing):
            found = F.pad(found, (0, missing[0], 0, missing[1]))
        return found, None, None, None, None, None


def _channels_last(shape: Sequence[int], like: Tensor) -> Tensor:
    """Make room for numbers of a kind."""
    return torch.empty(tuple(shape), dtype=like.dtype, device=like.device, memory_format=torch.channels_last)


def _by_block(weight: Tensor, stride: int) -> Tensor:
    """Weights `[K, C, H, W]` as those of the convolution to blocks: `[C stride^2 and some zeros, K, rows, columns]`."""
    width, channels, *sides = weight.shape
    rows, columns = (-(-side // stride) for side in sides)
    whole = F.pad(weight, (0, columns * stride - sides[1], 0, rows * stride - sides[0]))
    blocks = whole.view(width, channels, rows, stride, columns, stride).permute(1, 3, 5, 0, 2, 4)
    turned = blocks.reshape(channels * stride**2, width, rows, columns).flip(2, 3)
    filled = F.pad(turned, (0, 0, 0, 0, 0, 0, 0, -len(turned) % LANES))
    return filled.contiguous(memory_format=torch.channels_last)


def _both_ways(matrix: tuple[tuple[float, ...], ...]) -> Tensor:
    """The map that does to flattened windows what a matrix does to their rows and their columns."""
    one = torch.tensor(matrix, dtype=torch.float32)
    return torch.kron(one, one)


_TO_POINTS, _FROM_POINTS = _both_ways(_DATA), _both_ways(_INVERSE)  # in float32, as are the layers that suit


class WinogradConv2d(nn.Module):
    """A 3 x 3 convolution of stride 1 and padding 1 with frozen weights, by Winograd's way forward and back.

    Every 4 x 4 tile of the output is made of a 6 x 6 tile of the input; between two small linear maps stand 36 matrix
    products over the channels. Its values are those of the convolution to about 1e-5 of the largest.

    Source: Lavin and Gray 2016, Fast algorithms for convolutional neural networks: F(4 x 4, 3 x 3).

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
