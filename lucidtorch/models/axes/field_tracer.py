"""Following every tensor operation of a forward pass to learn what each tensor sees of the image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry
from torch.utils.weak import WeakTensorKeyDictionary

from lucidtorch.models.axes.axis_rules import RULES
from lucidtorch.models.axes.facts import UNKNOWN, Facts, Places
from lucidtorch.models.axes.joining import elementwise, rewritten
from lucidtorch.models.axes.layout import has_places
from lucidtorch.models.axes.operation import Operation, Rule
from lucidtorch.models.axes.pieces import fits, image_axes
from lucidtorch.models.axes.receptive_field import PIXEL, WHOLE, Field

CONSTANT_ENDINGS = ("_like",)  # such results take only shape and type from their argument
CONSTANT_BEGINNINGS = ("new_",)
ATTENTION = "_scaled_dot_product"
ATTENTION_FORMULA = torch.ops.aten._scaled_dot_product_flash_attention  # all fused attentions compute the same


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is known of an operation before it runs."""

    name: str
    parameters: tuple[str, ...]
    defaults: dict[str, Any]
    rule: Rule
    mutable: bool
    constant: bool
    formula: Callable[..., int] | None


class FieldTracer(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Keeps what is known of every tensor that depends on the image while the block runs, and counts operations.

    Operations that it does not know give tensors of unknown axes, which may see the whole image.

    Args:
        image: The network's input `[B, C, H, W]` or `[B, C, T, H, W]`, each pixel of which sees itself. A batch of two
            or more cannot be taken for an axis of size one.
    """

    def __init__(self, image: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._flops = 0
        self._facts: Any = WeakTensorKeyDictionary()
        axes = image_axes(image.shape)
        self._facts[image] = Facts(axes if len(axes) == image.dim() else None, (PIXEL,) * (image.dim() - 2))
        self._written: dict[StorageWeakRef, tuple[Facts, torch.Size]] = {}

    @property
    def flops(self) -> int:
        """The floating-point operations so far, for the whole batch.

        Matrix products, convolutions and attention are counted by PyTorch's own formulas, a multiplication with its
        addition as two; all else is not counted.
        """
        return self._flops

    def field(self, tensor: Tensor) -> Field | None:
        """Look up what a tensor sees.

        Args:
            tensor: Any tensor.

        Returns:
            What the number at each place of it sees; `WHOLE` for the whole image; None where it does not depend on
            the image.
        """
        facts = self._facts_of(tensor)
        if facts is None:
            return None
        shown = facts.axes is not None and has_places(facts.axes, len(facts.field))
        return facts.field if shown else WHOLE

    def _facts_of(self, tensor: Tensor) -> Facts | None:
        found: Facts | None = self._facts.get(tensor)
        if found is not None or not self._written:
            return found
        storage = _storage(tensor)
        written = None if storage is None else self._written.get(storage)
        return None if written is None else rewritten(*written, tensor.shape)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        kind = _KINDS.get(func) or _kind(func)
        sources = [
            (tensor, facts)
            for tensor in _tensors((*args, *kwargs.values()))
            if (facts := self._facts_of(tensor)) is not None
        ]
        result = func(*args, **kwargs)
        if kind.formula is not None and not any(tensor.is_nested for tensor in _tensors(args)):
            self._flops += kind.formula(*args, **kwargs, out_val=result)
        if sources and not kind.constant:
            outputs = [tensor for tensor in _tensors((result,)) if tensor.numel()]
            if outputs:
                given = {**kind.defaults, **dict(zip(kind.parameters, args, strict=False)), **kwargs}
                self._follow(kind, Operation(kind.name, given, sources, outputs))
        return result

    def _follow(self, kind: _Kind, operation: Operation) -> None:
        found = _found(kind.rule, operation)
        every = [found] * len(operation.outputs) if isinstance(found, Facts) else found
        places = _places([facts for _, facts in operation.sources])
        for tensor, facts in zip(operation.outputs, every, strict=True):
            self._facts[tensor] = _checked(facts, tensor, operation, places)
        if kind.mutable and not _same_as_before(operation, self._facts[operation.output]):
            self._spread(operation.output, self._facts[operation.output])

    def _spread(self, changed: Tensor, facts: Facts) -> None:
        """Let every view of a tensor that was written into know what was written."""
        storage = _storage(changed)
        if storage is None:
            return
        before = self._written.get(storage)
        if before is not None:
            facts = rewritten(*before, changed.shape, facts)
        self._written[storage] = (facts, changed.shape)
        for tensor in list(self._facts):
            if tensor is not changed and _storage(tensor) == storage:
                self._facts[tensor] = rewritten(facts, changed.shape, tensor.shape, self._facts[tensor])


def _checked(facts: Facts, tensor: Tensor, operation: Operation, places: Places | None) -> Facts:
    """Hold what a rule found against the tensor itself, and note where that was selected from."""
    if facts.axes is None or (facts == operation.facts and tensor.shape == operation.tensor.shape):
        return facts
    if not fits(facts.axes, tensor.shape):
        return UNKNOWN
    return Facts(facts.axes, facts.field, facts.places if operation.name == "stack" else facts.places or places)


def _same_as_before(operation: Operation, facts: Facts) -> bool:
    """Say whether an operation in place left what is known of its tensor as it was."""
    before = operation.facts
    return operation.tensor is operation.output and before.axes == facts.axes and before.field == facts.field


_KINDS: dict[Any, _Kind] = {}


def _kind(func: Any) -> _Kind:
    schema = func._schema
    name = schema.name.rpartition("::")[2].removesuffix("_")
    rule = RULES.get(name)
    if rule is None:
        rule = elementwise if torch.Tag.pointwise in func.tags else _unknown
    packet = ATTENTION_FORMULA if name.startswith(ATTENTION) and "backward" not in name else func._overloadpacket
    kind = _Kind(
        name=name,
        parameters=tuple(argument.name for argument in schema.arguments),
        defaults={argument.name: argument.default_value for argument in schema.arguments},
        rule=rule,
        mutable=schema.is_mutable,
        constant=name.endswith(CONSTANT_ENDINGS) or name.startswith(CONSTANT_BEGINNINGS),
        formula=flop_registry.get(func._overloadpacket, flop_registry.get(packet)),
    )
    return _KINDS.setdefault(func, kind)


def _found(rule: Rule, operation: Operation) -> Facts | Sequence[Facts]:
    try:
        return rule(operation)
    except (LookupError, TypeError, ValueError, ArithmeticError):  # called in a way that its rule does not foresee
        return UNKNOWN


def _unknown(operation: Operation) -> Facts:
    return UNKNOWN


def _places(known: Sequence[Facts]) -> Places | None:
    """Join the places that several tensors were selected from."""
    found = [facts.places for facts in known if facts.places is not None]
    if not found or any(one.pieces != found[0].pieces for one in found):
        return None
    return Places(found[0].pieces, min(one.first for one in found), max(one.last for one in found))


def _storage(tensor: Tensor) -> StorageWeakRef | None:
    """Name the memory of a tensor; None where it is no plain block, which views could share."""
    if tensor.layout is not torch.strided or tensor.is_nested:
        return None
    return StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]


def _tensors(values: Any) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)
