"""Random expressions: what they print reads back as the same value, bit for bit, and is plain arithmetic on values."""

from __future__ import annotations

import copy
import itertools
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from objectives.expression_trees import FORMS, IMAGES, Given, Tree, leaf, numbers, over, reals, steps
from objectives.expression_worlds import World, worlds
from torch import Tensor

from lucidtorch.base.arrays import Array
from lucidtorch.objectives import (
    L1,
    L2,
    Objective,
    channel,
    deepdream,
    direction,
    diversity,
    logit,
    neuron,
    parse,
    total_variation,
)
from lucidtorch.objectives.algebra import Trace
from lucidtorch.objectives.term import Term
from lucidtorch.objectives.text import vocabulary

CHANNELS = 3
LAYERS = ("conv1_1", "features.0", "layer1.0.relu@1", "other/mixed4a", "vögel", "it's", 'a"b\\', "lambda", "x:3")
_numbers = np.random.default_rng(5).uniform(0.5, 1.5, size=(len(LAYERS) + 1, IMAGES, CHANNELS, 2, 4))
ACTIVATIONS = {name: torch.tensor(one) for name, one in zip((*LAYERS, "input"), _numbers, strict=True)}
ACTIVATIONS["logits"] = torch.tensor(_numbers[0, :, :, 0, 0])

layers = st.sampled_from(LAYERS)
units = st.integers(0, CHANNELS - 1)
units_or_lists = units | st.lists(units, min_size=IMAGES, max_size=IMAGES)
vectors = st.lists(reals | st.integers(-9, 9), min_size=CHANNELS, max_size=CHANNELS)


def tensors(numbers: list[float]) -> Tensor:
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
odd_names = over(terms.map(lambda goal: leaf(goal, repr(goal))))
WORLDS = (*worlds(), World("odd_names", ACTIVATIONS, (), odd_names))
in_every_world = pytest.mark.parametrize("world", WORLDS, ids=[world.name for world in WORLDS])
some = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the array files of all examples."""
    found = tmp_path_factory.mktemp("arrays")
    for tree in [one for world in WORLDS for one in world.leaves]:
        for term in [node for node in tree.goal.walk() if isinstance(node, Term)]:
            for array in [value for _, value in term.arguments if isinstance(value, Array)]:
                array.save(found)
    return found


def bits(values: Tensor) -> tuple[Any, ...]:
    return values.dtype, values.shape, values.detach().numpy().tobytes()


def assert_same_numbers(found: Tensor, expected: Tensor) -> None:
    """Bit for bit, but for the signs and payloads of numbers that are none."""
    assert found.dtype == expected.dtype
    assert torch.equal(found.isnan(), expected.isnan())
    assert bits(found[~found.isnan()]) == bits(expected[~expected.isnan()])


def assert_same(again: Objective, tree: Tree, values: Given) -> None:
    """The same value, under every name."""
    assert again == tree.goal
    assert hash(again) == hash(tree.goal)
    assert repr(again) == tree.text
    assert again.layers == tree.goal.layers
    assert again.batch == tree.goal.batch
    assert bits(again(values)) == bits(tree.goal(values))


@in_every_world
@some
@given(data=st.data())
def test_what_is_printed_reads_back(world: World, folder: Path, data: st.DataObject) -> None:
    tree = data.draw(world.trees)
    assert_same(parse(tree.text, folder), tree, world.given)


@in_every_world
@some
@given(data=st.data())
def test_what_is_written_in_parentheses_and_words_is_the_same(world: World, folder: Path, data: st.DataObject) -> None:
    tree = data.draw(world.trees)
    assert_same(parse(tree.written, folder), tree, world.given)


@in_every_world
@some
@given(data=st.data())
def test_what_is_pickled_or_copied_comes_back(world: World, data: st.DataObject) -> None:
    tree = data.draw(world.trees)
    for again in (pickle.loads(pickle.dumps(tree.goal)), copy.deepcopy(tree.goal), copy.copy(tree.goal)):
        assert_same(again, tree, world.given)


@in_every_world
@some
@given(data=st.data(), step=st.none() | steps)
def test_it_is_plain_arithmetic_on_the_values_of_its_leaves(
    world: World, data: st.DataObject, step: int | None
) -> None:
    tree = data.draw(world.trees)
    assert_same_numbers(tree.goal.evaluate(world.given, Trace(step)), tree.plain(world.given, step))
    assert tree.goal.layers == tree.layers


@pytest.mark.parametrize("world", [world for world in WORLDS if world.leaves], ids=lambda world: world.name)
def test_every_example_takes_part(world: World, folder: Path) -> None:
    forms = itertools.cycle(FORMS)
    for one, other in zip(world.leaves, world.leaves[1:] + world.leaves[:1], strict=True):
        tree = next(forms)(one, other)
        assert_same(parse(tree.text, folder), tree, world.given)
        assert parse(tree.written, folder) == tree.goal
        assert pickle.loads(pickle.dumps(tree.goal)) == tree.goal
        assert tree.goal.layers == tree.layers
        for step in (0, 2, 4, None):
            assert_same_numbers(tree.goal.evaluate(world.given, Trace(step)), tree.plain(world.given, step))


def test_every_word_is_a_leaf_or_joins_leaves() -> None:
    leaves = [node for world in WORLDS for tree in world.leaves for node in tree.goal.walk()]
    joining = {"after", "before", "each", "grid", "interpolate", "maximum", "mean", "minimum"}
    joining |= {"negative", "of", "ramp", "sum"}
    terms_of_the_package = {
        name for name, word in vocabulary().names.items() if word.__module__.startswith("lucidtorch.")
    }
    assert {node.name for node in leaves if isinstance(node, Term)} == terms_of_the_package - joining


@in_every_world
@some
@given(data=st.data())
def test_neither_joining_nor_evaluating_leaves_anything_behind(world: World, data: st.DataObject) -> None:
    tree = data.draw(world.trees)
    before = [(one.text, hash(one.goal), pickle.dumps(one.goal)) for one in tree.walk()]
    kept = {name: bits(values) for name, values in world.given.items()}
    assert bits(tree.goal(world.given)) == bits(tree.goal(world.given))
    assert [(repr(one.goal), hash(one.goal), pickle.dumps(one.goal)) for one in tree.walk()] == before
    assert {name: bits(values) for name, values in world.given.items()} == kept


@in_every_world
@some
@given(data=st.data())
def test_equal_objectives_have_equal_hashes_and_texts_decide(world: World, data: st.DataObject) -> None:
    first, second = data.draw(world.trees).goal, data.draw(world.trees).goal
    assert (first == second) == (second == first)
    if first == second:
        assert hash(first) == hash(second)
    if repr(first) == repr(second):
        assert first == second


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
