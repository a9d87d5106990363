"""The JSON Schema of recipes, before an independent validator."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lucidtorch.recipes.documents.loading import load
from lucidtorch.recipes.documents.schema import schema
from lucidtorch.recipes.documents.shipped import shipped_names
from lucidtorch.recipes.kinds import KINDS, kind

GOOD = {"recipe": "render", "model": "demo", "objective": "conv2_1:3"}


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    return schema()


@pytest.fixture(scope="module")
def validator(whole: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(whole)


def test_it_is_a_schema_of_its_dialect(whole: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(whole)
    assert whole["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert whole["title"]
    assert "$id" not in str(whole)


@pytest.mark.parametrize("name", shipped_names())
def test_every_recipe_that_ships_is_valid(name: str, validator: Draft202012Validator) -> None:
    assert [error.message for error in validator.iter_errors(load(name).values)] == []


@pytest.mark.parametrize("name", KINDS)
def test_every_field_of_a_kind_stands_there_with_its_help(name: str, whole: dict[str, Any]) -> None:
    own = next(part for part in whole["$defs"].values() if part["properties"].get("recipe", {}).get("const") == name)
    assert set(own["properties"]) == {*kind(name).model_fields, "extends"}
    assert own["additionalProperties"] is False
    assert own["description"] == kind(name).summary
    for field in kind(name).model_fields:
        assert field == "recipe" or own["properties"][field].get("description"), field


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ({}, True),
        ({"size": 24}, True),
        ({"size": [24, 32]}, True),
        ({"size": [24]}, False),
        ({"size": 0}, False),
        ({"steps": True}, False),
        ({"model": {"spec": "demo", "mean": [0, 0, 0]}}, True),
        ({"model": {"spec": "demo", "maen": 0}}, False),
        ({"model": {"mean": 0}}, False),
        ({"recipe": "portrait"}, False),
        ({"layers": "conv1_1"}, False),
        ({"extends": "base.yaml"}, True),
        ({"extends": ["a", "b"]}, True),
        ({"extends": 3}, False),
    ],
    ids=str,
)
def test_names_types_and_ranges(change: dict[str, Any], valid: bool, validator: Draft202012Validator) -> None:
    assert validator.is_valid(GOOD | change) is valid


@pytest.mark.parametrize("missing", GOOD)
def test_what_is_needed_is_not_needed_of_a_recipe_that_extends_another(
    missing: str, validator: Draft202012Validator
) -> None:
    short = {key: value for key, value in GOOD.items() if key != missing}
    assert not validator.is_valid(short)
    assert validator.is_valid(short | {"extends": "render"})
    assert not validator.is_valid(short | {"extends": "render", "stps": 3})


def test_no_recipe_but_a_mapping_is_valid(validator: Draft202012Validator) -> None:
    assert not validator.is_valid([])
    assert not validator.is_valid({})
