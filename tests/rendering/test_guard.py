"""What the guard takes for no number: the first look is at a sum, and it must never decide by itself."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import Tensor

from lucidtorch.base.errors import LucidtorchWarning
from lucidtorch.param import image
from lucidtorch.rendering.loop import Guard

LARGEST = torch.finfo(torch.float32).max


def guarded() -> tuple[Guard, Tensor]:
    """A guard of three small images, and a sound gradient for them."""
    param = image(4, batch=3)
    param.fill([0, 1, 2])
    (numbers,) = param.parameters()
    return Guard(param), torch.ones_like(numbers)


def test_large_numbers_stop_nothing_though_their_sum_is_no_number() -> None:
    guard, gradient = guarded()
    gradient[1].fill_(LARGEST)
    assert not gradient.sum().isfinite()
    before = gradient.clone()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        guard.check(1, torch.tensor([LARGEST, LARGEST, 0.0]), [gradient], {})
    assert guard.stops == {}
    assert torch.equal(gradient, before)


@pytest.mark.parametrize("broken", [(torch.nan, 0.0), (torch.inf, 0.0), (torch.inf, -torch.inf)])
def test_one_number_that_is_none_stops_its_image_alone(broken: tuple[float, float]) -> None:
    guard, gradient = guarded()
    gradient[2].view(-1)[:2] = torch.tensor(broken)
    with pytest.warns(LucidtorchWarning, match="Image 2 stopped before step 7: 'gradient'"):
        guard.check(7, torch.zeros(3), [gradient], {})
    assert set(guard.stops) == {2}
    assert (gradient[2] == 0).all()
    assert (gradient[:2] == 1).all()


def test_values_that_cancel_are_found() -> None:
    guard, gradient = guarded()
    with pytest.warns(LucidtorchWarning) as caught:
        guard.check(2, torch.tensor([torch.inf, 0.0, -torch.inf]), [gradient], {})
    assert len(caught) == 2
    assert set(guard.stops) == {0, 2}


def test_a_stopped_image_is_silent_later_too() -> None:
    guard, gradient = guarded()
    with pytest.warns(LucidtorchWarning):
        guard.check(1, torch.tensor([0.0, torch.nan, 0.0]), [gradient], {})
    again = torch.ones_like(gradient)
    guard.check(2, torch.zeros(3), [again], {})
    assert (again[1] == 0).all()
    assert (again[[0, 2]] == 1).all()
