"""What a kind of recipe says of its fields, at every depth: which there are, and in which range their values lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lucidtorch.recipes.blame import Key

BOUNDS = ("gt", "ge", "lt", "le")


def known_fields(kind: type[BaseModel], key: Key) -> Mapping[str, FieldInfo]:
    """List the fields of the mapping at a key."""
    fields: dict[str, FieldInfo] = dict(kind.model_fields)
    for part in key:
        if isinstance(part, str):
            models = _models(fields[part].annotation) if part in fields else ()
            fields = {name: one for model in models for name, one in model.model_fields.items()}
    return fields


def description(kind: type[BaseModel], key: Key) -> str:
    """Say what a field is."""
    field = known_fields(kind, key[:-1]).get(str(key[-1]))
    return "" if field is None else field.description or ""


def value_range(kind: type[BaseModel], key: Key, bound: str, limit: float) -> str:
    """Say in which range the numbers of a field lie."""
    names = [place for place, part in enumerate(key) if isinstance(part, str)]
    field = known_fields(kind, key[: names[-1]]).get(str(key[names[-1]])) if names else None
    for limits in () if field is None else _limits(field.annotation, field.metadata):
        if limits.get(bound) == limit:
            return _range_text(limits)
    return _range_text({bound: limit})


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for one in get_args(annotation):
        yield from _models(one)


def _limits(annotation: Any, metadata: Any = ()) -> Iterator[dict[str, float]]:
    """Go through the limits of a type and of all that it is made of."""
    flat = [part for one in metadata for part in (one.metadata if isinstance(one, FieldInfo) else (one,))]
    yield {bound: getattr(one, bound) for one in flat for bound in BOUNDS if hasattr(one, bound)}
    for one in get_args(annotation):
        yield from _limits(one, getattr(one, "__metadata__", ()))


def _range_text(limits: Mapping[str, float]) -> str:
    words = {"gt": "above {}", "ge": "from {}", "lt": "below {}", "le": "to {}" if "ge" in limits else "up to {}"}
    return " and ".join(words[bound].format(limits[bound]) for bound in BOUNDS if bound in limits).replace(
        " and to ", " to "
    )
