"""Rectifiers of a forward pass, and the gradient that goes through those that block it."""

from __future__ import annotations

import enum
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

STEPS = 16  # Lucid: only in the first updates ReLUs are redirected
FLAT = 0.1  # a smooth rectifier is flat where less than this share of the gradient gets through
FEW = 0.125  # of the places: where no more have a gradient, it is that of single units and not of a layer inside
STRIDE = 7  # of the places that are looked at first: an image that is awake shows it in nearly every row


@dataclass(frozen=True, eq=False)
class Rectifying:
    """One call of a ReLU, or of another function that is flat below a number, and maybe above another."""

    values: Tensor
    floor: float
    ceiling: float | None  # what it cuts off above; nothing where None
    in_place: bool

    @property
    def middle(self) -> float | None:
        """What parts its two flat sides; None where it has one."""
        return None if self.ceiling is None else (self.floor + self.ceiling) / 2

    def given(self, result: Tensor) -> Tensor:
        """Give a result as the call would: in the place of the values where it works in place."""
        return self.values.copy_(result) if self.in_place else result


def rectifying(function: Callable[..., Any], arguments: Sequence[Any], words: Mapping[str, Any]) -> Rectifying | None:
    """Read a call that a `TorchFunctionMode` sees."""
    known = _FUNCTIONS.get(function)
    if known is None:
        return None
    ceiling, in_place = known
    floor = 0.0
    if function in (F.hardtanh, F.hardtanh_):
        floor = arguments[1] if len(arguments) > 1 else words.get("min_val", -1.0)
        ceiling = arguments[2] if len(arguments) > 2 else words.get("max_val", 1.0)
    asked = bool(words.get("inplace")) or (len(arguments) > 1 and arguments[-1] is True)
    values = arguments[0] if arguments else words["input"]
    return Rectifying(values, floor, ceiling, in_place or asked)


class _WrittenOut:
    """Finds smooth rectifiers that a forward pass writes out: a tensor times a gate made of itself alone.

    So are SiLU as ``x * sigmoid(x)``, QuickGELU as ``x * sigmoid(1.702 * x)``, and GELU as
    ``0.5 * x * (1 + tanh(...))`` or with ``erf``. Weights in between, as those of squeeze and excitation, end it.
    """

    def __init__(self) -> None:
        self._made: dict[int, tuple[weakref.ref[Tensor], _Origin]] = {}  # by the id of the tensor

    def rectified(self, function: Callable[..., Any], arguments: Sequence[Any]) -> Tensor | None:
        if getattr(function, "__name__", "") not in _PRODUCTS or len(arguments) != 2:
            return None
        origins = [self._origin(one) for one in arguments if isinstance(one, Tensor)]
        if {one.shape for one in origins} != {_Shape.PLAIN, _Shape.GATE} or origins[0].values is not origins[1].values:
            return None
        return origins[0].values

    def note(self, function: Callable[..., Any], arguments: Sequence[Any], result: Any) -> None:
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
    """The range of a function of one tensor: unbounded, -1 to 1, or 0 to a number."""

    PLAIN = 1
    ODD = 2
    GATE = 3


@dataclass(frozen=True, eq=False)
class _Origin:
    """The tensor that another was computed from elementwise, and the range of that function."""

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
    (
        *(F.gelu, F.silu, F.mish, F.softplus, F.hardswish),
        *(F.elu, F.elu_, F.celu, F.celu_, F.selu, F.selu_, torch.celu, torch.celu_, torch.selu, torch.selu_),
    )
)
# Each function with its ceiling, and whether it always works in place. Hardsigmoid is missing, since it is
# the gate of a Hardswish that is written out: below zero, what would open it makes the product smaller.
_FUNCTIONS: dict[Callable[..., Any], tuple[float | None, bool]] = {
    **dict.fromkeys((F.relu, torch.relu, Tensor.relu, F.hardtanh), (None, False)),
    **dict.fromkeys((F.relu_, torch.relu_, Tensor.relu_, F.hardtanh_), (None, True)),
    F.relu6: (6.0, False),
}


