"""Arithmetic on objectives against arithmetic on their values."""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
import torch

from lucidtorch.base.errors import BadInputError
from lucidtorch.objectives import L2, Objective, channel, deepdream, direction, each, parse

VALUES = {
    "a": torch.tensor([[[[2.0]], [[3.0]]], [[[0.5]], [[7.0]]]], dtype=torch.float64),
    "b": torch.tensor([[[[5.0]], [[0.25]]], [[[4.0]], [[1.5]]]], dtype=torch.float64),
}
A, B = channel("a", 0), channel("b", 1)
A_VALUES, B_VALUES = [2.0, 0.5], [0.25, 1.5]

FORMS: list[tuple[Callable[[Any, Any], Any], str]] = [
    (lambda a, b: a - b, "channel('a', 0) - channel('b', 1)"),
    (lambda a, b: a + b, "channel('a', 0) + channel('b', 1)"),
    (lambda a, b: 2 * a + 3 * b, "2 * channel('a', 0) + 3 * channel('b', 1)"),
    (lambda a, b: 1 - a, "1 - channel('a', 0)"),
    (lambda a, b: a - 1, "channel('a', 0) - 1"),
    (lambda a, b: 1 + a, "1 + channel('a', 0)"),
    (lambda a, b: a * b, "channel('a', 0) * channel('b', 1)"),
    (lambda a, b: a * 2.5, "channel('a', 0) * 2.5"),
    (lambda a, b: a / b, "channel('a', 0) / channel('b', 1)"),
    (lambda a, b: 1 / a, "1 / channel('a', 0)"),
    (lambda a, b: a / 4, "channel('a', 0) / 4"),
    (lambda a, b: a**2, "channel('a', 0) ** 2"),
    (lambda a, b: 2**a, "2 ** channel('a', 0)"),
    (lambda a, b: a**b, "channel('a', 0) ** channel('b', 1)"),
    (lambda a, b: -a, "-channel('a', 0)"),
    (lambda a, b: -(a**2), "-channel('a', 0) ** 2"),
    (lambda a, b: (-a) ** 2, "(-channel('a', 0)) ** 2"),
    (lambda a, b: -(a + b), "-(channel('a', 0) + channel('b', 1))"),
    (lambda a, b: a - (b - a), "channel('a', 0) - (channel('b', 1) - channel('a', 0))"),
    (lambda a, b: a - (-b), "channel('a', 0) - (-channel('b', 1))"),
    (lambda a, b: a / (b * a), "channel('a', 0) / (channel('b', 1) * channel('a', 0))"),
    (lambda a, b: a / b * a, "channel('a', 0) / channel('b', 1) * channel('a', 0)"),
    (lambda a, b: (a + b) * (a - b), "(channel('a', 0) + channel('b', 1)) * (channel('a', 0) - channel('b', 1))"),
    (lambda a, b: 1 + 1 * (-a) / 1 - 1, "1 + 1 * (-channel('a', 0)) / 1 - 1"),
    (lambda a, b: (a**b) ** 2, "(channel('a', 0) ** channel('b', 1)) ** 2"),
    (lambda a, b: a ** (b**2), "channel('a', 0) ** channel('b', 1) ** 2"),
    (lambda a, b: a**-2, "channel('a', 0) ** -2"),
    (lambda a, b: -3 * a - -3, "-3 * channel('a', 0) - (-3)"),
]


@pytest.mark.parametrize(("form", "text"), FORMS, ids=[text for _, text in FORMS])
def test_arithmetic_is_arithmetic_on_values(form: Callable[[Any, Any], Any], text: str) -> None:
    objective = form(A, B)
    expected = [form(a, b) for a, b in zip(A_VALUES, B_VALUES, strict=True)]
    assert isinstance(objective, Objective)
    assert objective(VALUES).tolist() == pytest.approx(expected, abs=1e-10)
    assert repr(objective) == text
    assert parse(text) == objective


def test_operands_are_not_changed() -> None:
    before = copy.deepcopy((A, B))
    kept = A + B
    for function in (operator.add, operator.sub, operator.mul, operator.truediv, operator.pow):
        function(kept, A), function(B, kept), function(kept, 2), function(2, kept)
    _ = -kept
    assert before == (A, B)
    assert kept == A + B
    assert repr(kept) == "channel('a', 0) + channel('b', 1)"


