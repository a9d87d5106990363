"""How matrix products, attention and recurrences change the axes of a tensor and what its numbers see."""

from __future__ import annotations

from torch import Tensor

from lucidtorch.models.axes.facts import UNKNOWN, Facts, field_over, product_of, without
from lucidtorch.models.axes.joining import agreed
from lucidtorch.models.axes.operation import Operation, Rule
from lucidtorch.models.axes.pieces import BATCH, CHANNEL, OTHER, Axes, Dimension, Piece, fresh
from lucidtorch.models.axes.receptive_field import WHOLE, joined_fields


def _linear(operation: Operation) -> Facts:
    facts = operation.facts_of(operation.given["input"])
    if facts is None or facts.axes is None or len(operation.sources) > 1:
        return UNKNOWN
    kept, summed = facts.axes[:-1], facts.axes[-1]
    out = product_of(summed, kept, operation.output.shape[-1])
    return Facts((*kept, out), field_over(summed, kept, facts.field))


def _product(operation: Operation) -> Facts:
    """Follow `mm`, `bmm` and what adds to them: rows of the first factor times columns of the second."""
    given = operation.given
    first, second = _factors(given)
    left, right = operation.facts_of(first), operation.facts_of(second)
    known = [facts for facts in (left, right) if facts is not None]
    if not known or any(facts.axes is None for facts in known):
        return UNKNOWN
    batch = _shared(left, right)
    if batch is None:
        return UNKNOWN
    summed: list[Piece] = []
    rows: Dimension | None = None
    columns: Dimension | None = None
    if left is not None and left.axes is not None:
        rows, summed = left.axes[-2], [*left.axes[-1]]
    if right is not None and right.axes is not None:
        columns, summed = right.axes[-1], [*summed, *right.axes[-2]]
    kept = [one for one in (*batch, rows, columns) if one is not None]
    rows = product_of(summed, kept, operation.output.shape[-2]) if rows is None else rows
    columns = product_of(summed, kept, operation.output.shape[-1]) if columns is None else columns
    axes = (*batch, rows, columns)
    others = any(tensor is not first and tensor is not second for tensor, _ in operation.sources)
    field = field_over(summed, tuple(kept), joined_fields([facts.field for facts in known]))
    return Facts(axes, WHOLE if others else field)


def _vector_product(operation: Operation) -> Facts:
    """Follow `mv`: rows times one vector of weights."""
    facts = operation.facts_of(operation.given["self"])
    if facts is None or len(operation.sources) > 1:
        return UNKNOWN
    return without(facts, [1])


def _factors(given: dict[str, object]) -> tuple[object, object]:
    for first, second in (("mat1", "mat2"), ("batch1", "batch2"), ("self", "mat2")):
        if first in given and second in given:
            return given[first], given[second]
    return given["self"], given["other"]


def _shared(left: Facts | None, right: Facts | None) -> Axes | None:
    """Name the dimensions in front of rows and columns."""
    found = [facts.axes[:-2] for facts in (left, right) if facts is not None and facts.axes is not None]
    return agreed(found)


def _attention(operation: Operation) -> list[Facts]:
    """Follow any of the fused attentions: queries `[..., N, E]`, of values that are `[..., M, D]`."""
    query, value = (operation.facts_of(operation.given[name]) for name in ("query", "value"))
    if query is None or query.axes is None:
        return [UNKNOWN] * len(operation.outputs)
    last = query.axes[-1] if value is None or value.axes is None else value.axes[-1]
    return [Facts((*query.axes[:-1], last), WHOLE), *[UNKNOWN] * (len(operation.outputs) - 1)]


def _whole_layer(operation: Operation) -> list[Facts]:
    """Follow a fused multi-head attention or transformer layer, which gives what it takes."""
    source = operation.given.get("query", operation.given.get("src"))
    facts = operation.facts_of(source)
    axes = None if facts is None else facts.axes
    return [Facts(axes, WHOLE), *[UNKNOWN] * (len(operation.outputs) - 1)]


def _recurrence(operation: Operation) -> list[Facts]:
    """Follow a recurrent layer: the states of all steps, and those after the last one."""
    source: Tensor = operation.given["input"]
    facts = operation.facts_of(source)
    if facts is None or facts.axes is None or source.dim() != 3:
        return [UNKNOWN] * len(operation.outputs)
    output = operation.output
    states = (*facts.axes[:2], fresh(CHANNEL, output.shape[-1]))
    batch = next((one for one in facts.axes[:2] if any(piece.kind == BATCH for piece in one)), ())
    result = [Facts(states, WHOLE)]
    for last in operation.outputs[1:]:
        layers = [fresh(OTHER, size) for size in last.shape[:-2]]
        result.append(Facts((*layers, batch, fresh(CHANNEL, last.shape[-1])), WHOLE))
    return result


def _cell(operation: Operation) -> list[Facts]:
    """Follow a fused recurrent cell: gates `[B, 4 C]` give states `[B, C]`."""
    if operation.facts.axes is None:
        return [UNKNOWN] * len(operation.outputs)
    front = operation.facts.axes[:-1]
    return [Facts((*front, fresh(CHANNEL, output.shape[-1])), WHOLE) for output in operation.outputs]


PRODUCT_RULES: dict[str, Rule] = {
    **dict.fromkeys(("linear", "mkldnn_linear", "_mkldnn_linear"), _linear),
    **dict.fromkeys(("mm", "addmm", "_addmm_activation", "bmm", "baddbmm", "_scaled_mm"), _product),
    "mv": _vector_product,
    **dict.fromkeys(
        (
            "scaled_dot_product_attention",
            "_scaled_dot_product_flash_attention_for_cpu",
            "_scaled_dot_product_flash_attention",
            "_scaled_dot_product_efficient_attention",
            "_scaled_dot_product_cudnn_attention",
            "_scaled_dot_product_fused_attention_overrideable",
            "_scaled_dot_product_attention_math",
            "_scaled_dot_product_attention_math_for_mps",
        ),
        _attention,
    ),
    **dict.fromkeys(("_native_multi_head_attention", "_transformer_encoder_layer_fwd"), _whole_layer),
    **dict.fromkeys(
        ("mkldnn_rnn_layer", "_cudnn_rnn", "miopen_rnn", "_lstm_mps", "lstm", "gru", "rnn_tanh", "rnn_relu"),
        _recurrence,
    ),
    **dict.fromkeys(("_thnn_fused_lstm_cell", "_thnn_fused_gru_cell", "lstm_cell", "gru_cell"), _cell),
}
