"""What each dimension of a tensor is: pieces of the batch, the channels, and the axes of the image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import NamedTuple, TypeAlias

BATCH = "B"
CHANNEL = "C"
TIME = "T"
ROWS = "H"
COLUMNS = "W"
TOKENS = "tokens"  # places of the image with tokens of no place, such as class tokens, before or after them
PADDED = "padded"  # an axis that was rolled, and then filled up before or after
OTHER = "?"
PLACES = "N"  # places, or other units such as queries, of which nobody knows the order
SPACE = (TIME, ROWS, COLUMNS)
WRAPPERS = (TOKENS, PADDED)
UNORDERED = (CHANNEL, OTHER)  # whose numbers have no order that we must find again


class Piece(NamedTuple):
    """A piece of an axis: all of it, or one of the factors into which a reshape took it apart.

    Args:
        kind: What it is a piece of: one of the names above.
        size: How many places it has.
        step: By how many places of the axis one place of the piece moves.
        shift: By how much the axis was rolled.
        before: Places of a wrapper in front of what it wraps.
        after: Places of a wrapper behind what it wraps.
        inner: What a wrapper wraps.
    """

    kind: str
    size: int
    step: int = 1
    shift: int = 0
    before: int = 0
    after: int = 0
    inner: tuple[Piece, ...] = ()


Dimension: TypeAlias = tuple[Piece, ...]
Axes: TypeAlias = tuple[Dimension, ...]


def image_axes(shape: Sequence[int]) -> Axes:
    """Name the dimensions of a network's input.

    Args:
        shape: `[B, C, H, W]`, `[B, C, T, H, W]` for clips and volumes, `[B, C, T]` for series, or `[B, C]`.

    Returns:
        One piece for each dimension.
    """
    space = SPACE if len(shape) == 5 else (TIME,) if len(shape) == 3 else (ROWS, COLUMNS)
    return tuple((Piece(kind, size),) for kind, size in zip((BATCH, CHANNEL, *space), shape, strict=False))


def pieces_of(axes: Iterable[Dimension]) -> list[Piece]:
    """List the pieces of several dimensions.

    Args:
        axes: The dimensions.

    Returns:
        Their pieces in order.
    """
    return [piece for dimension in axes for piece in dimension]


def has_channel(dimension: Dimension) -> bool:
    """Say whether a dimension counts channels.

    Args:
        dimension: Its pieces.

    Returns:
        True where one of them is a piece of the channels.
    """
    return any(piece.kind == CHANNEL for piece in dimension)


def has_space(dimension: Dimension) -> bool:
    """Say whether a dimension holds places of the image.

    Args:
        dimension: Its pieces.

    Returns:
        True where one of them is a piece of an axis of the image.
    """
    return any(piece.kind in SPACE or piece.kind in WRAPPERS or piece.kind == PLACES for piece in dimension)


def fresh(kind: str, size: int) -> Dimension:
    """Make a dimension that was not there before.

    Args:
        kind: What it is.
        size: How many places it has.

    Returns:
        One whole piece; none at all for a single place of no known kind.
    """
    return () if kind == OTHER and size == 1 else (Piece(kind, size),)


def whole_axis(dimension: Dimension, axes: Axes) -> Piece | None:
    """Find out whether a dimension is one axis of the image from end to end.

    Args:
        dimension: One of the tensor's dimensions.
        axes: All of them.

    Returns:
        Its piece; None where it is something else, was rolled, or has other pieces in other dimensions.
    """
    if len(dimension) != 1 or dimension[0].kind not in SPACE or dimension[0].shift:
        return None
    kind = dimension[0].kind
    alone = sum(piece.kind == kind for one in axes for piece in one) == 1
    return dimension[0] if alone else None


def merged(pieces: Iterable[Piece]) -> Dimension:
    """Put neighbouring pieces of one axis together again.

    Args:
        pieces: The pieces of one dimension.

    Returns:
        As few pieces as say the same. Pieces of a single place are kept only where several others remain: so a
        flattened image of one channel still counts as channels, while a lone axis stays itself.
    """
    result: list[Piece] = []
    for piece in pieces:
        last = result[-1] if result else None
        if last is not None and _continues(last, piece):
            result[-1] = last._replace(size=last.size * piece.size, step=piece.step)
        else:
            result.append(piece)
    real = [piece for piece in result if piece.size > 1]
    return tuple(real) if len(real) == 1 else tuple(result)


def _continues(outer: Piece, inner: Piece) -> bool:
    if outer.kind != inner.kind:
        return False
    if outer.kind in UNORDERED:
        return True
    same = outer[3:] == inner[3:]  # shift and wrapper
    return same and outer.step == inner.step * inner.size


def parted(piece: Piece, outer: int) -> tuple[Piece, Piece]:
    """Take a piece apart into two factors.

    Args:
        piece: The piece.
        outer: The size of the first factor, a divisor of the piece's size.

    Returns:
        The outer and the inner factor.
    """
    inner = piece.size // outer
    step = piece.step if piece.kind in UNORDERED else piece.step * inner
    return piece._replace(size=outer, step=step), piece._replace(size=inner)


def wrapped(kind: str, dimension: Dimension, before: int, after: int) -> Piece:
    """Put what has no place in the image around places of it.

    Args:
        kind: `TOKENS` or `PADDED`.
        dimension: The places; where such a wrapper is around them already, it grows.
        before: How much is put in front.
        after: How much is put behind.

    Returns:
        One piece that wraps the places.
    """
    inner = dimension
    if len(dimension) == 1 and dimension[0].kind == kind and dimension[0].step == 1:
        before, inner, after = before + dimension[0].before, dimension[0].inner, after + dimension[0].after
    size = before + prod(piece.size for piece in inner) + after
    return Piece(kind, size, before=before, after=after, inner=inner)


def settled(axes: Axes) -> Axes:
    """Count an axis anew in places of its finest piece, after finer ones were summed over.

    Args:
        axes: The dimensions.

    Returns:
        The same with the steps of the image's axes divided by the least step of each.
    """
    least: dict[str, int] = {}
    for piece in pieces_of(axes):
        if piece.kind in SPACE:
            least[piece.kind] = min(piece.step, least.get(piece.kind, piece.step))
    if all(step == 1 for step in least.values()):
        return axes
    return tuple(tuple(p._replace(step=p.step // least[p.kind]) if p.kind in least else p for p in one) for one in axes)


def fits(axes: Axes, shape: Sequence[int]) -> bool:
    """Check that axes describe a tensor.

    Args:
        axes: The dimensions.
        shape: The tensor's shape.

    Returns:
        True where there are as many, and the sizes of each one's pieces multiply to its size.
    """
    return len(axes) == len(shape) and all(
        (one[0].size if len(one) == 1 else prod(piece.size for piece in one)) == size
        for one, size in zip(axes, shape, strict=True)
    )
