"""Nothing is made on another device than the images: a step of everything, forward and back, on one not there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest
import torch
from constraints.test_constraint_battery import each_constraint, given
from elsewhere import DEVICE, Elsewhere, There, real
from objective_examples.example import Example as ObjectiveExample
from objectives.test_objective_battery import each_objective
from param.test_param_battery import each_param, stirred
from torch import Tensor, nn
from transforms.examples import Example as TransformExample
from transforms.test_transform_battery import applied, drawn, each_example

from lucidtorch.constraints import Constraint, Moment
from lucidtorch.param import Param


@pytest.fixture(autouse=True)
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made = torch.tensor
    monkeypatch.setattr(torch, "tensor", lambda data, *, device=None, **words: made(data, **words).to(device))
    monkeypatch.setattr(Tensor, "pin_memory", lambda tensor: tensor)  # all three need a device that is there
    monkeypatch.setattr(torch, "autocast", lambda kind, **words: contextlib.nullcontext())
    with Elsewhere():
        yield


def check(found: Tensor, plain: Tensor, leaves: list[Tensor]) -> None:
    """What was made is on the device and what it is on the CPU; so are its gradients."""
    assert found.device == DEVICE
    torch.testing.assert_close(real(found), plain, rtol=1e-4, atol=1e-5, equal_nan=True)
    if found.requires_grad:
        gradients = torch.autograd.grad(found.sum(), leaves, allow_unused=True)
        assert {one.device for one in gradients if one is not None} == {DEVICE}


def there(values: Tensor) -> Tensor:
    return There(values.detach()).requires_grad_(values.is_floating_point())


def test_a_mixture_of_devices_is_found() -> None:
    """Whoever makes something on the CPU by default, or moves nothing, is found out; what torch allows is allowed."""
    images = there(torch.ones(2, 3))
    for mixed in (lambda: images * torch.ones(3), lambda: torch.cat([images, torch.ones(2, 3)])):
        with pytest.raises(RuntimeError, match="mixes devices"):
            mixed()
    moved = images * torch.ones(3).to(images) + torch.tensor(2.0) + torch.zeros_like(images) + images.new_ones(3)
    assert moved.device == DEVICE
    assert moved.tolist() == [[4.0] * 3] * 2
    assert images[torch.tensor([1])].device == torch.zeros(2, device=images.device).device == DEVICE
    assert images.detach().cpu().device.type == "cpu"


@each_objective
def test_an_objective(example: ObjectiveExample) -> None:
    made = example.given(torch.float32)
    plain = {name: one.detach() for name, one in made.items()}
    leaves = {name: there(one) for name, one in plain.items()}
    chained = any(one.grad_fn is not None for one in made.values())  # a gradient between layers, which leaves lack
    with torch.set_grad_enabled(not chained):
        check(example.goal(leaves), example.goal(plain), list(leaves.values()))


@each_param
def test_a_param(make: Callable[[], Param], text: str) -> None:
    param = stirred(make)
    plain = param().detach()
    for module in param.modules():
        for name, one in module._parameters.items():
            module._parameters[name] = None if one is None else nn.Parameter(There(one.detach()))
        for name, one in module._buffers.items():
            module._buffers[name] = None if one is None else There(one)
    check(param(), plain, list(param.parameters()))


@each_example
def test_a_transform(example: TransformExample) -> None:
    shape = (2, max(example.channels), *[max(24, example.smallest)] * 2)
    plain = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    draws, images = drawn(example, plain), there(plain)
    check(example.pipeline.apply(images, draws), applied(example, plain), [images])


@each_constraint
def test_a_constraint(constraint: Constraint) -> None:
    images, moment = given((3, 6, 7), torch.float32, step=4)
    far = Moment(moment.step, There(moment.zero), There(moment.gradient))
    check(constraint.apply(There(images), far), constraint.apply(images, moment), [])
