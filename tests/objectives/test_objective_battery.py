"""One battery over every registered objective: one without an example here fails it."""

from __future__ import annotations

import copy
import pickle
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.errors import LucidtorchWarning, ObjectiveError, UnitError, UnknownLayerError
from lucidtorch.models.model import Model
from lucidtorch.models.sources.loading import load_model
from lucidtorch.objectives import (
    L1,
    L2,
    Activations,
    Objective,
    channel,
    deepdream,
    direction,
    diversity,
    each,
    head,
    interpolate,
    logit,
    neuron,
    objective,
    parse,
    token,
    total_variation,
    unit_objective,
)
from lucidtorch.objectives.term import DEFINITIONS, Term

# Each registered name with examples on the layers "0" `[B, 4, H, W]`, "2.attention" (four channels in two heads) and
# "logits" `[B, 3]`, and two images.
EXAMPLES: dict[str, list[tuple[Objective, str]]] = {
    "channel": [
        (channel("0", 3), "channel('0', 3)"),
        (channel("0", [1, 0]), "channel('0', [1, 0])"),
        (channel("logits", 2), "channel('logits', 2)"),
    ],
    "neuron": [
        (neuron("0", 1), "neuron('0', 1)"),
        (neuron("0", [0, 2], x=1, y=2), "neuron('0', [0, 2], x=1, y=2)"),
    ],
    "logit": [(logit(1), "logit(1)"), (logit([2, 0]), "logit([2, 0])")],
    "direction": [
        (direction("0", [1, -2, 0.5, 0]), "direction('0', [1, -2, 0.5, 0])"),
        (
            direction("0", torch.ones(2, 4), cossim_pow=2),
            "direction('0', [[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]], cossim_pow=2)",
        ),
    ],
    "deepdream": [(deepdream("0"), "deepdream('0')"), (deepdream("logits"), "deepdream('logits')")],
    "token": [
        (token("2.attention", 2), "token('2.attention', 2)"),
        (token("2.attention", [0, 3], position=5), "token('2.attention', [0, 3], position=5)"),
        (token("2.attention", 1, position=[4, 2]), "token('2.attention', 1, position=[4, 2])"),
    ],
    "head": [
        (head("2.attention", 1), "head('2.attention', 1)"),
        (head("2.attention", [1, 0]), "head('2.attention', [1, 0])"),
        (head("2.attention", [0, 1], channel=1), "head('2.attention', [0, 1], channel=1)"),
        (head("2.attention", 0, channel=[1, 0]), "head('2.attention', 0, channel=[1, 0])"),
    ],
    "diversity": [(diversity("0"), "diversity('0')"), (diversity("logits"), "diversity('logits')")],
    "total_variation": [(total_variation(), "total_variation()"), (total_variation("0"), "total_variation(layer='0')")],
    "L1": [(L1(), "L1()"), (L1("0", constant=0.25), "L1(layer='0', constant=0.25)")],
    "L2": [(L2(constant=0.5), "L2(constant=0.5)"), (L2("logits", epsilon=0.1), "L2(layer='logits', epsilon=0.1)")],
}
COMBINED: list[tuple[Objective, str]] = [
    (each(channel("0", 1), logit(0)), "each(channel('0', 1), logit(0))"),
    (interpolate(channel("0", 1), logit(0), 2), "interpolate(channel('0', 1), logit(0), 2)"),
    ((channel("0", 1) * 2).on(1), "(channel('0', 1) * 2).on(1)"),
    (channel("0", 1) - 100 * diversity("0"), "channel('0', 1) - 100 * diversity('0')"),
    (channel("0", 1) / (1 + deepdream("0")) ** 2, "channel('0', 1) / (1 + deepdream('0')) ** 2"),
]
ALL = [pair for pairs in EXAMPLES.values() for pair in pairs] + COMBINED
each_objective = pytest.mark.parametrize(("goal", "text"), ALL, ids=[text for _, text in ALL])


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


def activations(kind: torch.dtype = torch.float64) -> dict[str, Tensor]:
    dice = torch.Generator().manual_seed(2)
    shapes = {"0": (2, 4, 5, 3), "logits": (2, 3), "input": (2, 3, 6, 4)}
    shapes |= {f"2.attention{view}": (2, 2, 5, 3) for view in ("[heads][0]", "[heads][1]")}
    shapes["2.attention[tokens]"] = (2, 4, 6)
    return {name: torch.randn(shape, generator=dice, dtype=torch.float64).to(kind) for name, shape in shapes.items()}


def rendered(model: Any, goal: Any, **more: Any) -> lt.Rendering:
    settings = {"param": lt.param.image(10, batch=2), "steps": 2, "seed": [4, 9], "progress": False} | more
    return lt.render(model, goal, **settings)


