"""Tracing the receptive field of every tensor in a forward pass."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry
from torch.utils.weak import WeakTensorKeyDictionary

from lucidtorch.models.layouts.field_rules import RULES, Rule, TensorOp, elementwise
from lucidtorch.models.layouts.receptive_field import WHOLE, Field, MismatchError, Window

CONSTANT_ENDINGS = ("_like",)  # such results depend on the shape and dtype of their argument only
CONSTANT_BEGINNINGS = ("new_",)
ATTENTION = "_scaled_dot_product"
ATTENTION_FORMULA = torch.ops.aten._scaled_dot_product_flash_attention  # all fused attentions compute the same


class FieldTracer(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Records the window of every tensor that depends on the image, and counts operations.

    Matrix products, convolutions and attention are counted for the whole batch by PyTorch's own formulas, a
    multiplication with its addition as two.
    """

    def __init__(self, image: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = 0
        self._windows: Any = WeakTensorKeyDictionary()  # None for tensors that may depend on the whole image
        self._windows[image] = Window.of_image(image.shape)
        self._written: dict[StorageWeakRef, Window | None] = {}

    def field(self, tensor: Tensor) -> Field | None:
        """Look up the entry of a tensor; None if it does not depend on the image."""
        known = self._known(tensor)
        if not known:
            return None
        return WHOLE if known[0] is None else known[0].field()

    def _known(self, tensor: Tensor) -> tuple[Window | None] | tuple[()]:
        """The window of a tensor; empty if it does not depend on the image."""
        if tensor in self._windows:
            return (self._windows[tensor],)
        storage = _storage(tensor) if self._written else None
        return (_view(self._written[storage], tensor.shape),) if storage in self._written else ()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        kind = _kind(func)
        sources = [
            (tensor, known[0]) for tensor in _tensors((*args, *kwargs.values())) if (known := self._known(tensor))
        ]
        result = func(*args, **kwargs)
        if kind.formula is not None and not any(tensor.is_nested for tensor in _tensors(args)):
            self.flops += kind.formula(*args, **kwargs, out_val=result)
        outputs = [tensor for tensor in _tensors((result,)) if tensor.numel()]
        if sources and outputs and not kind.constant:
            given = {**kind.defaults, **dict(zip(kind.parameters, args, strict=False)), **kwargs}
            self._follow(kind, given, sources, outputs)
        return result

    def _follow(
        self,
        kind: _Kind,
        given: dict[str, Any],
        sources: Sequence[tuple[Tensor, Window | None]],
        outputs: Sequence[Tensor],
    ) -> None:
        known = [(tensor, window) for tensor, window in sources if window is not None]
        found = None
        if kind.rule is not None and len(known) == len(sources):
            found = _applied(kind.rule, TensorOp(kind.name, given, known, outputs))
        every = [found] * len(outputs) if found is None or isinstance(found, Window) else found
        for tensor, window in zip(outputs, every, strict=True):
            self._windows[tensor] = window if window is not None and window.fits(tensor.shape) else None
        first, window = outputs[0], self._windows[outputs[0]]
        if kind.mutable and not (sources[0][0] is first and sources[0][1] == window):
            self._spread(first, window)

    def _spread(self, changed: Tensor, window: Window | None) -> None:
        """Update every view of a tensor after an in-place operation."""
        storage = _storage(changed)
        if storage is None:
            return
        if storage in self._written:
            window = _joined(window, _view(self._written[storage], changed.shape))
        self._written[storage] = window
        for tensor in list(self._windows):
            if tensor is not changed and _storage(tensor) == storage:
                self._windows[tensor] = _joined(self._windows[tensor], _view(window, tensor.shape))


def _view(window: Window | None, shape: Sequence[int]) -> Window | None:
    """The window of another view after an in-place operation."""
    if window is None or len(window.dimensions) != len(shape):
        return None
    with contextlib.suppress(MismatchError):
        return window.broadcast(shape)
    return None


def _joined(first: Window | None, second: Window | None) -> Window | None:
    with contextlib.suppress(MismatchError):
        return None if first is None or second is None else first.joined([second])
    return None


def _storage(tensor: Tensor) -> StorageWeakRef | None:
    """The storage of a tensor; None if views cannot share it."""
    if tensor.layout is not torch.strided or tensor.is_nested:
        return None
    return StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]


def _tensors(values: Any) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)


class _Kind(NamedTuple):
    name: str
    parameters: tuple[str, ...]
    defaults: dict[str, Any]
    rule: Rule | None  # without a rule, results may depend on the whole image
    mutable: bool
    constant: bool
    formula: Callable[..., int] | None


@functools.cache
def _kind(func: Any) -> _Kind:
    schema = func._schema
    name = schema.name.rpartition("::")[2].removesuffix("_")
    packet = ATTENTION_FORMULA if name.startswith(ATTENTION) and "backward" not in name else func._overloadpacket
    return _Kind(
        name=name,
        parameters=tuple(argument.name for argument in schema.arguments),
        defaults={argument.name: argument.default_value for argument in schema.arguments},
        rule=RULES.get(name, elementwise if torch.Tag.pointwise in func.tags else None),
        mutable=schema.is_mutable,
        constant=name.endswith(CONSTANT_ENDINGS) or name.startswith(CONSTANT_BEGINNINGS),
        formula=flop_registry.get(func._overloadpacket, flop_registry.get(packet)),
    )


def _applied(rule: Rule, operation: TensorOp) -> Window | Sequence[Window] | None:
    try:
        return rule(operation)
    except (MismatchError, LookupError, TypeError, ValueError, ArithmeticError, StopIteration):
        return None  # a case that its rule does not cover
