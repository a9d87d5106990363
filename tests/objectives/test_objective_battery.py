"""One battery over every registered objective: one without an example fails it."""

from __future__ import annotations

import copy
import importlib
import pickle
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import objective_examples
import pytest
import torch
from guards.registry import own_objectives
from objective_examples.example import Example, activations
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.arrays import Array
from lucidtorch.base.defaults import record_text
from lucidtorch.base.errors import LucidtorchWarning, ObjectiveError, UnitError, UnknownLayerError
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model
from lucidtorch.objectives import (
    Activations,
    Objective,
    channel,
    direction,
    logit,
    neuron,
    objective,
    parse,
    unit_objective,
)
from lucidtorch.objectives.term import Term
from lucidtorch.objectives.text import vocabulary


def collected() -> dict[str, list[Example]]:
    """The examples of every module beside this one, by the name of what they are examples of."""
    found: dict[str, list[Example]] = {}
    for module in pkgutil.iter_modules(objective_examples.__path__):
        examples = getattr(importlib.import_module(f"objective_examples.{module.name}"), "EXAMPLES", {})
        for name, several in examples.items():
            found.setdefault(name, []).extend(several)
    return found


EXAMPLES = collected()
ALL = [example for examples in EXAMPLES.values() for example in examples]
QUIET = pytest.mark.filterwarnings(
    "ignore:(Little or nothing moves|No gradient)"
)  # some are at their best, or see padding
each_objective = pytest.mark.parametrize("example", ALL, ids=[example.text[:60] for example in ALL])


def read_back(example: Example, folder: Path) -> Objective:
    """Parse the text of an example whose large arrays stand in a folder."""
    terms = [node for node in example.goal.walk() if isinstance(node, Term)]
    for array in [value for term in terms for _, value in term.arguments if isinstance(value, Array)]:
        array.save(folder)
    return parse(example.text, folder)


def is_one_graph(given: dict[str, Tensor]) -> bool:
    """Whether one layer of the activations is computed from another, so that they cannot be changed one by one."""
    return any(values.grad_fn is not None for values in given.values())


