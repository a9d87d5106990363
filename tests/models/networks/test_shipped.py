from __future__ import annotations

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from lucidtorch.base.errors import UnknownModelError
from lucidtorch.base.machine import threads
from lucidtorch.models.networks.labels import DRAWINGS
from lucidtorch.models.networks.lines import HEADS
from lucidtorch.models.networks.shipped import NetworkCard, card, names
from training.loop import accuracy, logits_of
from training.tasks import training_task

LARGEST = 1_500_000  # bytes
WANTED = {"demo": 0.97, "demo-judge": 0.95, "digits": 0.97, "lines": 0.95}


def shipped(name: str) -> tuple[NetworkCard, nn.Module]:
    entry = card(name)
    module = entry.build()
    module.load_state_dict({key: weight.float() for key, weight in load_file(entry.weights).items()})
    return entry, module.eval()


def test_four_networks_ship_and_another_name_is_refused():
    assert names() == ("demo", "demo-judge", "digits", "lines")
    with pytest.raises(UnknownModelError, match="'demo'"):
        card("dmo")


@pytest.mark.parametrize("name", names())
def test_building_draws_nothing_from_the_global_state(name):
    before = torch.get_rng_state()
    card(name).build()
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("name", names())
def test_the_card_says_what_the_file_says(name):
    entry = card(name)
    page = entry.weights.with_suffix(".md").read_text(encoding="utf-8")
    with safe_open(entry.weights, "pt") as opened:
        facts = json.loads(opened.metadata()["certificate"])
        assert set(opened.metadata()) == {"certificate"}
    assert facts["name"] == name == entry.name
    assert entry.weights.stat().st_size <= LARGEST
    assert facts["held_out"] >= (2000 if name != "digits" else 300)
    for head, share in facts["accuracy"].items():
        assert share >= WANTED[name]
        assert f"{head}: {share:.2%}" in page
    command = f"python -m training {name} --steps {facts['steps']} --seed {facts['seed']}"
    for fact in (command, facts["architecture"], f"{facts['parameters']:,}", f"{facts['held_out']:,}"):
        assert fact in page
    assert facts["data"][1:] in page
    assert (facts["steps"], facts["seed"]) == (training_task(name).steps, training_task(name).seed)


@pytest.mark.parametrize("name", names())
def test_the_weights_fit_the_network_and_are_finite(name):
    _, module = shipped(name)
    assert sum(weight.numel() for weight in module.parameters()) == sum(
        weight.numel() for weight in load_file(card(name).weights).values()
    )
    assert all(bool(torch.isfinite(weight).all()) for weight in module.parameters())
    assert not [part for part in module.modules() if isinstance(part, nn.BatchNorm2d | nn.BatchNorm1d)]
    assert not [part for part in module.modules() if getattr(part, "inplace", False)]


@pytest.mark.parametrize("name", names())
def test_the_shipped_weights_are_as_good_as_their_card_says(name):
    entry, module = shipped(name)
    task = training_task(name)
    data = task.held_out(task.seed)
    images, labels = data.batch(range(357))
    images = (images - entry.mean[0]) / entry.std[0]
    with torch.inference_mode():
        said = torch.stack([head.argmax(1) for head in logits_of(module, images)], dim=1)
    right = (said == task.targets(labels)).double().mean(0)
    assert float(right.min()) >= WANTED[name] - 0.03


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_the_whole_held_out_set_gives_the_accuracy_of_the_card(name):
    entry, module = shipped(name)
    with threads(1):
        right, count = accuracy(module, entry, training_task(name), training_task(name).seed)
    with safe_open(entry.weights, "pt") as opened:
        facts = json.loads(opened.metadata()["certificate"])
    assert count == facts["held_out"]
    assert list(right) == pytest.approx(list(facts["accuracy"].values()), abs=2e-3)


def test_demo_has_the_literatures_layer_names():
    children = [name for name, _ in card("demo").build().named_children()]
    assert children[:6] == ["conv1_1", "relu1_1", "conv1_2", "relu1_2", "pool1", "conv2_1"]
    assert children[-5:] == ["mean", "flat", "fc", "relu_fc", "logits"]


@pytest.mark.parametrize("size", [(64, 64), (65, 97), (120, 120)])
def test_demo_and_its_judge_take_any_size_from_64(size):
    for name in ("demo", "demo-judge"):
        assert card(name).build()(torch.rand(2, 3, *size)).shape == (2, len(DRAWINGS))


def test_lines_answers_with_its_four_heads():
    module = card("lines").build()
    answer = module(torch.rand(2, 3, 64, 64))
    assert {head: tuple(values.shape) for head, values in answer.items()} == {
        head: (2, len(classes)) for head, classes in HEADS.items()
    }
    assert set(HEADS) <= {name for name, _ in module.named_children()}


def test_digits_takes_one_channel():
    assert card("digits").build()(torch.rand(2, 1, 32, 32)).shape == (2, 10)
