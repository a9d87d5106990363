"""Any values at all become a recipe, or a plain sentence about one field."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.documents.schema import schema
from lucidtorch.recipes.fields.checking import UnknownFieldError, checked
from lucidtorch.recipes.fields.complaints import in_yaml
from lucidtorch.recipes.kinds import KINDS, kind

WORDS = st.sampled_from([None, True, 0, 1, -1, 2**70, 0.5, -0.0, 1e300, "", "a", "conv1_1:3", "star", "adam", "all"])
NAMES = st.sampled_from(["spec", "mean", "drawing", "number", "versions", "files", "name", "transforms", "a", "0"])
VALUES = st.recursive(
    WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=5
)
# Names of Python and of pydantic that mean nothing to who writes a recipe.
FOREIGN = re.compile(r"pydantic|Input should|tuple\[|constrained|NoneType|<class|Value error|\bstr\b|\bint\b|Network\b")


def refusal(name: str, values: dict[str, Any]) -> FieldError | None:
    """What is said of values; nothing where they are a recipe."""
    try:
        checked(kind(name), values)
    except FieldError as error:
        return error
    return None


@pytest.mark.parametrize("name", KINDS)
def test_any_values_are_a_recipe_or_refused_with_their_field(name: str) -> None:
    fields = list(kind(name).model_fields)
    validator = Draft202012Validator(schema())
    needed = {"objective": "a:1", "objectives": ["a:1", "a:2"], "layers": "a", "image": "x.png", "data": "photos"}
    good = {key: value for key, value in needed.items() if key in fields} | {"recipe": name, "model": "demo"}

    @settings(max_examples=60)
    @given(st.dictionaries(st.sampled_from([one for one in fields if one != "recipe"]), VALUES, max_size=2))
    def check(values: dict[str, Any]) -> None:
        whole = good | values
        error = refusal(name, whole)
        if error is None:
            assert validator.is_valid(whole)
            return
        assert error.key == () or error.key[0] in whole
        assert not FOREIGN.search(error.problem)
        assert error.problem.endswith((".", "?"))

    check()


@pytest.mark.parametrize(
    ("name", "values", "key", "problem"),
    [
        ("layer_sheet", {}, ("layers",), "This field is needed. The address of a layer, or several."),
        ("layer_sheet", {"layers": ()}, ("layers",), "At least one value is needed, but [] was given."),
        (
            "layer_sheet",
            {"layers": "a", "units": [1, True]},
            ("units", 1),
            "A whole number is needed, but true was given.",
        ),
        (
            "layer_sheet",
            {"layers": "a", "units": 1.5},
            ("units",),
            "A text, a whole number or a list is needed, but 1.5 was given; if a text is meant, put it in quotes.",
        ),
        ("render", {"objective": "a:1", "lr": float("nan")}, ("lr",), "A finite number is needed, but nan was given."),
        (
            "render",
            {"objective": "a:1", "size": 9000},
            ("size",),
            "A number from 1 to 8192 is needed, but 9000 was given.",
        ),
        (
            "render",
            {"objective": "a:1", "made_with": {"files": {"a": 3}}},
            ("made_with", "files", "a"),
            "A text is needed, but 3 was given; if a text is meant, put it in quotes.",
        ),
        (
            "activation_grid",
            {"layers": "a", "image": {"drawing": "star", "number": -1}},
            ("image", "number"),
            "A number from 0 to 999 is needed, but -1 was given.",
        ),
    ],
    ids=str,
)
def test_what_is_said(name: str, values: dict[str, Any], key: tuple[str | int, ...], problem: str) -> None:
    with pytest.raises(FieldError) as error:
        checked(kind(name), values)
    assert (error.value.key, error.value.problem) == (key, problem)


def test_a_wrong_name_is_told_before_what_is_missing() -> None:
    with pytest.raises(UnknownFieldError, match=r"layer: layer_sheet has no such field\. Did you mean 'layers'"):
        checked(kind("layer_sheet"), {"recipe": "layer_sheet", "layer": "a", "steps": 0})


def test_long_values_are_cut() -> None:
    assert in_yaml(list(range(1000))) == "[0, 1, 2, 3, 4, 5, ...]"
    assert (in_yaml(None), in_yaml(False), in_yaml("a"), in_yaml((1, 2))) == ("nothing", "false", "'a'", "[1, 2]")
