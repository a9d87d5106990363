"""How each tensor operation changes the part of the image that its numbers can see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from lucidtorch.models.receptive_field import WHOLE, Field, joined_fields

SPATIAL_DIMENSIONS = 2  # height and width, always the last two


@dataclass(frozen=True, slots=True)
class Operation:
    """One tensor operation as it ran.

    Args:
        name: Its name in ATen, without overload and without the underscore of the in-place form.
        given: Its arguments by name, with defaults filled in.
        sources: The tensors among the arguments that depend on the image, each with its field.
        output: Its result, or the first of its results.
    """

    name: str
    given: dict[str, Any]
    sources: tuple[tuple[Tensor, Field], ...]
    output: Tensor

    @property
    def tensor(self) -> Tensor:
        """The first tensor that depends on the image."""
        return self.sources[0][0]

    @property
    def field(self) -> Field:
        """The field of that tensor."""
        return self.sources[0][1]

    def is_spatial(self, dimension: int) -> bool:
        """Say whether a dimension of the first tensor is its height or width.

        Args:
            dimension: Counted from the front, or from the back when below 0.

        Returns:
            True for the last two dimensions.
        """
        return dimension % max(self.tensor.dim(), 1) >= self.tensor.dim() - SPATIAL_DIMENSIONS


Rule = Callable[[Operation], Field]


def elementwise(operation: Operation) -> Field:
    """Each number sees what the numbers at its place see.

    Args:
        operation: An operation on tensors that are broadcast together.

    Returns:
        The fields joined; `WHOLE` where a tensor has another resolution than the result.
    """
    grid = operation.output.shape[-SPATIAL_DIMENSIONS:]
    if any(tensor.shape[-SPATIAL_DIMENSIONS:] != grid for tensor, _ in operation.sources):
        return WHOLE
    return joined_fields([field for _, field in operation.sources])


def _convolution(operation: Operation) -> Field:
    given = operation.given
    if given["transposed"] or given["input"].dim() != 4 or operation.tensor is not given["input"]:
        return WHOLE
    kernel = given["weight"].shape[-SPATIAL_DIMENSIONS:]
    return _windows(operation, kernel, given["stride"], given["padding"], given["dilation"])


def _pooling(operation: Operation) -> Field:
    given = operation.given
    kernel = given["kernel_size"]
    return _windows(operation, kernel, given["stride"] or kernel, given["padding"], given.get("dilation", [1]))


def _windows(
    operation: Operation, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int]
) -> Field:
    if len(operation.sources) > 1:
        return WHOLE
    steps = zip(operation.field, *map(_for_rows_and_columns, (kernel, stride, padding, dilation)), strict=False)
    return tuple(
        axis.through_window(kernel=taps, stride=step, padding=pad, dilation=gap) for axis, taps, step, pad, gap in steps
    )


def _for_rows_and_columns(values: Sequence[int]) -> tuple[int, int]:
    return values[-min(len(values), 2)], values[-1]


def _adaptive_pooling(operation: Operation) -> Field:
    sides = operation.tensor.shape[-SPATIAL_DIMENSIONS:]
    wanted = operation.output.shape[-SPATIAL_DIMENSIONS:]
    if any(side % want or (want == 1 and side > 1) for side, want in zip(sides, wanted, strict=True)):
        return WHOLE
    kernel = [side // want for side, want in zip(sides, wanted, strict=True)]
    return _windows(operation, kernel, kernel, [0], [1])


def _padding(operation: Operation) -> Field:
    amounts = operation.given.get("pad") or operation.given.get("padding") or []
    before = (amounts[2] if len(amounts) > 2 else 0, amounts[0] if amounts else 0)
    return tuple(axis.through_window(kernel=1, padding=pad) for axis, pad in zip(operation.field, before, strict=False))


def _batch_norm(operation: Operation) -> Field:
    if operation.given.get("training", False) or len(operation.sources) > 1:
        return WHOLE
    return operation.field


def _over_dimensions(operation: Operation) -> Field:
    if "other" in operation.given:
        return elementwise(operation)
    dimensions = operation.given.get("dim")
    listed = [dimensions] if isinstance(dimensions, int) else list(dimensions or [-1])
    return WHOLE if any(operation.is_spatial(dimension) for dimension in listed) else operation.field


def _two_dimensions(operation: Operation) -> Field:
    pair = (operation.given["dim0"], operation.given["dim1"])
    return WHOLE if any(operation.is_spatial(dimension) for dimension in pair) else operation.field


def _permutation(operation: Operation) -> Field:
    count = operation.tensor.dim()
    order = [dimension % count for dimension in operation.given["dims"]]
    return operation.field if order[-SPATIAL_DIMENSIONS:] == [count - 2, count - 1] else WHOLE


def _concatenation(operation: Operation) -> Field:
    return WHOLE if operation.is_spatial(operation.given["dim"]) else elementwise(operation)


def _slice(operation: Operation) -> Field:
    dimension = operation.given["dim"] % operation.tensor.dim()
    place = dimension - (operation.tensor.dim() - SPATIAL_DIMENSIONS)
    if place < 0 or not operation.field:
        return operation.field
    begin, _, step = slice(operation.given["start"], operation.given["end"], operation.given["step"]).indices(
        operation.tensor.shape[dimension]
    )
    cut = operation.field[place].through_window(kernel=1, stride=step, padding=-begin)
    return tuple(cut if index == place else axis for index, axis in enumerate(operation.field))


def _same_grid(operation: Operation) -> Field:
    kept = operation.output.shape[-SPATIAL_DIMENSIONS:] == operation.tensor.shape[-SPATIAL_DIMENSIONS:]
    return operation.field if kept else WHOLE


RULES: dict[str, Rule] = {
    "convolution": _convolution,
    **dict.fromkeys(("max_pool2d", "max_pool2d_with_indices", "avg_pool2d", "avg_pool3d"), _pooling),
    **dict.fromkeys(("_adaptive_avg_pool2d", "adaptive_max_pool2d"), _adaptive_pooling),
    **dict.fromkeys(("constant_pad_nd", "reflection_pad2d", "replication_pad2d"), _padding),
    **dict.fromkeys(
        ("native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training", "cudnn_batch_norm"),
        _batch_norm,
    ),
    **dict.fromkeys(
        (
            "mean",
            "sum",
            "amax",
            "amin",
            "max",
            "min",
            "var",
            "std",
            "linalg_vector_norm",
            "_softmax",
            "_log_softmax",
            "select",
            "split",
            "split_with_sizes",
            "unbind",
            "glu",
        ),
        _over_dimensions,
    ),
    "transpose": _two_dimensions,
    "permute": _permutation,
    "cat": _concatenation,
    "slice": _slice,
    **dict.fromkeys(
        (
            "view",
            "_unsafe_view",
            "_reshape_alias",
            "reshape",
            "squeeze",
            "unsqueeze",
            "expand",
            "clone",
            "alias",
            "detach",
            "contiguous",
            "_to_copy",
            "lift_fresh",
        ),
        _same_grid,
    ),
    **dict.fromkeys(("copy", "hardswish", "hardsigmoid", "_prelu_kernel"), elementwise),
}
