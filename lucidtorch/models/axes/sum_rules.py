"""How reductions, norms and softmaxes change the axes of a tensor and what its numbers see."""

from __future__ import annotations

from lucidtorch.models.axes.facts import UNKNOWN, Facts, mixed, without
from lucidtorch.models.axes.joining import elementwise
from lucidtorch.models.axes.operation import Operation, Rule
from lucidtorch.models.axes.pieces import has_space
from lucidtorch.models.axes.receptive_field import WHOLE


def _reduction(operation: Operation) -> Facts:
    given = operation.given
    if "other" in given:
        return elementwise(operation)
    return without(operation.facts, operation.dimensions(), keep=bool(given.get("keepdim", False)))


def _over_dimension(operation: Operation) -> Facts:
    return mixed(operation.facts, operation.dimensions())


def _gate(operation: Operation) -> Facts:
    """Follow `glu`: half of a dimension times the gate that the other half is."""
    facts = operation.facts
    place = operation.dimensions()[0]
    if facts.axes is None or has_space(facts.axes[place]):
        return UNKNOWN
    one = facts.axes[place]
    halved = one[-1:] and (one[-1]._replace(size=operation.output.shape[place]),)
    return Facts((*facts.axes[:place], halved, *facts.axes[place + 1 :]), facts.field)


def _layer_norm(operation: Operation) -> Facts:
    shape = operation.given.get("normalized_shape") or operation.tensor.shape[-1:]
    rank = operation.tensor.dim()
    return mixed(operation.facts, range(rank - len(shape), rank))


def _batch_norm(operation: Operation) -> Facts:
    if operation.given.get("training", False) or len(operation.sources) > 1:
        return Facts(operation.facts.axes, WHOLE)
    return operation.facts


def _over_all(operation: Operation) -> Facts:
    return Facts(operation.facts.axes, WHOLE)


SUM_RULES: dict[str, Rule] = {
    **dict.fromkeys(
        (
            *("mean", "sum", "amax", "amin", "max", "min", "var", "std", "var_mean", "std_mean", "prod", "logsumexp"),
            *("linalg_vector_norm", "norm", "nansum", "median", "aminmax"),
        ),
        _reduction,
    ),
    **dict.fromkeys(
        (
            *("_softmax", "_log_softmax", "_safe_softmax", "softmax", "log_softmax"),
            *("cumsum", "cumprod", "logcumsumexp"),
        ),
        _over_dimension,
    ),
    "glu": _gate,
    **dict.fromkeys(("native_layer_norm", "_fused_rms_norm", "rms_norm", "layer_norm"), _layer_norm),
    **dict.fromkeys(
        (
            "native_batch_norm",
            "_native_batch_norm_legit",
            "_native_batch_norm_legit_no_training",
            "cudnn_batch_norm",
            "miopen_batch_norm",
        ),
        _batch_norm,
    ),
    **dict.fromkeys(("native_group_norm", "group_norm", "_batch_norm_with_update"), _over_all),
}
