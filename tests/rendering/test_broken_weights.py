"""One weight that is NaN or inf: the units that it reaches are refused by its name, and all others render."""

from __future__ import annotations

import pytest
import torch
from small_networks import as_model
from torch import nn

import lucidtorch as lt
from lucidtorch.base.errors import LucidtorchWarning, RenderError


def network(value: float | None) -> lt.Model:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 6, 3), nn.Conv2d(6, 4, 3))
    if value is not None:
        with torch.no_grad():
            module[1].weight[2, 1, 0, 0] = value
    return as_model(module)


def rendered(value: float | None, goal: str, batch: int = 1) -> lt.Rendering:
    param = lt.param.image(16, batch=batch)
    return lt.render(network(value), goal, param=param, transforms="identity()", steps=4, progress=False)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("goal", ["0:1", "1:3"])
def test_units_that_it_does_not_reach_have_their_pictures(goal: str, value: float) -> None:
    assert torch.allclose(rendered(value, goal).images, rendered(None, goal).images, atol=1e-5)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("goal", ["1:2", "2:0"])
def test_units_that_it_reaches_are_refused_by_its_name(goal: str, value: float) -> None:
    with pytest.raises(RenderError, match=r"'1\.weight' of the network holds NaN or inf"):
        rendered(value, goal)


def test_of_several_images_only_those_that_it_reaches_stop() -> None:
    with pytest.warns(LucidtorchWarning) as caught:
        found = rendered(float("nan"), "1:[3, 2]", batch=2)
    said = [str(one.message) for one in caught]
    assert "'1.weight' of the network holds NaN or inf, which reaches image 1." in said
    assert set(found.stopped) == {1}
    assert torch.allclose(found.images[0], rendered(None, "1:[3, 2]", batch=2).images[0], atol=1e-5)
