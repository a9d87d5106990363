"""After any render, also one that raised or was interrupted, network and global random state are as they were."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from guards.registry import own_objectives
from small_networks import Counter, Raising, as_model, mixing
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.errors import LucidtorchWarning, UnitError, UnknownLayerError
from lucidtorch.models.model import Model
from lucidtorch.objectives import Activations, channel, deepdream
from lucidtorch.objectives.term import objective
from lucidtorch.rendering.loop import Step

Fingerprint = Callable[[nn.Module], dict[str, object]]
NETWORKS = ["demo", "resnet18", "inceptionv1", "mixing"]
LAYERS = {"demo": "conv2_1", "resnet18": "layer1.0.relu@1", "inceptionv1": "mixed3a_3x3_pre_relu", "mixing": "4"}


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest) -> tuple[Model, str]:
    """Each network with a layer of it; `mixing` is left in training mode, as its owner may have it."""
    name = request.param
    return as_model(mixing()) if name == "mixing" else request.getfixturevalue(name), LAYERS[name]


@pytest.fixture
def faulty() -> Iterator[Callable[[Activations, str], Tensor]]:
    """An objective that raises when it is evaluated with a gradient."""

    def faulty_mean(activations: Activations, layer: str) -> Tensor:
        if activations[layer].requires_grad:
            raise ArithmeticError("no value today")
        return activations[layer].flatten(1).mean(1)

    with own_objectives():
        yield objective(faulty_mean)


def rendered(model: Model, goal: Any, **more: Any) -> lt.Rendering:
    settings = {"param": lt.param.image(32, batch=2, channels=model.convention.channels), "steps": 2, "progress": False}
    return lt.render(model, goal, **(settings | more))


def test_after_a_render(network: tuple[Model, str], fingerprint: Fingerprint) -> None:
    model, layer = network
    before = fingerprint(model.module)
    rendered(model, channel(layer, 0) - 0.1 * deepdream(layer))
    assert fingerprint(model.module) == before


def test_after_a_wrong_layer(network: tuple[Model, str], fingerprint: Fingerprint) -> None:
    model, layer = network
    before = fingerprint(model.module)
    with pytest.raises(UnknownLayerError):
        rendered(model, channel(layer, 0) + channel("no_such_layer", 0))
    with pytest.raises(UnitError):
        rendered(model, channel(layer, 100000))
    assert fingerprint(model.module) == before


def test_after_an_interrupt(network: tuple[Model, str], fingerprint: Fingerprint) -> None:
    model, layer = network
    before = fingerprint(model.module)

    def interrupt(step: Step) -> None:
        if step.number == 2:
            raise KeyboardInterrupt

    found = rendered(model, channel(layer, 0), steps=5, callbacks=[interrupt])
    assert fingerprint(model.module) == before
    assert found.interrupted
    assert torch.equal(found.images, rendered(model, channel(layer, 0), steps=2).images)


def test_after_a_callback_that_raises(network: tuple[Model, str], fingerprint: Fingerprint) -> None:
    model, layer = network
    before = fingerprint(model.module)

    def fail(step: Step) -> None:
        raise ZeroDivisionError("the callback's own")

    with pytest.raises(ZeroDivisionError, match="own"):
        rendered(model, channel(layer, 0), callbacks=[fail])
    assert fingerprint(model.module) == before


def test_after_an_objective_that_raises(
    network: tuple[Model, str], fingerprint: Fingerprint, faulty: Callable[[str], Any]
) -> None:
    model, layer = network
    before = fingerprint(model.module)
    with pytest.raises(ArithmeticError, match="no value today"):
        rendered(model, faulty(layer))
    assert fingerprint(model.module) == before


@pytest.mark.parametrize("error", [RuntimeError("the network's own"), ValueError("the network's own"), SystemExit(3)])
@pytest.mark.parametrize("at", [7, 8])
def test_after_a_network_that_raises(error: BaseException, at: int, fingerprint: Fingerprint) -> None:
    module = Raising(at, error)
    model = as_model(module)
    before = fingerprint(module)
    with pytest.raises(type(error)):
        rendered(model, "last:0", steps=9)
    assert module.passes == at
    assert fingerprint(module) == before


def test_after_a_network_that_is_interrupted(fingerprint: Fingerprint) -> None:
    module = Raising(6, KeyboardInterrupt())
    model = as_model(module)
    before = fingerprint(module)
    found = rendered(model, "last:0", steps=50)
    assert fingerprint(module) == before
    assert found.interrupted
    made = found.history["objective"].shape[1]
    assert 1 <= made <= 5
    assert torch.equal(found.images, rendered(model, "last:0", steps=made).images)


def test_after_an_iterator_that_is_left_early(network: tuple[Model, str], fingerprint: Fingerprint) -> None:
    model, layer = network
    before = fingerprint(model.module)
    steps = lt.optimize(model, channel(layer, 0), param=lt.param.image(32), steps=9)
    assert next(steps).number == 1
    steps.close()
    assert fingerprint(model.module) == before


def test_gradients_of_the_owner_stay(fingerprint: Fingerprint) -> None:
    module = mixing()
    module(torch.rand(2, 3, 16, 16)).sum().backward()
    kept = [weight.grad.clone() for weight in module.parameters()]
    next(iter(module.parameters())).requires_grad_(False)
    module[0].eval()
    before = fingerprint(module)
    rendered(as_model(module), "8:0")
    assert fingerprint(module) == before
    assert all(torch.equal(weight.grad, one) for weight, one in zip(module.parameters(), kept, strict=True))


def test_buffers_that_change_in_forward_are_given_back(fingerprint: Fingerprint) -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)
            self.register_buffer("passes", torch.zeros(1))

        def forward(self, images: Tensor) -> Tensor:
            self.passes += 1
            return self.conv(images)

    module = Counting()
    model = as_model(module)
    _ = model.layers
    before = fingerprint(module)
    rendered(model, "conv:0")
    assert fingerprint(module) == before


def test_hooks_of_the_owner_stay_and_still_run() -> None:
    module = mixing()
    model = as_model(module)
    seen: list[int] = []
    handle = module[0].register_forward_hook(lambda *_: seen.append(1))
    rendered(model, "4:0")
    count = len(seen)
    assert count >= 2
    module.eval()(torch.rand(1, 3, 16, 16))
    assert len(seen) == count + 1
    handle.remove()


def test_a_callback_may_look_inside_the_network() -> None:
    model = as_model(mixing())
    found: list[Tensor] = []

    def look(step: Step) -> None:
        found.append(model.activations(step.images, "8")["8"])
        found.append(model.module(step.images))

    made = rendered(model, "4:0", callbacks=[look], transforms=lt.transforms.identity())
    outside = model.activations(made.images, "8")["8"]
    assert torch.equal(found[-2], outside)
    assert torch.equal(found[-1], outside)


def test_the_grad_mode_of_the_caller_does_not_matter(demo: Model) -> None:
    expected = rendered(demo, "conv2_1:3").images
    with torch.no_grad():
        assert torch.equal(rendered(demo, "conv2_1:3").images, expected)
        assert not torch.is_grad_enabled()


def test_no_module_behind_the_deepest_layer_runs_and_no_weight_learns(network: tuple[Model, str]) -> None:
    model, layer = network
    _ = model.layers
    order = [address.partition("@")[0] for address in model.layers]
    deepest = model.layers.order(layer)
    behind = set(order[deepest + 1 :]) - set(order[: deepest + 1])
    behind = {name for name in behind if not any(one.startswith(f"{name}.") for one in order[: deepest + 1])}
    assert behind
    with Counter(model.module) as counter:
        rendered(model, channel(layer, 0), steps=3)
    ran = set(counter.calls)
    assert not ran & behind
    assert layer.partition("@")[0] in ran
    assert not counter.learning
    assert all(weight.grad is None for weight in model.module.parameters())


def test_no_weight_gradient_is_ever_computed() -> None:
    module = mixing()
    model = as_model(module)
    computed: list[str] = []
    for name, weight in module.named_parameters():
        weight.register_hook(lambda gradient, name=name: computed.append(name))
    rendered(model, "4:0 + 8:1")
    assert computed == []


def test_an_objective_on_the_image_alone_runs_no_module(demo: Model) -> None:
    _ = demo.layers
    with Counter(demo.module) as counter:
        rendered(demo, "-total_variation() - L2(constant=0.5)")
    assert counter.calls == {}


def test_the_hundredth_render_leaves_no_more_than_the_first() -> None:
    model = as_model(mixing())
    rendered(model, "4:0")
    gc.collect()
    gc.freeze()  # only what is made from here on is looked at
    try:
        sizes = []
        for _ in range(8):
            rendered(model, "4:0")
            gc.collect()
            sizes.append(sum(type(one) in (Tensor, nn.Parameter) for one in gc.get_objects()))
    finally:
        gc.unfreeze()
    assert len(set(sizes[1:])) == 1


def test_a_module_of_unknown_input_is_rendered_with_one_warning() -> None:
    module = mixing()
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    with pytest.warns(LucidtorchWarning, match="does not say what input it expects") as caught:
        found = lt.render(module, "4:0", steps=1, progress=False)
    assert len(caught) == 1
    assert module.training
    assert found.images.shape[1] == 3
