"""Values and types in messages: short, on one line, and without asking unknown objects for anything."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePath
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

import numpy as np
from torch import Tensor, nn

from lucidtorch.base.errors import either

LONGEST = 60  # letters of a value in a message
MOST = 6  # values of a list in a message
LONGEST_NUMBER = 128  # bits of a number that is written out
OWN = __name__.partition(".")[0]
BRACKETS: dict[type, str] = {tuple: "()", set: "{}", frozenset: "{}", dict: "{}"}
PLAIN = (float, complex, bool, type(None), Decimal, Fraction, range, slice)
NAMES: dict[Any, tuple[str, str]] = {
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("a text", "texts"),
    bool: ("True or False", "truth values"),
    NoneType: ("None", "None"),
    None: ("None", "None"),
    Tensor: ("a tensor", "tensors"),
    Path: ("a path", "paths"),
    nn.Module: ("a module", "modules"),
    np.ndarray: ("an array of numbers", "arrays of numbers"),
}


def shown(value: object) -> str:
    """Write a value that was given for a message."""
    if isinstance(value, Tensor | np.ndarray):
        return _array(value)
    if isinstance(value, np.generic):
        return shown(value.item())
    if isinstance(value, str | bytes):
        short = value[:LONGEST]
        return f"{short!r}..." if len(value) > LONGEST else repr(value)
    if isinstance(value, PurePath):
        return shown(str(value))
    if isinstance(value, int) and value.bit_length() > LONGEST_NUMBER:
        return f"a whole number of about {int(value.bit_length() * 0.30103) + 1} digits"
    if type(value) in (list, *BRACKETS):
        try:
            return _several(cast("Collection[Any]", value))
        except RecursionError:  # it holds itself
            return f"a {type(value).__name__} in itself"
    if isinstance(value, (int, *PLAIN)) or type(value).__module__.partition(".")[0] == OWN:
        return cut(repr(value))
    return _named(value)


def type_words(hint: Any, *, several: bool = False) -> str:
    """Write the type of an argument for a message."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _demanding(type_words(parts[0], several=several), parts[1:])
    if origin in (Union, UnionType):
        if str in parts and Path in parts:
            parts = (Path, *(one for one in parts if one not in (str, Path)))
        if {Tensor, np.ndarray} < set(parts) and any(get_origin(one) is Sequence for one in parts):
            parts = (np.ndarray, *(one for one in parts if one in (None, NoneType)))  # numbers in whatever form
        return either(list(dict.fromkeys(type_words(one, several=several) for one in parts)))
    if origin is Literal:
        return either([repr(one) for one in parts])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "mappings" if several else f"a mapping from {type_words(parts[0], several=True)}"
    if origin is tuple and Ellipsis not in parts:
        return f"{len(parts)} {type_words(parts[0], several=True)}"
    if isinstance(origin, type) and issubclass(origin, Iterable):
        contents = "" if parts[0] is Any else f" of {type_words(parts[0], several=True)}"
        return "lists" if several else f"a list{contents}"
    if hint is not None and not isinstance(hint, type):
        return "functions" if several else "a function"
    name = getattr(hint, "__name__", "")
    name = name.lower() if name[1:].islower() and hint.__module__.startswith(OWN) else name
    return NAMES.get(hint, (f"{'an' if name[:1] in 'AEIOaeio' else 'a'} {name}", f"{name}s"))[several]


def _demanding(words: str, demands: tuple[Any, ...]) -> str:
    for one in demands:
        if isinstance(one, str) and "tensor" in words:
            words += f" [{', '.join(one.upper().split())}] of finite numbers"
        elif not isinstance(one, str | type):  # bounds
            words += str(one)
    return words.replace("number above 0", "positive number") if words.endswith("above 0") else words


def cut(text: str, most: int = LONGEST) -> str:
    """Cut a text that is too long for a message."""
    line = " ".join(text[: most + 1].split("\n"))
    return line if len(text) <= most else f"{line[:most]}..."


def cut_lines(text: str, column: int | None = None, most: int = 160) -> str:
    """Cut a line of text around a column and, where there is one, point at that column from the next line."""
    start = 0 if column is None or len(text) <= most else max(0, min(column - most // 2, len(text) - most))
    left, right = "..." * (start > 0), "..." * (start + most < len(text))
    line = f"{left}{text[start : start + most]}{right}"
    return line if column is None else f"{line}\n  {' ' * (column - start + len(left))}^"


def _array(value: Tensor | np.ndarray) -> str:
    what, kind = ("a tensor", str(value.dtype)[6:]) if isinstance(value, Tensor) else ("an array", str(value.dtype))
    place = " on the meta device" if isinstance(value, Tensor) and value.is_meta else ""
    sparse = " sparse" if isinstance(value, Tensor) and "sparse" in str(value.layout) else ""
    return f"{what} {list(value.shape)}{sparse} {kind}{place}"


def _several(value: Collection[Any]) -> str:
    brackets = BRACKETS.get(type(value), "[]")
    parts = [shown(one) for one in itertools.islice(value, MOST)]
    if isinstance(value, dict):
        parts = [f"{key}: {shown(one)}" for key, one in zip(parts, list(value.values()), strict=False)]
    more = ["..."] * (len(value) > MOST)
    comma = "," if type(value) is tuple and len(parts) == 1 else ""
    return cut(f"{brackets[0]}{', '.join(parts + more)}{comma}{brackets[1]}")


def _named(value: object) -> str:
    if isinstance(value, type):
        return f"the class {cut(value.__name__)}"
    name = getattr(value, "__name__", None) if callable(value) else None
    if isinstance(name, str):
        return f"the function {cut(name)}"
    kind = cut(type(value).__name__)
    return f"{'an' if kind[:1] in 'AEIOaeio' else 'a'} {kind}"