class redirected_relu(TorchFunctionMode):  # noqa: N801  # used as `with redirected_relu():`
    """While the block runs, every rectifier, module or function, has the redirected gradient.

    An image whose gradient is blocked everywhere gets the gradient of the identity instead, without the part that
    would push further into the flat sides: Lucid's `redirected_relu_grad` and `redirected_relu6_grad`, the latter for
    Hardtanh of any bounds too. Smooth rectifiers (GELU, SiLU, Mish, Softplus, ELU, CELU, SELU, Hardswish, also written
    out) block where less than a share `flat` of the gradient gets through, or where they turn it around. All other
    images have the gradient that they would have without it.

    The network itself is not touched. The signs are those of a loss that is minimized. Without `relus`, ReLU, ReLU6 and
    Hardtanh keep their own gradient.
    """

    judges_values = False  # whether what a smooth rectifier gave says that it is open, too

    def __init__(self, *, relus: bool = True, flat: float = FLAT) -> None:
        super().__init__()
        self.relus = relus
        self.flat = flat
        self.smooth = 0  # how many smooth rectifiers were met so far
        self._written_out = _WrittenOut()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        words = kwargs or {}
        call = rectifying(func, args, words)
        values: Tensor | None = None if call is None else call.values
        if func in _SMOOTH:
            values = args[0] if args else words["input"]
        elif values is None:
            values = self._written_out.rectified(func, args)
        self.smooth += call is None and values is not None
        left_alone = call is not None and not self.relus
        if values is None or left_alone or not values.requires_grad or not torch.is_grad_enabled():
            found = func(*args, **words)
            self._written_out.note(func, args, found)
            return found
        gate = _Gate(self, smooth=call is None)
        # before the call, which may overwrite the values: the hook stays with what they were
        values.register_hook(gate.leave)  # type: ignore[no-untyped-call]
        result: Tensor = func(*args, **words)
        self._written_out.note(func, args, result)
        result.register_hook(gate.enter)  # type: ignore[no-untyped-call]
        if call is not None:
            gate.middle = call.middle
        if self.judges_values or gate.middle is not None:
            gate.given = result.detach()
        return result

    def instead(self, passed: Tensor, grad: Tensor, outward: Tensor) -> Tensor:
        """Say what images get whose gradient is blocked."""
        return torch.where(outward, passed, grad)


class silenced_relu(redirected_relu):  # noqa: N801  # used as `with silenced_relu():`
    """While the block runs, an image whose gradient a rectifier blocks gets none of what would wake it.

    No gradient is left where all ways to a unit lead through flat parts of rectifiers. A smooth one that gives more
    than zero on the whole is not flat, however few places that comes from.
    """

    judges_values = True

    def instead(self, passed: Tensor, grad: Tensor, outward: Tensor) -> Tensor:
        """Say what images get whose gradient is blocked."""
        return passed * outward


class _Gate:
    """One call of a rectifier, in the backward pass."""

    def __init__(self, rule: redirected_relu, *, smooth: bool) -> None:
        self.rule = rule
        self.smooth = smooth
        self.given: Tensor | None = None  # what the rectifier gave, where that matters
        self.middle: float | None = None  # of its range, where it is flat above, too
        self.grad: Tensor | None = None  # to that

    def enter(self, grad: Tensor) -> None:
        self.grad = grad

    def leave(self, passed: Tensor) -> Tensor | None:
        grad, self.grad = self.grad, None
        if grad is None or passed.ndim == 0:
            return None
        if passed.is_cuda:  # to ask which images are blocked costs more than to compute for all
            awake = self._is_open(passed, grad, ...).reshape(-1, *[1] * (passed.ndim - 1))
            return torch.where(awake, passed, self._redirected(passed, grad, ...))
        images = self._blocked(passed, grad)
        if not len(images):
            return None
        found = passed.clone()  # in the same order in memory
        found[images] = self._redirected(passed[images], grad[images], images)
        return found

    def _redirected(self, passed: Tensor, grad: Tensor, images: Any) -> Tensor:
        outward = grad > 0
        if self.given is not None and self.middle is not None:
            outward = torch.where(self.given[images] > self.middle, grad < 0, outward)
        return self.rule.instead(passed, grad, outward)

    def _blocked(self, passed: Tensor, grad: Tensor) -> Tensor:
        """The indices of images whose gradient does not get through."""
        some: Any = (..., *[slice(None, None, STRIDE)] * (passed.ndim - 2))
        closed = torch.nonzero(~self._is_open(passed[some], grad[some], some, surely=True)).flatten()
        if len(closed):
            closed = closed[_is_any(grad)[closed]]  # of branches that the objective does not read nothing comes back
        return closed[~self._is_open(passed[closed], grad[closed], closed)] if len(closed) else closed

    def _is_open(self, passed: Tensor, grad: Tensor, part: Any, *, surely: bool = False) -> Tensor:
        """Which images the gradient gets through for, `[B]`: any of it through a ReLU, enough where it is smooth."""
        passed, grad = passed.reshape(len(passed), -1), grad.reshape(len(grad), -1)
        if not self.smooth:
            return (passed != 0).any(1)
        onward, whole = (passed * grad.sign()).sum(1), grad.abs().sum(1)
        few = (grad != 0).sum(1) <= FEW * grad.shape[1]
        enough = onward > torch.where(few, self.rule.flat * whole, 0)
        if self.given is not None:
            enough |= (self.given[part].reshape(grad.shape) * grad).sum(1) < 0
        if surely:
            enough &= ~few
        return enough & (passed / grad > self.rule.flat).any(1)


def _is_any(grad: Tensor) -> Tensor:
    """Which images have a gradient at all, `[B]`."""
    axes = tuple(range(1, grad.ndim))
    return (grad.amax(axes) != 0) | (grad.amin(axes) != 0) if axes else grad != 0
