from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lucidtorch.analysis.adversarial_steps import Smallest, fgsm_step, held_near, smallest_enough
from lucidtorch.base.errors import BadInputError

EPSILONS = st.floats(0, 1, width=32)


def noise(seed: int) -> torch.Tensor:
    return torch.randn(2, 3, 5, 4, generator=torch.Generator().manual_seed(seed))


@given(EPSILONS, st.integers(0, 1000), st.sampled_from([torch.float32, torch.float64]))
def test_a_step_is_exactly_epsilon_in_the_infinity_norm(epsilon: float, seed: int, dtype: torch.dtype) -> None:
    gradient = noise(seed).to(dtype)
    gradient[0, 0, 0, 0] = 0.0
    step = fgsm_step(gradient, epsilon)
    assert step.dtype == dtype
    assert float(step.abs().max()) == epsilon
    assert set(step.abs().unique().tolist()) <= {0.0, epsilon}
    for value, slope in zip(step.flatten().tolist(), gradient.flatten().tolist(), strict=True):
        assert value == (epsilon if slope > 0 else -epsilon if slope < 0 else 0.0)


def test_a_gradient_of_zero_moves_nothing() -> None:
    assert not fgsm_step(torch.zeros(2, 3), 0.5).any()


@given(EPSILONS, st.integers(0, 1000))
def test_images_are_held_within_epsilon_and_within_pictures(epsilon: float, seed: int) -> None:
    clean = noise(seed + 1).sigmoid().double()
    wild = clean + noise(seed).double()
    held = held_near(wild, clean, epsilon)
    for value, base, given_value in zip(
        held.flatten().tolist(), clean.flatten().tolist(), wild.flatten().tolist(), strict=True
    ):
        near = sorted([base - epsilon, given_value, base + epsilon])[1]
        assert value == sorted([0.0, near, 1.0])[1]
    assert torch.equal(held_near(held, clean, epsilon), held)


def test_with_epsilon_zero_the_clean_images_come_back() -> None:
    clean = noise(3).sigmoid()
    assert torch.equal(held_near(clean + noise(4), clean, 0), clean)


@given(st.floats(0.01, 30), st.integers(0, 6))
def test_the_border_of_a_search_lies_in_the_gap_that_is_told(border: float, halvings: int) -> None:
    tried = []

    def enough(value: float) -> bool:
        tried.append(value)
        return value >= border

    found = smallest_enough(enough, 32, first=0.125, halvings=halvings)
    assert found is not None
    assert found.too_little < border <= found.enough
    assert found.enough - found.too_little <= max(found.too_little, 0.125) / 2**halvings
    assert {found.enough, found.too_little} <= {*tried, 0.0}
    assert all(value <= 32 for value in tried)


def test_a_search_without_success_has_tried_the_largest_value() -> None:
    tried: list[float] = []

    def enough(value: float) -> bool:
        tried.append(value)
        return False

    assert smallest_enough(enough, 5, first=1) is None
    assert tried == [1, 2, 4, 5]


def test_the_first_value_may_be_enough() -> None:
    assert smallest_enough(lambda value: True, 8, first=1, halvings=2) == Smallest(0.25, 0.0)


def test_bad_sizes_are_refused() -> None:
    with pytest.raises(BadInputError, match=r"-0\.1"):
        fgsm_step(torch.ones(2), -0.1)
    with pytest.raises(BadInputError, match="nan"):
        held_near(torch.ones(2), torch.ones(2), float("nan"))
    for first, largest in ((0.0, 1.0), (2.0, 1.0)):
        with pytest.raises(BadInputError, match="upwards"):
            smallest_enough(lambda value: True, largest, first=first)
