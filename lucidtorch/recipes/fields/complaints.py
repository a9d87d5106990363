"""What pydantic finds wrong with a recipe, as one plain sentence about one field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from pydantic import BaseModel, ValidationError

from lucidtorch.base.errors import suggestion
from lucidtorch.base.shown import shown
from lucidtorch.recipes.blame import FieldError, Key, key_text
from lucidtorch.recipes.fields.field_facts import BOUNDS, description, known_fields, value_range

UNKNOWN, MISSING, WORDS = "extra_forbidden", "missing", "literal_error"
NEEDED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "model_type": "a mapping",
    "dict_type": "a mapping",
}
NOT_IN_FILES = "is_instance_of"  # a branch that only a Python program can take

Finding: TypeAlias = Mapping[str, Any]  # an error as pydantic tells it


class Complaint(NamedTuple):
    """What is wrong with a field.

    Args:
        key: The way to it.
        problem: What is wrong, was given, and is to be written instead.
        unknown: Whether there is no field of that name.
    """

    key: Key
    problem: str
    unknown: bool = False


def complaint(kind: type[BaseModel], values: Mapping[str, Any], error: ValidationError) -> Complaint:
    """Choose what to say first: a name that there is not, else the first field that does not fit."""
    found = [(_key(one["loc"], values, missing=one["type"] == MISSING), one) for one in error.errors()]
    for key, one in found:
        if one["type"] == UNKNOWN:
            return Complaint(key, _unknown(kind, values, key), unknown=True)
    about = [(key, one) for key, one in found if key[:1] == found[0][0][:1]]
    key, one = max(about, key=lambda pair: (_is_close(pair[1]), len(pair[0])))
    if one["type"] == "value_error":
        return _own_words(key, one["ctx"]["error"])
    if _is_close(one):
        return Complaint(key, _misfit(kind, key, one))
    return Complaint(key, _other_sort([one for place, one in about if place == key]))


def _key(loc: Sequence[str | int], values: Any, *, missing: bool) -> Key:
    """Leave out of a way what names no value but a branch of a type."""
    key: list[str | int] = []
    for part in loc:
        listed = isinstance(values, list | tuple) and isinstance(part, int) and part < len(values)
        if listed or (isinstance(values, Mapping) and part in values):
            values = values[part]
            key.append(part)
    return (*key, loc[-1]) if missing else tuple(key)


def _is_close(one: Finding) -> bool:
    """Whether a value is of a right sort, and something else about it is wrong."""
    return one["type"] not in (*NEEDED, NOT_IN_FILES, WORDS)


def _unknown(kind: type[BaseModel], values: Mapping[str, Any], key: Key) -> str:
    owner = key_text(key[:-1]) or values.get("recipe", kind.__name__)
    return f"{owner} has no such field. {suggestion(str(key[-1]), known_fields(kind, key[:-1]))}".rstrip()


def _misfit(kind: type[BaseModel], key: Key, one: Finding) -> str:
    """Say what is wrong with a value of a right sort."""
    context, given = one.get("ctx", {}), in_yaml(one["input"])
    bound = next((bound for bound in BOUNDS if bound in context), None)
    if bound is not None:
        return f"A number {value_range(kind, key, bound, context[bound])} is needed, but {given} was given."
    match one["type"]:
        case "missing":
            return f"This field is needed. {description(kind, key)}".rstrip()
        case "too_short":
            return f"At least {_values(context['min_length'])} needed, but {given} was given."
        case "too_long":
            return f"At most {_values(context['max_length'])} possible, but there are {context['actual_length']}."
        case "string_too_short":
            return "The text is empty."
        case "finite_number":
            return f"A finite number is needed, but {given} was given."
        case _:
            return f"{one['msg']}, but {given} was given."


def _values(count: int) -> str:
    return "one value is" if count == 1 else f"{count} values are"


def _other_sort(findings: Sequence[Finding]) -> str:
    """Say which sorts of values a field takes."""
    words = [one["ctx"]["expected"] if one["type"] == WORDS else NEEDED.get(one["type"], "") for one in findings]
    needed = list(dict.fromkeys(word for word in words if word))
    listed = needed[0] if len(needed) == 1 else f"{', '.join(needed[:-1])} or {needed[-1]}"
    value = findings[0]["input"]
    quote = NEEDED["string_type"] in needed and value is not None and not isinstance(value, list | tuple)
    said = f"{listed[0].upper()}{listed[1:]} is needed, but {in_yaml(value)} was given"
    return f"{said}; if a text is meant, put it in quotes." if quote else f"{said}."


def _own_words(key: Key, error: Exception) -> Complaint:
    """Take what a check of lucidtorch's own says."""
    if isinstance(error, FieldError):
        return Complaint((*key, *error.key), error.problem)
    return Complaint(key, str(error))


def in_yaml(value: Any) -> str:
    """Write a value for a message."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    return shown(list(value) if isinstance(value, tuple) else value)
