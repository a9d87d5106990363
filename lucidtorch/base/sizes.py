"""Sizes: how a height and a width are given, in code and as text."""

from __future__ import annotations

import re
from typing import TypeAlias

from lucidtorch.base.errors import SizeError

Size: TypeAlias = tuple[int, int]


def size_pair(size: object) -> Size:
    """Read a size.

    Args:
        size: One number for a square, a pair (height, width), or a text such as ``128`` or ``96x128``.

    Returns:
        Height and width in pixels.

    Raises:
        SizeError: It is none of these, or not positive.
    """
    if isinstance(size, str):
        found = re.fullmatch(r"\s*(\d+)\s*(?:x\s*(\d+)\s*)?", size)
        if found is None:
            raise SizeError(f"A size is written 128 or 96x128 (height x width), but {size!r} was given.")
        size = (int(found[1]), int(found[2] or found[1]))
    pair = (size, size) if isinstance(size, int) else size
    if not isinstance(pair, tuple | list) or len(pair) != 2 or not all(_is_whole(side) for side in pair):
        raise SizeError(f"A size is one whole number, or height and width, but {size!r} was given.")
    height, width = pair
    if height < 1 or width < 1:
        raise SizeError(f"A size is a whole number of pixels from 1, but {height} x {width} was given.")
    return height, width


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
