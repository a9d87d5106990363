"""Penalties on how far values are from a constant: published numbers, bounds and refusals."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lucidtorch.base.errors import ExpressionError
from lucidtorch.objectives import parse
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.penalties import L1, L2, Linf, Lp, alpha_norm, contrast_bound

EXTREMES = torch.tensor([-4.0, 4.0, 4.0, -4.0], dtype=torch.float64).reshape(1, 1, 2, 2)
numbers = st.lists(st.floats(-100, 100, allow_subnormal=False), min_size=1, max_size=12)


def value(goal: Objective, values: Tensor) -> float:
    return goal({"input": values}).item()


def test_they_give_xpliques_numbers() -> None:
    assert value(Lp(p=1), EXTREMES) == pytest.approx(4, abs=1e-12)
    assert value(2 * Lp(p=2), EXTREMES) == pytest.approx(8, abs=1e-12)
    assert value(10 * Linf(), EXTREMES) == pytest.approx(40, abs=1e-12)


def test_they_give_captums_numbers() -> None:
    equal = torch.full((1, 2, 1, 1), 1.3, dtype=torch.float64)
    assert value(L1(), equal) == pytest.approx(2.6, abs=1e-12)
    assert value(L2(epsilon=0), equal) == pytest.approx((2 * 1.69) ** 0.5, abs=1e-12)
    assert value(alpha_norm(alpha=2, mean=0), equal) == pytest.approx(2 * 1.69, abs=1e-12)


@given(numbers, st.floats(1, 12), st.floats(0.01, 50))
def test_lp_grows_with_its_values_and_lies_between_the_mean_and_the_largest(
    values: list[float], power: float, factor: float
) -> None:
    image = torch.tensor([values], dtype=torch.float64)
    found = value(Lp(p=power), image)
    assert value(Lp(p=1), image) - 1e-9 <= found <= value(Linf(), image) + 1e-9
    assert value(Lp(p=power), factor * image) == pytest.approx(factor * found, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_lp_of_a_high_power_stays_in_the_range_of_the_numbers(kind: torch.dtype) -> None:
    image = torch.tensor([[-300.0, 200.0, 0.0, 1.0]], dtype=kind, requires_grad=True)
    found = Lp(p=200)({"input": image})
    (gradient,) = torch.autograd.grad(found.sum(), image)
    assert found.item() == pytest.approx(300 / 4 ** (1 / 200), rel=1e-2)
    assert gradient.isfinite().all()


def test_lp_has_no_gradient_at_distance_zero() -> None:
    flat = torch.full((1, 3, 2, 2), 0.5, dtype=torch.float64, requires_grad=True)
    for power in (1, 1.5, 2, 6):
        (gradient,) = torch.autograd.grad(Lp(p=power, constant=0.5)({"input": flat}).sum(), flat)
        assert torch.equal(gradient, torch.zeros_like(flat))


@given(st.lists(st.floats(0.05, 0.95), min_size=1, max_size=9))
def test_contrast_is_free_inside_the_band(values: list[float]) -> None:
    assert value(contrast_bound(), torch.tensor([values], dtype=torch.float64)) == pytest.approx(0, abs=1e-30)


def test_contrast_beyond_the_band_is_pushed_back() -> None:
    image = torch.tensor([[0.0, 0.3, 1.0]], dtype=torch.float64, requires_grad=True)
    found = contrast_bound(bound=0.3)({"input": image})
    (gradient,) = torch.autograd.grad(found.sum(), image)
    assert found.item() == pytest.approx(0.2**2 + 0.2**2, abs=1e-12)
    torch.testing.assert_close(gradient, torch.tensor([[-0.4, 0, 0.4]], dtype=torch.float64))


def test_clips_and_vectors_are_measured_as_maps_are() -> None:
    flat = torch.linspace(-2, 2, 48, dtype=torch.float64).reshape(2, 24)
    for goal in (L1(), L2(), Lp(), Linf(), alpha_norm(), contrast_bound()):
        as_clip, as_map = flat.reshape(2, 3, 2, 2, 2), flat.reshape(2, 3, 2, 4)
        torch.testing.assert_close(goal({"input": as_clip}), goal({"input": flat}), rtol=0, atol=1e-12)
        torch.testing.assert_close(goal({"input": as_map}), goal({"input": flat}), rtol=0, atol=1e-12)


@pytest.mark.parametrize("text", ["Lp(p=0.5)", "alpha_norm(alpha=0)", "contrast_bound(bound=-0.1)"])
def test_arguments_without_a_meaning_are_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match=r"=\) takes a number from [01], but (0.5|0|-0.1) was given"):
        parse(text)
