"""The cells of an activation grid: what a layer says at each place of a picture, and in which order they are made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

TOP = 3  # how many of a cell's most active channels are told
DIGITS = 6


@dataclass(frozen=True, eq=False)
class GridCells:
    """What a layer says of a picture, place by place.

    Args:
        layer: The address of the layer.
        positions: The height and width of the layer's map.
        group: How many neighbouring positions on each side make one cell.
        values: The mean activations of each cell, `[C, h, w]`.
    """

    layer: str
    positions: tuple[int, int]
    group: int
    values: Tensor

    @classmethod
    def of(cls, layer: str, activations: Tensor, group: int) -> GridCells:
        """Average neighbouring positions."""
        values = functional.avg_pool2d(activations[None], group, ceil_mode=True, count_include_pad=False)[0]
        height, width = activations.shape[1:]
        return cls(layer, (height, width), group, values)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.values.shape[1]

    @property
    def columns(self) -> int:
        """The number of columns."""
        return self.values.shape[2]

    @property
    def places(self) -> tuple[tuple[int, int], ...]:
        """The row and column of each cell, row by row."""
        return tuple((row, column) for row in range(self.rows) for column in range(self.columns))

    @property
    def walk(self) -> tuple[tuple[int, int], ...]:
        """The same on a way that leaves no part of the map before it is done with it: Hilbert's curve.

        Cells that follow each other on it are neighbours, and so are most of those of one batch.
        """
        side = 1
        while side < max(self.rows, self.columns):
            side *= 2
        return tuple(sorted(self.places, key=lambda place: _hilbert(side, *place)))

    def vector(self, row: int, column: int) -> Tensor:
        """Give the activations of a cell."""
        return self.values[:, row, column]

    def lengths(self) -> Tensor:
        """Give the Euclidean length of each cell's activations."""
        return self.values.square().sum(0).sqrt()

    def channels(self) -> Tensor:
        """Give the most active channel of each cell."""
        return self.values.argmax(0)

    def facts(self) -> Iterator[dict[str, object]]:
        """Tell of each cell, row by row."""
        lengths = self.lengths()
        found = self.values.topk(min(TOP, len(self.values)), dim=0)
        for row, column in self.places:
            tops = zip(found.indices[:, row, column].tolist(), found.values[:, row, column].tolist(), strict=True)
            yield {
                "row": row,
                "column": column,
                "length": _rounded(lengths[row, column].item()),
                "channels": [[channel, _rounded(value)] for channel, value in tops],
            }


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _hilbert(side: int, row: int, column: int) -> int:
    """Say where a place stands on Hilbert's curve through a square whose side is a power of two."""
    place = 0
    half = side // 2
    while half:
        right, below = column >= half, row >= half
        place += half * half * ((3 * right) ^ below)
        row, column = row % half, column % half
        if not below:
            if right:
                row, column = half - 1 - row, half - 1 - column
            row, column = column, row
        half //= 2
    return place
