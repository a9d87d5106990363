"""What is known of one tensor that depends on the image: what its dimensions are and what its numbers see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from lucidtorch.models.axes.pieces import (
    CHANNEL,
    OTHER,
    SPACE,
    WRAPPERS,
    Axes,
    Dimension,
    Piece,
    fresh,
    has_channel,
    pieces_of,
)
from lucidtorch.models.axes.receptive_field import WHOLE, Field

SIDES = {1: (SPACE[0],), 2: SPACE[1:], 3: SPACE}  # the axes of an image, by how many a field speaks of


@dataclass(frozen=True, slots=True)
class Places:
    """Which places of a dimension of the image went into a tensor that has it no more.

    Args:
        pieces: What the dimension was.
        first: The first place.
        last: The last place.
    """

    pieces: Dimension
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one tensor.

    Args:
        axes: What its dimensions are; None where that is not known.
        field: What the number at each place of the image's axes sees; `WHOLE` for all of the image.
        places: Where the tensor was selected from, if from some places of the image.
    """

    axes: Axes | None
    field: Field
    places: Places | None = None


UNKNOWN = Facts(None, WHOLE)


def side_of(kind: str, field: Field) -> int | None:
    """Find which part of a field speaks of an axis.

    Args:
        kind: The axis.
        field: A field.

    Returns:
        Its place in the field, or None where the field says nothing of it.
    """
    sides = SIDES.get(len(field), ())
    return sides.index(kind) if kind in sides else None


def with_side(field: Field, kind: str, *, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Field:
    """Look through a window along one axis.

    Args:
        field: What the numbers below see.
        kind: The axis.
        kernel: The number of taps.
        stride: The step between windows.
        padding: How many places were put before the first one.
        dilation: The distance between taps.

    Returns:
        What the numbers above see.
    """
    place = side_of(kind, field)
    if place is None:
        return WHOLE
    changed = field[place].through_window(kernel=kernel, stride=stride, padding=padding, dilation=dilation)
    return (*field[:place], changed, *field[place + 1 :])


def field_over(gone: Sequence[Piece], kept: Axes, field: Field) -> Field:
    """Find what numbers see that were made from all places of some pieces.

    Args:
        gone: The pieces over which was summed.
        kept: The dimensions that remain.
        field: What the numbers saw before.

    Returns:
        Windows, where the pieces are the fine ones of axes whose coarse pieces remain; otherwise `WHOLE`.
    """
    if not field or any(piece.kind in WRAPPERS for piece in gone):
        return WHOLE
    for kind in {piece.kind for piece in gone if piece.kind in SPACE}:
        fine = [piece for piece in gone if piece.kind == kind]
        rest = [piece.step for piece in pieces_of(kept) if piece.kind == kind]
        taps = prod(piece.size for piece in fine)
        if not rest or min(rest) != taps * min(piece.step for piece in fine):
            return WHOLE
        field = with_side(field, kind, kernel=taps, stride=taps)
    return field


def without(facts: Facts, dimensions: Sequence[int], *, keep: bool = False) -> Facts:
    """Sum over dimensions.

    Args:
        facts: What was known before.
        dimensions: Which, counted from the front.
        keep: Whether they stay as dimensions of one place.

    Returns:
        What is known of the sums.
    """
    if facts.axes is None:
        return UNKNOWN
    gone = [piece for place in dimensions for piece in facts.axes[place]]
    kept = tuple(one for place, one in enumerate(facts.axes) if place not in dimensions)
    field = field_over(gone, kept, facts.field)
    if keep:
        kept = tuple(() if place in dimensions else one for place, one in enumerate(facts.axes))
    return Facts(kept, field)


def mixed(facts: Facts, dimensions: Sequence[int]) -> Facts:
    """Let every number of some dimensions see all the others, as a norm or a softmax does.

    Args:
        facts: What was known before.
        dimensions: Which, counted from the front.

    Returns:
        The same axes; places of the image that were counted as channels are now nothing but channels.
    """
    if facts.axes is None:
        return UNKNOWN
    if all(piece.kind == CHANNEL or piece.kind == OTHER for place in dimensions for piece in facts.axes[place]):
        return facts
    if not all(has_channel(facts.axes[place]) for place in dimensions):
        return Facts(facts.axes, WHOLE)
    gone = [piece for place in dimensions for piece in facts.axes[place]]
    kept = tuple(one for place, one in enumerate(facts.axes) if place not in dimensions)
    axes = [
        fresh(CHANNEL, prod(piece.size for piece in one)) if place in dimensions else one
        for place, one in enumerate(facts.axes)
    ]
    return Facts(tuple(axes), field_over(gone, kept, facts.field))


def product_of(summed: Sequence[Piece], kept: Sequence[Dimension], size: int) -> Dimension:
    """Name the dimension that weights make out of one that they are multiplied with.

    Args:
        summed: The pieces over which is summed.
        kept: The dimensions that remain.
        size: The size of the new one.

    Returns:
        Channels. But where none were summed over while others remain, each new number is a mixture of places, of
        which nobody can say what it is.
    """
    channels = has_channel(tuple(summed)) or not any(has_channel(one) for one in kept)
    return fresh(CHANNEL if channels else OTHER, size)
