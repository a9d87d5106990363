"""Names with the modules that defined them."""

from __future__ import annotations

import pytest

from lucidtorch.base.errors import BadInputError, ObjectiveError
from lucidtorch.base.registry import Registry
from lucidtorch.constraints.text import VOCABULARY as CONSTRAINTS
from lucidtorch.objectives.term import DEFINITIONS
from lucidtorch.param.text import VOCABULARY as PARAMS
from lucidtorch.transforms.text import VOCABULARY as TRANSFORMS


def test_a_name_belongs_to_the_module_that_defined_it() -> None:
    words: Registry[int] = Registry("objective", ObjectiveError)
    words.add("peak", 1, "first")
    words.add("peak", 2, "first")
    assert words["peak"] == 2
    assert words.module_of("peak") == "first"
    with pytest.raises(
        ObjectiveError, match=r"^There is an objective 'peak' already, in first; choose another name\.$"
    ):
        words.add("peak", 3, "second")
    assert dict(words) == {"peak": 2}


def test_a_name_that_nobody_defined_is_refused() -> None:
    words: Registry[int] = Registry("transform")
    with pytest.raises(BadInputError, match="No transform 'peak' is defined here; import the module that defines it"):
        words["peak"]
    assert "peak" not in words
    assert words.get("peak") is None


def test_words_are_registered_under_their_own_names() -> None:
    words = Registry.of("constraint", (len, Registry))
    assert words == {"len": len, "Registry": Registry}
    assert words.module_of("Registry") == "lucidtorch.base.registry"


def test_every_word_of_the_notation_has_a_module() -> None:
    for vocabulary in (PARAMS, TRANSFORMS, CONSTRAINTS):
        assert isinstance(vocabulary.names, Registry)
        assert all(vocabulary.names.module_of(name) == word.__module__ for name, word in vocabulary.names.items())
    assert DEFINITIONS.module_of("channel") == "lucidtorch.objectives.units"
