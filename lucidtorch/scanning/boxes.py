"""Which part of an image a place of a layer sees."""

from __future__ import annotations

from typing import NamedTuple

from lucidtorch.models.layouts.receptive_field import ReceptiveField


class Box(NamedTuple):
    """A part of an image in pixels: rows from `top` up to, and without, `bottom`, and columns likewise."""

    top: int
    left: int
    bottom: int
    right: int


def box_seen(field: ReceptiveField | None, sides: tuple[int, int], row: int, column: int) -> Box:
    """Say which part of an image the units at a place see."""
    (top, bottom), (left, right) = (
        (min(max(begin, 0), side), min(max(end, 0), side))
        for (begin, end), side in zip(_ends(field, sides, row, column), sides, strict=True)
    )
    return Box(top, left, bottom, right)


def window_seen(field: ReceptiveField | None, sides: tuple[int, int], row: int, column: int) -> Box:
    """Say which window shows what the units at a place see: of one size for all places of the layer."""
    (top, bottom), (left, right) = (
        (begin, end) if end - begin < side else (0, side)
        for (begin, end), side in zip(_ends(field, sides, row, column), sides, strict=True)
    )
    return Box(top, left, bottom, right)


def _ends(
    field: ReceptiveField | None, sides: tuple[int, int], row: int, column: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Where the receptive field of a place begins and ends: in the rows, and in the columns."""
    if field is None:
        return (0, sides[0]), (0, sides[1])
    ends = []
    for axis, place in enumerate((row, column)):
        size, stride, start = (_of_axis(one, axis) for one in (field.size, field.stride, field.start))
        ends.append((start + place * stride, start + place * stride + size))
    return ends[0], ends[1]


def _of_axis(value: int | tuple[int, ...], axis: int) -> int:
    return value if isinstance(value, int) else value[axis]
