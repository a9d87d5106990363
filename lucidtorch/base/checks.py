"""The one check of what callers give: `checked` reads the annotations of a function and says what to write instead.

Annotations say the type (`int`, `str | Path`, `Sequence[int]`) and, by `Annotated`, bounds (`Within`), the axes of a
tensor (`"c h w"`), or the kind of error (a subclass of `BadInputError`). A whole number is never a bool, numbers are
finite, and numbers of numpy are taken as Python's. Nothing here looks into an object of a type that it does not know,
so that an object that fails when it is looked at does no harm.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import math
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace, UnionType
from typing import Annotated, Any, Literal, ParamSpec, TypeAlias, TypeGuard, TypeVar, Union, get_args, get_origin

import numpy as np
import torch
from torch import Tensor

from lucidtorch.base.errors import BadInputError, ImageError
from lucidtorch.base.shown import shown, type_words
from lucidtorch.base.surroundings import pinned

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

LONGEST_PATH, LONGEST_NAME = 4095, 255  # letters, and bytes of one part, that file systems take
WHOLE_BITS = 63  # of the largest whole number that torch and JSON readers take
MOST_VALUES = 1_000_000  # in a sequence; longer ones are no arguments but data
Hints: TypeAlias = Mapping[str, Any]
BARE: Mapping[Any, Any] = {list: list[Any], tuple: tuple[Any, ...], Sequence: Sequence[Any]}
MISFIT = object()  # what `_taken` gives in the place of a value that does not fit


@dataclass(frozen=True)
class Within:
    """Bounds of a number, for `Annotated[int, Within(1, 8192)]`."""

    low: float = -math.inf
    high: float = math.inf
    above: bool = False  # whether `low` itself is left out
    below: bool = False  # whether `high` itself is left out

    def holds(self, number: Any) -> bool:
        """Say whether a number lies within the bounds."""
        at_border = (self.above and number == self.low) or (self.below and number == self.high)
        return bool(self.low <= number <= self.high and not at_border)

    def __str__(self) -> str:
        if self.low == -math.inf:
            return "" if self.high == math.inf else f" up to {_written(self.high)}"
        start = f" {'above' if self.above else 'from'} {_written(self.low)}"
        end = f"{'up ' * self.above}to {'below ' * self.below}{_written(self.high)}"
        return start if self.high == math.inf else f"{start} {end}"


NotNegative: TypeAlias = Annotated[float, Within(0)]
Share: TypeAlias = Annotated[float, Within(0, 1)]
AtLeastOne: TypeAlias = Annotated[float, Within(1)]
Positive: TypeAlias = Annotated[float, Within(0, above=True)]
Count: TypeAlias = Annotated[int, Within(1)]
Threads: TypeAlias = Annotated[int, Within(1, 1024)]
Iterations: TypeAlias = Annotated[int, Within(1, 1_000_000)]
Numbers: TypeAlias = Annotated[Tensor, "..."]
Images: TypeAlias = Annotated[Tensor, ImageError]
Picture: TypeAlias = Annotated[Tensor, "c h w", ImageError]
Maps: TypeAlias = Annotated[Tensor, "b c h w"]
Rows: TypeAlias = Annotated[Tensor, "n d"]
Plane: TypeAlias = Annotated[Tensor, "h w"]


def checked(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let a public function refuse arguments that do not fit its annotations, before any work.

    What it computes does not depend on the caller's autocast, default type or device, or inference mode (`pinned`).
    The annotations are resolved at the first call. Wrong names or numbers of arguments stay Python's own `TypeError`.
    """
    name = function.__qualname__.removesuffix(".__init__").rpartition("<locals>.")[2]
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        bound = signature.bind(*args, **kwargs)
        bound.arguments.update(fitting(name, signature, hints_of(function), bound.arguments))
        with pinned():
            return function(*bound.args, **bound.kwargs)

    return call


def check_fields(value: Any) -> None:
    """Check the fields of a frozen dataclass against their annotations, in its `__post_init__`."""
    kind: Callable[..., Any] = type(value)
    given = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}
    taken = fitting(kind.__name__, inspect.signature(kind), hints_of(kind), given)
    for name in (name for name in taken if taken[name] is not given[name]):
        object.__setattr__(value, name, taken[name])


