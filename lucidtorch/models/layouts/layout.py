"""Layouts: the conversion of a layer's raw tensor to activations with channels and image positions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

BATCH = "B"
CHANNEL = "C"
TIME = "T"
ROWS = "H"
COLUMNS = "W"
TOKENS = "tokens"  # image positions with tokens without position, such as class tokens, before or after them
PADDED = "padded"  # an axis that was rolled, and then padded before or after
PLACES = "N"  # positions, or other units such as queries, in unknown order
SPACE = (TIME, ROWS, COLUMNS)
SIDES = {1: SPACE[:1], 2: SPACE[1:], 3: SPACE}  # the axes of an image, by their number
WRAPPERS = (TOKENS, PADDED)
WINDOWS = "windows"


class Piece(NamedTuple):
    """An axis, or one of the factors into which a reshape split it."""

    kind: str  # one of the names above
    size: int
    step: int = 1  # the stride of the piece in the axis
    shift: int = 0  # the shift of a rolled axis
    before: int = 0  # positions of a wrapper before its contents
    after: int = 0
    inner: tuple[Piece, ...] = ()  # the contents of a wrapper


Dimension: TypeAlias = tuple[Piece, ...]
Axes: TypeAlias = tuple[Dimension, ...]


@dataclass(frozen=True)
class Layout:
    """The conversion of a tensor to `[B, C, H, W]`, `[B, C, T, H, W]`, or `[B, C]` without positions.

    Its text names each dimension: `B H W C`; `B 1+(H W) C` with a class token; `(B windows) (H W) C`.
    """

    axes: Axes  # the dimensions of the raw tensor, at the input size of the dry run

    def apply(self, raw: Tensor) -> Tensor:
        """Convert a tensor to the standard order; differentiable.

        Tokens without position are dropped, windows merged, rolled axes rolled back. Without columns the width is one,
        without rows the height.
        """
        if self.is_plain:
            return raw
        if not self.is_ordered:
            return self.tokens(raw)
        values, pieces = self._apart(raw)
        for wrapper in self._wrappers:
            values, pieces = _opened(values, pieces, wrapper)
        groups = [_places(pieces, kind) for kind in (BATCH, CHANNEL, *self._sides)]
        shape = [prod(values.shape[place] for place in group) for group in groups]
        values = values.permute([place for group in groups for place in group]).reshape(shape)
        shifts = {2 + side: -shift for side, kind in enumerate(self._sides) if (shift := self._shift(kind))}
        return torch.roll(values, list(shifts.values()), list(shifts)) if shifts else values

    def tokens(self, raw: Tensor) -> Tensor:
        """List all tokens of a tensor in the layer's own order; differentiable."""
        values, pieces = self._apart(raw)
        batch, channels = _places(pieces, BATCH), _places(pieces, CHANNEL)
        rest = [place for place in range(len(pieces)) if place not in (*batch, *channels)]
        count = prod(values.shape[place] for place in channels)
        return values.permute([*batch, *channels, *rest]).reshape(values.shape[batch[0]], count, -1)

    @cached_property
    def is_plain(self) -> bool:
        """Whether `apply` is the identity."""
        rank = len(self.axes)
        if rank not in (2, 4, 5):
            return False
        first, *others = [tuple(piece.kind for piece in one) for one in self.axes]
        kinds = (CHANNEL, *SIDES.get(rank - 2, ()))
        in_order = first == (BATCH,) and all(one in ((), (kind,)) for one, kind in zip(others, kinds, strict=True))
        return in_order and not any(piece.shift for piece in pieces_of(self.axes))

    @cached_property
    def is_ordered(self) -> bool:
        """Whether the positions are known."""
        return not any(piece.kind == PLACES for piece in pieces_of(self.axes))

    @cached_property
    def channel_axes(self) -> list[int]:
        """The dimensions of the raw tensor that contain channels."""
        return [place for place, one in enumerate(self.axes) if any(piece.kind == CHANNEL for piece in one)]

    @cached_property
    def sized(self) -> bool:
        """Whether it is valid only for the input size at which the network was traced."""
        return any(len(one) > 1 or any(piece.kind in WRAPPERS or piece.shift for piece in one) for one in self.axes)

    @cached_property
    def prefix(self) -> int:
        """The number of tokens without position before those of the image."""
        return sum(one.before for one in self._wrappers if one.kind == TOKENS)

    @cached_property
    def suffix(self) -> int:
        """The number of tokens without position after those of the image."""
        return sum(one.after for one in self._wrappers if one.kind == TOKENS)

    @cached_property
    def grid(self) -> tuple[int, ...] | None:
        """Height and width, or time, height and width, at the traced size; None without positions."""
        sizes = [prod(piece.size for piece in self._open_pieces if piece.kind == kind) for kind in self._sides]
        return tuple(sizes) or None

    def __str__(self) -> str:
        return " ".join(_words(one, self.axes) for one in self.axes)

    @cached_property
    def _wrappers(self) -> list[Piece]:
        return list(dict.fromkeys(_without_size(piece) for piece in pieces_of(self.axes) if piece.kind in WRAPPERS))

    @cached_property
    def _open_pieces(self) -> list[Piece]:
        bare = [piece for piece in pieces_of(self.axes) if piece.kind not in WRAPPERS]
        return [*bare, *(inner for wrapper in self._wrappers for inner in wrapper.inner)]

    @cached_property
    def _sides(self) -> tuple[str, ...]:
        """The axes of the result after batch and channels."""
        kinds = {piece.kind for piece in self._open_pieces} & set(SPACE)
        return SPACE if TIME in kinds else SPACE[1:] if kinds else ()

    def _shift(self, kind: str) -> int:
        return next((piece.shift for piece in self._open_pieces if piece.kind == kind), 0)

    def _apart(self, raw: Tensor) -> tuple[Tensor, list[Piece]]:
        """Reshape to one dimension per piece."""
        sizes: list[int] = []
        for one, size in zip(self.axes, raw.shape, strict=True):
            sizes += [size] if len(one) == 1 else [-1 if piece.kind == BATCH else piece.size for piece in one]
        return raw.reshape(sizes), pieces_of(self.axes)


