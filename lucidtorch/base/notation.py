"""The one notation: how calls print, so that what was typed, the repr and a recipe are the same text."""

from __future__ import annotations

import dataclasses
import inspect
import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor, nn

from lucidtorch.base.arrays import Array, Pictured
from lucidtorch.base.checks import MOST_VALUES, Hints, fitted, hints_of, is_dense, is_whole, marks_of, plain
from lucidtorch.base.defaults import default_of, is_written_whole
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.shown import shown

SUM, PRODUCT, NEGATION, POWER, ATOM = 1, 2, 3, 4, 5  # how tightly each form binds; `**` binds most
STARS: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


class Operator(NamedTuple):
    """What an operator computes, how tightly it binds, and how tightly each side must, to need no parentheses."""

    compute: Callable[[Any, Any], Any]
    binding: int
    left: int
    right: int


OPERATORS = {
    "+": Operator(operator.add, SUM, SUM, PRODUCT),
    "-": Operator(operator.sub, SUM, SUM, PRODUCT),
    "*": Operator(operator.mul, PRODUCT, PRODUCT, NEGATION),
    "/": Operator(operator.truediv, PRODUCT, PRODUCT, NEGATION),
    "**": Operator(operator.pow, POWER, ATOM, NEGATION),
}


class FrozenMapping(Mapping[int, object]):
    """A mapping from whole numbers to hashable values that never changes, in the order of its numbers."""

    def __init__(self, entries: Mapping[int, object]) -> None:
        self._entries = dict(sorted(entries.items()))

    def __getitem__(self, number: int) -> object:
        return self._entries[number]

    def __iter__(self) -> Iterator[int]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __hash__(self) -> int:
        return hash(tuple(self._entries.items()))

    def __repr__(self) -> str:
        return repr(self._entries)


