"""An image whose value is no longer a number stops alone, keeps its last good picture, and says where and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from guards.registry import own_objectives
from small_networks import Overflowing, as_model, mixing
from torch import Tensor

import lucidtorch as lt
from lucidtorch.base.errors import LucidtorchWarning
from lucidtorch.objectives import Activations, channel, each
from lucidtorch.objectives.term import objective


class _Root(torch.autograd.Function):
    """Its value is sound and its gradient is not."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return values.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient * torch.nan


@pytest.fixture
def bursting() -> Iterator[Callable[..., Any]]:
    """An objective whose value for one image is NaN from one evaluation with a gradient on."""
    passes = [0]

    def bursting_mean(activations: Activations, layer: str, image: int, first: int) -> Tensor:
        values = activations[layer].flatten(1).mean(1)
        if activations[layer].requires_grad:
            passes[0] += 1
            if passes[0] >= first:
                factor = torch.where(torch.arange(len(values)) == image, torch.nan, 1.0)
                return values * factor
        return values

    with own_objectives():
        yield objective(bursting_mean)


@pytest.fixture
def broken_slope() -> Iterator[Callable[..., Any]]:
    """An objective whose gradient for image 1 is NaN."""

    def broken_slope_mean(activations: Activations, layer: str) -> Tensor:
        values = activations[layer].flatten(1).mean(1)
        return torch.stack([_Root.apply(one) if image == 1 else one for image, one in enumerate(values)])

    with own_objectives():
        yield objective(broken_slope_mean)


def rendered(model: Any, goal: Any, *, batch: int = 3, steps: int = 5, **more: Any) -> lt.Rendering:
    settings = {"param": lt.param.image(16, batch=batch), "transforms": "identity()"} | more
    return lt.render(model, goal, steps=steps, progress=False, **settings)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("first", [1, 3])
def test_one_image_stops_and_the_others_go_on(bursting: Callable[..., Any], first: int, optimizer: str) -> None:
    model = as_model(mixing())
    with pytest.warns(LucidtorchWarning, match=rf"Image 1 stopped before step {first}: 'objective'") as caught:
        found = rendered(model, bursting("4", 1, first), optimizer=optimizer)
    assert len(caught) == 1
    sound = rendered(model, bursting("4", -1, 0), optimizer=optimizer)
    assert torch.equal(found.images[[0, 2]], sound.images[[0, 2]])
    assert found.images.isfinite().all()
    assert set(found.stopped) == {1}
    assert (found.stopped[1].image, found.stopped[1].step) == (1, first)


def test_the_last_good_picture_is_kept(bursting: Callable[..., Any]) -> None:
    """The value broke in step 4, so the picture that step 3 still found sound is the last good one."""
    model = as_model(mixing())
    with pytest.warns(LucidtorchWarning, match="before step 4"):
        found = rendered(model, bursting("4", 1, 4), steps=9)
    seen = rendered(model, bursting("4", -1, 0), steps=9, snapshots=[2, 3])
    assert torch.equal(found.images[1], seen.snapshots[2][1])


def test_a_broken_gradient_stops_an_image_and_leaves_its_picture(broken_slope: Callable[..., Any]) -> None:
    model = as_model(mixing())
    with pytest.warns(LucidtorchWarning, match="Image 1 stopped before step 1: 'gradient'"):
        found = rendered(model, broken_slope("4"))
    sound = rendered(model, lt.objectives.interpolate(channel("4", 0), channel("4", 0), 3) * 0, steps=1)
    assert torch.equal(found.images[1], sound.images[1])
    assert not torch.equal(found.images[0], sound.images[0])


def test_the_layer_where_it_broke_is_named_the_first_in_the_pass() -> None:
    """Images start at grey .5; making `a` large makes them brighter, until `b` overflows."""
    model = as_model(Overflowing(0.52))
    goal = each(channel("c", 1) + channel("b", 0) + channel("a", 0), -channel("a", 0) + 0 * channel("c", 0))
    with pytest.warns(LucidtorchWarning, match="Image 0 stopped before step [0-9]+: 'b'") as caught:
        found = rendered(model, goal, batch=2, steps=12, lr=0.2)
    assert len(caught) == 1
    assert set(found.stopped) == {0}
    assert found.stopped[0].layer == "b"
    assert found.stopped[0].step > 1
    assert found.images.isfinite().all()
    assert found.images[0].mean() <= 0.52
    sound = rendered(model, each(goal.parts[1], goal.parts[1]), batch=2, steps=12, lr=0.2)  # type: ignore[attr-defined]
    assert torch.equal(found.images[1], sound.images[1])


def test_when_every_image_stopped_the_run_still_ends_with_pictures(bursting: Callable[..., Any]) -> None:
    model = as_model(mixing())
    with pytest.warns(LucidtorchWarning, match="Image 0 stopped before step 2"):
        found = rendered(model, bursting("4", 0, 2), batch=1)
    assert found.images.isfinite().all()
    assert found.images.shape == (1, 3, 16, 16)


def test_the_iterator_says_which_images_stopped(bursting: Callable[..., Any]) -> None:
    model = as_model(mixing())
    param = lt.param.image(16, batch=2)
    steps = lt.optimize(model, bursting("4", 0, 3), param=param, steps=4, transforms="identity()")
    with pytest.warns(LucidtorchWarning, match="Image 0"):
        stops = [dict(step.stops) for step in steps]
    assert [set(one) for one in stops] == [set(), set(), {0}, {0}]
