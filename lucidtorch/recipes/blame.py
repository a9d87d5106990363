"""Which field of a recipe an error is about."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TypeAlias

from lucidtorch.base.errors import BadInputError, RecipeError

Key: TypeAlias = tuple[str | int, ...]  # the way to a value in a recipe, such as ("layers", 1)


class FieldError(RecipeError):
    """A field of a recipe does not fit.

    Args:
        key: The way to the field.
        problem: What is wrong, was given, and is to be written instead.
    """

    def __init__(self, key: Key, problem: str) -> None:
        super().__init__(f"{key_text(key)}: {problem}" if key else problem)
        self.key = key
        self.problem = problem

    def __reduce__(self) -> tuple[type[FieldError], tuple[Key, str]]:
        return type(self), (self.key, self.problem)


@contextlib.contextmanager
def blamed(*key: str | int) -> Iterator[None]:
    """Say of any bad input in the block which field it stood in."""
    try:
        yield
    except FieldError:
        raise
    except BadInputError as error:
        raise FieldError(key, str(error)) from error


def key_text(key: Key) -> str:
    """Write the way to a field with dots."""
    parts = (part if isinstance(part, int) or part.isprintable() else repr(part) for part in key)
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".")
