from __future__ import annotations

import json
import math

import pytest
import torch
from safetensors import safe_open
from torch import nn

from lucidtorch.base.errors import BadInputError, OutputError, UnknownModelError
from lucidtorch.models.networks.shipped import names
from training.loop import (
    add_batch_norms,
    adversarial_perturbation,
    fold_batch_norms,
    logits_of,
    loss_of,
    of_norm,
    random_perturbation,
    train,
)
from training.tasks import training_task

SLOW = ("demo", "demo-judge")
STEPS = 20


@pytest.mark.parametrize("name", [pytest.param(one, marks=[pytest.mark.slow] * (one in SLOW)) for one in names()])
def test_two_retrains_give_the_same_bytes_and_touch_nothing_else(name, tmp_path):
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    files, seen = [tmp_path / "one.safetensors", tmp_path / "two.safetensors"], []
    for place, file in enumerate(files):
        torch.manual_seed(100 + place)
        before = torch.get_rng_state()
        facts = train(name, steps=STEPS, output=file, progress=lambda *said: seen.append(said))
        assert torch.equal(before, torch.get_rng_state())
    torch.set_rng_state(state)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].with_suffix(".md").read_text() == files[1].with_suffix(".md").read_text()
    assert torch.get_num_threads() == threads
    assert [(done, whole) for done, whole, _ in seen[:STEPS]] == [(step, STEPS) for step in range(1, STEPS + 1)]
    assert all(math.isfinite(loss) for _, _, loss in seen)
    with safe_open(files[0], "pt") as opened:
        told = json.loads(opened.metadata()["certificate"])
    assert told["steps"] == facts.steps == STEPS
    assert told["command"] == f"python -m training {name} --steps {STEPS} --seed {training_task(name).seed}"


def test_another_seed_gives_other_weights(tmp_path):
    files = [tmp_path / "one.safetensors", tmp_path / "two.safetensors"]
    for seed, file in enumerate(files):
        train("digits", steps=2, seed=seed, output=file)
    assert files[0].read_bytes() != files[1].read_bytes()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [({"steps": 0}, BadInputError), ({"seed": -1}, BadInputError), ({"output": "."}, OutputError)],
)
def test_bad_arguments_are_refused_before_any_work(arguments, error, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error):
        train("digits", **arguments, progress=lambda *_: pytest.fail("a step was taken"))
    with pytest.raises(UnknownModelError, match="demo-judge"):
        train("demo-juge")


def test_folding_keeps_the_outputs():
    torch.manual_seed(0)
    network = nn.Sequential()
    network.add_module("conv", nn.Conv2d(3, 5, 3))
    network.add_module("pair", nn.Sequential(nn.ReLU(), nn.Conv2d(5, 4, 1)))
    network.add_module("flat", nn.Flatten())
    network.add_module("fc", nn.Linear(4 * 36, 7))
    network.add_module("logits", nn.Linear(7, 2))
    keys = set(network.state_dict())
    add_batch_norms(network)
    for _ in range(5):
        network(torch.randn(16, 3, 8, 8) * 2 + 1)
    inputs = torch.randn(4, 3, 8, 8)
    before = network.eval()(inputs)
    fold_batch_norms(network)
    assert set(network.state_dict()) == keys
    assert torch.allclose(network(inputs), before, atol=1e-5)


def test_perturbations_stay_in_their_ball_and_the_adversarial_one_misleads():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 3))
    inputs, targets = torch.randn(6, 3, 2, 2), torch.randint(3, (6, 1))
    start = random_perturbation(inputs, 0.5, torch.Generator().manual_seed(1))
    assert bool((start.flatten(1).norm(dim=1) <= 0.5 + 1e-6).all())
    changed = (inputs + start).requires_grad_()
    loss = loss_of(network, changed, targets)
    loss.backward()
    worst = adversarial_perturbation(start, changed.grad, 0.5)
    assert bool((worst.flatten(1).norm(dim=1) <= 0.5 + 1e-6).all())
    with torch.no_grad():
        assert float(loss_of(network, inputs + worst, targets)) > float(loss_of(network, inputs, targets))
    assert not random_perturbation(inputs, 0.0, torch.Generator()).any()


def test_a_direction_of_zero_stays_zero():
    directions = torch.stack([torch.zeros(1, 2, 2), torch.ones(1, 2, 2)])
    lengths = of_norm(directions, 3.0).flatten(1).norm(dim=1)
    assert lengths.tolist() == pytest.approx([0.0, 3.0])


def test_the_loss_is_the_cross_entropy_summed_over_the_heads():
    first, second = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, 2, dtype=torch.float64)
    targets = torch.tensor([[0, 1], [2, 0], [1, 1], [0, 0], [2, 1]])

    class Two(nn.Module):
        def forward(self, inputs):
            return {"first": first, "second": second}

    expected = 0.0
    for row in range(5):
        for head, column in ((first, 0), (second, 1)):
            values = head[row].tolist()
            expected -= values[targets[row, column]] - math.log(sum(math.exp(value) for value in values))
    assert loss_of(Two(), first, targets).item() == pytest.approx(expected / 5, rel=1e-12)
    assert logits_of(Two(), first)[1] is second
