"""The types that annotations say, whether Python keeps them as text or not, and what `Annotated` says beside them."""

from __future__ import annotations

import contextlib
import functools
import typing
from collections.abc import Callable, Mapping
from types import SimpleNamespace, UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from torch import Tensor

Hints: TypeAlias = Mapping[str, Any]


@functools.cache
def hints_of(function: Callable[..., Any]) -> Hints:
    """Resolve the annotations of a function or a dataclass."""
    try:
        return typing.get_type_hints(function, include_extras=True)
    except (NameError, TypeError):
        if function.__module__.partition(".")[0] == __name__.partition(".")[0]:
            raise
        return _resolvable(function)


def _resolvable(function: Callable[..., Any]) -> Hints:
    """Resolve those annotations that can be, also where the usual names were imported for the type checker alone."""
    names = {**vars(typing), "Tensor": Tensor, **getattr(function, "__globals__", {})}
    found: dict[str, Any] = {}
    for name, annotation in getattr(function, "__annotations__", {}).items():
        with contextlib.suppress(NameError, TypeError, SyntaxError, AttributeError):
            one = SimpleNamespace(__annotations__={name: annotation})
            found |= typing.get_type_hints(one, names, include_extras=True)
    return found


def marks_of(hint: Any) -> tuple[Any, ...]:
    """List what `Annotated` says in a type and in its parts."""
    if get_origin(hint) is Literal:
        return ()
    inner, *own = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    parts = (inner,) if own else get_args(inner)
    return (*(mark for part in parts for mark in marks_of(part)), *own)


def alternatives(hint: Any) -> tuple[Any, ...]:
    """List the types that a union joins."""
    if get_origin(hint) is Annotated:
        return alternatives(get_args(hint)[0])
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
