"""How operations that only move numbers about change the axes of a tensor and what its numbers see."""

from __future__ import annotations

from math import prod

from lucidtorch.models.axes.facts import UNKNOWN, Facts
from lucidtorch.models.axes.operation import Operation, Rule
from lucidtorch.models.axes.pieces import (
    CHANNEL,
    OTHER,
    SPACE,
    UNORDERED,
    Axes,
    Dimension,
    fresh,
    has_channel,
    has_space,
    pieces_of,
)
from lucidtorch.models.axes.receptive_field import WHOLE
from lucidtorch.models.axes.regrouping import regrouped


def same(operation: Operation) -> Facts:
    """Nothing changes.

    Args:
        operation: A copy, or what changes every number by itself.

    Returns:
        What is known of its first tensor.
    """
    return operation.facts


def _with_axes(facts: Facts, axes: Axes) -> Facts:
    return Facts(axes, facts.field, facts.places)


def _reshape(operation: Operation) -> Facts:
    axes = operation.facts.axes
    if axes is None or operation.tensor.numel() != operation.output.numel():
        return UNKNOWN
    return _with_axes(operation.facts, regrouped(axes, operation.tensor.shape, operation.output.shape))


def _order(operation: Operation) -> list[int]:
    rank = operation.tensor.dim()
    if operation.name == "permute":
        return [dimension % rank for dimension in operation.given["dims"]]
    order = list(range(rank))
    first, second = (
        (0, rank - 1)
        if operation.name == "t"
        else (
            operation.given["dim0"] % rank,
            operation.given["dim1"] % rank,
        )
    )
    order[first], order[second] = order[second], order[first]
    return order


def _permutation(operation: Operation) -> Facts:
    axes = operation.facts.axes
    if axes is None:
        return UNKNOWN
    return _with_axes(operation.facts, tuple(axes[place] for place in _order(operation)))


def _unsqueeze(operation: Operation) -> Facts:
    axes = operation.facts.axes
    if axes is None:
        return UNKNOWN
    place = operation.given["dim"] % operation.output.dim()
    return _with_axes(operation.facts, (*axes[:place], (), *axes[place:]))


def _squeeze(operation: Operation) -> Facts:
    axes = operation.facts.axes
    if axes is None:
        return UNKNOWN
    gone = [place for place in operation.dimensions() if operation.tensor.shape[place] == 1]
    return _with_axes(operation.facts, tuple(one for place, one in enumerate(axes) if place not in gone))


def _repeat(operation: Operation) -> Facts:
    """Follow `expand` and `repeat`: new dimensions in front, and copies along others."""
    axes = operation.facts.axes
    if axes is None:
        return UNKNOWN
    old, new = operation.tensor.shape, operation.output.shape
    front = [fresh(OTHER, size) for size in new[: len(new) - len(old)]]
    back = [
        one if size == grown else fresh(CHANNEL if size > 1 and has_channel(one) else OTHER, grown)
        for one, size, grown in zip(axes, old, new[len(front) :], strict=True)
    ]
    lost = any(has_space(one) and one != now for one, now in zip(axes, back, strict=True))
    return Facts((*front, *back), WHOLE if lost else operation.facts.field)


def _roll(operation: Operation) -> Facts:
    axes = operation.facts.axes
    if axes is None or not operation.given["dims"]:
        return UNKNOWN
    result = list(axes)
    for place, shift in zip(operation.dimensions("dims"), operation.given["shifts"], strict=True):
        result[place] = _rolled(result[place], shift, axes)
    spatial = any(has_space(axes[place]) for place in operation.dimensions("dims"))
    return Facts(tuple(result), WHOLE if spatial else operation.facts.field)


def _rolled(dimension: Dimension, shift: int, axes: Axes) -> Dimension:
    size = prod(piece.size for piece in dimension)
    if shift % size == 0 or not _has_order(dimension):
        return dimension
    piece = dimension[0]
    alone = len(dimension) == 1 and sum(other.kind == piece.kind for other in pieces_of(axes)) == 1
    if not alone or piece.kind not in SPACE:
        return fresh(OTHER, size)
    return (piece._replace(step=1, shift=(piece.shift + shift) % size),)


def _has_order(dimension: Dimension) -> bool:
    """Say whether it matters which place of a dimension is which: of the image, or of the batch."""
    return any(piece.kind not in UNORDERED for piece in dimension)


def _flip(operation: Operation) -> Facts:
    axes = operation.facts.axes
    if axes is None:
        return UNKNOWN
    turned = [place for place in operation.dimensions("dims") if operation.tensor.shape[place] > 1]
    sizes = operation.tensor.shape
    result = [
        fresh(OTHER, sizes[place]) if place in turned and _has_order(one) else one for place, one in enumerate(axes)
    ]
    return Facts(tuple(result), WHOLE if any(has_space(axes[place]) for place in turned) else operation.facts.field)


def _restrided(operation: Operation) -> Facts:
    """Follow `as_strided` where it only fits the steps in memory to another order of dimensions of one place."""
    sizes, steps = operation.output.shape, operation.output.stride()
    real = [step for size, step in zip(sizes, steps, strict=True) if size > 1]
    kept = operation.tensor.shape == sizes and real == sorted(real, reverse=True)
    return operation.facts if kept else UNKNOWN


SHAPE_RULES: dict[str, Rule] = {
    **dict.fromkeys(
        (
            *("clone", "alias", "detach", "contiguous", "_to_copy", "lift_fresh", "_conj", "native_dropout"),
            *("fill", "zero", "channel_shuffle", "native_channel_shuffle"),
        ),
        same,
    ),
    **dict.fromkeys(
        ("view", "_unsafe_view", "_reshape_alias", "reshape", "flatten", "unflatten"),
        _reshape,
    ),
    **dict.fromkeys(("permute", "transpose", "t"), _permutation),
    "unsqueeze": _unsqueeze,
    "squeeze": _squeeze,
    **dict.fromkeys(("expand", "repeat"), _repeat),
    "roll": _roll,
    "flip": _flip,
    "as_strided": _restrided,
}
