"""Units that are zero everywhere: those that can be woken are, and those that cannot are reported."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
import torchvision
from normalized_networks import seeded
from small_networks import Threshold, as_model
from torch import Tensor, nn
from transformers.activations import NewGELUActivation, QuickGELUActivation

import lucidtorch as lt
from lucidtorch.base.errors import LucidtorchWarning
from lucidtorch.models.running.redirect import STEPS

# A pixel's colours sum to 1.5 at the grey start and to 3 at most: a bias of 1.6 is asleep, one of 100 is dead.
ASLEEP, DEAD, AWAKE = 1.6, 100.0, 0.0


def rendered(model: Any, goal: Any, *, steps: int = 20, **more: Any) -> lt.Rendering:
    settings = {"param": lt.param.image(8), "transforms": "identity()", "lr": 0.1} | more
    return lt.render(model, goal, steps=steps, progress=False, **settings)


class InPlace(nn.Module):
    """ReLU as a function that works in place."""

    def forward(self, values: Tensor) -> Tensor:
        return F.relu_(values)


class Method(nn.Module):
    """ReLU as a method of tensors."""

    def forward(self, values: Tensor) -> Tensor:
        return values.relu()


@pytest.mark.parametrize("relu", [nn.ReLU, lambda: nn.ReLU(inplace=True), nn.ReLU6, InPlace, Method])
def test_a_sleeping_unit_is_woken(relu: Callable[[], nn.Module]) -> None:
    found = rendered(as_model(Threshold(ASLEEP, relu=relu)), "after:0")
    assert found.history["objective"][0, 0] == 0
    assert found.values.item() > 0
    assert found.dead == (False,)


def test_every_sleeping_image_is_woken_by_itself() -> None:
    model = as_model(Threshold(ASLEEP, AWAKE))
    found = rendered(model, "after:[0, 1, 0]", param=lt.param.image(8, batch=3))
    assert (found.values > 0).all()
    assert found.dead == (False, False, False)


def test_it_is_the_redirected_gradient_that_wakes() -> None:
    class Clamped(nn.Module):
        """The same function, which nobody redirects."""

        def forward(self, values: Tensor) -> Tensor:
            return values.clamp(min=0)

    with pytest.warns(LucidtorchWarning, match="Dead: image 0"):
        found = rendered(as_model(Threshold(ASLEEP, relu=Clamped)), "after:0")
    assert found.values.item() == 0
    assert found.dead == (True,)


def test_gradients_are_redirected_in_the_first_steps_only() -> None:
    model = as_model(Threshold(DEAD))
    images: list[Tensor] = []
    with pytest.warns(LucidtorchWarning, match="Dead"):
        rendered(
            model,
            "after:0",
            steps=STEPS + 3,
            optimizer="sgd",
            lr=10.0,
            callbacks=[lambda step: images.append(step.images)],
        )
    moved = [not torch.equal(before, after) for before, after in itertools.pairwise(images)]
    assert moved == [True] * (STEPS - 1) + [False] * 3


def test_a_unit_that_is_awake_gets_the_plain_gradient() -> None:
    """Half of the pixels are below the threshold: they stay where they are."""
    start = torch.full((3, 8, 8), 0.4)
    start[:, :, 4:] = 0.9
    param = lt.param.image(8, init=start, fft=False)
    found = rendered(as_model(Threshold(1.5)), "after:0", param=param, steps=3)
    assert torch.allclose(found.images[0, :, :, :4], start[:, :, :4], atol=1e-4)
    assert (found.images[0, :, :, 4:] > start[:, :, 4:]).all()


@pytest.mark.parametrize(
    ("goal", "batch", "dead"),
    [
        ("after:0", 1, (True,)),
        ("after:1", 1, (False,)),
        ("neuron('after', 0)", 1, (True,)),
        ("after:0 + after:1", 1, (False,)),
        ("after:[0, 1]", 2, (True, False)),
        ("each(after:0, after:1)", 2, (True, False)),
        ("each(after:1, after:0) - L2('after')", 2, (False, True)),
        ("2 * each(after:1 - total_variation(), after:0 * 3)", 2, (False, True)),
        ("after:0.on(0) + after:1.on(1)", 2, (True, False)),
        ("interpolate(after:0, after:1, 2)", 2, (True, False)),
        ("each(after:0, deepdream('after'))", 2, (True, False)),
        ("deepdream('after')", 1, (False,)),
        ("-total_variation()", 1, (False,)),
        ("before:0", 1, (False,)),
    ],
)
def test_dead_units_are_reported_image_by_image(goal: str, batch: int, dead: tuple[bool, ...]) -> None:
    model = as_model(Threshold(DEAD, AWAKE))
    param = lt.param.image(8, batch=batch)
    if any(dead):
        with pytest.warns(LucidtorchWarning, match=f"Dead: image {dead.index(True)} of") as caught:
            found = rendered(model, goal, param=param, steps=2)
        assert len(caught) == 1
    else:
        found = rendered(model, goal, param=param, steps=2)
    assert found.dead == dead


def test_a_unit_that_is_zero_but_can_be_moved_is_not_dead() -> None:
    module = Threshold(AWAKE)
    with torch.no_grad():
        module.before.weight.copy_(torch.tensor([1.0, -1.0, 0.0]).reshape(1, 3, 1, 1))
    param = lt.param.image(8, init=torch.full((3, 8, 8), 0.5), fft=False)
    found = rendered(as_model(module), "before:0", param=param, steps=1, lr=1e-30)
    assert found.values.item() == 0
    assert found.dead == (False,)
    with torch.no_grad():
        assert rendered(as_model(module), "before:0", param=param, steps=1, lr=1e-30).dead == (False,)


def test_the_picture_of_a_dead_unit_is_marked_not_drawn() -> None:
    model = as_model(Threshold(DEAD, AWAKE))
    with pytest.warns(LucidtorchWarning, match="Dead: image 0"):
        found = rendered(model, "after:[0, 1]", param=lt.param.image(8, batch=2), steps=2)
    assert not torch.equal(found.picture(0), found.images[0])
    assert len(found.picture(0).unique()) == 2
    assert torch.equal(found.picture(1), found.images[1])


@pytest.mark.parametrize(
    "goal",
    [
        "-after:0",
        "-2 * after:0",
        "after:0 * -2",
        "1 - after:0",
        "negative(neuron('after', 0))",
        "-after:0 - total_variation()",
        "each(-after:0, -after:1)",
        "each(after:1, -after:0)",
        "(-after:0).on(0)",
        "interpolate(-after:0, -after:1, 2)",
        "-each(after:0, after:1)",
    ],
)
def test_a_negative_behind_a_relu_names_the_pre_activation(goal: str) -> None:
    batch = 2 if "each" in goal or "interpolate" in goal else 1
    with pytest.warns(LucidtorchWarning, match="'after' is behind a ReLU.*'before'"):
        rendered(as_model(Threshold(AWAKE, AWAKE)), goal, param=lt.param.image(8, batch=batch), steps=1)


@pytest.mark.parametrize(
    "goal",
    [
        "after:0",
        "-before:0",
        "2 * after:0 - before:1",
        "-(-after:0)",
        "each(after:0, -before:1)",
        "-deepdream('after')",
    ],
)
def test_other_objectives_are_not_warned_of(goal: str) -> None:
    batch = 2 if "each" in goal else 1
    rendered(as_model(Threshold(AWAKE, AWAKE)), goal, param=lt.param.image(8, batch=batch), steps=1)


class Written(nn.Module):
    """SiLU, written out."""

    def forward(self, values: Tensor) -> Tensor:
        return values * torch.sigmoid(values)


SMOOTH: list[Callable[[], nn.Module]] = [
    *(nn.GELU, nn.SiLU, nn.Mish, nn.Softplus, nn.ELU, nn.CELU, nn.SELU, nn.Hardswish),
    *(Written, QuickGELUActivation, NewGELUActivation),
]


@pytest.mark.parametrize("smooth", SMOOTH)
def test_a_unit_that_sleeps_behind_a_smooth_rectifier_is_woken(smooth: Callable[[], nn.Module]) -> None:
    """The pre-activation starts near -7.5, where the slope is below 0.001, and can reach 7.5."""
    module = scaled(smooth, threshold=2.25)
    found = rendered(as_model(module), "after:0", steps=40)
    assert found.dead == (False,)
    assert found.values.item() > found.history["objective"][0, 0] + 0.05


@pytest.mark.parametrize("smooth", SMOOTH)
def test_a_unit_that_still_sleeps_behind_a_smooth_rectifier_is_reported(smooth: Callable[[], nn.Module]) -> None:
    """The pre-activation is at most -7.5."""
    with pytest.warns(LucidtorchWarning, match="Dead: image 0 of .*sleeps in the flat part"):
        found = rendered(as_model(scaled(smooth, threshold=3.75)), "after:0", steps=2)
    assert found.dead == (True,)


@pytest.mark.parametrize("smooth", SMOOTH)
def test_a_smooth_unit_that_shall_be_small_is_not_reported(smooth: Callable[[], nn.Module]) -> None:
    assert rendered(as_model(scaled(smooth, threshold=1.75)), "-after:0", steps=2).dead == (False,)


def scaled(smooth: Callable[[], nn.Module], *, threshold: float) -> Threshold:
    """A unit whose pre-activation is 10 times what a pixel's colours exceed a threshold by."""
    module = Threshold(threshold, relu=smooth)
    with torch.no_grad():
        module.before.weight.mul_(10)
        module.before.bias.mul_(10)
    return module


