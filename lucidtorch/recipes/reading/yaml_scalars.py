"""Plain words in YAML by the core schema of YAML 1.2: what looks like a text is one."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

Scalar: TypeAlias = bool | int | float | str | None


class ScalarKind(NamedTuple):
    """A kind of words that are no texts.

    Args:
        name: Its name in YAML.
        pattern: What its words look like.
        first: The letters that they begin with; an empty text for the empty word.
        value: Reads one.
    """

    name: str
    pattern: re.Pattern[str]
    first: tuple[str, ...]
    value: Callable[[str], Scalar]


DIGITS = tuple("0123456789")
SIGNS = ("+", "-")

KINDS = (
    ScalarKind("null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ("~", "n", "N", ""), lambda _: None),
    ScalarKind(
        "bool",
        re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"),
        ("t", "T", "f", "F"),
        lambda text: text.lower() == "true",
    ),
    ScalarKind("int", re.compile(r"[-+]?[0-9]+\Z"), (*SIGNS, *DIGITS), int),
    ScalarKind("int", re.compile(r"0o[0-7]+\Z"), ("0",), lambda text: int(text, 8)),
    ScalarKind("int", re.compile(r"0x[0-9a-fA-F]+\Z"), ("0",), lambda text: int(text, 16)),
    ScalarKind(
        "float",
        re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z"),
        (*SIGNS, *DIGITS, "."),
        float,
    ),
    ScalarKind(
        "float",
        re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"),
        (*SIGNS, "."),
        lambda text: float(text.replace(".", "")),
    ),
)


def plain_value(text: str) -> Scalar:
    """Read a word that stands in no quotes."""
    for kind in KINDS:
        if kind.pattern.match(text):
            return _finite(kind.value, text)
    return text


def _finite(read: Callable[[str], Scalar], text: str) -> Scalar:
    try:
        value = read(text)
    except ValueError as error:
        raise ValueError(f"A number of {len(text)} digits is too long; write a shorter one.") from error
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{text} is no number that a recipe can hold; write a finite one, or put a text in quotes.")
    return value
