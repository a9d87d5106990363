"""Images that differ in one place only, and a pass in which what is at one place stays there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

ALIGNED, OTHER = (0, 1), 2  # of the three stamps, two lie whole strides apart, and one anywhere
STAMPS = 3
GREY = 0.5
LARGEST_STRIDE = 32  # of the usual networks, from pixels to their last maps
FEWEST_UNITS = 4
SOFTMAXES = ("_softmax", "_safe_softmax")
ATTENTION = "_scaled_dot_product"


class Stamps(NamedTuple):
    """Grey images, each with the same random patch at a place of its own.

    Args:
        images: `[3, C, H, W]` or `[3, C, T, H, W]` in [0, 1].
        centres: Where the middle of each patch lies, as a fraction of each side.
        extent: The sides of the patch, as fractions.
    """

    images: Tensor
    centres: tuple[tuple[float, ...], ...]
    extent: tuple[float, ...]


def stamps(module: nn.Module, size: Sequence[int], channels: int) -> Stamps:
    """Draw three images.

    The first two patches lie whole strides of the network apart, so that a channel answers both alike; the third lies
    at another place within a stride, so that no axis of places holds still.

    Args:
        module: The network.
        size: The sides of its images in pixels.
        channels: How many channels these have.

    Returns:
        The images, and where the patches are.
    """
    patch = patch_of(module)
    corners, extents = [], []
    for number, side in enumerate(size[-2:]):
        unit = min(patch, max(1, side // FEWEST_UNITS))
        small = unit
        while unit * 2 <= LARGEST_STRIDE and side // (unit * 2) >= FEWEST_UNITS:
            unit *= 2
        count = side // unit
        extent = max(small, unit // 8)
        inner = small * (unit * (3 + 2 * number) // 8 // small)
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
    mark = torch.rand(channels, *extents, generator=torch.Generator().manual_seed(0))
    for image, place in zip(images, places, strict=True):
        image[(slice(None), *(slice(at, at + width) for at, width in zip(place, extents, strict=True)))] = mark
    middles = tuple(
        tuple((at + width / 2) / side for at, width, side in zip(place, extents, size, strict=True)) for place in places
    )
    return Stamps(images, middles, tuple(width / side for width, side in zip(extents, size, strict=True)))


def patch_of(module: nn.Module) -> int:
    """Find the side of the patches that a network cuts its images into.

    Args:
        module: The network.

    Returns:
        The stride of its first convolution whose windows touch without overlap; otherwise 2.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Conv3d) and layer.stride[-1] > 1 and layer.stride == layer.kernel_size:
            return int(layer.stride[-1])
    return 2


class _Unmixed(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Every token attends to itself alone."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func._schema.name.rpartition("::")[2]
        if name in SOFTMAXES and result.dim() > 2 and result.shape[-1] == result.shape[-2]:
            result.copy_(torch.eye(result.shape[-1], dtype=result.dtype, device=result.device))
        elif name.startswith(ATTENTION) and "backward" not in name and result[0].shape == args[2].shape:
            result[0].copy_(args[2])
        return result


@contextlib.contextmanager
def unmixed(module: nn.Module) -> Iterator[None]:
    """Keep, while the block runs, what a network computes at one place from reaching others.

    Attention looks at itself only, and recurrent layers give for each step what they make of that step.

    Args:
        module: The network.

    Yields:
        Nothing.
    """
    with contextlib.ExitStack() as stack:
        for layer in module.modules():
            if isinstance(layer, nn.RNNBase):
                stack.callback(layer.register_forward_hook(_memoryless(), prepend=True).remove)
        stack.enter_context(_Unmixed())  # type: ignore[no-untyped-call]
        yield


def _memoryless() -> Callable[[nn.Module, tuple[Any, ...], Any], None]:
    def hook(_: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        steps, given = output[0] if isinstance(output, tuple) else None, inputs[0] if inputs else None
        if isinstance(steps, Tensor) and isinstance(given, Tensor) and steps.shape[:-1] == given.shape[:-1]:
            weights = torch.randn(given.shape[-1], steps.shape[-1], generator=torch.Generator().manual_seed(0))
            steps.copy_(given @ weights.to(given))

    return hook
