"""Convolutions that a CPU computes faster in another way, where the channels of a place stand side by side in memory.

The numbers are the same up to the order in which they are added. A 1 x 1 convolution is one matrix product. The
gradient of a strided convolution to an image of few channels is a plain convolution that gives all the places of a
block at once.
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