def fitting(call: str, signature: inspect.Signature, hints: Hints, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Check arguments against annotations."""
    found = {}
    for name, value in arguments.items():
        parameter, hint = signature.parameters[name], hints.get(name, Any)
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            found[name] = tuple(fitted(call, parameter, hint, one) for one in value)
        else:
            found[name] = fitted(call, parameter, hint, value)
    return found


def fitted(call: str, parameter: inspect.Parameter, hint: Any, value: Any) -> Any:
    """Check one argument against its annotation."""
    if value is parameter.default:
        return value
    try:
        taken = _taken(value, hint)
    except RecursionError:  # a list that holds itself
        taken = MISFIT
    if taken is MISFIT:
        sign = "" if parameter.default is inspect.Parameter.empty else "="
        kinds = [one for one in get_args(hint)[1:] if isinstance(one, type)] if get_origin(hint) is Annotated else []
        kind = next((one for one in kinds if issubclass(one, BadInputError)), BadInputError)
        raise kind(f"{call}({parameter.name}{sign}) takes {type_words(hint)}, but {shown(value)} was given.")
    return taken


def _taken(value: Any, hint: Any) -> Any:
    """Give a value as it is taken for a type, or `MISFIT`."""
    value = plain(value)
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        taken = _taken(value, parts[0])
        return taken if taken is not MISFIT and all(_holds(taken, one) for one in parts[1:]) else MISFIT
    if origin in (Union, UnionType):
        if Path in parts and isinstance(value, str | Path):
            return value if _is_path(value) else MISFIT
        return next((taken for one in parts if (taken := _taken(value, one)) is not MISFIT), MISFIT)
    if origin is Literal:
        return value if type(value) in {type(one) for one in parts} and value in parts else MISFIT
    if isinstance(origin, type) and issubclass(origin, Iterable):
        return _taken_together(value, origin, parts)
    return value if _is_a(value, hint if origin is None else origin) else MISFIT


def plain(value: Any) -> Any:
    """Give numbers and texts of numpy, of enumerations and of other kinds of their own as Python's."""
    if isinstance(value, np.generic):
        return value.item() if value.dtype.kind in "biufU" else value
    if type(value) in (bool, int, float, str):
        return value
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    return str.__str__(value) if isinstance(value, str) else value


def _taken_together(value: Any, kind: type, parts: tuple[Any, ...]) -> Any:
    """Take what holds several values; only sequences and mappings are looked into."""
    if issubclass(kind, np.ndarray) or isinstance(value, str | bytes | bytearray | memoryview):
        return value if isinstance(value, np.ndarray) and issubclass(kind, np.ndarray) else MISFIT
    if issubclass(kind, Mapping):
        if not isinstance(value, Mapping):
            return MISFIT
        pairs = [(_taken(key, parts[0]), _taken(one, parts[1])) for key, one in value.items()]
        return MISFIT if any(MISFIT in pair for pair in pairs) else value
    if isinstance(value, Tensor) and value.ndim > 1 and len(value) and _taken(value[0], parts[0]) is not MISFIT:
        return value  # a batch of images is as good as a list of them
    if isinstance(value, Tensor | np.ndarray) and value.ndim > 0 and is_dense(value):
        value = value.tolist()
    if not isinstance(value, Sequence):
        return value if not issubclass(kind, Sequence) and isinstance(value, kind) else MISFIT
    fixed = kind is tuple and Ellipsis not in parts
    if fixed and len(value) != len(parts):
        return MISFIT
    taken = []
    for place, one in enumerate(value):  # a range may be endless: stop at the first that does not fit
        taken.append(_taken(one, parts[place] if fixed else parts[0]))
        if taken[-1] is MISFIT or place >= MOST_VALUES:
            return MISFIT
    return value if all(new is old for new, old in zip(taken, value, strict=True)) else tuple(taken)


def _holds(value: Any, demand: Any) -> bool:
    """Say whether a value of the right type meets what `Annotated` demands."""
    if isinstance(demand, Within) and is_number(value):
        return demand.holds(value)
    if isinstance(demand, str) and isinstance(value, Tensor):
        axes = demand.split()
        real = value.numel() > 0 and value.is_floating_point() and bool(torch.isfinite(value).all())
        return real and (value.ndim >= len(axes) - 1 if "..." in axes else value.ndim == len(axes))
    return True


def _is_a(value: Any, kind: Any) -> bool:
    if kind is int or kind is float:
        return is_whole(value) if kind is int else is_number(value)
    if kind is None or kind is Callable or kind is typing.Callable:
        return value is None if kind is None else callable(value)
    if kind is Any or not isinstance(kind, type) or getattr(kind, "_is_protocol", False):
        return True  # `Any`, a variable, or a protocol, whose members are asked for where they are used
    return isinstance(value, kind) and (not isinstance(value, Tensor) or is_dense(value))


def _is_path(value: str | Path) -> bool:
    """Say whether a text can be the path of a file on any system."""
    text = str(value)
    if len(text) > LONGEST_PATH or "\0" in text or any(0xD800 <= ord(letter) < 0xDC80 for letter in text):
        return False
    return all(len(part.encode(errors="surrogateescape")) <= LONGEST_NAME for part in text.split("/"))


def is_dense(value: Tensor | np.ndarray) -> bool:
    """Say whether an array holds real numbers one by one: not on the meta device, sparse, quantized or complex."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biuf"
    return value.layout is torch.strided and not (value.is_meta or value.is_quantized or value.is_complex())


def is_whole(value: object) -> TypeGuard[int]:
    """Say whether something is a whole number, and no truth value."""
    return isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= WHOLE_BITS


def is_number(value: object) -> TypeGuard[float]:
    """Say whether something is a finite number, and no truth value."""
    return is_whole(value) or (isinstance(value, float) and math.isfinite(value))


def check_number(value: object, what: str, *, low: float, whole: bool = False, high: float = math.inf) -> None:
    """Refuse an argument that is no fitting number."""
    within = Within(low, high)
    if not is_number(value) or not within.holds(value) or (whole and not is_whole(value)):
        name = "a whole number" if whole else "a number"
        raise BadInputError(f"{what} takes {name}{within}, but {shown(value)} was given.")


@functools.cache
def hints_of(function: Callable[..., Any]) -> Hints:
    """Resolve the annotations of a function or a dataclass."""
    try:
        found: Hints = typing.get_type_hints(function, include_extras=True)
    except (NameError, TypeError):
        if function.__module__.partition(".")[0] == __name__.partition(".")[0]:
            raise
        found = _resolvable(function)
    return {name: _spelled_out(hint) for name, hint in found.items()}


def _resolvable(function: Callable[..., Any]) -> Hints:
    """Resolve those annotations that can be, also where the usual names were imported for the type checker alone."""
    names = {**vars(typing), "Tensor": Tensor, **getattr(function, "__globals__", {})}
    found: dict[str, Any] = {}
    for name, annotation in getattr(function, "__annotations__", {}).items():
        with contextlib.suppress(NameError, TypeError, SyntaxError, AttributeError):
            one = SimpleNamespace(__annotations__={name: annotation})
            found |= typing.get_type_hints(one, names, include_extras=True)
    return found


def _spelled_out(hint: Any) -> Any:
    """Write a type without names for types (`NewType`, the `type` statement) and with the contents of containers."""
    hint = BARE.get(hint, hint) if isinstance(hint, type) else hint
    origin, parts = get_origin(hint), get_args(hint)
    if isinstance(hint, typing.NewType):
        return _spelled_out(hint.__supertype__)
    if type(origin or hint).__name__ == "TypeAliasType":  # of Python 3.12, or of typing_extensions
        try:
            return _spelled_out(hint.__value__ if origin is None else origin.__value__[parts])
        except NameError:  # it is evaluated when it is asked for
            return Any
    if origin is Annotated:
        return Annotated[_spelled_out(parts[0]), *parts[1:]]
    if origin in (Union, UnionType):
        return Union[tuple(map(_spelled_out, parts))]  # noqa: UP007  # of parts that are known only here
    if origin in BARE:  # also those of `typing`, such as `List`, which have an origin without parts
        return origin[tuple(map(_spelled_out, parts))] if parts else BARE[origin]
    return hint


def marks_of(hint: Any) -> tuple[Any, ...]:
    """List what `Annotated` says in a type and in its parts."""
    if get_origin(hint) is Literal:
        return ()
    inner, *own = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    parts = (inner,) if own else get_args(inner)
    return (*(mark for part in parts for mark in marks_of(part)), *own)


def _written(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"