class Attending(nn.Module):
    """Attention among the places of a map."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)

    def forward(self, values: Tensor) -> Tensor:
        tokens = values.flatten(2).transpose(1, 2)
        return self.attention(tokens, tokens, tokens)[0].transpose(1, 2).unflatten(2, values.shape[2:])


def network() -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return nn.Sequential(
            nn.Conv2d(3, 4, 3),
            nn.ReLU(inplace=True),
            Attending(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4, 3),
        )


@pytest.fixture
def model() -> Model:
    """A small classifier, in training mode."""
    return load_model(network(), mean=0.0, std=1.0, size=10)


def rendered(model: Any, goal: Any, **more: Any) -> lt.Rendering:
    settings = {"param": lt.param.image(10, batch=2), "steps": 2, "seed": [4, 9], "progress": False} | more
    return lt.render(model, goal, **settings)


def test_every_registered_objective_has_an_example() -> None:
    """In a process of its own, where no other test has registered anything."""
    code = "from lucidtorch.objectives.text import vocabulary; print(*vocabulary().names)"
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    looked_up = {"grid"}  # has no value of its own; tests/rendering/test_grid.py
    assert set(EXAMPLES) == set(names) - looked_up
    assert set(EXAMPLES) <= set(vocabulary().names)


@each_objective
def test_its_value_is_its_formula(example: Example) -> None:
    given = example.given(torch.float64)
    found = example.goal(given).detach()
    expected = example.by_hand(given)
    assert found.shape == (2,)
    assert torch.allclose(found, expected, rtol=1e-10, atol=1e-10), (found, expected)


@each_objective
def test_its_text_reads_back(example: Example, tmp_path: Path) -> None:
    goal, text = example.goal, example.text
    assert repr(goal) == text
    given = example.given(torch.float64)
    for again in (read_back(example, tmp_path), pickle.loads(pickle.dumps(goal)), copy.deepcopy(goal)):
        assert again == goal
        assert hash(again) == hash(goal)
        assert repr(again) == text
        assert torch.equal(again(given), goal(given))


@each_objective
@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16])
def test_one_value_per_image_in_the_same_dtype(example: Example, kind: torch.dtype) -> None:
    found = example.goal(example.given(kind))
    assert found.shape == (2,)
    assert found.dtype == kind
    assert found.isfinite().all()


@each_objective
def test_its_gradient_is_right(example: Example) -> None:
    everything = example.given(torch.float64)
    if is_one_graph(everything):
        assert not example.differentiable  # their gradients are tested by hand, beside them
        return
    read = [name for name in everything if name in example.goal.layers]
    given = {name: everything[name].requires_grad_(True) for name in read}
    constant = {name: values for name, values in everything.items() if name not in given}
    names = list(given)

    def value(*values: Tensor) -> Tensor:
        return example.goal({**constant, **dict(zip(names, values, strict=True))})

    gradients = torch.autograd.grad(value(*given.values()).sum(), list(given.values()))
    assert all(one.isfinite().all() for one in gradients)
    assert all(one.abs().sum() > 0 for one in gradients)
    if example.differentiable:
        assert torch.autograd.gradcheck(value, tuple(given.values()))


@each_objective
def test_its_gradient_is_finite_on_silent_layers(example: Example) -> None:
    everything = example.given(torch.float64)
    if is_one_graph(everything):
        assert not example.differentiable
        return
    given = {name: torch.zeros_like(values).requires_grad_(True) for name, values in everything.items()}
    found = example.goal(given)
    gradients = torch.autograd.grad(found.sum(), list(given.values()), allow_unused=True)
    assert found.isfinite().all()
    assert all(one.isfinite().all() for one in gradients if one is not None)


@each_objective
def test_images_are_evaluated_apart(example: Example) -> None:
    """A change of image 1 leaves the value of image 0 as it is, unless the objective compares images."""
    first, second = example.given(torch.float64), example.given(torch.float64)
    if is_one_graph(first):
        return
    for name, values in second.items():
        if len(values) == 2:
            values[1] += 0.3 if name != "input" else 0.01
    assert torch.equal(example.goal(first)[0], example.goal(second)[0]) == example.apart


@each_objective
def test_activations_are_left_as_they_are(example: Example) -> None:
    given = example.given(torch.float64)
    example.goal(given)
    assert all(
        torch.equal(values, again)
        for values, again in zip(given.values(), example.given(torch.float64).values(), strict=True)
    )


@each_objective
def test_only_what_it_names_is_read(example: Example) -> None:
    given = example.given(torch.float64)
    pictures = {name: values for name, values in given.items() if " of " in name}
    needed = {name: values for name, values in given.items() if name in example.goal.layers}
    assert torch.equal(example.goal({**needed, **pictures}), example.goal(given))
    for name in needed:
        rest = {other: values for other, values in {**needed, **pictures}.items() if other != name}
        with pytest.raises((UnknownLayerError, ObjectiveError), match=re.escape(name)):
            example.goal(rest)


@QUIET
@each_objective
def test_it_renders_replays_and_leaves_nothing(
    example: Example, model: Model, fingerprint: Callable[[nn.Module], Any], tmp_path: Path
) -> None:
    before = fingerprint(model.module)
    network = {"a": model, "b": model} if "of(" in example.text else model
    first = rendered(network, example.goal, param=example.param)
    assert fingerprint(model.module) == before
    again = rendered(network, read_back(example, tmp_path), param=example.param)
    assert torch.equal(again.images, first.images)
    assert first.images.isfinite().all()
    assert first.recipe["objective"] == record_text(example.goal)
    assert first.objective == example.text
    with pytest.raises(UnknownLayerError):
        rendered(network, example.goal + channel("nowhere", 0), param=example.param)
    assert fingerprint(model.module) == before


@QUIET
@each_objective
def test_nothing_is_left_on_a_network_that_raises(example: Example, fingerprint: Callable[[nn.Module], Any]) -> None:
    if set(example.goal.layers) <= {"input"} or "of(" in example.text:
        return  # it never asks the network, or asks two
    module = network()
    model = load_model(module, mean=0.0, std=1.0, size=10)
    _ = model.layers
    passes = []

    def fail(*_: object) -> None:
        passes.append(1)
        if len(passes) >= 8:  # those before the first update are tries; a copy that fails once would not be used
            raise RuntimeError("the network's own")

    handle = module[0].register_forward_pre_hook(fail)
    before = fingerprint(module)
    with pytest.raises(RuntimeError, match="own"):
        rendered(model, example.goal, param=example.param, steps=9)
    assert fingerprint(module) == before
    handle.remove()


@pytest.fixture
def clean() -> Iterator[None]:
    """Take away what a test registers."""
    with own_objectives():
        yield


@pytest.mark.usefixtures("clean")
def test_an_objective_of_ones_own_is_like_the_others(model: Model) -> None:
    @objective
    def brightness(activations: Activations, layer: str = "input", power: float = 1) -> Tensor:
        "The mean of a map to a power."
        return activations[layer].flatten(1).mean(1) ** power

    goal = brightness() - 2 * brightness("0", power=2).on(1)
    assert repr(goal) == "brightness() - 2 * brightness(layer='0', power=2).on(1)"
    assert parse(repr(goal)) == goal
    assert goal.layers == ("input", "0")
    assert goal.batch == 2
    given = activations()
    expected = given["input"].flatten(1).mean(1)
    expected[1] -= 2 * given["0"][1].mean() ** 2
    assert torch.allclose(goal(given), expected, atol=1e-12)
    found = rendered(model, goal)
    assert found.dead == (False, False)


@pytest.mark.usefixtures("clean")
def test_a_unit_objective_of_ones_own_can_be_dead() -> None:
    @unit_objective
    def peak(activations: Activations, layer: str, index: int) -> Tensor:
        "The largest activation of a channel."
        return activations[layer][:, index].flatten(1).amax(1)

    module = network()
    with torch.no_grad():
        module[0].bias.fill_(-1e3)
    model = load_model(module, mean=0.0, std=1.0, size=10)
    with pytest.warns(LucidtorchWarning, match="Dead: image 0, 1"):
        assert rendered(model, peak("1", 0)).dead == (True, True)


@pytest.mark.usefixtures("clean")
def test_a_name_that_is_taken_is_refused() -> None:
    with pytest.raises(ObjectiveError, match="'channel'"):

        @objective
        def channel(activations: Activations, layer: str) -> Tensor:
            return activations[layer]


@pytest.mark.usefixtures("clean")
def test_values_that_are_not_one_per_image_are_refused(model: Model) -> None:
    @objective
    def total(activations: Activations, layer: str) -> Tensor:
        return activations[layer].sum()

    with pytest.raises((ObjectiveError, lt.LucidtorchError), match="one per image"):
        rendered(model, total("0"))


def test_units_that_are_not_there_are_refused_by_a_render(model: Model) -> None:
    for goal in (channel("0", 4), neuron("0", 0, x=99), logit(3), direction("0", [1, 2, 3])):
        with pytest.raises(UnitError):
            rendered(model, goal)


def test_an_objective_that_is_not_defined_here_says_so() -> None:
    with pytest.raises(ObjectiveError, match="'vanished'"):
        Term("vanished", (("layer", "0"),))(activations())
