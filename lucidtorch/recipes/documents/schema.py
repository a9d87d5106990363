"""The JSON Schema of recipes."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from lucidtorch.recipes.documents.extending import EXTENDS
from lucidtorch.recipes.kinds import KINDS, kind

DIALECT = "https://json-schema.org/draft/2020-12/schema"
EXTENDED = {
    "description": "What this recipe stands on: a file in its folder or below, or the name of one that ships.",
    "anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": {"type": "string", "minLength": 1}}],
}
NEEDED = ("recipe", "model")  # by every recipe that extends none, beside what its kind needs


class _Plain(GenerateJsonSchema):
    """Leaves out titles that say what the name of a field says."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Decide whether a field has a title."""
        return False


def schema() -> dict[str, Any]:
    """Write down what recipes may hold."""
    kinds = {name: kind(name) for name in KINDS}
    pairs: list[tuple[type[BaseModel], Any]] = [(one, "validation") for one in kinds.values()]
    places, whole = models_json_schema(pairs, schema_generator=_Plain)
    parts = whole["$defs"]
    for part in parts.values():
        part.pop("title", None)
        part["description"] = part.get("description", "").split("\n\n")[0]
    refs = [places[pair] for pair in pairs]
    for one, ref in zip(kinds.values(), refs, strict=True):
        _finish(parts[ref["$ref"].rpartition("/")[2]], one.summary)
    return {"$schema": DIALECT, "title": "A recipe of lucidtorch", "type": "object", "anyOf": refs, "$defs": parts}


def _finish(part: dict[str, Any], summary: str) -> None:
    """Let the schema of a kind allow for recipes that extend others."""
    part["description"] = summary
    part["properties"][EXTENDS] = EXTENDED
    needed = dict.fromkeys((*NEEDED, *part.pop("required", ())))
    part["if"] = {"required": [EXTENDS]}
    part["else"] = {"required": list(needed)}
