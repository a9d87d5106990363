"""What a picture carries: its settings as text, and the versions that decide its bytes."""

from __future__ import annotations

import json

import pytest
import torch

from lucidtorch.base.errors import RecipeError
from lucidtorch.base.records import read_settings, settings_text, versions


def test_settings_are_the_same_text_for_the_same_settings() -> None:
    first = {"kind": "render", "b": [1, 2.5], "a": {"y": None, "x": "ä"}}
    second = {"a": {"x": "ä", "y": None}, "b": [1, 2.5], "kind": "render"}
    assert settings_text(first) == settings_text(second)
    assert read_settings(settings_text(first), "here") == first
    assert json.loads(settings_text(first)) == first


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"a": 1}'])
def test_other_texts_are_no_settings(text: str) -> None:
    with pytest.raises(RecipeError, match="here"):
        read_settings(text, "here")


def test_versions_name_what_computes() -> None:
    found = versions()
    assert torch.__version__.startswith(found["torch"])
    assert {"python", "numpy", "kornia"} <= set(found)
