"""Images that differ in one place only, and a pass in which what is at one place stays there."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

ALIGNED, OTHER = (0, 1), 2  # of the three stamps, two lie whole strides apart, and one anywhere
STAMPS = 3
GREY, CONTRAST = 0.5, 0.7  # a patch of a colour, which pooling keeps, with a texture
LARGEST_STRIDE = 32  # of the usual networks, from pixels to their last maps
FEWEST_UNITS = 4
SOFTMAXES = ("_softmax", "_safe_softmax")
MEANS, MAP_AXES = ("mean", "_adaptive_avg_pool2d"), 4
ATTENTION = "_scaled_dot_product"


class Stamps(NamedTuple):
    """Grey images, each with the same random patch at a place of its own."""

    images: Tensor  # `[3, C, H, W]` or `[3, C, T, H, W]` in [0, 1]
    centres: tuple[tuple[float, ...], ...]  # of each patch, as fractions of each side


def stamps(module: nn.Module, size: Sequence[int], channels: int) -> Stamps:
    """Draw three images.

    The first two patches lie whole strides of the network apart, so that a channel answers both alike; the third lies
    at another place within a stride, so that no axis of places holds still.
    """
    patch = patch_of(module)
    corners, extents = [], []
    for number, side in enumerate(size[-2:]):
        unit = min(patch, max(1, side // FEWEST_UNITS))
        small = unit
        while unit * 2 <= LARGEST_STRIDE and side // (unit * 2) >= FEWEST_UNITS:
            unit *= 2
        count = side // unit
        extent = max(small, unit // 4)
        inner = small * (unit * (1 + number) // 4 // small)
        third = (count // 2) * unit + min(inner, side - (count // 2) * unit - extent) if count > 5 else side - extent
        early, late = unit, (count - 2) * unit
        corners.append((early, max(late, 0), third) if number == 0 else (late, early + unit * (count > 6), third))
        extents.append(extent)
    rows, columns = corners
    places = [[row, column] for row, column in zip(rows, columns, strict=True)]
    if len(size) > 2:
        extents = [1, *extents]
        frames = (size[0] // 4, size[0] // 4 + size[0] // 2, size[0] // 2)
        places = [[min(frame, size[0] - 1), *place] for frame, place in zip(frames, places, strict=True)]
    images = torch.full((STAMPS, channels, *size), GREY)
    generator = torch.Generator().manual_seed(0)
    colours = torch.rand(channels, *[1] * len(extents), generator=generator).round() * CONTRAST
    mark = colours + (1 - CONTRAST) * torch.rand(channels, *extents, generator=generator)
    for image, place in zip(images, places, strict=True):
        image[(slice(None), *(slice(at, at + width) for at, width in zip(place, extents, strict=True)))] = mark
    middles = tuple(
        tuple((at + width / 2) / side for at, width, side in zip(place, extents, size, strict=True)) for place in places
    )
    return Stamps(images, middles)


def patch_of(module: nn.Module) -> int:
    """Find the side of the patches that a network cuts its images into."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Conv3d) and layer.stride[-1] > 1 and layer.stride == layer.kernel_size:
            return int(layer.stride[-1])
    return 2


class _Unmixed(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Each token attends to itself alone, convolutions that keep the size see one place, and means are all alike.

    Learned queries have no place; from the first attention with such queries on, tokens attend to all others.
    """

    has_queries = False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = func._schema.name.rpartition("::")[2]
        if name == "convolution" and _keeps_size(args[1], *args[3:7]):
            values, weight, bias, _, padding, *others = args
            middle = weight[(..., *(slice(size // 2, size // 2 + 1) for size in weight.shape[2:]))]
            ones, none = [1] * len(padding), [0] * len(padding)
            return func(values, middle, bias, ones, none, ones, False, none, others[-1])
        result = func(*args, **(kwargs or {}))
        if name.startswith(ATTENTION) and _are_learned(args[0], args[1]):
            self.has_queries = True
        if self.has_queries:
            return result
        if name in SOFTMAXES and result.dim() > 2:
            keys = _own_keys(*result.shape[-2:])
            if keys is not None:
                result.copy_(torch.nn.functional.one_hot(keys, result.shape[-1]))
        elif name.startswith(ATTENTION) and "backward" not in name:
            keys = _own_keys(args[0].shape[-2], args[2].shape[-2])
            if keys is not None and result[0].shape[:-2] == args[2].shape[:-2]:
                result[0].copy_(args[2][..., keys.to(args[2].device), :])
        elif name in MEANS and result.dim() == MAP_AXES and result.shape[2:].numel() == 1 and len(result) == STAMPS:
            result.copy_(result[:1].expand_as(result))
        return result


def _are_learned(queries: Tensor, keys: Tensor) -> bool:
    """Whether several queries are the same for all images, and keys are not."""
    if len(queries) != STAMPS or len(keys) != STAMPS or queries.shape[-2] == 1:
        return False
    return bool((queries == queries[:1]).all()) and not bool((keys == keys[:1]).all())


def _own_keys(queries: int, keys: int) -> Tensor | None:
    """The key at each query's own place, also where one of them has its square grid coarser by a whole factor."""
    if queries == keys:
        return torch.arange(keys)
    fine, coarse = math.isqrt(max(queries, keys)), math.isqrt(min(queries, keys))
    if (fine**2, coarse**2) != (max(queries, keys), min(queries, keys)) or not coarse or fine % coarse:
        return None
    factor = fine // coarse
    if queries > keys:
        sides = torch.arange(fine) // factor
        return (sides[:, None] * coarse + sides).flatten()
    sides = torch.arange(coarse) * factor
    return (sides[:, None] * fine + sides).flatten()


def _keeps_size(
    weight: Tensor, stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int], transposed: bool
) -> bool:
    """Whether a convolution gives as many places as it takes, and mixes them."""
    kernel = weight.shape[2:]
    if transposed or set(stride) != {1} or kernel.numel() == 1:
        return False
    return all(2 * pad == gap * (size - 1) for pad, gap, size in zip(padding, dilation, kernel, strict=True))


@contextlib.contextmanager
def unmixed(module: nn.Module) -> Iterator[Callable[[], bool]]:
    """Keep, while the block runs, what a network computes at one place from reaching others.

    Attention looks at itself only, and recurrent layers give for each step what they make of that step.
    """
    mode = _Unmixed()  # type: ignore[no-untyped-call]
    with contextlib.ExitStack() as stack:
        for layer in module.modules():
            if isinstance(layer, nn.RNNBase):
                stack.callback(layer.register_forward_hook(_forget, prepend=True).remove)
        stack.enter_context(mode)
        yield lambda: mode.has_queries


def _forget(_: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
    """Overwrite what a recurrent layer gave for each step by a function of that step alone."""
    steps, given = output[0] if isinstance(output, tuple) else None, inputs[0] if inputs else None
    if isinstance(steps, Tensor) and isinstance(given, Tensor) and steps.shape[:-1] == given.shape[:-1]:
        weights = torch.randn(given.shape[-1], steps.shape[-1], generator=torch.Generator().manual_seed(0))
        steps.copy_(given @ weights.to(given))
