"""The part of the image that one unit of a layer can see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """The window of input pixels that reaches the unit in row 0 and column 0, and how it moves from unit to unit.

    Each value is one number where all sides agree, otherwise one for each: (height, width), or (time, height, width)
    for clips and volumes. Fields are not cut off at the image's borders: a start below 0 lies in the padding.

    Args:
        size: The side of the window in pixels.
        stride: By how many pixels the window moves from one unit to the next.
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
    """A field along one axis of the image: its size, stride and start in pixels."""

    size: int
    stride: int
    start: int

    def through_window(self, *, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Axis:
        """Look through a convolution or pooling.

        Args:
            kernel: The number of taps.
            stride: The step between windows, in units of the layer below.
            padding: How many units were put before the first one.
            dilation: The distance between taps.

        Returns:
            The field of the units above.
        """
        reach = (kernel - 1) * dilation * self.stride
        return Axis(self.size + reach, self.stride * stride, self.start - padding * self.stride)

    def joined(self, other: Axis) -> Axis:
        """Take the smallest field that covers two of the same stride.

        Args:
            other: A field with this one's stride.

        Returns:
            The field that begins with the earlier and ends with the later one.
        """
        start = min(self.start, other.start)
        return Axis(max(self.start + self.size, other.start + other.size) - start, self.stride, start)


Field: TypeAlias = tuple[Axis, ...]  # one for each axis of the image; none where every number may see all of it
PIXEL = Axis(size=1, stride=1, start=0)
IMAGE: Field = (PIXEL, PIXEL)
WHOLE: Field = ()


def joined_fields(fields: Sequence[Field]) -> Field:
    """Cover several fields at once.

    Args:
        fields: At least one field.

    Returns:
        The smallest field that covers all; `WHOLE` where one is whole, or their strides differ.
    """
    first, *others = fields
    if all(other == first for other in others):
        return first
    if not all(fields) or len({tuple(axis.stride for axis in field) for field in fields}) > 1:
        return WHOLE
    for other in others:
        first = tuple(mine.joined(its) for mine, its in zip(first, other, strict=True))
    return first


def as_receptive_field(field: Field | None) -> ReceptiveField | None:
    """Write a traced field as the record of a layer does.

    Args:
        field: One for each axis of the image; or `WHOLE`; or None for a tensor that does not depend on the image.

    Returns:
        The receptive field, or None where no window of the image can be named.
    """
    if not field:
        return None
    size, stride, start = (values[0] if len(set(values)) == 1 else values for values in zip(*field, strict=True))
    return ReceptiveField(size, stride, start)
