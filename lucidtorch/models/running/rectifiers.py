"""The rectifiers of a forward pass, as modules, functions or methods: ReLU and ReLU6, and their smooth relatives."""

from __future__ import annotations

import enum
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Rectifying:
    """One call of a ReLU.

    Args:
        values: What it is called on.
        ceiling: What it cuts off above; nothing where None.
        in_place: Whether it overwrites the values.
    """

    values: Tensor
    ceiling: float | None
    in_place: bool

    def given(self, result: Tensor) -> Tensor:
        """Give a result as the call would: in the place of the values where it works in place."""
        return self.values.copy_(result) if self.in_place else result


def rectifying(
    function: Callable[..., Any], arguments: Sequence[Any], words: Mapping[str, Any] | None = None
) -> Rectifying | None:
    """Read a call that a `TorchFunctionMode` sees."""
    known = _FUNCTIONS.get(function)
    if known is None:
        return None
    words = words or {}
    ceiling, in_place = known
    if function in (F.hardtanh, F.hardtanh_):
        low = arguments[1] if len(arguments) > 1 else words.get("min_val", -1.0)
        ceiling = arguments[2] if len(arguments) > 2 else words.get("max_val", 1.0)
        if low != 0:
            return None
    asked = bool(words.get("inplace")) or (len(arguments) > 1 and arguments[-1] is True)
    return Rectifying(arguments[0] if arguments else words["input"], ceiling, in_place or asked)


def smoothly_rectified(
    function: Callable[..., Any], arguments: Sequence[Any], words: Mapping[str, Any] | None = None
) -> Tensor | None:
    """Read a call of a rectifier that bends smoothly into its flat low side, such as GELU."""
    if function not in _SMOOTH:
        return None
    found: Tensor = arguments[0] if arguments else (words or {})["input"]
    return found


class HandWritten:
    """Finds smooth rectifiers that a forward pass writes out: a tensor times a gate made of itself alone.

    So are SiLU as ``x * sigmoid(x)``, QuickGELU as ``x * sigmoid(1.702 * x)``, and GELU as
    ``0.5 * x * (1 + tanh(...))`` or with ``erf``. Weights in between, as those of squeeze and excitation, end it.
    """

    def __init__(self) -> None:
        self._made: dict[int, tuple[weakref.ref[Tensor], _Origin]] = {}  # by the id of the tensor

    def rectified(self, function: Callable[..., Any], arguments: Sequence[Any]) -> Tensor | None:
        """Read a call before it is made."""
        if getattr(function, "__name__", "") not in _PRODUCTS or len(arguments) != 2:
            return None
        origins = [self._origin(one) for one in arguments if isinstance(one, Tensor)]
        if {one.shape for one in origins} != {_Shape.PLAIN, _Shape.GATE} or origins[0].values is not origins[1].values:
            return None
        return origins[0].values

    def note(self, function: Callable[..., Any], arguments: Sequence[Any], result: Any) -> None:
        """Remember what a call made of one tensor alone."""
        name = getattr(function, "__name__", "")
        if name not in _STEPS or not isinstance(result, Tensor):
            return
        read = [one for one in arguments if isinstance(one, Tensor) and one.ndim]
        origins = [self._origin(one) for one in read]
        several = any(one.values is not origins[0].values for one in origins)
        mixed = name in _PRODUCTS and len({one.shape for one in origins}) > 1
        if several or mixed or any(one is result for one in read):  # overwritten values are others
            self._made.pop(id(result), None)
        elif origins:
            shape = _STEPS[name] or max(one.shape for one in origins)
            if name in _SUMS and shape is _Shape.ODD and len(read) == 1:
                shape = _Shape.GATE
            self._made[id(result)] = weakref.ref(result), _Origin(origins[0].values, shape)

    def _origin(self, values: Tensor) -> _Origin:
        reference, origin = self._made.get(id(values), (None, None))
        found = origin if reference is not None and reference() is values else None
        return found or _Origin(values, _Shape.PLAIN)


class _Shape(enum.IntEnum):
    """How a function of one tensor runs: as far as it likes, between -1 and 1, or between 0 and a number."""

    PLAIN = 1
    ODD = 2
    GATE = 3


@dataclass(frozen=True, eq=False)
class _Origin:
    """What a tensor was made of by arithmetic, number by number, and how that runs."""

    values: Tensor
    shape: _Shape


_PRODUCTS = frozenset({"mul", "mul_", "multiply", "__mul__", "__rmul__", "__imul__"})
_SUMS = frozenset({"add", "__add__", "__radd__", "__iadd__"})
# What arithmetic makes of the shape of what it is given; it stays as it is where None.
_STEPS: dict[str, _Shape | None] = {
    **dict.fromkeys((*_PRODUCTS, *_SUMS)),
    **dict.fromkeys(("div", "__truediv__", "neg", "sub", "__sub__", "pow", "__pow__", "square", "float", "to")),
    **dict.fromkeys(("tanh", "erf"), _Shape.ODD),
    **dict.fromkeys(("sigmoid", "hardsigmoid"), _Shape.GATE),
}
# Flat far below zero and never flat above: their slope falls below a tenth from about -0.6 (GELU) to -3 (hardswish).
_SMOOTH: frozenset[Callable[..., Any]] = frozenset(
    {
        F.gelu,
        F.silu,
        F.mish,
        F.softplus,
        F.hardswish,
        F.elu,
        F.elu_,
        F.celu,
        F.celu_,
        F.selu,
        F.selu_,
        torch.celu,
        torch.celu_,
        torch.selu,
        torch.selu_,
    }
)
# Each function with its ceiling, and whether it always works in place.
_FUNCTIONS: dict[Callable[..., Any], tuple[float | None, bool]] = {
    F.relu: (None, False),
    F.relu_: (None, True),
    torch.relu: (None, False),
    torch.relu_: (None, True),
    Tensor.relu: (None, False),
    Tensor.relu_: (None, True),
    F.relu6: (6.0, False),
    F.hardtanh: (None, False),
    F.hardtanh_: (None, True),
}