@pytest.mark.parametrize("name", ["name", "arguments", "new"])
def test_objectives_are_immutable(name: str) -> None:
    with pytest.raises((FrozenInstanceError, AttributeError)):
        setattr(A, name, 3)


def test_arguments_that_change_later_do_not_change_the_objective() -> None:
    units = [0, 1]
    objective = channel("a", units)
    units[0] = 5
    assert repr(objective) == "channel('a', [0, 1])"
    vector = torch.ones(2, dtype=torch.float64)
    pointed = direction("a", vector)
    text = repr(pointed)
    vector.zero_()
    assert repr(pointed) == text
    assert pointed(VALUES).tolist() == [5.0, 7.5]


def test_a_sum_of_400_terms() -> None:
    total = sum((k * channel("a", k % 2) for k in range(400)), start=channel("b", 0))
    expected = [
        b + sum(k * (zero, one)[k % 2] for k in range(400)) for b, zero, one in ((5.0, 2.0, 3.0), (4.0, 0.5, 7.0))
    ]
    assert total(VALUES).tolist() == pytest.approx(expected, abs=1e-8)
    again = parse(repr(total))
    assert again == total
    assert torch.equal(again(VALUES), total(VALUES))
    assert hash(again) == hash(total)
    assert total.layers == ("b", "a")


def test_pythons_sum_starts_from_zero() -> None:
    assert sum([A, B])(VALUES).tolist() == pytest.approx([2.25, 2.0])


def test_layers_stand_in_the_order_of_the_text_and_once() -> None:
    objective = each(channel("z", 0) - deepdream("a"), channel("a", 1) / L2("m")) + L2()
    assert objective.layers == ("z", "a", "m", "input")


def test_a_term_that_stands_twice_is_computed_once() -> None:
    class Counting(dict[str, torch.Tensor]):
        reads = 0

        def __getitem__(self, key: str) -> torch.Tensor:
            self.reads += 1
            return super().__getitem__(key)

    activations = Counting(VALUES)
    (A * A + A - A / 3)(activations)
    assert activations.reads == 1


@pytest.mark.parametrize("other", ["a", None, [1], {}])
@pytest.mark.parametrize("function", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow])
def test_other_operands_are_refused(function: Callable[[Any, Any], Any], other: object) -> None:
    with pytest.raises(TypeError):
        function(A, other)
    with pytest.raises(TypeError):
        function(other, A)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_not_finite_are_refused(number: float) -> None:
    for make in (lambda: A + number, lambda: number * A, lambda: channel("a", number)):  # type: ignore[arg-type]
        with pytest.raises(BadInputError, match="finite"):
            make()


def test_whole_numbers_of_any_size_can_be_factors() -> None:
    assert (10**26 * A)(VALUES).tolist() == pytest.approx([2e26, 5e25])


def test_equal_means_says_the_same() -> None:
    assert channel("a", 0) == channel("a", 0)
    assert hash(channel("a", 0)) == hash(channel("a", 0))
    assert channel("a", 0) != channel("a", 1)
    assert A + B != B + A
    assert (A + B) + A == A + B + A
    assert A + (B + A) != A + B + A
    assert len({A, channel("a", 0), B}) == 2


@pytest.mark.parametrize("unit", [torch.tensor(1), np.int64(1), np.array(1)])
def test_a_unit_may_be_what_argmax_gives(unit: Any) -> None:
    assert channel("a", unit) == channel("a", 1)
    assert repr(channel("a", unit)) == "channel('a', 1)"
    assert channel("a", unit)(VALUES).tolist() == [3.0, 7.0]


@pytest.mark.parametrize("units", [torch.tensor([1, 0]), np.array([1, 0]), (np.int64(1), 0), range(1, -1, -1)])
def test_units_may_be_what_topk_gives(units: Any) -> None:
    assert channel("a", units) == channel("a", [1, 0])
    assert repr(channel("a", units)) == "channel('a', [1, 0])"
    assert channel("a", units)(VALUES).tolist() == [3.0, 0.5]
    assert channel("a", units).batch == 2
