"""How convolutions, poolings and resizings change the axes of a tensor and what its numbers see."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from lucidtorch.models.axes.facts import SIDES, UNKNOWN, Facts, product_of, with_side, without
from lucidtorch.models.axes.operation import Operation, Rule
from lucidtorch.models.axes.pieces import (
    CHANNEL,
    OTHER,
    SPACE,
    Axes,
    Dimension,
    Piece,
    fresh,
    has_channel,
    has_space,
    merged,
    parted,
    whole_axis,
)
from lucidtorch.models.axes.receptive_field import WHOLE, Field

FRONT = 2  # the batch and the channels, in front of the dimensions that windows run over


def _convolution(operation: Operation) -> Facts:
    given = operation.given
    source = given["input"]
    facts = operation.facts_of(source)
    if facts is None or facts.axes is None or source.dim() != given["weight"].dim():
        return UNKNOWN
    batch, channels, *sides = facts.axes
    count = operation.output.shape[1]
    if len(sides) > 1 and not any(has_space(one) for one in facts.axes):
        return Facts((batch, fresh(CHANNEL, count), *_drawn(operation.output.shape[FRONT:])), WHOLE)
    made = product_of(channels, (batch, *sides), count)
    field = without(facts, [1]).field if has_space(channels) else facts.field
    whole = Facts((batch, made, *sides), field if len(operation.sources) == 1 else WHOLE)
    if given.get("transposed", False):
        return _resized(whole, operation, FRONT)
    kernel = given["weight"].shape[FRONT:]
    return _windows(whole, operation, kernel, given["stride"], given["padding"], given["dilation"])


def _drawn(sizes: Sequence[int]) -> list[Dimension]:
    """Name the sides of a picture that a network draws itself, out of channels."""
    return [fresh(kind if size > 1 else OTHER, size) for kind, size in zip(SIDES[len(sizes)], sizes, strict=True)]


def _deformable_convolution(operation: Operation) -> Facts:
    facts = operation.facts_of(operation.given["input"])
    if facts is None or facts.axes is None:
        return UNKNOWN
    axes = (facts.axes[0], fresh(CHANNEL, operation.output.shape[1]), *facts.axes[FRONT:])
    return _resized(Facts(axes, WHOLE), operation, FRONT)


def _pooling(operation: Operation) -> Facts:
    given = operation.given
    kernel = given["kernel_size"]
    stride = given["stride"] or kernel
    return _windows(operation.facts, operation, kernel, stride, given["padding"], given.get("dilation", [1]))


def _windows(
    facts: Facts,
    operation: Operation,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> Facts:
    """Look through windows that run over the last dimensions."""
    if facts.axes is None:
        return UNKNOWN
    rank = operation.output.dim()
    count = len(kernel) if len(kernel) > 1 else max(rank - FRONT, 1)
    amounts = [_for_each(values, count) for values in (kernel, stride, padding, dilation)]
    axes, field = list(facts.axes), facts.field
    for place, taps, step, pad, gap in zip(range(rank - count, rank), *amounts, strict=True):
        axis = whole_axis(axes[place], facts.axes)
        if axis is not None:
            field = with_side(field, axis.kind, kernel=taps, stride=step, padding=pad, dilation=gap)
        elif (taps, step, pad) != (1, 1, 0):
            field = WHOLE if has_space(axes[place]) else field
        axes[place] = _of_size(axes[place], operation.output.shape[place], facts.axes)
    return Facts(tuple(axes), field)


def _for_each(values: Sequence[int], count: int) -> list[int]:
    return list(values) if len(values) == count else [values[0]] * count


def _of_size(dimension: Dimension, size: int, axes: Axes) -> Dimension:
    """Give a dimension another size: an axis stays that axis, places that were mixed together stay nothing known."""
    axis = whole_axis(dimension, axes)
    if axis is not None:
        return fresh(axis.kind, size)
    if prod(piece.size for piece in dimension) == size:
        return dimension
    return fresh(CHANNEL if has_channel(dimension) else OTHER, size)


def _adaptive_pooling(operation: Operation) -> Facts:
    given, wanted = operation.tensor.shape, operation.output.shape
    count = len(operation.given["output_size"])
    sides = list(zip(given[-count:], wanted[-count:], strict=True))
    if any(side % want or (want == 1 and side > 1) for side, want in sides):
        return _resized(operation.facts, operation, operation.output.dim() - count)
    kernel = [side // want for side, want in sides]
    return _windows(operation.facts, operation, kernel, kernel, [0], [1])


def _resizing(operation: Operation) -> Facts:
    return _resized(operation.facts, operation, FRONT)


def _resized(facts: Facts, operation: Operation, first: int) -> Facts:
    """Give the dimensions from one on their new sizes, without following what the numbers see."""
    if facts.axes is None:
        return UNKNOWN
    axes = [
        one if place < first else _of_size(one, operation.output.shape[place], facts.axes)
        for place, one in enumerate(facts.axes)
    ]
    return Facts(tuple(axes), WHOLE)


def _shuffling(operation: Operation) -> Facts:
    """Follow `pixel_shuffle` and `pixel_unshuffle`: places become channels or channels places."""
    facts = operation.facts
    if facts.axes is None:
        return UNKNOWN
    axes, field, shape = list(facts.axes), facts.field, operation.output.shape
    factor, followed = operation.given.get("downscale_factor"), 0
    for place in (-2, -1):
        axis = whole_axis(axes[place], facts.axes)
        axes[place] = _of_size(axes[place], shape[place], facts.axes)
        if axis is not None and factor is not None:
            field = with_side(field, axis.kind, kernel=factor, stride=factor)
            followed += 1
    axes[-3] = fresh(CHANNEL, shape[-3])
    return Facts(tuple(axes), field if followed == len(SPACE[1:]) else WHOLE)


def _unfolding(operation: Operation) -> Facts:
    """Follow `im2col`: windows `[B, C, H, W]` written out as `[B, C k k, N]`.

    Windows that touch without overlap only take the axes apart.
    """
    facts = operation.facts
    given = operation.given
    if facts.axes is None or operation.tensor.dim() != 2 + FRONT:
        return UNKNOWN
    settings = [given[name] for name in ("kernel_size", "dilation", "padding", "stride")]
    places: list[Piece] = []
    inside: list[Piece] = []
    field: Field = facts.field
    for side, (taps, gap, pad, step) in enumerate(zip(*settings, strict=True), FRONT):
        axis = whole_axis(facts.axes[side], facts.axes)
        if axis is None:
            return UNKNOWN
        size = operation.tensor.shape[side]
        if (taps, gap, pad, size % taps) == (step, 1, 0, 0):
            coarse, fine = parted(axis, size // taps)
        else:
            coarse = Piece(axis.kind, (size + 2 * pad - gap * (taps - 1) - 1) // step + 1)
            fine = Piece(OTHER, taps)
            field = with_side(field, axis.kind, kernel=taps, stride=step, padding=pad, dilation=gap)
        places.append(coarse)
        inside.append(fine)
    return Facts((facts.axes[0], merged((*facts.axes[1], *inside)), merged(places)), field)


def _folding(operation: Operation) -> Facts:
    """Follow `col2im`: the sums of overlapping windows, `[B, C, H, W]` again."""
    axes = operation.facts.axes
    if axes is None or operation.output.dim() != 2 + FRONT:
        return UNKNOWN
    shape = operation.output.shape
    kinds = tuple(piece.kind for piece in axes[-1])
    if kinds != SPACE[1:]:
        return UNKNOWN
    sides = [fresh(kind, size) for kind, size in zip(kinds, shape[FRONT:], strict=True)]
    return Facts((axes[0], fresh(CHANNEL, shape[1]), *sides), WHOLE)


WINDOW_RULES: dict[str, Rule] = {
    **dict.fromkeys(("convolution", "_convolution", "mkldnn_convolution", "cudnn_convolution"), _convolution),
    "deform_conv2d": _deformable_convolution,
    **dict.fromkeys(
        (
            *(f"{kind}_pool{sides}d" for kind in ("max", "avg") for sides in (1, 2, 3)),
            *(f"max_pool{sides}d_with_indices" for sides in (2, 3)),
        ),
        _pooling,
    ),
    **dict.fromkeys(
        (f"{kind}_pool{sides}d" for kind in ("_adaptive_avg", "adaptive_max") for sides in (2, 3)), _adaptive_pooling
    ),
    **dict.fromkeys(
        (
            f"{prefix}upsample_{kind}"
            for prefix in ("", "_")
            for kind in (
                "nearest1d",
                "nearest2d",
                "nearest3d",
                "nearest_exact1d",
                "nearest_exact2d",
                "nearest_exact3d",
                "linear1d",
                "bilinear2d",
                "bicubic2d",
                "trilinear3d",
                "bilinear2d_aa",
                "bicubic2d_aa",
            )
        ),
        _resizing,
    ),
    **dict.fromkeys(("pixel_shuffle", "pixel_unshuffle"), _shuffling),
    "im2col": _unfolding,
    "col2im": _folding,
}