def freeze(value: object) -> object:
    """Make an argument immutable, keeping its meaning."""
    value = plain(value.item() if isinstance(value, np.generic) else value)
    if isinstance(value, Tensor) and not is_dense(value):
        raise BadInputError(f"Real numbers are needed, one by one, but {shown(value)} was given.")
    if isinstance(value, Tensor | np.ndarray):
        return _frozen_numbers(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise BadInputError(f"A finite number is needed, but {shown(value)} was given.")
    if isinstance(value, list | tuple | range):
        if value[MOST_VALUES:]:
            raise BadInputError(f"At most {MOST_VALUES} values in a list are possible; {shown(value)} has more.")
        try:
            return tuple(freeze(item) for item in value)
        except RecursionError as error:
            raise BadInputError("A list that holds itself, or lists too deep in each other, were given.") from error
    if isinstance(value, Mapping):
        return FrozenMapping({_whole_key(key): freeze(item) for key, item in value.items()})
    return value


def _whole_key(key: object) -> int:
    key = plain(key)
    if not is_whole(key):
        raise BadInputError(f"A mapping goes from whole numbers, such as {{3: 1.0}}, but it has the key {shown(key)}.")
    return key


def _frozen_numbers(value: Tensor | np.ndarray) -> object:
    whole = not value.is_floating_point() if isinstance(value, Tensor) else value.dtype.kind in "iub"
    if value.ndim == 0 or whole:
        return freeze(value.tolist())
    array = Array.of(value)
    return freeze(array.numpy().tolist()) if array.is_inline else array


def format_value(value: object) -> str:
    """Write one argument as text that reads back."""
    if isinstance(value, tuple):
        return f"[{', '.join(format_value(item) for item in value)}]"
    if isinstance(value, FrozenMapping):
        return f"{{{', '.join(f'{key}: {format_value(item)}' for key, item in value.items())}}}"
    if isinstance(value, nn.Module):  # a layer named by itself, until a render writes its address
        return f"<{type(value).__name__}>"
    return repr(value)


def bind(
    function: Callable[..., Any],
    args: tuple[object, ...],
    kwargs: Mapping[str, object],
    hints: Hints | None = None,
) -> dict[str, object]:
    """Match arguments to a function's parameters, as a call would, and check them against its annotations."""
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    parameters = bound.signature.parameters
    hints = hints_of(function) if hints is None else hints
    found: dict[str, object] = {}
    for name, value in bound.arguments.items():
        hint = hints.get(name, Any)
        marks = marks_of(hint)
        if Pictured in marks and not isinstance(value, str | None):  # those are refused below, with what is taken
            value = Array.of(value)
        try:
            frozen = freeze(value)
        except BadInputError as error:
            raise type(error)(f"{function.__name__}({name}): {error}") from error
        if Array in marks:  # the numbers of a long one stand in a file
            frozen = _with_arrays(frozen)
        found[name] = fitted(function.__name__, parameters[name], hint, frozen)
    return found


def _with_arrays(frozen: object) -> object:
    """Put an array in the place of numbers that are too many for a text."""
    if isinstance(frozen, FrozenMapping):
        return FrozenMapping({key: _with_arrays(item) for key, item in frozen.items()})
    if isinstance(frozen, tuple):
        array = Array.of(frozen)
        return frozen if array.is_inline else array
    return frozen


def format_call(name: str, signature: inspect.Signature, arguments: Mapping[str, object]) -> str:
    """Write a call with the fewest words: required arguments by place, others by name and only where they differ.

    In a record, none that has a value is left out. Required arguments that are keyword-only go by name, and those that
    are positional-only always by place.
    """
    parts = []
    for parameter in (one for one in signature.parameters.values() if one.name in arguments):
        value, default = arguments[parameter.name], freeze(default_of(name, parameter))
        required = parameter.default is inspect.Parameter.empty
        if parameter.kind is parameter.POSITIONAL_ONLY or (required and parameter.kind is not parameter.KEYWORD_ONLY):
            parts.append(format_value(value))
        elif required or is_written_whole() or value != default or type(value) is not type(default):
            parts.append(f"{parameter.name}={format_value(value)}")
    return f"{name}({', '.join(parts)})"


class Word:
    """A frozen dataclass of the notation: arguments that are checked and frozen, and the text of the call as `repr`."""

    def __post_init__(self) -> None:
        """Check the arguments against their annotations, and freeze them."""
        for name, value in bind(type(self), (), self._fields()).items():
            object.__setattr__(self, name, value)

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The arrays among the arguments."""
        return tuple(value for value in self._fields().values() if isinstance(value, Array))

    def _fields(self) -> dict[str, object]:
        return {one.name: getattr(self, one.name) for one in dataclasses.fields(self) if one.init}  # type: ignore[arg-type]

    def __repr__(self) -> str:
        return format_call(type(self).__name__, inspect.signature(type(self)), self._fields())


def format_operation(signs: Sequence[str], parts: Sequence[tuple[str, int]]) -> str:
    """Write texts with a sign before each, in parentheses where they bind less tightly than their place asks."""
    if len(parts) == 1:
        return f"{signs[0]}{_bracketed(*parts[0], NEGATION, signed=True)}"
    is_power = signs[1] == "**"
    text = _bracketed(*parts[0], OPERATORS[signs[1]].left, signed=not is_power)
    for sign, part in zip(signs[1:], parts[1:], strict=True):
        text += f" {sign} {_bracketed(*part, OPERATORS[sign].right, signed=is_power)}"
    return text


def _bracketed(text: str, own: int, needed: int, *, signed: bool) -> str:
    """Write a part, in parentheses where it would be read otherwise; some places take no sign at its start."""
    return f"({text})" if own < needed or (text.startswith("-") and not signed) else text


def usage(name: str, function: Callable[..., Any]) -> str:
    """Write how a function is called, for error messages."""
    parts = []
    for parameter in inspect.signature(function).parameters.values():
        word, default = f"{STARS.get(parameter.kind, '')}{parameter.name}", parameter.default
        parts.append(word if default is inspect.Parameter.empty else f"{word}={default!r}")
    return f"{name}({', '.join(parts)})"
