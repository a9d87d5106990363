"""The order of image positions in a tensor: the usual ones, checked by the responses to stamps."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch

from lucidtorch.models.layouts.layout import (
    BATCH,
    CHANNEL,
    COLUMNS,
    PADDED,
    ROWS,
    SPACE,
    TIME,
    TOKENS,
    Dimension,
    Layout,
    Piece,
    parted,
    pieces_of,
    side_of,
    wrapped,
)
from lucidtorch.models.layouts.stamps import Stamps

Energies: TypeAlias = npt.NDArray[np.float64]
Arrangement: TypeAlias = tuple[Dimension, ...]
MOST_TOKENS = 8  # class and register tokens on one side of the image's own
MOST_BESIDE = 1.0  # times the image's own tokens: queries, which are no places, could be split in many ways
PROVEN = 0.98  # of pairs of places of which one has more of a patch, the share that answers so
STRONG = 0.25  # of the strongest place: what is weaker may have come through the windows of convolutions
INSIDE = 0.7  # of what is strong: the share that must lie around the places of the stamps
NEAR = 0.2  # of how far a stamp may lie from its place: no other order can do better
ROUGH = 2.5  # times as far may the one strongest place lie
CELLS, SHARE, FINE = 0.6, 0.15, 12  # how far off a stamp may arrive: in cells, or in parts of a side of twelve or more


def arrangement(
    energies: Energies, size: Sequence[int], stamps: Stamps, marked: Callable[[], Energies]
) -> Arrangement | None:
    """Find the order of positions for which the responses to stamps and masks are at their positions.

    `energies` are the responses of each position to each stamp, and `marked` those to each image with a mask.
    """
    found: list[tuple[bool, float, int, Arrangement]] = []
    peaks = [np.unravel_index(int(one.argmax()), one.shape) for one in energies]
    masks = None
    for number, dimensions in enumerate(_candidates(energies.shape[1:], tuple(size))):
        if not _may_fit(peaks, dimensions, stamps.centres):
            continue
        missed = _missed(energies, dimensions, stamps.centres)
        if missed is None:
            continue
        masks = marked() if masks is None else masks
        if _is_proven(masks, missed[0], stamps):
            sides = set(map(side_of, pieces_of(_opened(missed[0]))))
            found.append((len(sides) < 2, round(missed[1], 2), number, missed[0]))
            if found[-1][:2] <= (False, NEAR):
                break
    return min(found)[-1] if found else None


def _is_proven(marked: Energies, dimensions: Arrangement, stamps: Stamps) -> bool:
    """Whether positions with a patch respond more than those without, in nearly all pairs."""
    maps = marked.reshape(len(marked), -1)[:, _order(dimensions, marked.shape[1:])]
    more, less = (maps.ravel()[cells] for cells in stamps.pairs_apart(maps.shape[1:]))
    return bool(len(more) and ((more > less) + (more == less) / 2).mean() >= PROVEN)


def _may_fit(peaks: Sequence[Sequence[Any]], dimensions: Arrangement, centres: Sequence[Sequence[float]]) -> bool:
    """Whether the strongest positions roughly agree with an order."""
    for side, count, rolled, reach, places in _sides(dimensions):
        off = []
        for peak, centre in zip(peaks, centres, strict=True):
            at = sum(along[index] for index, along in zip(peak, places, strict=True))
            off.append(at - centre[max(side, -len(centre))] * count + 0.5)
        if rolled:
            off = [one - off[0] for one in off]
        if any(min(abs(one) % count, count - abs(one) % count) > ROUGH * reach for one in off):
            return False
    return True


@lru_cache(maxsize=1 << 14)
def _sides(dimensions: Arrangement) -> list[tuple[int, int, bool, float, list[list[int]]]]:
    """Each side of the image, its number of positions, whether windows are rolled, and the positions of indices."""
    rolled = any(piece.step > 1 for piece in pieces_of(dimensions))
    found = []
    for kind in dict.fromkeys(map(side_of, pieces_of(_opened(dimensions)))):
        count = _whole(_opened(dimensions), kind)
        along = [[_read(index, one, kind) for index in range(prod(piece.size for piece in one))] for one in dimensions]
        found.append((min(SPACE.index(kind) - len(SPACE), -1), count, rolled, _reach(count), along))
    return found


def _opened(dimensions: Arrangement) -> Arrangement:
    return tuple(one[0].inner if one and one[0].kind == TOKENS else one for one in dimensions)


def _read(index: int, dimension: Dimension, kind: str) -> int:
    """The relative position of an index along one side of the image."""
    if dimension and dimension[0].kind == TOKENS:
        index, dimension = index - dimension[0].before, dimension[0].inner
    found = 0
    for piece in reversed(dimension):
        index, here = divmod(index, piece.size)
        found += here * piece.step if side_of(piece) == kind else 0
    return found


def _missed(
    energies: Energies, dimensions: Arrangement, centres: Sequence[Sequence[float]]
) -> tuple[Arrangement, float] | None:
    """Rearrange the responses to image order, and compute their distances to the stamps."""
    maps = energies.reshape(len(energies), -1)[:, _order(dimensions, energies.shape[1:])]
    axes = tuple(range(1, maps.ndim))
    exact = _arrive(maps, centres)
    maps = np.where(maps >= STRONG * maps.max(axes, keepdims=True), maps, 0.0)
    pieces = pieces_of(dimensions)
    coarse, filled = any(one.step > 1 for one in pieces), any(one.kind == PADDED for one in pieces)
    worst, seen, inside = 0.0, False, np.ones(maps.shape, dtype=bool)
    shifts: dict[str, int] = {}
    for axis, kind in zip(axes, SPACE[-len(axes) :], strict=False):
        count = maps.shape[axis]
        if count == 1:
            continue
        seen = True
        # From the end: an image always has rows and columns, a map may have more axes.
        wanted = np.array([centre[axis - maps.ndim] for centre in centres]) * count - 0.5
        off = _turned(_middles(maps.sum(tuple(other for other in axes if other != axis))) - wanted, count)
        shift = round(float(np.median(off))) if coarse else 0
        if abs(shift) > 1 and filled:
            return None  # padded before it was rolled, or after: wrapped positions are ambiguous
        if abs(shift) > 1:
            shifts[kind] = shift % count
            off = _turned(off - shift, count)
        reach = _reach(count)
        worst = max(worst, float(np.abs(off).max()) / reach)
        away = np.abs(_turned(np.arange(count) - (wanted + shift)[:, None], count)) <= 2 * reach
        inside &= away.reshape(len(maps), *(count if other == axis else 1 for other in axes))
    if seen and exact and not coarse:
        return dimensions, min(worst, 1.0)
    if not seen or worst > 1 or ((maps * inside).sum(axes) < INSIDE * maps.sum(axes)).any():
        return None
    return tuple(tuple(_rolled(piece, shifts) for piece in one) for one in dimensions), worst


@lru_cache(maxsize=1024)
def _order(dimensions: Arrangement, sizes: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """The index of each image position in a flattened tensor."""
    layout = Layout(((Piece(BATCH, 1),), *dimensions, (Piece(CHANNEL, 1),)))
    numbers = torch.arange(prod(sizes), dtype=torch.int64).reshape(1, *sizes, 1)
    order: npt.NDArray[np.int64] = layout.apply(numbers).numpy()[0, 0]
    return order


def _reach(count: int) -> float:
    """The tolerance in cells; smaller in a coarse grid."""
    return max(CELLS, SHARE * count) if count >= FINE else min(max(CELLS, SHARE * count), 0.8)


def _arrive(maps: Energies, centres: Sequence[Sequence[float]]) -> bool:
    """Whether the strongest response to each stamp is exactly at its position."""
    for one, centre in zip(maps, centres, strict=True):
        at = np.unravel_index(int(one.argmax()), one.shape)
        for side, (place, count) in enumerate(zip(at, one.shape, strict=True)):
            if count > 1 and abs(place - centre[side - one.ndim] * count + 0.5) > CELLS:
                return False
    return True


def _rolled(piece: Piece, shifts: Mapping[str, int]) -> Piece:
    return piece._replace(shift=shifts[piece.kind]) if piece.kind in shifts else piece


def _whole(dimensions: Arrangement, kind: str) -> int:
    pieces = [piece for piece in pieces_of(dimensions) if side_of(piece) == kind]
    filled = next((piece.inner[0].size for piece in pieces if piece.kind == PADDED), None)
    return filled or prod(piece.size for piece in pieces) or 1


def _middles(weights: Energies) -> Energies:
    """The circular mean, which is also defined for a stamp that was rolled over the border."""
    count = weights.shape[1]
    turns = np.exp(2j * np.pi * np.arange(count) / count)
    middles: Energies = np.angle((weights * turns).sum(1)) * count / (2 * np.pi)
    return middles


def _turned(distance: Energies, count: int) -> Energies:
    turned: Energies = (distance + count / 2) % count - count / 2
    return turned


@lru_cache(maxsize=256)
def _candidates(sizes: tuple[int, ...], size: tuple[int, ...]) -> tuple[Arrangement, ...]:
    """List the usual orders of image positions in axes of these sizes."""
    of_axes = {1: _in_one, 2: _in_two, 3: _in_three, 4: _in_four}
    return tuple(of_axes[len(sizes)](sizes, size)) if len(sizes) in of_axes else ()


def _in_one(sizes: tuple[int, ...], size: tuple[int, ...]) -> Iterator[Arrangement]:
    (count,) = sizes
    for beside in range(2 * MOST_TOKENS + 1):
        for after in range(max(0, beside - MOST_TOKENS), min(beside, MOST_TOKENS) + 1):
            if beside > (count - beside) * MOST_BESIDE:
                continue
            for grid in _grids(count - beside, size):
                inner = tuple(Piece(kind, side) for kind, side in zip(_kinds(grid), grid, strict=True))
                yield ((wrapped(TOKENS, inner, beside - after, after),) if beside else inner,)
    for rows, columns in _grids(count, size[-2:]):
        yield ((Piece(COLUMNS, columns), Piece(ROWS, rows)),)
    for kind, side in zip(_kinds(size), size, strict=True):
        if count <= side:
            yield ((Piece(kind, count),),)


def _in_two(sizes: tuple[int, ...], size: tuple[int, ...]) -> Iterator[Arrangement]:
    first, second = sizes
    yield ((Piece(ROWS, first),), (Piece(COLUMNS, second),))
    yield ((Piece(COLUMNS, first),), (Piece(ROWS, second),))
    yield from _windows(first, second, size)
    yield from ((outer, inner) for inner, outer in _windows(second, first, size))
    if len(size) > 2 and first <= size[0]:
        for rows, columns in _grids(second, size[-2:]):
            yield ((Piece(TIME, first),), (Piece(ROWS, rows), Piece(COLUMNS, columns)))


def _in_three(sizes: tuple[int, ...], size: tuple[int, ...]) -> Iterator[Arrangement]:
    first, rows, columns = sizes
    if len(size) > 2:
        yield tuple((Piece(kind, count),) for kind, count in zip(SPACE, sizes, strict=True))
    for grid in _pairs(first):
        if _fits((grid[0] * rows, grid[1] * columns), size):
            outer, (high, wide) = _parts(grid, (rows, columns))
            yield (outer, (high,), (wide,))


def _in_four(sizes: tuple[int, ...], size: tuple[int, ...]) -> Iterator[Arrangement]:
    for order in ((0, 2, 1, 3), (0, 1, 2, 3), (1, 3, 0, 2)):  # the axes of rows, in-row factors and columns
        a, b, c, d = (sizes[place] for place in order)
        if _fits((a * b, c * d), size):
            pieces = (Piece(ROWS, a, b), Piece(ROWS, b), Piece(COLUMNS, c, d), Piece(COLUMNS, d))
            placed = dict(zip(order, pieces, strict=True))
            yield tuple((placed[place],) for place in range(4))


def _parts(grid: tuple[int, int], window: tuple[int, int]) -> tuple[Dimension, Dimension]:
    outer = tuple(Piece(kind, count, step) for kind, count, step in zip(SPACE[1:], grid, window, strict=True))
    return outer, tuple(Piece(kind, count) for kind, count in zip(SPACE[1:], window, strict=True))


def _windows(outside: int, inside: int, size: tuple[int, ...]) -> Iterator[tuple[Dimension, Dimension]]:
    """Windows and the positions in each; then those of a padded image."""
    pairs = list(itertools.product(_pairs(inside), _pairs(outside)))
    for window, grid in pairs:
        if _fits((grid[0] * window[0], grid[1] * window[1]), size):
            yield _parts(grid, window)
    for window, grid in pairs:
        if window[0] == window[1]:
            yield from _filled(grid, window[0], size)


def _filled(grid: tuple[int, int], window: int, size: tuple[int, ...]) -> Iterator[tuple[Dimension, Dimension]]:
    seen = set()
    for stride in range(1, min(size[-2:]) + 1):
        sides = tuple(-(-side // stride) for side in size[-2:])
        if sides in seen or tuple(-(-side // window) for side in sides) != grid:
            continue
        seen.add(sides)
        after = [count * window - side for count, side in zip(grid, sides, strict=True)]
        if any(after):
            axes = [
                wrapped(PADDED, (Piece(kind, side),), 0, fill) if fill else Piece(kind, side)
                for kind, side, fill in zip(SPACE[1:], sides, after, strict=True)
            ]
            (high, low), (wide, narrow) = (parted(axis, count) for axis, count in zip(axes, grid, strict=True))
            yield (high, wide), (low, narrow)


def _pairs(count: int) -> list[tuple[int, int]]:
    return [(one, count // one) for one in range(1, count + 1) if count % one == 0]


def _grids(count: int, size: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """List the grids of a number of positions with the image's aspect ratio."""
    if count < 1:
        return
    if len(size) > 2:
        for frames in range(1, size[0] + 1):
            if count % frames == 0:
                yield from ((frames, *grid) for grid in _grids(count // frames, size[1:]))
        return
    yield from (grid for grid in _pairs(count) if _fits(grid, size))


def _fits(grid: tuple[int, int], size: Sequence[int]) -> bool:
    """Whether rows and columns are the image divided by some stride, or padded to windows."""
    (rows, columns), (height, width) = grid, size[-2:]
    near = abs(rows * width - columns * height) < max(width, height)
    return rows <= height and columns <= width and near


def _kinds(grid: Sequence[int]) -> tuple[str, ...]:
    return SPACE[-len(grid) :] if len(grid) > 1 else (TIME,)