def _without_size(piece: Piece) -> Piece:
    return piece._replace(size=0, step=0)


def _places(pieces: Sequence[Piece], kind: str) -> list[int]:
    """Find the pieces of one kind, coarse before fine."""
    places = [place for place, piece in enumerate(pieces) if piece.kind == kind]
    return sorted(places, key=lambda place: -pieces[place].step) if kind in SPACE else places


def _opened(values: Tensor, pieces: Sequence[Piece], wrapper: Piece) -> tuple[Tensor, list[Piece]]:
    """Remove the tokens or padding that a wrapper added."""
    own = [place for place, piece in enumerate(pieces) if _without_size(piece) == wrapper]
    own.sort(key=lambda place: -pieces[place].step)
    rest = [place for place in range(len(pieces)) if place not in own]
    sizes = [piece.size for piece in wrapper.inner]
    values = values.permute([*rest, *own]).flatten(len(rest)).narrow(-1, wrapper.before, prod(sizes))
    return values.reshape(*values.shape[:-1], *sizes), [*(pieces[place] for place in rest), *wrapper.inner]


def _words(dimension: Dimension, axes: Axes) -> str:
    words = list(dict.fromkeys(_word(piece, axes) for piece in dimension))
    return words[0] if len(words) == 1 else f"({' '.join(words)})" if words else "1"


def _word(piece: Piece, axes: Axes) -> str:
    if piece.kind == TOKENS:
        inner = _words(piece.inner, (piece.inner,))
        return "+".join(str(part) for part in (piece.before, inner, piece.after) if part)
    kind = side_of(piece)
    finest = min(other.step for other in pieces_of(axes) if side_of(other) == kind)
    return WINDOWS if kind in SPACE and piece.step > finest else kind


def side_of(piece: Piece) -> str:
    """The kind of a piece, or of the contents of a padded one."""
    return piece.inner[0].kind if piece.kind == PADDED else piece.kind


def pieces_of(axes: Iterable[Dimension]) -> list[Piece]:
    """List the pieces of several dimensions."""
    return [piece for dimension in axes for piece in dimension]


def has_space(dimension: Dimension) -> bool:
    """Whether a dimension contains image positions."""
    return any(piece.kind in SPACE or piece.kind in WRAPPERS or piece.kind == PLACES for piece in dimension)


def parted(piece: Piece, outer: int) -> tuple[Piece, Piece]:
    """Split a piece into two factors."""
    inner = piece.size // outer
    step = piece.step if piece.kind == CHANNEL else piece.step * inner
    return piece._replace(size=outer, step=step), piece._replace(size=inner)


def wrapped(kind: str, dimension: Dimension, before: int, after: int) -> Piece:
    """Add tokens or padding without position around image positions."""
    inner = dimension
    if len(dimension) == 1 and dimension[0].kind == kind and dimension[0].step == 1:
        before, inner, after = before + dimension[0].before, dimension[0].inner, after + dimension[0].after
    size = before + prod(piece.size for piece in inner) + after
    return Piece(kind, size, before=before, after=after, inner=inner)
