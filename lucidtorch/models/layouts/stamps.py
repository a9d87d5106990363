"""Images that differ at one position only, and a forward pass without mixing between positions."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

STAMPS, ALIGNED = 3, (0, 1)  # images with one stamp; the first two differ by whole strides, the third is arbitrary
PLANE = 3  # axes of masks of planes
GREY, CONTRAST = 0.5, 0.7  # of a textured patch with a mean colour, which pooling preserves
LARGEST_STRIDE = 32  # of common networks, at the last map
FEWEST_UNITS, FEWEST_BLOCKS = 4, 2
SMALL = 128  # pixels of a side, below which more masks are needed, with fewer blocks each
SOFTMAXES = ("_softmax", "_safe_softmax")
MAX_POOLINGS = ("max_pool2d_with_indices", "max_pool3d_with_indices")
POOLINGS = (*MAX_POOLINGS, "avg_pool2d", "avg_pool3d")
MEANS, MAP_AXES = ("mean", "_adaptive_avg_pool2d"), 4
ATTENTION = "_scaled_dot_product"
APART = 0.4  # by how much more of one cell than of another a patch covers
DRAWN, MOST_PAIRS = 1 << 15, 1 << 13  # pairs of cells, and at most so many of them that are apart
Shares: TypeAlias = npt.NDArray[np.float64]
Cells: TypeAlias = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Stamps:
    """Three grey images with one patch at places of their own, and some with it in random blocks."""

    images: Tensor  # `[N, C, H, W]` or `[N, C, T, H, W]` in [0, 1]
    centres: tuple[tuple[float, ...], ...]  # of each of three patches, as fractions of each side
    masks: Tensor  # `[N - 3, H, W]` or `[N - 3, T, H, W]`: 1 where the other images have patches
    patch: int  # by how many pixels the places of the first maps lie apart
    _pairs: dict[tuple[int, ...], tuple[Cells, Cells]] = field(default_factory=dict, init=False)

    def pairs_apart(self, grid: tuple[int, ...]) -> tuple[Cells, Cells]:
        """Draw pairs of cells of flattened maps `[N - 3, *grid]` of which the first has more of a patch."""
        if grid not in self._pairs:  # the maps of many layers have the same
            least, most = (one.ravel() for one in self.covered(grid))
            first, second = np.random.default_rng(0).integers(least.size, size=(2, DRAWN))
            apart = np.flatnonzero(least[first] - most[second] >= APART)[:MOST_PAIRS]
            self._pairs[grid] = first[apart], second[apart]
        return self._pairs[grid]

    def covered(self, grid: tuple[int, ...]) -> tuple[Shares, Shares]:
        """How much of each cell of a grid each mask covers at least, and at most, `[N - 3, *grid]`.

        Windows without padding shift a grid, so that cells may be off by a pixel.
        """
        if all(side % count == 0 for side, count in zip(reversed(self.masks.shape), reversed(grid), strict=False)):
            exact = self._in_cells(self.masks, grid)
            return exact, exact
        pool = F.max_pool2d if self.masks.dim() <= PLANE else F.max_pool3d
        padding = [1] * (self.masks.dim() - 1)
        if self.masks.dim() > PLANE:
            padding[0] = 0
        kernel = [1 + 2 * pad for pad in padding]
        largest = pool(self.masks[:, None], kernel, 1, padding)[:, 0]
        smallest = -pool(-self.masks[:, None], kernel, 1, padding)[:, 0]
        return self._in_cells(smallest, grid), self._in_cells(largest, grid)

    def _in_cells(self, masks: Tensor, grid: tuple[int, ...]) -> Shares:
        found = masks.double()
        whole = (1,) * (found.dim() - 1 - len(grid)) + grid
        for axis, count in enumerate(whole, 1):
            side = found.shape[axis]
            step = side / count
            if side % count and step >= self.patch:  # an incomplete last cell is dropped or padded
                step = round(step / self.patch) * self.patch
            starts = [min(int(cell * step), side - 1) for cell in range(count)]
            ends = [min(math.ceil((cell + 1) * step), side) for cell in range(count)]
            sums = F.pad(found.movedim(axis, -1).cumsum(-1), (1, 0)).movedim(-1, axis)
            widths = torch.tensor(ends) - torch.tensor(starts)
            found = sums.index_select(axis, torch.tensor(ends)) - sums.index_select(axis, torch.tensor(starts))
            found = found / widths.reshape(-1, *[1] * (found.dim() - 1 - axis))
        return found.reshape(len(found), *grid).numpy()


def stamps(module: nn.Module, size: Sequence[int], channels: int) -> Stamps:
    """Draw three images with one patch each, which suggest an order, and some with many, which verify it.

    The first two patches differ by whole strides of the network, so that a channel has equal responses to both; the
    third is at another offset within a stride, so that every axis of positions changes. Blocks are alternately fine and
    coarse.
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
    generator = torch.Generator().manual_seed(0)
    colours = torch.rand(channels, *[1] * len(extents), generator=generator).round() * CONTRAST
    mark = colours + (1 - CONTRAST) * torch.rand(channels, *extents, generator=generator)
    masks = _masks(size, patch, generator)
    tiled = mark.repeat(1, *(-(-side // width) for side, width in zip(size, extents, strict=True)))
    tiled = tiled[(slice(None), *(slice(side) for side in size))]
    images = torch.full((STAMPS + len(masks), channels, *size), GREY)
    images[STAMPS:] += masks[:, None] * (tiled - GREY)
    for image, place in zip(images, places, strict=False):
        image[(slice(None), *(slice(at, at + width) for at, width in zip(place, extents, strict=True)))] = mark
    middles = tuple(
        tuple((at + width / 2) / side for at, width, side in zip(place, extents, size, strict=True)) for place in places
    )
    return Stamps(images, middles, masks, patch)


def _masks(size: Sequence[int], patch: int, generator: torch.Generator) -> Tensor:
    """Draw a few blocks per side: at random, then at the crossings of random rows and columns.

    The latter distinguish rows if columns are summed over, and columns if rows are. Small images also have larger
    blocks, with the strides of the deepest layers as sides.
    """
    masks = []
    for fewest in (FEWEST_UNITS,) if min(size[-2:]) >= SMALL else (FEWEST_UNITS, FEWEST_BLOCKS):
        units = [2 if frames > 1 else 1 for frames in size[:-2]]
        for side in size[-2:]:
            unit = min(patch, max(1, side // FEWEST_BLOCKS))
            while unit * 2 <= LARGEST_STRIDE and side // (unit * 2) >= fewest:
                unit *= 2
            units.append(unit)
        counts = [-(-side // unit) for side, unit in zip(size, units, strict=True)]
        lines = [_half(count, generator) for count in counts]
        for blocks in (_half(math.prod(counts), generator).reshape(counts), _crossing(lines)):
            for axis, (side, unit) in enumerate(zip(size, units, strict=True)):
                blocks = blocks.index_select(axis, torch.arange(side) // unit)
            masks.append(blocks.float())
    return torch.stack(masks)


def _half(count: int, generator: torch.Generator) -> Tensor:
    return (torch.randperm(count, generator=generator) + 1) % 2


def _crossing(lines: Sequence[Tensor]) -> Tensor:
    result = torch.ones(())
    for line in lines:
        result = result[..., None] * line
    return result


def patch_of(module: nn.Module) -> int:
    """Find the patch size of a network."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Conv3d) and layer.stride[-1] > 1 and layer.stride == layer.kernel_size:
            return int(layer.stride[-1])
    return 2


class _Unmixed(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Tokens attend to themselves alone, windows of convolutions do not overlap, and means are constant.

    Learned queries have no position; from the first attention with such queries on, tokens attend to all others.
    """

    def __init__(self, count: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = count
        self.has_queries = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name.rpartition("::")[2]
        narrowed = _narrowed(name, args)
        result = func(*(args if narrowed is None else narrowed), **(kwargs or {}))
        if name.startswith(ATTENTION) and _are_learned(args[0], args[1], self.count):
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
        elif name in MEANS and result.dim() == MAP_AXES and result.shape[2:].numel() == 1 and len(result) == self.count:
            result.copy_(result[:1].expand_as(result))
        return result


def _are_learned(queries: Tensor, keys: Tensor, count: int) -> bool:
    """Whether several queries are equal for all images, and keys are not."""
    if len(queries) != count or len(keys) != count or queries.shape[-2] == 1:
        return False
    return bool((queries == queries[:1]).all()) and not bool((keys == keys[:1]).all())


def _own_keys(queries: int, keys: int) -> Tensor | None:
    """The key at each query's position, also if one square grid is coarser by a whole factor."""
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


def _narrowed(name: str, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Crop the windows of a convolution or pooling to their stride, so that they do not overlap.

    None for other operations, and if the cropped windows would return another size.
    """
    if name == "convolution" and not args[6]:
        values, weight, bias, stride, padding, dilation, transposed, *others = args
        sides = list(zip(values.shape[2:], weight.shape[2:], stride, padding, dilation, strict=True))
        if any(pad % gap or pad // gap + (step if gap == 1 else 1) > taps for _, taps, step, pad, gap in sides):
            return None
        taps = [slice(pad // gap, pad // gap + (step if gap == 1 else 1)) for _, _, step, pad, gap in sides]
        kept = [one.stop - one.start for one in taps]
        narrowed = (values, weight[(..., *taps)], bias, stride, [0] * len(taps), [1] * len(taps), transposed, *others)
    elif name in POOLINGS and len(args) > 2 and args[2]:
        values, kernel, stride, padding, *rest = (*args, [0])[: max(4, len(args))]
        dilation, rest = (rest[0], rest[1:]) if name in MAX_POOLINGS and rest else ([1], rest)
        if rest and rest[0]:  # rounding up changes the size
            return None
        count = len(stride)
        each = [list(one) * (count if len(one) == 1 else 1) for one in (kernel, stride, padding, dilation)]
        sides = list(zip(values.shape[-count:], *each, strict=True))
        kept = [min(taps, step) for _, taps, step, _, _ in sides]
        narrowed = (values, kept, stride, [0] * count, *([[1] * count] if name in MAX_POOLINGS else []), *rest)
    else:
        return None
    sizes = [
        ((size + 2 * pad - gap * (taps - 1) - 1) // step, (size - some) // step)
        for (size, taps, step, pad, gap), some in zip(sides, kept, strict=True)
    ]
    return narrowed if all(wide == narrow for wide, narrow in sizes) else None


@contextlib.contextmanager
def unmixed(module: nn.Module, count: int) -> Iterator[Callable[[], bool]]:
    """Disable mixing between the positions of images in a network while the block runs.

    Tokens attend to themselves only, and recurrent layers process each step separately.
    """
    mode = _Unmixed(count)
    with contextlib.ExitStack() as stack:
        for layer in module.modules():
            if isinstance(layer, nn.RNNBase):
                stack.callback(layer.register_forward_hook(_forget, prepend=True).remove)
        stack.enter_context(mode)
        yield lambda: mode.has_queries


def _forget(_: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
    """Process each step of a recurrent layer separately."""
    steps, given = output[0] if isinstance(output, tuple) else None, inputs[0] if inputs else None
    if isinstance(steps, Tensor) and isinstance(given, Tensor) and steps.shape[:-1] == given.shape[:-1]:
        weights = torch.randn(given.shape[-1], steps.shape[-1], generator=torch.Generator().manual_seed(0))
        steps.copy_(given @ weights.to(given))
