"""How the pictures of a section stand on the page: each shown crisp, at a size that fits what stands beside it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from lucidtorch.recipes.story import Figure, Section

ROOM = 1200  # pixels of the screen that stand side by side on the page
LARGE, SMALL = 460, 200  # how wide a picture is shown where there are few, and where there are many
MOST_TIMES = 3  # how often the pixel of a picture is repeated at most, that it is not blown up to mush
FEW = 4  # pictures that are shown large, with all that is known of them
FOLDED = 64  # pictures beyond which those that a sheet shows already are folded away, and rows of a table
CAPTIONED = 8  # columns beyond which cells stand close, without words under them
NAMES_WIDTH = 116  # of the names of rows
GAP, CLOSE_GAP, WIDE_GAP = 12, 2, 26
PARTS_GAP = 44
LEAST_CELL, LEAST_CLOSE_CELL = 92, 26  # on a phone, before a matrix scrolls sideways

Sizes: TypeAlias = Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Row:
    """A row of a matrix.

    Attributes:
        name: What it is, or empty.
        figures: Its pictures.
    """

    name: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Block:
    """Pictures of a section that stand together.

    Attributes:
        kind: ``whole`` (each as wide as the page), ``chart`` (likewise, to move about in), ``few`` (large, with all
            that is known beside), ``wall`` (as many in a row as fit) or ``matrix``.
        figures: The pictures, but of a matrix.
        width: How wide a picture is shown, in pixels of the screen.
        folded: Whether they are folded away.
        parts: The rows of a matrix, in parts that stand side by side where it is narrow.
        columns: The number of columns of a matrix.
        close: Whether the cells of a matrix stand close, without words under them.
        full: How wide a part of a matrix is.
        least: How narrow it becomes before it scrolls.
    """

    kind: str
    figures: tuple[Figure, ...] = ()
    width: int = 0
    folded: bool = False
    parts: tuple[tuple[Row, ...], ...] = ()
    columns: int = 0
    close: bool = False
    full: int = 0
    least: int = 0


def blocks(section: Section, sizes: Sizes) -> list[Block]:
    """Lay the pictures of a section out."""
    return list(_blocks(section, sizes))


def shown_width(width: int, room: int) -> int:
    """Say how wide a picture is shown, that each of its pixels is a square of whole pixels, or all are scaled down."""
    return room if width > room else width * min(MOST_TIMES, room // width)


def _blocks(section: Section, sizes: Sizes) -> Iterator[Block]:
    seen = False
    for wide, run in itertools.groupby(section.figures, key=_wide):
        figures = tuple(run)
        if wide:
            seen = True
            yield Block(wide, figures)
        elif section.columns is not None:
            yield _matrix(figures, section, section.columns, sizes)
        elif len(figures) <= FEW:
            yield Block("few", figures, _common_width(figures, sizes, min(LARGE, ROOM // len(figures) - WIDE_GAP)))
        else:
            width = _common_width(figures, sizes, SMALL)
            yield Block("wall", figures, width, folded=seen and len(figures) > FOLDED)


def _wide(figure: Figure) -> str:
    """The kind of block that a figure stands in which is as wide as the page; empty for others."""
    return "chart" if figure.chart is not None else "whole" if figure.whole else ""


def _common_width(figures: Sequence[Figure], sizes: Sizes, room: int) -> int:
    widths = (shown_width(sizes[one.file][0], room) if one.file in sizes else room for one in figures)
    return max(widths)


def _matrix(figures: Sequence[Figure], section: Section, columns: int, sizes: Sizes) -> Block:
    names = NAMES_WIDTH if any(section.row_names) else 0
    close = columns > CAPTIONED
    gap = CLOSE_GAP if close else GAP
    found = [tuple(figures[start : start + columns]) for start in range(0, len(figures), columns)]
    rows = [Row(name, own) for name, own in zip(_padded(section.row_names, len(found)), found, strict=True)]
    room = LARGE if len(rows) * columns <= FEW else SMALL
    cell = _common_width(figures, sizes, max(1, min(room, (ROOM - names) // columns - gap)))
    full = names + columns * (cell + gap)
    least = names // 2 + columns * (min(cell, LEAST_CLOSE_CELL if close else LEAST_CELL) + gap)
    beside = 1 if len(rows) <= columns else (ROOM + PARTS_GAP) // (full + PARTS_GAP)
    each = math.ceil(len(rows) / max(1, min(beside, len(rows) // 2)))
    parts = tuple(tuple(rows[start : start + each]) for start in range(0, len(rows), each))
    return Block("matrix", width=cell, parts=parts, columns=columns, close=close, full=full, least=least)


def _padded(names: Sequence[str], count: int) -> list[str]:
    return [*names, *[""] * count][:count]
