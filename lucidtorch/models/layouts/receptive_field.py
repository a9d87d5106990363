"""Receptive fields: the part of the image on which the values of a tensor depend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import prod
from typing import NamedTuple, TypeAlias


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """The receptive field of the unit in row 0 and column 0, and its stride from unit to unit.

    Each value is one number if all sides agree, otherwise one per side: (height, width), or (time, height, width) for
    clips and volumes. Fields are not clipped at the image's borders: a start below 0 lies in the padding.

    Args:
        size: The side of the window in pixels.
        stride: The shift of the window in pixels from one unit to the next.
        start: The first pixel of the window of the first unit.
    """

    size: int | tuple[int, ...]
    stride: int | tuple[int, ...]
    start: int | tuple[int, ...]

    def __str__(self) -> str:
        return " ".join(
            f"{word}{value if isinstance(value, int) else 'x'.join(map(str, value))}"
            for word, value in (("", self.size), ("stride ", self.stride), ("from ", self.start))
        )


class Axis(NamedTuple):
    """A receptive field along one axis of the image, in pixels."""

    size: int
    stride: int
    start: int


Field: TypeAlias = tuple[Axis, ...]  # one per axis of the image; empty if every value may depend on the whole image
WHOLE: Field = ()


def as_receptive_field(field: Field | None) -> ReceptiveField | None:
    """Convert a traced field to a public receptive field."""
    if not field:
        return None
    size, stride, start = (values[0] if len(set(values)) == 1 else values for values in zip(*field, strict=True))
    return ReceptiveField(size, stride, start)


class Factor(NamedTuple):
    """A factor of a dimension of a tensor."""

    size: int
    steps: tuple[int, ...]  # the shift of the window per index: in the batch, then along each side

    @property
    def is_still(self) -> bool:
        """Whether all indices have the same window, as channels do."""
        return not any(self.steps)

    def continues(self, inner: Factor) -> bool:
        """Whether this factor and the next can be merged: both constant, or with consecutive steps."""
        return self.steps == tuple(step * inner.size for step in inner.steps)


Dimension: TypeAlias = tuple[Factor, ...]  # none for a dimension of size 1


class MismatchError(Exception):
    """The dependence of a tensor is no window with constant steps."""


@dataclass(frozen=True, slots=True)
class Window:
    """The receptive fields of a tensor: windows of one size with constant steps along its dimensions."""

    dimensions: tuple[Dimension, ...]
    starts: tuple[int, ...]  # of the window of the first value, in the batch and along each side of the image
    sizes: tuple[int, ...]  # of each window, likewise

    @classmethod
    def of_image(cls, shape: Sequence[int]) -> Window:
        """Create the windows of an input `[B, C, ...]`: each pixel depends on itself."""
        sides = len(shape) - 1  # the batch counts as one, the channels do not
        units = [tuple(int(one == side) for one in range(sides)) for side in range(sides)]
        batch, *others = (Factor(size, unit) for size, unit in zip((shape[0], *shape[2:]), units, strict=True))
        channels = Factor(shape[1], (0,) * sides)
        return cls(tuple((one,) for one in (batch, channels, *others)), (0,) * sides, (1,) * sides)

    def fits(self, shape: Sequence[int]) -> bool:
        """Whether this fits a tensor of a shape."""
        return [_size(one) for one in self.dimensions] == list(shape)

    def still(self, size: int) -> Dimension:
        """Create a dimension with one window for all indices."""
        return (Factor(size, (0,) * len(self.starts)),)

    def is_still(self, place: int) -> bool:
        """Whether the window is the same for all indices of a dimension."""
        return all(factor.is_still for factor in self.dimensions[place])

    def put(self, place: int, *new: Dimension, instead_of: int = 1) -> Window:
        """Replace one dimension, or none, by others, or none."""
        return replace(self, dimensions=(*self.dimensions[:place], *new, *self.dimensions[place + instead_of :]))

    def over(self, places: Iterable[int], *, keep: bool = False) -> Window:
        """Reduce dimensions: windows grow to the union over their indices."""
        result = self
        for place in sorted(places, reverse=True):
            result = result._grown(place).put(place, *[()] * keep)
        return result

    def mixed(self, places: Iterable[int]) -> Window:
        """Give each value of some dimensions the union of their windows, as for a norm or a softmax."""
        result = self
        for place in places:
            if not self.is_still(place):
                result = result.weighted(place, _size(self.dimensions[place]))
        return result

    def weighted(self, place: int, size: int) -> Window:
        """Replace a dimension by channels that each depend on all of it."""
        return self._grown(place).put(place, self.still(size))

    def _grown(self, place: int) -> Window:
        sizes = list(self.sizes)
        for factor in self.dimensions[place]:
            for side, step in enumerate(factor.steps):
                sizes[side] += (factor.size - 1) * step
        return replace(self, sizes=tuple(sizes))

    def through(
        self, place: int, size: int, *, kernel: int = 1, stride: int = 1, padding: int = 0, dilation: int = 1
    ) -> Window:
        """Apply the windows of a convolution, a pooling, a slice or a padding along one dimension."""
        factors = self.dimensions[place]
        if (size, kernel, stride, padding) == (_size(factors), 1, 1, 0):
            return self
        if self.is_still(place):
            return self.put(place, self.still(size))
        if len(factors) > 1:
            raise MismatchError
        ((_, steps),) = factors
        reach = (kernel - 1) * dilation
        return Window(
            self.put(place, (Factor(size, tuple(step * stride for step in steps)),)).dimensions,
            tuple(start - padding * step for start, step in zip(self.starts, steps, strict=True)),
            tuple(old + reach * step for old, step in zip(self.sizes, steps, strict=True)),
        )

    def picked(self, place: int, index: int) -> Window:
        """Select one index of a dimension, which is removed."""
        starts = list(self.starts)
        for factor in reversed(self.dimensions[place]):
            index, here = divmod(index, factor.size)
            starts = [start + here * step for start, step in zip(starts, factor.steps, strict=True)]
        return replace(self.put(place), starts=tuple(starts))

    def reshaped(self, shape: Sequence[int]) -> Window:
        """Distribute the factors over the dimensions of another shape with the same number of values."""
        queue = _merged(factor for one in self.dimensions for factor in one)
        dimensions = []
        for size in shape:
            taken: list[Factor] = []
            while size > 1:
                factor = queue.pop(0)
                if size % factor.size:
                    factor, rest = _parted(factor, size)
                    queue.insert(0, rest)
                size //= factor.size
                taken.append(factor)
            dimensions.append(tuple(taken))
        return replace(self, dimensions=tuple(dimensions))

    def broadcast(self, shape: Sequence[int]) -> Window:
        """Expand dimensions with a constant window, and prepend new ones."""
        dimensions = list(self._filled(len(shape)))
        for place, size in enumerate(shape):
            if _size(dimensions[place]) != size:
                if any(not factor.is_still for factor in dimensions[place]):
                    raise MismatchError
                dimensions[place] = self.still(size)
        return replace(self, dimensions=tuple(dimensions))

    def joined(self, others: Iterable[Window]) -> Window:
        """Compute the union with the windows of other tensors, elementwise after broadcasting."""
        result = self
        for other in others:
            if other != result:
                rank = max(len(result.dimensions), len(other.dimensions))
                pairs = zip(result._filled(rank), other._filled(rank), strict=True)
                starts = tuple(map(min, result.starts, other.starts))
                ends = map(max, result._ends(), other._ends())
                sizes = tuple(end - start for end, start in zip(ends, starts, strict=True))
                result = Window(tuple(_common(*pair) for pair in pairs), starts, sizes)
        return result

    def _filled(self, rank: int) -> tuple[Dimension, ...]:
        return (*((),) * (rank - len(self.dimensions)), *self.dimensions)

    def _ends(self) -> list[int]:
        return [start + size for start, size in zip(self.starts, self.sizes, strict=True)]

    def field(self) -> Field:
        """Return the receptive field if every side of the image is an axis of positions; otherwise `WHOLE`."""
        axes = [self._axis(side) for side in range(1, len(self.starts))]
        return tuple(axis for axis in axes if axis is not None) if None not in axes else WHOLE

    def _axis(self, side: int) -> Axis | None:
        found = [(one, factor) for one in self.dimensions for factor in one if factor.steps[side]]
        found.sort(key=lambda pair: -pair[1].steps[side])
        chain = [factor for _, factor in found]
        among_channels = any(factor.is_still and factor.size > 1 for one, _ in found for factor in one)
        sides = any(sum(map(bool, factor.steps)) > 1 for factor in chain)
        gaps = any(not outer.continues(inner) for outer, inner in pairwise(chain))
        if not chain or among_channels or sides or gaps:
            return None
        return Axis(self.sizes[side], chain[-1].steps[side], self.starts[side])


def _size(dimension: Dimension) -> int:
    return prod(factor.size for factor in dimension)


def _merged(factors: Iterable[Factor]) -> list[Factor]:
    """Merge adjacent factors where possible, and drop those of size 1."""
    result: list[Factor] = []
    for factor in factors:
        if factor.size == 1:
            continue
        if result and result[-1].continues(factor):
            factor = Factor(result.pop().size * factor.size, factor.steps)
        result.append(factor)
    return result


def _parted(factor: Factor, size: int) -> tuple[Factor, Factor]:
    if factor.size % size:
        raise MismatchError
    inner = factor.size // size
    return Factor(size, tuple(step * inner for step in factor.steps)), factor._replace(size=inner)


def _common(first: Dimension, second: Dimension) -> Dimension:
    """The common dimension of two broadcast tensors."""
    wide = [[factor for factor in one if factor.size > 1] for one in (first, second)]
    if wide[0] == wide[1]:
        return first or second
    if not all(factor.is_still for one in wide for factor in one):
        raise MismatchError
    return (max((factor for one in wide for factor in one), key=lambda factor: factor.size),)
