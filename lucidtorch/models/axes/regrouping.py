"""What a reshape makes of a tensor's axes."""

from __future__ import annotations

from collections.abc import Sequence

from lucidtorch.models.axes.pieces import OTHER, Axes, Dimension, Piece, fresh, merged, parted


def regrouped(axes: Axes, old: Sequence[int], new: Sequence[int]) -> Axes:
    """Follow axes through a reshape.

    Args:
        axes: The dimensions before.
        old: The shape before.
        new: The shape after, of as many numbers.

    Returns:
        The dimensions after; unknown ones where pieces do not divide as the shape does.
    """
    return _Regrouping(axes, old, new).run()


class _Regrouping:
    """Two fingers that move along the old and the new shape, from one common boundary to the next."""

    def __init__(self, axes: Axes, old: Sequence[int], new: Sequence[int]) -> None:
        self.axes = axes
        self.old = old
        self.new = new
        self.result: list[Dimension] = []
        self.single: list[Piece] = []  # pieces of old dimensions of one place, waiting for company
        self.taken = 0

    def run(self) -> Axes:
        while len(self.result) < len(self.new):
            wanted = self.new[len(self.result)]
            present = self.old[self.taken] if self.taken < len(self.old) else None
            if present == wanted:
                self._keep()
            elif wanted == 1:
                self.result.append(())
            elif present == 1:
                self.single += self._next()
            else:
                self._block()
        return tuple(self.result)

    def _next(self) -> Dimension:
        self.taken += 1
        return self.axes[self.taken - 1]

    def _keep(self) -> None:
        self.single = []
        self.result.append(self._next())

    def _block(self) -> None:
        """Take dimensions on both sides until they hold equally many numbers."""
        sizes = [self.new[len(self.result)]]
        inside, outside = self.old[self.taken], sizes[0]
        pieces = [*self.single, *self._next()]
        while inside != outside:
            if inside < outside:
                inside *= self.old[self.taken]
                pieces += self._next()
            else:
                sizes.append(self.new[len(self.result) + len(sizes)])
                outside *= sizes[-1]
        if len(self.result) + len(sizes) == len(self.new):
            while self.taken < len(self.old):  # only single places are left
                pieces += self._next()
        self.single = []
        self.result += _distributed(pieces, sizes)


def _distributed(pieces: list[Piece], sizes: list[int]) -> list[Dimension]:
    queue = list(pieces)
    result: list[Dimension] = []
    for size in sizes:
        taken = _take(queue, size)
        if taken is None:
            return [fresh(OTHER, size) for size in sizes]
        result.append(merged(taken))
    if queue:
        result[-1] = merged((*result[-1], *queue))
    return result


def _take(queue: list[Piece], size: int) -> list[Piece] | None:
    taken: list[Piece] = []
    while size > 1:
        piece = queue.pop(0)
        if size % piece.size == 0:
            size //= piece.size
        elif piece.size % size == 0:
            piece, rest = parted(piece, size)
            queue.insert(0, rest)
            size = 1
        else:
            return None
        taken.append(piece)
    return taken
