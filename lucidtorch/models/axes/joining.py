"""What is known of a tensor that was made of several: number by number, or put side by side."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from torch import Tensor

from lucidtorch.models.axes.facts import UNKNOWN, Facts, with_side
from lucidtorch.models.axes.operation import Operation
from lucidtorch.models.axes.pieces import (
    BATCH,
    CHANNEL,
    OTHER,
    TOKENS,
    Axes,
    Dimension,
    fresh,
    has_channel,
    has_space,
    settled,
    whole_axis,
    wrapped,
)
from lucidtorch.models.axes.receptive_field import WHOLE, Field, joined_fields


def elementwise(operation: Operation) -> Facts:
    """Follow an operation on tensors that are broadcast together.

    Args:
        operation: The operation.

    Returns:
        The axes of all its tensors together. A tensor of unknown axes takes those of what it is combined with.
    """
    shape = operation.output.shape
    first = operation.facts
    if all(facts == first and tensor.shape == shape for tensor, facts in operation.sources):
        return first
    known = [(tensor.shape, facts.axes) for tensor, facts in operation.sources if facts.axes is not None]
    if not any(given == shape for given, _ in known) and len(known) < len(operation.sources):
        return UNKNOWN
    axes = _broadcast([given for given, _ in known], [axes for _, axes in known], shape)
    return UNKNOWN if axes is None else Facts(axes, _field(operation, axes))


def _field(operation: Operation, axes: Axes) -> Field:
    if any(facts.axes is None or not facts.field for _, facts in operation.sources):
        return WHOLE
    places = _spatial(axes)
    elsewhere = any(_spatial(facts.axes or ()) != places for _, facts in operation.sources)
    return WHOLE if elsewhere else joined_fields([facts.field for _, facts in operation.sources])


def _spatial(axes: Axes) -> list[Dimension]:
    return [one for one in settled(axes) if has_space(one)]


def _broadcast(shapes: Sequence[Sequence[int]], known: Sequence[Axes], shape: Sequence[int]) -> Axes | None:
    """Bring tensors to one shape, and name what they have in common; what only constants have may be channels."""
    made = OTHER if any(has_channel(one) for axes in known for one in axes) else CHANNEL
    filled: list[Axes] = []
    for given, axes in zip(shapes, known, strict=True):
        front = [1] * (len(shape) - len(given))
        grown = zip([*front, *given], [*((),) * len(front), *axes], shape, strict=True)
        filled.append(tuple(one if size == now else fresh(made, now) for size, one, now in grown))
    return agreed(filled)


def common(found: Sequence[Dimension]) -> Dimension | None:
    """Name a dimension that several tensors have in common.

    What is known for sure goes before what weights have made: places of the image before channels, channels before
    the unknown.

    Args:
        found: What it is in each of them.

    Returns:
        What it is in all; None where they contradict each other.
    """
    first = found[0]
    if all(one == first for one in found):
        return first
    for rank in (_is_sure, has_channel, bool):
        ranked = [one for one in found if rank(one)]
        if ranked and all(one == ranked[0] for one in ranked):
            return ranked[0]
        if ranked and rank is _is_sure:
            return None
        if ranked:
            return fresh(CHANNEL if rank is has_channel else OTHER, prod(piece.size for piece in ranked[0]))
    return first


def agreed(known: Sequence[Axes]) -> Axes | None:
    """Name the dimensions that tensors of as many dimensions have in common.

    Args:
        known: What the dimensions are in each of them.

    Returns:
        What they are in all; None where they contradict each other, however their places are counted.
    """
    for every in (known, [settled(axes) for axes in known]):
        found = [common(ones) for ones in zip(*every, strict=True)]
        if all(one is not None for one in found):
            return tuple(one or () for one in found)
    return None


def _is_sure(dimension: Dimension) -> bool:
    return has_space(dimension) or any(piece.kind == BATCH for piece in dimension)


def concatenation(operation: Operation) -> Facts:
    """Follow tensors that are put one behind the other along a dimension.

    Args:
        operation: `cat`.

    Returns:
        Channels from channels. Where one tensor holds places of the image, the others are tokens of no place.
    """
    tensors: list[Tensor] = [tensor for tensor in operation.given["tensors"] if tensor.numel()]
    facts_there = [operation.facts_of(tensor) for tensor in tensors]
    place = operation.given["dim"] % operation.output.dim()
    known = [facts.axes for facts in facts_there if facts is not None and facts.axes is not None]
    if len(known) < len(operation.sources):
        return UNKNOWN
    field = joined_fields([facts.field for _, facts in operation.sources])
    rest = agreed([(*axes[:place], *axes[place + 1 :]) for axes in known])
    if rest is None:
        return UNKNOWN
    parts = [None if facts is None or facts.axes is None else facts.axes[place] for facts in facts_there]
    sizes = [tensor.shape[place] for tensor in tensors]
    along, field = _along(parts, sizes, rest, field)
    return Facts((*rest[:place], along, *rest[place:]), field)


def _along(
    parts: Sequence[Dimension | None], sizes: Sequence[int], rest: Sequence[Dimension], field: Field
) -> tuple[Dimension, Field]:
    """Name the dimension along which tensors of these sizes were put one behind the other."""
    total = sum(sizes)
    spatial = [place for place, part in enumerate(parts) if part and has_space(part) and not has_channel(part)]
    if len(spatial) == 1:
        part = parts[spatial[0]] or ()
        before, after = sum(sizes[: spatial[0]]), sum(sizes[spatial[0] + 1 :])
        axis = whole_axis(part, (*rest, part))
        if axis is not None and any(has_space(one) for one in rest):  # rows put around a picture
            return fresh(axis.kind, total), with_side(field, axis.kind, kernel=1, padding=before)
        return (wrapped(TOKENS, part, before, after),), WHOLE
    if spatial or any(part and any(piece.kind == BATCH for piece in part) for part in parts):
        return fresh(OTHER, total), field if not spatial else WHOLE
    channels = any(part and has_channel(part) for part in parts) or not any(has_channel(one) for one in rest)
    return fresh(CHANNEL if channels else OTHER, total), field


def rewritten(written: Facts, old: Sequence[int], shape: Sequence[int], present: Facts | None = None) -> Facts:
    """Find what is known of a tensor after another one over the same memory was written into.

    Args:
        written: What was written.
        old: The shape of the tensor that it was written into.
        shape: The shape of the tensor that is asked for.
        present: What was known of it before, if it depended on the image.

    Returns:
        What is known of it now.
    """
    if written.axes is None or len(old) != len(shape):
        return UNKNOWN if present is None else Facts(present.axes, WHOLE)
    axes = tuple(
        one if size == now else _of_other_size(one, now, written.axes)
        for one, size, now in zip(written.axes, old, shape, strict=True)
    )
    field = written.field if _spatial(axes) == _spatial(written.axes) else WHOLE
    if present is None:
        return Facts(axes, field)
    if present.axes is None or any(common(pair) is None for pair in zip(axes, present.axes, strict=True)):
        return Facts(present.axes, WHOLE)
    return Facts(present.axes, joined_fields([field, present.field]))


def _of_other_size(dimension: Dimension, size: int, axes: Axes) -> Dimension:
    axis = whole_axis(dimension, axes)
    return fresh(axis.kind if axis is not None else CHANNEL if has_channel(dimension) else OTHER, size)
