"""Mappings as arguments: frozen, compared, printed and read back."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from lucidtorch.base.arrays import Array, ArrayLike
from lucidtorch.base.errors import BadInputError, ExpressionError
from lucidtorch.base.notation import FrozenMapping, bind, format_value, freeze
from lucidtorch.base.parsing import Vocabulary, parse_text


def take(numbers: Mapping[int, float | ArrayLike] | ArrayLike) -> object:
    """A function of the notation."""
    return bind(take, (numbers,), {})["numbers"]


WORDS = Vocabulary(what="a mapping", names={"take": take}, operators=frozenset({"+"}), mappings=True)


def test_a_mapping_is_a_value() -> None:
    first, second = FrozenMapping({3: 1.0, 0: (1, 2)}), FrozenMapping({0: (1, 2), 3: 1.0})
    assert first == second
    assert hash(first) == hash(second)
    assert first != FrozenMapping({3: 1.0})
    assert list(first) == [0, 3]
    for again in (copy.deepcopy(first), pickle.loads(pickle.dumps(first))):
        assert again == first
        assert hash(again) == hash(first)


def test_what_was_given_may_change_afterwards() -> None:
    given: dict[Any, Any] = {np.int64(2): [1, 2], 1: torch.tensor(0.5)}
    frozen = freeze(given)
    given.clear()
    assert frozen == FrozenMapping({1: 0.5, 2: (1, 2)})
    assert format_value(frozen) == "{1: 0.5, 2: [1, 2]}"
    assert format_value(freeze({})) == "{}"


@pytest.mark.parametrize("key", ["a", 1.0, True, None, (1,)])
def test_keys_are_whole_numbers(key: Any) -> None:
    with pytest.raises(BadInputError, match="whole numbers"):
        freeze({key: 1.0})


def test_long_numbers_in_it_become_arrays() -> None:
    frozen = bind(take, ({1: [[0.5] * 10] * 10, 2: [0.5] * 3, 4: torch.zeros(9, 9)},), {})["numbers"]
    assert isinstance(frozen, FrozenMapping)
    assert [type(value) for value in frozen.values()] == [Array, tuple, Array]


@pytest.mark.parametrize(
    "text",
    ["take({3: 1.0})", "take({3:1})", "take({3:[0, 1], 12:0.5})", "take({0:[0.5,1]})", "take({})", "{1: {2: 3}}"],
)
def test_it_is_read(text: str) -> None:
    found = parse_text(text, WORDS)
    assert freeze(found) == freeze(eval(text, {"take": lambda one: one}))  # the texts above


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{'a': 1}", "whole number"),
        ("{1.5: 1}", "whole number"),
        ("{True: 1}", "whole number"),
        ("{**{1: 2}}", "whole number"),
        ("{1: 2, 1: 3}", "twice"),
        ("{1: 2} + {3: 4}", "join"),
        ("-{1: 2}", "unary"),
        ("{1, 2}", "no meaning"),
        ("{a:1}", "no meaning"),
        ("conv:3", "no meaning"),
        ("take({1: nan})", "quotes"),
    ],
)
def test_what_is_none_is_refused(text: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message) as caught:
        parse_text(text, WORDS)
    assert str(caught.value).splitlines()[-1].strip() == "^"


def test_a_notation_without_mappings_knows_none() -> None:
    plain = Vocabulary(what="a number", names={}, operators=frozenset())
    for text in ("{3: 1}", "{3:1}"):
        with pytest.raises(ExpressionError, match="no meaning"):
            parse_text(text, plain)