@pytest.mark.parametrize("smooth", [nn.GELU, nn.SiLU, nn.Mish, nn.Hardswish])
def test_a_smooth_unit_that_ends_below_its_start_at_the_edge_of_the_flat_part_is_reported(
    smooth: Callable[[], nn.Module],
) -> None:
    """The pre-activation starts near -15 and ends near -0.6, where more than a tenth of the gradient gets through."""
    module = scaled(smooth, threshold=3.05)
    with torch.no_grad():
        module.before.bias.add_(EDGES[smooth])
    with pytest.warns(LucidtorchWarning, match="Dead: image 0"):
        found = rendered(as_model(module), "after:0", lr=1.0, steps=60)
    assert found.values.item() < found.history["objective"][0, 0]
    assert found.dead == (True,)


# What is added to a pre-activation that is at most -0.5, so that about a fifth of the gradient gets through at the end.
EDGES: dict[Any, float] = {nn.GELU: 0.1, nn.SiLU: -0.2, nn.Mish: -0.2, nn.Hardswish: -0.3}


@pytest.mark.slow
def test_every_channel_of_a_real_layer_is_woken(test_data: Path) -> None:
    """Many of the 512 are zero at the start; 5 to 10 minutes."""
    model = lt.load_model(
        "squeezenet1_0", weights=test_data / "weights" / "squeezenet1_0_imagenet.safetensors", device="cpu"
    )
    dead, asleep = list[int](), 0
    for start in range(0, 512, 64):
        units = list(range(start, start + 64))
        goal = lt.objectives.channel("features.12", units)
        found = lt.render(model, goal, param=lt.param.image(64, batch=64), steps=64, progress=False)
        dead += [unit for unit, value in zip(units, found.values.tolist(), strict=True) if value <= 0]
        asleep += int((found.history["objective"][:, 0] == 0).sum())
    assert dead == []
    assert asleep > 250


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "kind", "place", "size"),
    [("dinov2", "GELUActivation", 8, 84), ("convnext_tiny", "GELU", 6, 64), ("efficientnet_b0", "SiLU", 12, 64)],
)
def test_every_unit_behind_a_smooth_rectifier_of_a_large_network_rises_or_is_reported(
    request: pytest.FixtureRequest, network: str, kind: str, place: int, size: int
) -> None:
    if network == "dinov2":
        folder = request.getfixturevalue("test_data") / "weights" / "dinov2_vits14_saliency"
        model, units = lt.load_model(f"hf/{folder}", device="cpu"), list(range(0, 1536, 64))
    else:
        module = seeded(lambda: torchvision.models.get_model(network))
        model, units = lt.load_model(module, mean=0.5, std=0.25, device="cpu"), list(range(24))
    layers = [layer for layer, record in model.layers.items() if record.kind == kind]
    transforms = (
        "standard()" if network == "dinov2" else "identity()"
    )  # random units answer to transforms more than to steps
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Dead")
        found = lt.render(
            model,
            1e6 * lt.objectives.channel(layers[place], units),  # random weights make small gradients
            param=lt.param.image(size, batch=24),
            transforms=transforms,
            steps=40,
            progress=False,
        )
    rises = found.values > found.history["objective"][:, 0]
    assert (rises | torch.tensor(found.dead)).all()
    assert rises.sum() >= 20
