"""Reading what stands behind an option."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from lucidtorch.base.errors import BadInputError
from lucidtorch.base.files import user_path
from lucidtorch.base.shown import shown

QUOTES = "'\""
Number = TypeVar("Number", int, float)


def numbers(text: str | None, option: str) -> tuple[float, ...] | None:
    """Read numbers between commas."""
    return None if text is None else _between_commas(text, float, f"{option} takes numbers, such as 0.5,0.5,0.5")


def whole_numbers(text: str | None, option: str) -> tuple[int, ...]:
    """Read whole numbers between commas."""
    return () if text is None else _between_commas(text, int, f"{option} takes whole numbers, such as 64,256")


def top_level_parts(text: str) -> list[str]:
    """Cut a text at the commas that stand in no parentheses, brackets or quotes."""
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote or letter in QUOTES:
            quote = "" if letter == quote else quote or letter
        depth += (letter in "([{") - (letter in ")]}") if not quote else 0
        if letter == "," and depth <= 0 and not quote:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def numbers_or_file(text: str | None, option: str) -> tuple[float, ...] | Path | None:
    """Read numbers between commas, or the path of a file that holds them."""
    if text is None:
        return None
    path = user_path(text)
    if path.is_file():
        return path
    return _between_commas(text, float, f"{option} takes numbers, such as 0.5,0.5,0.5, or the path of a file")


def _between_commas(text: str, kind: Callable[[str], Number], usage: str) -> tuple[Number, ...]:
    try:
        return tuple(kind(part) for part in text.split(","))
    except ValueError as error:
        raise BadInputError(f"{usage}; {shown(text)} was given.") from error
