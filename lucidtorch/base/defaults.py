"""Defaults of earlier versions, so that a changed default never changes a picture that was made before.

Records write every argument since version 0.2. Those of 0.1.0 left out what had its default then: they are read, and
go on, with the defaults of `CHANGED`. Whoever changes a default, or adds an argument whose default is not what was
done before, adds a line there.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, TypeAlias

Defaults: TypeAlias = Mapping[str, Mapping[str, Any]]  # by word of the notation, and by argument

FIRST = "0.1.0"  # the version whose records left defaults out
CHANGED: Mapping[str, Defaults] = {
    FIRST: {
        "crop_or_pad_to": {"odd_cut": "start"},
        "strong": {"odd_cut": "start"},
        "atlas": {"odd_cut": "start"},
        "textured": {"references": "worn"},
    }
}

_earlier: ContextVar[Defaults | None] = ContextVar("earlier defaults", default=None)
_whole: ContextVar[bool] = ContextVar("every argument is written", default=False)


@contextlib.contextmanager
def defaults_of(version: str | None) -> Iterator[None]:
    """Read and write texts in the block as a version did that left defaults out."""
    token = _earlier.set(None if version is None else CHANGED[version])
    try:
        yield
    finally:
        _earlier.reset(token)


def with_defaults(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function have the defaults that hold here."""
    earlier = (_earlier.get() or {}).get(name)
    if earlier is None:
        return function

    def call(*args: Any, **kwargs: Any) -> Any:
        given = inspect.signature(function).bind_partial(*args, **kwargs).arguments
        return function(*args, **kwargs, **{word: value for word, value in earlier.items() if word not in given})

    return call


def default_of(name: str, parameter: inspect.Parameter) -> Any:
    """Say what a text means that leaves an argument out."""
    return (_earlier.get() or {}).get(name, {}).get(parameter.name, parameter.default)


def is_earlier() -> bool:
    """Say whether an earlier version's defaults hold here."""
    return _earlier.get() is not None


def is_written_whole() -> bool:
    """Say whether texts write arguments that have their defaults."""
    return _whole.get()


def record_text(value: object) -> str:
    """Write a value as records hold it: with every argument, or as an earlier version did where its defaults hold."""
    token = _whole.set(not is_earlier())
    try:
        return repr(value)
    finally:
        _whole.reset(token)


def today_text(value: object) -> str:
    """Write a value for texts that are read later, when no earlier version's defaults hold."""
    with defaults_of(None):
        return repr(value)


def key_text(value: object) -> str:
    """Write a value for checksums and seeds, which no changed default may change."""
    with defaults_of(FIRST):
        return repr(value)
