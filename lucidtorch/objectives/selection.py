"""Selection of activations (a channel, a position, a window), and products with vectors and maps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lucidtorch.base.arrays import Array, ArrayLike
from lucidtorch.base.errors import ObjectiveError, UnitError
from lucidtorch.base.machine import sent
from lucidtorch.base.shown import shown

VECTOR_AXES, MAP_AXES, CLIP_AXES = 2, 4, 5  # of `[B, C]`, `[B, C, H, W]` and `[B, C, T, H, W]`
COSINE_FLOOR = 0.1  # Lucid: the smallest cosine, so that an orthogonal direction still has a gradient
COSINE_EPSILON = 1e-4  # Lucid: keeps the cosine finite at zero activation


def check_unit(index: int, size: int, what: str, layer: str) -> int:
    """Raise an error unless an index is one of a layer's units."""
    if not 0 <= index < size:
        raise UnitError(f"{layer!r} has {size} {what}, 0 to {size - 1}, but {shown(index)} was given.")
    return index


def select_unit(values: Tensor, index: int | Sequence[int], layer: str, what: str = "channels") -> Tensor:
    """Select one channel, or another index of the second axis, of each image."""
    batch, size = values.shape[:2]
    if isinstance(index, int):
        return values[:, check_unit(index, size, what, layer)]
    if len(index) != batch:
        raise ObjectiveError(f"{len(index)} {what} of {layer!r} are named for {batch} images; name one per image.")
    chosen = [check_unit(one, size, what, layer) for one in index]
    return values[torch.arange(batch, device=values.device), sent(torch.tensor(chosen), values.device)]


def at_position(values: Tensor, x: int | None, y: int | None, t: int | None, layer: str) -> Tensor:
    """Select all channels at one position."""
    if values.ndim == VECTOR_AXES:
        if x is not None or y is not None or t is not None:
            raise UnitError(f"{layer!r} has no positions; leave x, y and t out.")
        return values
    check_map(values, layer)
    if values.ndim == CLIP_AXES:
        frames = values.shape[2]
        values = values[:, :, frames // 2 if t is None else check_unit(t, frames, "frames (t)", layer)]
    elif t is not None:
        raise UnitError(f"{layer!r} has no frames; leave t out.")
    height, width = values.shape[-2:]
    column = width // 2 if x is None else check_unit(x, width, "columns (x)", layer)
    row = height // 2 if y is None else check_unit(y, height, "rows (y)", layer)
    return values[:, :, row, column]


def window(values: Tensor, x: int | None, y: int | None, wx: int, wy: int, layer: str) -> Tensor:
    """Crop a window of a map."""
    check_map(values, layer)
    columns = _window_slice(x, wx, values.shape[-1], "columns (x, wx)", layer)
    rows = _window_slice(y, wy, values.shape[-2], "rows (y, wy)", layer)
    return values[..., rows, columns]


def _window_slice(first: int | None, count: int, size: int, what: str, layer: str) -> slice:
    if not 0 < count <= size:
        raise UnitError(
            f"{layer!r} has {size} {what}, so a window has 1 to {size} of them, but {shown(count)} was given."
        )
    if first is None:
        first = (size - count) // 2
    if not 0 <= first <= size - count:
        raise UnitError(
            f"{layer!r} has {size} {what}: a window of {count} begins at 0 to {size - count}, but {shown(first)} was "
            "given."
        )
    return slice(first, first + count)


def common_crop(values: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Centre-crop the larger of two maps to the size of the other, rows and columns separately, as Lucid does."""
    for axis in (-2, -1):
        size = min(values.shape[axis], target.shape[axis])
        values, target = (one.narrow(axis, (one.shape[axis] - size) // 2, size) for one in (values, target))
    return values, target


def check_map(values: Tensor, layer: str) -> None:
    """Raise an error unless values have rows and columns."""
    if values.ndim not in (MAP_AXES, CLIP_AXES):
        raise UnitError(
            f"{layer!r} has no rows and columns, but values {list(values.shape)}; use `channel`, `token` or "
            f"`direction`, or name a layer with a map [B, C, H, W]."
        )


def in_frames(maps: Tensor, values: Tensor) -> Tensor:
    """Add an axis of frames to maps if values have one, so that the same map is used for each frame."""
    return maps.reshape(*maps.shape[:2], *[1] * (values.ndim - maps.ndim), *maps.shape[2:])


def match_maps(values: Tensor, given: ArrayLike, axes: tuple[str, ...], layer: str, what: str) -> tuple[Tensor, Tensor]:
    """Crop a layer's maps and given ones to a common size; maps without channels get a channel axis."""
    check_map(values, layer)
    maps = for_images(values, given, axes, layer, what)
    values, maps = common_crop(values, maps if "C" in axes else maps.unsqueeze(1))
    return values, in_frames(maps, values)


def match_vector(values: Tensor, vector: ArrayLike, layer: str, what: str = "directions") -> Tensor:
    """Reshape vectors over channels to broadcast with a layer's activations."""
    rows = for_images(values, vector, ("C",), layer, what)
    return rows.reshape(*rows.shape, *[1] * (values.ndim - 2))


def for_images(values: Tensor, given: ArrayLike, axes: tuple[str, ...], layer: str, what: str) -> Tensor:
    """Check an array for one image or for each, and add an axis of images where it has none."""
    array = Array.of(given)
    batch, channels = values.shape[:2]
    shape = list(array.shape)
    if len(shape) - len(axes) not in (0, 1) or ("C" in axes and shape[-len(axes)] != channels):
        wanted = ", ".join(str(channels) if one == "C" else one for one in axes)
        raise UnitError(
            f"{layer!r} has {channels} channels, but {what} of shape {shape} were given; give [{wanted}], or "
            f"[{batch}, {wanted}] for one per image."
        )
    numbers = array.tensor(values).reshape(-1, *shape[-len(axes) :])
    if numbers.shape[0] not in (1, batch):
        raise ObjectiveError(
            f"{numbers.shape[0]} {what} were given for {batch} images of {layer!r}; give one, or one per image."
        )
    return numbers


def dot_cossim(values: Tensor, target: Tensor, power: float) -> Tensor:
    """Compute the dot product of vectors over channels, times a power of the cosine between them."""
    dot = (values * target).sum(1)
    if not power:
        return dot
    cosine = dot / (COSINE_EPSILON + length(values)) / (COSINE_EPSILON + length(target))
    return dot * cosine.clamp(min=COSINE_FLOOR) ** power


def length(values: Tensor) -> Tensor:
    """Compute the Euclidean norm over channels, with a zero gradient at the origin."""
    squares = values.square().sum(1)
    return torch.where(squares > 0, squares, 1).sqrt() * (squares > 0)


def mean_over_space(values: Tensor) -> Tensor:
    """Average over positions."""
    return values if values.ndim == 1 else values.flatten(1).mean(1)


def root(values: Tensor, degree: float = 2) -> Tensor:
    """Compute the root of non-negative values, with a zero gradient at 0."""
    return torch.where(values > 0, values, 1).pow(1 / degree) * (values > 0)
