"""How cutting tensors up, stacking them again and filling them up change axes and what numbers see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

from lucidtorch.models.axes.facts import UNKNOWN, Facts, Places, with_side, without
from lucidtorch.models.axes.joining import agreed
from lucidtorch.models.axes.operation import Operation, Rule
from lucidtorch.models.axes.pieces import (
    CHANNEL,
    OTHER,
    PADDED,
    SPACE,
    TOKENS,
    WRAPPERS,
    Dimension,
    Piece,
    fresh,
    has_channel,
    has_space,
    pieces_of,
    whole_axis,
    wrapped,
)
from lucidtorch.models.axes.receptive_field import WHOLE, Field, joined_fields


def _slice(operation: Operation) -> Facts:
    place = operation.given["dim"] % operation.tensor.dim()
    span = slice(operation.given["start"], operation.given["end"], operation.given["step"])
    return _cut(operation, place, range(*span.indices(operation.tensor.shape[place])))


def _split(operation: Operation) -> list[Facts]:
    place = operation.given["dim"] % operation.tensor.dim()
    result, start = [], 0
    for output in operation.outputs:
        end = start + output.shape[place]
        result.append(_cut(operation, place, range(start, end)))
        start = end
    return result


def _cut(operation: Operation, place: int, taken: range) -> Facts:
    """Take some numbers of a dimension."""
    facts = operation.facts
    if facts.axes is None or len(taken) == operation.tensor.shape[place]:
        return facts
    one = facts.axes[place]
    axis = whole_axis(one, facts.axes)
    field = facts.field
    if axis is not None:
        now = fresh(axis.kind, len(taken))
        field = with_side(field, axis.kind, kernel=1, stride=taken.step, padding=-taken.start)
    elif len(one) == 1 and one[0].kind in WRAPPERS and taken.step == 1:
        now = _unwrapped(one[0], taken)
    else:
        now = fresh(CHANNEL if has_channel(one) else OTHER, len(taken))
        field = WHOLE if has_space(one) else field
    return Facts((*facts.axes[:place], now, *facts.axes[place + 1 :]), field)


def _unwrapped(piece: Piece, taken: range) -> Dimension:
    """Take a run of what a wrapper holds: all places of the image with what stands around them, or none."""
    first, last = piece.before, piece.size - piece.after
    if piece.step != 1 or taken.start > first or taken.stop < last:
        return fresh(OTHER, len(taken))
    before, after = first - taken.start, taken.stop - last
    return (wrapped(piece.kind, piece.inner, before, after),) if before or after else piece.inner


def _select(operation: Operation) -> Facts:
    place = operation.given["dim"] % operation.tensor.dim()
    index = operation.given["index"] % operation.tensor.shape[place]
    return _picked(operation.facts, place, index, operation.tensor.shape[place])


def _unbind(operation: Operation) -> list[Facts]:
    place = operation.given["dim"] % operation.tensor.dim()
    count = operation.tensor.shape[place]
    return [_picked(operation.facts, place, index, count) for index in range(count)]


def _picked(facts: Facts, place: int, index: int, count: int) -> Facts:
    """Take one number of a dimension, which is gone then."""
    if facts.axes is None:
        return UNKNOWN
    one = facts.axes[place]
    if not has_space(one):
        return without(facts, [place])
    rest = (*facts.axes[:place], *facts.axes[place + 1 :])
    field: Field = WHOLE
    piece = one[0]
    steps = [other.step for other in pieces_of(rest) if other.kind == piece.kind]
    if len(one) == 1 and piece.kind in SPACE and min(steps, default=0) == count * piece.step:
        field = with_side(facts.field, piece.kind, kernel=1, stride=count, padding=-index)
    return Facts(rest, field, Places(one, index, index))


def _stack(operation: Operation) -> Facts:
    given = [operation.facts_of(tensor) for tensor in operation.given["tensors"]]
    known = [facts.axes for facts in given if facts is not None and facts.axes is not None]
    place = operation.given["dim"] % operation.output.dim()
    if len(known) < len(given):
        return UNKNOWN
    kept = agreed(known)
    if kept is None:
        return UNKNOWN
    back = _back_in_order([facts.places for facts in given if facts is not None])
    channels = CHANNEL if not any(has_channel(one) for one in kept) else OTHER
    new = back or fresh(channels if len(given) > 1 else OTHER, len(given))
    field = joined_fields([facts.field for facts in given if facts is not None])
    return Facts((*kept[:place], new, *kept[place:]), WHOLE if back else field)


def _back_in_order(places: Sequence[Places | None]) -> Dimension | None:
    """Find the dimension that tensors stacked in the order of its places bring back.

    A recurrence makes the tensor of one place out of that of the last, so that the last place (or the first, where it
    runs backwards) says which place it is.
    """
    first = places[0]
    if first is None or any(one is None or one.pieces != first.pieces for one in places):
        return None
    order = list(range(len(places)))
    found = [one for one in places if one is not None]
    inorder = [one.last for one in found] == order or [one.first for one in found] == order
    complete = prod(piece.size for piece in first.pieces) == len(places)
    return first.pieces if complete and inorder else None


def _gathering(operation: Operation) -> Facts:
    """Follow a list of indices into one dimension."""
    facts = operation.facts
    place = _gathered_place(operation)
    if facts.axes is None or place is None:
        return UNKNOWN
    one = facts.axes[place]
    now = fresh(CHANNEL if has_channel(one) else OTHER, operation.output.shape[place])
    field = WHOLE if has_space(one) else facts.field
    return Facts((*facts.axes[:place], now, *facts.axes[place + 1 :]), field)


def _gathered_place(operation: Operation) -> int | None:
    if operation.name == "index_select":
        return operation.dimensions()[0]
    indices = operation.given["indices"]
    places = [place for place, index in enumerate(indices) if index is not None]
    return places[0] if len(places) == 1 and indices[places[0]].dim() == 1 else None


def _padding(operation: Operation) -> Facts:
    facts = operation.facts
    if facts.axes is None:
        return UNKNOWN
    amounts = operation.given.get("pad") or operation.given["padding"]
    for back in range(len(amounts) // 2):
        before, after = amounts[2 * back], amounts[2 * back + 1]
        if before or after:
            place = operation.tensor.dim() - 1 - back
            facts = _padded(facts, place, before, after, operation.output.shape[place])
    return facts


def _padded(facts: Facts, place: int, before: int, after: int, size: int) -> Facts:
    axes = facts.axes or ()
    one, field = axes[place], facts.field
    axis = whole_axis(one, axes)
    if axis is not None:
        now = fresh(axis.kind, size)
        field = with_side(field, axis.kind, kernel=1, padding=before)
    elif has_space(one) and not has_channel(one) and before >= 0 and after >= 0:
        rolled = len(one) == 1 and (one[0].shift != 0 or one[0].kind == PADDED)
        now, field = (wrapped(PADDED if rolled else TOKENS, one, before, after),), WHOLE
    else:
        now = fresh(CHANNEL if has_channel(one) or not one else OTHER, size)
        field = WHOLE if has_space(one) else field
    return replace(facts, axes=(*axes[:place], now, *axes[place + 1 :]), field=field)


CUT_RULES: dict[str, Rule] = {
    "slice": _slice,
    **dict.fromkeys(
        ("split", "split_with_sizes", "unsafe_split", "unsafe_split_with_sizes", "chunk", "unsafe_chunk"), _split
    ),
    "select": _select,
    "unbind": _unbind,
    **dict.fromkeys(("index", "index_select"), _gathering),
    "stack": _stack,
    **dict.fromkeys(
        ("constant_pad_nd", *(f"{kind}_pad{sides}d" for kind in ("reflection", "replication") for sides in (1, 2, 3))),
        _padding,
    ),
}
