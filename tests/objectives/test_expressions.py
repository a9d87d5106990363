"""Random expressions: what they print reads back as the same value, bit for bit, and so does what they pickle."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtorch.objectives import (
    L1,
    L2,
    Objective,
    channel,
    deepdream,
    direction,
    diversity,
    each,
    interpolate,
    logit,
    negative,
    neuron,
    parse,
    total_variation,
)

IMAGES, CHANNELS = 2, 3
LAYERS = ("conv1_1", "features.0", "layer1.0.relu@1", "other/mixed4a", "vögel", "it's", 'a"b\\', "lambda", "x:3")
_numbers = np.random.default_rng(5).uniform(0.5, 1.5, size=(len(LAYERS) + 1, IMAGES, CHANNELS, 2, 4))
ACTIVATIONS = {name: torch.tensor(one) for name, one in zip((*LAYERS, "input"), _numbers, strict=True)}
ACTIVATIONS["logits"] = torch.tensor(_numbers[0, :, :, 0, 0])

layers = st.sampled_from(LAYERS)
units = st.integers(0, CHANNELS - 1)
units_or_lists = units | st.lists(units, min_size=IMAGES, max_size=IMAGES)
reals = st.floats(-1e3, 1e3, allow_nan=False, allow_subnormal=False)
numbers = st.integers(-20, 20) | reals
vectors = st.lists(reals | st.integers(-9, 9), min_size=CHANNELS, max_size=CHANNELS)


def tensors(numbers: list[float]) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


terms = st.one_of(
    st.builds(channel, layers, units_or_lists),
    st.builds(neuron, layers, units_or_lists, x=st.none() | st.integers(0, 3), y=st.none() | st.integers(0, 1)),
    st.builds(logit, units_or_lists),
    st.builds(direction, layers, vectors, cossim_pow=st.sampled_from([0, 1, 2, 0.5])),
    st.builds(direction, layers, vectors.map(tensors)),
    st.builds(direction, layers, st.lists(vectors, min_size=IMAGES, max_size=IMAGES)),
    st.builds(deepdream, layers),
    st.builds(diversity, layers),
    st.builds(total_variation, layers | st.just("input")),
    st.builds(L1, layers | st.just("input"), constant=numbers),
    st.builds(L2, layers, constant=numbers, epsilon=st.floats(1e-9, 1)),
    st.builds(total_variation),
)


def _extended(inner: st.SearchStrategy[Objective]) -> st.SearchStrategy[Objective]:
    def binary(sign: str) -> Callable[[Any, Any], Any]:
        return {
            "+": lambda a, b: a + b,
            "-": lambda a, b: a - b,
            "*": lambda a, b: a * b,
            "/": lambda a, b: a / b,
            "**": lambda a, b: a**b,
        }[sign]

    operations = st.sampled_from(["+", "-", "*", "/", "**"]).map(binary)
    return st.one_of(
        st.builds(lambda function, a, b: function(a, b), operations, inner, inner),
        st.builds(lambda function, a, b: function(a, b), operations, inner, numbers),
        st.builds(lambda function, a, b: function(a, b), operations, numbers, inner),
        inner.map(lambda one: -one),
        inner.map(negative),
        st.builds(lambda one, image: one.on(image), inner, st.integers(0, IMAGES - 1)),
        st.lists(inner, min_size=IMAGES, max_size=IMAGES).map(lambda parts: each(*parts)),
        st.builds(lambda a, b: interpolate(a, b, IMAGES), inner, inner),
    )


expressions = st.recursive(terms, _extended, max_leaves=12)


def value_of(objective: Objective) -> torch.Tensor | str:
    """The value, or which error its arithmetic raises (such as a number to a power that overflows)."""
    try:
        return objective(ACTIVATIONS)
    except ArithmeticError as error:
        return type(error).__name__


def assert_same_value(first: Objective, second: Objective) -> None:
    one, other = value_of(first), value_of(second)
    if isinstance(one, str) or isinstance(other, str):
        assert one == other
        return
    assert one.dtype == other.dtype
    assert one.numpy().tobytes() == other.numpy().tobytes()


@settings(max_examples=300)
@given(expressions)
def test_what_is_printed_reads_back(objective: Objective) -> None:
    again = parse(repr(objective))
    assert again == objective
    assert hash(again) == hash(objective)
    assert repr(again) == repr(objective)
    assert again.layers == objective.layers
    assert again.batch == objective.batch
    assert_same_value(again, objective)


@settings(max_examples=100)
@given(expressions)
def test_what_is_pickled_or_copied_comes_back(objective: Objective) -> None:
    for again in (pickle.loads(pickle.dumps(objective)), copy.deepcopy(objective), copy.copy(objective)):
        assert again == objective
        assert hash(again) == hash(objective)
        assert repr(again) == repr(objective)
        assert_same_value(again, objective)


@settings(max_examples=100)
@given(expressions)
def test_evaluating_leaves_nothing_behind(objective: Objective) -> None:
    text, before, pickled = repr(objective), hash(objective), pickle.dumps(objective)
    assert_same_value(objective, objective)
    assert (repr(objective), hash(objective), pickle.dumps(objective)) == (text, before, pickled)


@settings(max_examples=100)
@given(expressions, expressions)
def test_equal_objectives_have_equal_hashes_and_texts_decide(first: Objective, second: Objective) -> None:
    assert (first == second) == (second == first)
    if first == second:
        assert hash(first) == hash(second)
    if repr(first) == repr(second):
        assert first == second


@settings(max_examples=100)
@given(expressions, expressions)
def test_arithmetic_is_arithmetic_on_values(first: Objective, second: Objective) -> None:
    one, other = value_of(first), value_of(second)
    if isinstance(one, str) or isinstance(other, str):
        return
    for found, expected in (
        (first + second, one + other),
        (first - second, one - other),
        (first * second, one * other),
    ):
        np.testing.assert_allclose(value_of(found), expected, rtol=1e-9, atol=1e-9, equal_nan=True)
    np.testing.assert_array_equal(value_of(-first), -one)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("conv4_1:12", "channel('conv4_1', 12)"),
        ("conv4_1:[3, 7,9]", "channel('conv4_1', [3, 7, 9])"),
        ("features.0:3", "channel('features.0', 3)"),
        ("3:12", "channel('3', 12)"),
        ("layer1.0.relu@1:3", "channel('layer1.0.relu@1', 3)"),
        ("vgg/conv1_1:0", "channel('vgg/conv1_1', 0)"),
        ("-conv4_1:12", "-channel('conv4_1', 12)"),
        ("conv4_1:12**2", "channel('conv4_1', 12) ** 2"),
        ("conv4_1:12.on(1)", "channel('conv4_1', 12).on(1)"),
        ("(a:1+b:2)/3", "(channel('a', 1) + channel('b', 2)) / 3"),
        ("each(a:1, b:2)", "each(channel('a', 1), channel('b', 2))"),
        ("  a:1\n  - b:2 ", "channel('a', 1) - channel('b', 2)"),
        ("channel(index=1, layer='a')", "channel('a', 1)"),
        ("neuron('a', 1, y=2, x=None)", "neuron('a', 1, y=2)"),
        ("direction('a', [1, 0.5], 2)", "direction('a', [1, 0.5], cossim_pow=2)"),
        ("L2(constant=0.5)", "L2(constant=0.5)"),
        ("L2('input', 0)", "L2()"),
        ("channel('x:1', 2)", "channel('x:1', 2)"),
        ('channel("if", 3)', "channel('if', 3)"),
        ("negative(a:1)", "-channel('a', 1)"),
        ("a:1 - 1e2 * diversity('a')", "channel('a', 1) - 100.0 * diversity('a')"),
        ("+a:1", "channel('a', 1)"),
        ("logit('Vögel, groß')", "logit('Vögel, groß')"),
    ],
)
def test_texts_that_people_write(text: str, printed: str) -> None:
    assert repr(parse(text)) == printed
    assert parse(printed) == parse(text)