def test_every_registered_objective_has_an_example() -> None:
    """In a process of its own, where no other test has registered anything."""
    code = "import lucidtorch.objectives; from lucidtorch.objectives.term import DEFINITIONS; print(*DEFINITIONS)"
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert set(EXAMPLES) == set(names)
    assert set(EXAMPLES) <= set(DEFINITIONS)


@each_objective
def test_its_text_reads_back(goal: Objective, text: str) -> None:
    assert repr(goal) == text
    for again in (parse(text), pickle.loads(pickle.dumps(goal)), copy.deepcopy(goal)):
        assert again == goal
        assert hash(again) == hash(goal)
        assert repr(again) == text
        assert torch.equal(again(activations()), goal(activations()))


@each_objective
@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16])
def test_one_value_per_image_in_the_same_dtype(goal: Objective, text: str, kind: torch.dtype) -> None:
    found = goal(activations(kind))
    assert found.shape == (2,)
    assert found.dtype == kind
    assert found.isfinite().all()


@each_objective
def test_its_gradient_is_right(goal: Objective, text: str) -> None:
    given = {name: values.requires_grad_(True) for name, values in activations().items() if name in goal.layers}
    names = list(given)

    def value(*values: Tensor) -> Tensor:
        return goal(dict(zip(names, values, strict=True)))

    gradients = torch.autograd.grad(value(*given.values()).sum(), list(given.values()))
    assert all(one.isfinite().all() for one in gradients)
    assert all(one.abs().sum() > 0 for one in gradients)
    assert torch.autograd.gradcheck(value, tuple(given.values()))


@each_objective
def test_its_gradient_is_finite_on_silent_layers(goal: Objective, text: str) -> None:
    given = {name: torch.zeros_like(values).requires_grad_(True) for name, values in activations().items()}
    found = goal(given)
    gradients = torch.autograd.grad(found.sum(), list(given.values()), allow_unused=True)
    assert found.isfinite().all()
    assert all(one.isfinite().all() for one in gradients if one is not None)


@each_objective
def test_images_are_evaluated_apart(goal: Objective, text: str) -> None:
    """Only `diversity` looks at the other images; for all others a change of image 1 leaves image 0 as it is."""
    first, second = activations(), activations()
    for values in second.values():
        values[1] += 0.3
    same = torch.equal(goal(first)[0], goal(second)[0])
    assert same == ("diversity" not in text)


@each_objective
def test_activations_are_left_as_they_are(goal: Objective, text: str) -> None:
    given = activations()
    goal(given)
    assert all(torch.equal(values, activations()[name]) for name, values in given.items())


@each_objective
def test_only_what_it_names_is_read(goal: Objective, text: str) -> None:
    needed = {name: values for name, values in activations().items() if name in goal.layers}
    assert torch.equal(goal(needed), goal(activations()))
    for name in needed:
        rest = {other: values for other, values in needed.items() if other != name}
        with pytest.raises((UnknownLayerError, ObjectiveError), match=re.escape(name)):
            goal(rest)


@each_objective
def test_it_renders_replays_and_leaves_nothing(
    goal: Objective, text: str, model: Model, fingerprint: Callable[[nn.Module], Any]
) -> None:
    before = fingerprint(model.module)
    first = rendered(model, goal)
    assert fingerprint(model.module) == before
    assert torch.equal(rendered(model, text).images, first.images)
    assert first.images.isfinite().all()
    assert first.recipe["objective"] == text
    with pytest.raises(UnknownLayerError):
        rendered(model, goal + channel("nowhere", 0))
    assert fingerprint(model.module) == before


@each_objective
def test_nothing_is_left_on_a_network_that_raises(
    goal: Objective, text: str, fingerprint: Callable[[nn.Module], Any]
) -> None:
    if set(goal.layers) <= {"input"}:
        return  # it never asks the network
    module = network()
    model = load_model(module, mean=0.0, std=1.0, size=10)
    _ = model.layers
    passes = []

    def fail(*_: object) -> None:
        passes.append(1)
        if len(passes) == 3:  # the probe is the first pass
            raise RuntimeError("the network's own")

    handle = module[0].register_forward_pre_hook(fail)
    before = fingerprint(module)
    with pytest.raises(RuntimeError, match="own"):
        rendered(model, goal, steps=9)
    assert fingerprint(module) == before
    handle.remove()


@pytest.fixture
def clean() -> Iterator[None]:
    """Take away what a test registers."""
    known = dict(DEFINITIONS)
    yield
    DEFINITIONS.clear()
    DEFINITIONS.update(known)


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
