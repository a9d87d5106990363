"""Nothing is made on another device than the images: one step of everything, as fake tensors on `cuda`, without one.

Fake tensors have shapes, types and devices but no numbers, and an operation that mixes devices raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from constraints.test_constraint_battery import ALL as CONSTRAINTS
from objective_examples.example import Example as ObjectiveExample
from objectives.test_objective_battery import each_objective
from param.test_param_battery import each_param
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._pytree import tree_leaves
from transforms.examples import Example as TransformExample
from transforms.test_transform_battery import ALL

from lucidtorch.base.seeds import generators
from lucidtorch.constraints import Constraint, Moment
from lucidtorch.param import Param
from lucidtorch.transforms import Geometric, blur, textured

DEVICE = torch.device("cuda", 0)


@pytest.fixture(autouse=True)
def forward_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Without the device no backward pass can be begun, and fake tensors cannot be pinned."""
    monkeypatch.setattr(Tensor, "pin_memory", lambda tensor: tensor)
    with torch.no_grad():
        yield


def fake(mode: FakeTensorMode, real: Tensor) -> Tensor:
    """The same on the device, without numbers."""
    with mode:
        return torch.empty(real.shape, dtype=real.dtype, device=DEVICE)


def check(*made: Any) -> None:
    """Everything is on the device."""
    found = [one.device for one in tree_leaves(made) if isinstance(one, Tensor)]
    assert found
    assert set(found) == {DEVICE}


@each_objective
def test_an_objective(example: ObjectiveExample) -> None:
    mode = FakeTensorMode(allow_non_fake_inputs=False)
    given = {name: fake(mode, one) for name, one in example.given(torch.float32).items()}
    with mode:
        values = example.goal(given)
    check(values)


@each_param
def test_a_param(make: Callable[[], Param], text: str) -> None:
    param = make()
    param.fill(range(param.batch))
    mode = FakeTensorMode(allow_non_fake_inputs=False)
    for module in param.modules():
        for name, one in module._parameters.items():
            module._parameters[name] = None if one is None else torch.nn.Parameter(fake(mode, one))
        for name, one in module._buffers.items():
            module._buffers[name] = None if one is None else fake(mode, one)
    with mode:
        images = param()
    check(images)


def without_numbers(example: TransformExample) -> bool:
    """Whether a transform reads no draws as numbers on the CPU, which a fake tensor does not have."""
    return not any(isinstance(step, Geometric | blur | textured) for step in example.pipeline.steps)


@pytest.mark.parametrize("example", [pytest.param(one, id=one.text[:60]) for one in ALL if without_numbers(one)])
def test_a_transform(example: TransformExample) -> None:
    shape = (2, max(example.channels), *[max(24, example.smallest)] * 2)
    draws = example.pipeline.sample(shape, generators((0, 1), "transforms"))
    mode = FakeTensorMode(allow_non_fake_inputs=True)  # the draws are numbers on the CPU
    images = fake(mode, torch.empty(shape))
    with mode:
        moved = example.pipeline.apply(images, draws)
    check(moved)


@pytest.mark.parametrize("constraint", [one[0] for one in CONSTRAINTS if "every=1" not in one[1]])  # reads a number
def test_a_constraint(constraint: Constraint) -> None:
    mode = FakeTensorMode(allow_non_fake_inputs=False)
    images, zero = fake(mode, torch.empty(2, 3, 6, 7)), fake(mode, torch.empty(3))
    with mode:
        held = constraint.apply(images, Moment(4, zero, fake(mode, images)))
    check(held)
