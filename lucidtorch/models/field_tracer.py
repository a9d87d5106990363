"""Following every tensor operation of a forward pass to learn what part of the image each tensor sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from lucidtorch.models.field_rules import RULES, SPATIAL_DIMENSIONS, Operation, elementwise
from lucidtorch.models.receptive_field import IMAGE, WHOLE, Field, joined_fields

CONSTANT_ENDINGS = ("_like",)  # such results take only shape and type from their argument
CONSTANT_BEGINNINGS = ("new_",)


class FieldTracer(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Keeps the field of every tensor that depends on the image while the block runs.

    Convolutions, poolings, paddings, slices, and whatever works number by number or only mixes channels are followed
    exactly; all else counts as seeing the whole image.

    Args:
        image: The network's input `[B, C, H, W]`, each pixel of which sees itself.
    """

    def __init__(self, image: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._fields: Any = WeakTensorKeyDictionary()
        self._fields[image] = IMAGE
        self._written: dict[StorageWeakRef, tuple[Field, torch.Size]] = {}

    def field(self, tensor: Tensor) -> Field | None:
        """Look up what a tensor sees.

        Args:
            tensor: Any tensor.

        Returns:
            Its field; `WHOLE` for the whole image; None where it does not depend on the image.
        """
        found: Field | None = self._fields.get(tensor)
        if found is not None or not self._written:
            return found
        written = self._written.get(_storage(tensor))
        if written is None:
            return None
        field, grid = written
        return field if tensor.shape[-SPATIAL_DIMENSIONS:] == grid else WHOLE

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = _by_name(func, args, kwargs or {})
        sources = tuple(
            (tensor, field) for tensor in _tensors(given.values()) if (field := self.field(tensor)) is not None
        )
        result = func(*args, **(kwargs or {}))
        if sources:
            self._follow(func, given, sources, [tensor for tensor in _tensors([result]) if tensor.numel()])
        return result

    def _follow(
        self, func: Any, given: dict[str, Any], sources: tuple[tuple[Tensor, Field], ...], outputs: list[Tensor]
    ) -> None:
        name = func._schema.name.removeprefix("aten::").removesuffix("_")
        if not outputs or name.endswith(CONSTANT_ENDINGS) or name.startswith(CONSTANT_BEGINNINGS):
            return
        field = _result(Operation(name, given, sources, outputs[0]), pointwise=torch.Tag.pointwise in func.tags)
        for tensor in outputs:
            self._fields[tensor] = field if tensor.dim() > SPATIAL_DIMENSIONS else WHOLE
        if func._schema.is_mutable:
            self._spread(outputs[0], self._fields[outputs[0]])

    def _spread(self, changed: Tensor, field: Field) -> None:
        """Let every view of a tensor that was written into know what was written."""
        storage = _storage(changed)
        grid = changed.shape[-SPATIAL_DIMENSIONS:]
        before = self._written.get(storage)
        if before is not None:
            field = joined_fields([field, before[0]]) if before[1] == grid else WHOLE
        self._written[storage] = (field, grid)
        for tensor in list(self._fields):
            if tensor is not changed and _storage(tensor) == storage:
                same = tensor.shape[-SPATIAL_DIMENSIONS:] == grid
                self._fields[tensor] = joined_fields([self._fields[tensor], field]) if same else WHOLE


def _result(operation: Operation, *, pointwise: bool) -> Field:
    if any(field == WHOLE for _, field in operation.sources):
        return WHOLE
    rule = RULES.get(operation.name)
    if rule is None:
        return elementwise(operation) if pointwise else WHOLE
    return rule(operation)


def _storage(tensor: Tensor) -> StorageWeakRef:
    return StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]


def _by_name(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    parameters = func._schema.arguments
    given = {parameter.name: parameter.default_value for parameter in parameters}
    given.update(zip(given, args, strict=False))
    given.update(kwargs)
    return given


def _tensors(values: Any) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)
