"""Constraints in a render: the pictures keep to them, whatever makes the pictures and however they are written."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import lucidtorch as lt
from lucidtorch.constraints import Constraint, Constraints, clip_contribution, clip_norm, decay, l2_ball, linf_ball

PARAMS = [
    "image(32, fft=False)",
    "image(32, fft=False, decorrelate=False, bounds='clip')",
    "image((32, 48))",
    "image(33, spatial=pyramid())",
]
GOAL = "channel('conv2_1', 3)"


def rendered(model: lt.Model, param: str, constraints: object, steps: int = 4) -> Tensor:
    return lt.render(
        model,
        GOAL,
        param=param,
        transforms="identity()",
        constraints=constraints,  # type: ignore[arg-type]
        steps=steps,
        progress=False,
    ).images


def zero(model: lt.Model) -> Tensor:
    return torch.tensor(model.convention.mean_colour).reshape(1, -1, 1, 1)


@pytest.mark.parametrize("param", PARAMS)
def test_pictures_stay_in_their_ball(demo: lt.Model, param: str) -> None:
    free = rendered(demo, param, ())
    assert (free - zero(demo)).abs().max() > 0.03
    near = rendered(demo, param, linf_ball(0.01))
    assert (near - zero(demo)).abs().max() <= 0.01 + 1e-4
    near = rendered(demo, param, l2_ball(0.5))
    assert torch.linalg.vector_norm(near - zero(demo)) <= 0.5 + 1e-3


@pytest.mark.parametrize("constraint", [clip_norm(50), clip_contribution(50)])
@pytest.mark.parametrize("param", PARAMS)
def test_the_share_that_is_cleared_is_the_mean_colour(demo: lt.Model, param: str, constraint: Constraint) -> None:
    found = rendered(demo, param, constraint)
    cleared = (found - zero(demo)).abs().amax(1) < 1e-4
    assert 0.45 < cleared.float().mean() < 0.55


@pytest.mark.parametrize("param", PARAMS)
def test_what_fades_wholly_is_the_mean_colour(demo: lt.Model, param: str) -> None:
    found = rendered(demo, param, decay(1))
    torch.testing.assert_close(found, zero(demo).expand_as(found), rtol=0, atol=1e-4)


def test_the_mean_colour_is_the_networks_own() -> None:
    convolution = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3))
    model = lt.load_model(convolution, mean=(0.2, 0.4, 0.6), std=(0.3, 0.3, 0.3), size=(16, 16), device="cpu")
    goal = "channel('0', 1)"
    found = lt.render(model, goal, param="image(16, fft=False)", constraints=decay(1), steps=2, progress=False).images
    expected = torch.tensor([0.2, 0.4, 0.6]).reshape(1, 3, 1, 1)
    torch.testing.assert_close(found, expected.expand_as(found), rtol=0, atol=1e-4)


def test_values_texts_and_sequences_say_the_same(demo: lt.Model) -> None:
    forms = [decay(0.1) | clip_norm(20), "decay(0.1) | clip_norm(20)", (decay(0.1), clip_norm(20))]
    first, *others = [rendered(demo, PARAMS[0], one) for one in forms]
    assert all(torch.equal(first, other) for other in others)
    nothing = [rendered(demo, PARAMS[0], one) for one in ((), "", Constraints())]
    assert all(torch.equal(nothing[0], other) for other in nothing[1:])
    assert not torch.equal(first, nothing[0])
