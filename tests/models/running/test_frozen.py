"""A network is held still inside the block and is its old self afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from lucidtorch.models.running.frozen import frozen

Fingerprint = Callable[[nn.Module], dict[str, object]]


def network() -> nn.Sequential:
    """Mixed flags: part of it trains, part of it evaluates, some weights learn and some do not."""
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Sequential(nn.Dropout(), nn.Conv2d(4, 2, 1)))
    module[1].eval()
    module[0].weight.requires_grad_(False)
    module[2][1].weight.grad = torch.ones_like(module[2][1].weight)
    return module


def test_inside_nothing_learns_and_everything_evaluates() -> None:
    module = network()
    with frozen(module):
        assert not any(weight.requires_grad for weight in module.parameters())
        assert not any(part.training for part in module.modules())
        images = torch.rand(2, 3, 4, 4, requires_grad=True)
        assert torch.equal(module(images), module(images))
        module(images).sum().backward()
        assert images.grad is not None
    assert torch.equal(module[2][1].weight.grad, torch.ones_like(module[2][1].weight))
    assert module[2][1].bias.grad is None


@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_everything_is_given_back(error: type[BaseException] | None, fingerprint: Fingerprint) -> None:
    module, images = network(), torch.rand(2, 3, 4, 4)
    before = fingerprint(module)
    expected = contextlib.nullcontext() if error is None else pytest.raises(error)
    with expected, frozen(module):
        module(images)
        if error is not None:
            raise error
    assert fingerprint(module) == before


def test_blocks_may_stand_inside_one_another(fingerprint: Fingerprint) -> None:
    module = network()
    before = fingerprint(module)
    with frozen(module):
        inside = fingerprint(module)
        with frozen(module):
            assert fingerprint(module) == inside
        assert fingerprint(module) == inside
    assert fingerprint(module) == before


def test_shared_weights_are_given_back() -> None:
    first, second = nn.Linear(3, 3), nn.Linear(3, 3)
    second.weight = first.weight
    module = nn.Sequential(first, second)
    with frozen(module):
        assert not first.weight.requires_grad
    assert first.weight is second.weight
    assert first.weight.requires_grad


def test_buffers_that_change_in_forward_are_given_back() -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("passes", torch.zeros(()))
            self.register_buffer("last", torch.zeros(()))
            self.register_buffer("nothing", None)

        def forward(self, images: Tensor) -> Tensor:
            self.passes += 1
            self.last = images.sum()  # another tensor in its place
            return images

    module = Counting()
    kept = module.last
    with frozen(module):
        module(torch.ones(3))
    assert module.passes == 0
    assert module.last is kept
    assert module.nothing is None
    assert set(module.state_dict()) == {"passes", "last"}
