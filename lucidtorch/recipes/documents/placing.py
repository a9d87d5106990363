"""Where in a recipe the fault stands that an error speaks of."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from lucidtorch.base.errors import (
    BadInputError,
    ObjectiveError,
    OutputError,
    RecipeError,
    SizeError,
    UnitError,
    UnknownLabelError,
    UnknownLayerError,
)
from lucidtorch.recipes.blame import FieldError, Key, key_text
from lucidtorch.recipes.documents.document import Document
from lucidtorch.recipes.fields.checking import UnknownFieldError

# Which fields an error is about that does not say its field, the likeliest first.
LIKELY: tuple[tuple[type[BadInputError], tuple[str, ...]], ...] = (
    (UnitError, ("objective", "objectives", "units", "layers")),
    (ObjectiveError, ("objective", "objectives")),
    (UnknownLabelError, ("objective", "objectives")),
    (UnknownLayerError, ("objective", "objectives", "layers")),
    (SizeError, ("size", "param")),
)


@contextlib.contextmanager
def placed(document: Document) -> Iterator[None]:
    """Say of any bad input in the block where in the recipe it stands."""
    try:
        yield
    except FieldError as error:
        where = document.place(error.key, name=isinstance(error, UnknownFieldError))
        said = error.problem if where.endswith(f" {key_text(error.key)}") else str(error)
        raise RecipeError(f"{where}: {said}") from error
    except OutputError:
        raise
    except BadInputError as error:
        key = _likely_key(error, document.values)
        raise RecipeError(f"{document.place(key)}: {key_text(key)}{': ' if key else ''}{error}") from error


def _likely_key(error: BadInputError, values: dict[str, Any]) -> Key:
    fields = next((fields for kind_of_error, fields in LIKELY if isinstance(error, kind_of_error)), ())
    return next(((field,) for field in fields if values.get(field) is not None), ())
