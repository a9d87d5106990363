"""Sizes: how the sides of an image are given, in code and as text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, TypeAlias

from lucidtorch.base.checks import Within, is_whole, plain
from lucidtorch.base.errors import SizeError
from lucidtorch.base.shown import shown

Size: TypeAlias = tuple[int, ...]  # height and width of an image; time or depth before them in a clip or a volume
LARGEST_SIDE, MOST_VIEWS = 8192, 1024
SizeLike: TypeAlias = Annotated[int | Sequence[int], SizeError]  # what `size_sides` reads
Side: TypeAlias = Annotated[int, Within(1, LARGEST_SIDE)]
Distance: TypeAlias = Annotated[int, Within(0, LARGEST_SIDE)]  # in pixels
Views: TypeAlias = Annotated[int, Within(1, MOST_VIEWS)]  # of an image, that one step looks at
PLANE, SPACE = 2, 3


def size_sides(value: object, *, what: str = "A size") -> Size:
    """Read the size of an image, or of a clip or a volume."""
    sides = _read(value, what)
    if len(sides) not in (PLANE, SPACE) or not all(is_whole(side) for side in sides):
        raise SizeError(
            f"{what} is one whole number, (height, width), or (time, height, width) for clips and volumes, "
            f"but {shown(value)} was given."
        )
    if min(sides) < 1 or max(sides) > LARGEST_SIDE:
        raise SizeError(f"{what} is from 1 to {LARGEST_SIDE} pixels on each side, but {size_text(sides)} was given.")
    return sides


def size_pair(size: object) -> tuple[int, int]:
    """Read the size of an image, which has no third side."""
    sides = size_sides(size)
    if len(sides) != PLANE:
        raise SizeError(f"A size here is one whole number, or height and width, but {shown(size)} was given.")
    return sides[0], sides[1]


def size_text(size: Size) -> str:
    """Write a size for people."""
    return " x ".join(map(str, size))


def short_size(size: Size) -> int | Size:
    """Write a size with the fewest numbers."""
    return size[0] if len(size) == PLANE and size[0] == size[1] else size


def _read(value: object, what: str) -> Size:
    """Take the sides out of any of the forms of a size; anything else has no sides."""
    if isinstance(value, str):
        if re.fullmatch(r"\s*\d{1,9}\s*(x\s*\d{1,9}\s*){0,2}", value, re.ASCII) is None:
            raise SizeError(
                f"{what} is written 128, 96x128 (height x width), or 16x112x112 (time x height x width), "
                f"but {shown(value)} was given."
            )
        value = tuple(int(side) for side in value.split("x"))
        return value * PLANE if len(value) == 1 else value
    value = plain(value)
    if is_whole(value):
        return (value, value)
    return tuple(map(plain, value)) if isinstance(value, tuple | list) else ()
