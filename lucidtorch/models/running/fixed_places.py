"""Max pooling that forgets where the maximum was: the way back leads to one fixed place of each window.

The place is the middle of the window; of the middle ones of an even number, the one nearer to the top left. Where that
lies outside of the image, as it may at a border with padding, it is the nearest place of the window that does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

Places = list[list[int]]  # for each axis of the image, the place of each window


def fixed_places(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    words: Mapping[str, Any],
    sides: Sequence[int],
    counts: Sequence[int],
) -> Places:
    """Say where each window of a max pooling has its fixed place."""
    if MAX_POOLINGS[function]:
        return [_of_even_parts(side, count) for side, count in zip(sides, counts, strict=True)]
    windows = _windows(*arguments[1:], **{name: value for name, value in words.items() if name != "input"})
    each = zip(sides, counts, *(_by_axis(one, len(sides)) for one in windows), strict=True)
    return [_of_windows(*axis) for axis in each]


def picked(values: Tensor, places: Places) -> Tensor:
    """Take the values at the fixed places; the gradient goes there, and adds up where windows share one."""
    for axis, one in enumerate(places, start=-len(places)):
        values = values.index_select(axis, torch.tensor(one, device=values.device))
    return values


def _windows(
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Any, Any, Any, Any]:
    """Read the arguments as all max poolings of PyTorch take them; how many windows there are is known without two."""
    return kernel_size, kernel_size if stride is None or stride == () or stride == [] else stride, padding, dilation


def _by_axis(value: Any, axes: int) -> tuple[int, ...]:
    found = tuple(value) if isinstance(value, Sequence) else (value,)
    return found * axes if len(found) == 1 else found


def _of_windows(side: int, count: int, kernel: int, stride: int, padding: int, dilation: int) -> list[int]:
    return [_place(side, number * stride - padding, kernel, dilation) for number in range(count)]


def _place(side: int, start: int, kernel: int, dilation: int) -> int:
    middle = (kernel - 1) // 2
    inside = [tap for tap in range(kernel) if 0 <= start + tap * dilation < side]
    nearest = min(inside, key=lambda tap: abs(tap - middle), default=middle)
    return min(max(start + nearest * dilation, 0), side - 1)


def _of_even_parts(side: int, count: int) -> list[int]:
    """The middles of the windows of an adaptive pooling."""
    ends = [(part * side // count, math.ceil((part + 1) * side / count)) for part in range(count)]
    return [begin + (end - begin - 1) // 2 for begin, end in ends]


# Each function that is a max pooling, and whether it is adaptive.
MAX_POOLINGS: dict[Callable[..., Any], bool] = {
    F.max_pool1d: False,
    F.max_pool2d: False,
    F.max_pool3d: False,
    F.max_pool1d_with_indices: False,
    F.max_pool2d_with_indices: False,
    F.max_pool3d_with_indices: False,
    torch.max_pool1d: False,
    torch.max_pool1d_with_indices: False,
    torch.max_pool2d: False,
    torch.max_pool3d: False,
    F.adaptive_max_pool1d: True,
    F.adaptive_max_pool2d: True,
    F.adaptive_max_pool3d: True,
    F.adaptive_max_pool1d_with_indices: True,
    F.adaptive_max_pool2d_with_indices: True,
    F.adaptive_max_pool3d_with_indices: True,
    torch.adaptive_max_pool1d: True,
}
