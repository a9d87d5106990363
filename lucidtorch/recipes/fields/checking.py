"""From plain values to a recipe: what does not fit is said in plain words, with the field it stands in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import ValidationError

from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.fields.complaints import complaint
from lucidtorch.recipes.recipe import Recipe

Kind = TypeVar("Kind", bound=Recipe)
SURROGATE = re.compile("[\ud800-\udfff]")  # halves of letters, which no file can hold


class UnknownFieldError(FieldError):
    """A recipe has a field that there is not: its name is wrong, whatever its value."""


def checked(kind: type[Kind], values: Mapping[str, Any]) -> Kind:
    """Make a recipe of plain values."""
    for name, value in values.items():
        if any(SURROGATE.search(text) for text in _texts(value)):
            raise FieldError((name,), "A letter in it is no Unicode text; write it in UTF-8.")
    try:
        return kind.model_validate({name: _held(value) for name, value in values.items()}, strict=True)
    except ValidationError as error:
        found = complaint(kind, values, error)
        refused = UnknownFieldError if found.unknown else FieldError
        raise refused(found.key, found.problem) from error


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple | dict):
        for one in (*value, *value.values()) if isinstance(value, dict) else value:
            yield from _texts(one)


def _held(value: Any) -> Any:
    """Take lists as tuples, paths as texts, and numbers of numpy as numbers."""
    if isinstance(value, list | tuple):
        return tuple(map(_held, value))
    if isinstance(value, dict):
        return {name: _held(one) for name, one in value.items()}
    if isinstance(value, np.generic):
        return value.item()
    return str(value) if isinstance(value, Path) else value
