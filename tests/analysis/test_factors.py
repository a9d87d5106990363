from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtorch.analysis import Groups, nmf_groups
from lucidtorch.base.errors import BadInputError, UnitError


def planted(images: int = 2, side: int = 6, groups: int = 3, channels: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Maps `[N, G, h, w]` and parts `[G, C]` of groups that share neither a position nor a channel."""
    random = np.random.default_rng(4)
    owner = random.permutation(images * side * side) % groups
    strengths = random.uniform(1, 2, owner.shape) * (np.arange(groups)[:, None] == owner)
    maps = strengths.reshape(groups, images, side, side).transpose(1, 0, 2, 3)
    parts = random.uniform(1, 2, (groups, channels)) * (np.arange(groups)[:, None] == np.arange(channels) % groups)
    return maps, parts * np.linspace(1.2, 1, groups)[:, None]


def some_activations(seed: int, *shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def rebuilt(found: Groups) -> torch.Tensor:
    return torch.einsum("nghw,gc->nchw", found.maps, found.directions)


def multiplied(rows: np.ndarray, groups: int, rounds: int = 2000) -> float:
    """The share that Lee and Seung's multiplicative updates leave unexplained, from a start at random."""
    random = np.random.default_rng(0)
    left, right = random.uniform(0.1, 1, (len(rows), groups)), random.uniform(0.1, 1, (groups, rows.shape[1]))
    for _ in range(rounds):
        right *= (left.T @ rows) / (left.T @ left @ right + 1e-12)
        left *= (rows @ right.T) / (left @ right @ right.T + 1e-12)
    return float(np.linalg.norm(rows - left @ right) / np.linalg.norm(rows))


def test_planted_groups_are_found_the_strongest_first() -> None:
    maps, parts = planted()
    activations = torch.from_numpy(np.einsum("nghw,gc->nchw", maps, parts))
    found = nmf_groups(activations, 3)
    lengths = np.linalg.norm(parts, axis=1)
    mass = maps.sum((0, 2, 3)) * parts.sum(1)
    order = np.argsort(-mass)
    np.testing.assert_allclose(found.directions, (parts / lengths[:, None])[order], atol=1e-3)
    np.testing.assert_allclose(found.maps, (maps * lengths[:, None, None])[:, order], atol=2e-2)
    np.testing.assert_allclose(found.totals, (mass / mass.sum())[order], atol=1e-3)
    assert found.error < 1e-2


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_error_is_as_small_as_that_of_multiplicative_updates(seed: int) -> None:
    activations = some_activations(seed, 2, 10, 5, 4) ** 4
    found = nmf_groups(activations, 4)
    rows = activations.permute(0, 2, 3, 1).reshape(-1, 10).numpy()
    assert found.error <= 1.01 * multiplied(rows, 4)


def test_the_error_is_what_the_groups_leave_over() -> None:
    activations = some_activations(0, 1, 8, 4, 4)
    found = nmf_groups(activations, 3)
    assert found.error == pytest.approx(float((activations - rebuilt(found)).norm() / activations.norm()), rel=1e-9)


@settings(max_examples=20)
@given(st.integers(0, 1000), st.integers(1, 4), st.floats(1e-6, 1e6))
def test_directions_have_length_one_and_shares_add_up(seed: int, groups: int, scale: float) -> None:
    found = nmf_groups(scale * some_activations(seed, 2, 5, 3, 2), groups)
    assert bool((found.maps >= 0).all())
    assert bool((found.directions >= 0).all())
    torch.testing.assert_close(found.directions.norm(dim=1)[: found.count], torch.ones(found.count).double())
    assert found.totals.tolist() == sorted(found.totals.tolist(), reverse=True)
    assert float(found.totals.sum()) == pytest.approx(1)
    torch.testing.assert_close(found.shares.sum(1), torch.ones(2).double())
    mass = rebuilt(found).sum((1, 2, 3))
    torch.testing.assert_close((found.shares * mass[:, None]).sum(0) / mass.sum(), found.totals)


def test_the_same_numbers_give_the_same_bytes_whatever_the_threads_outside() -> None:
    activations = some_activations(3, 1, 64, 14, 14).float()
    users = torch.get_num_threads()
    first = nmf_groups(activations, 5, seed=7)
    try:
        torch.set_num_threads(2)
        second = nmf_groups(activations, 5, seed=7)
    finally:
        torch.set_num_threads(users)
    assert first.maps.numpy().tobytes() == second.maps.numpy().tobytes()
    assert first.directions.numpy().tobytes() == second.directions.numpy().tobytes()


def test_no_global_randomness_is_touched() -> None:
    before = (torch.get_rng_state().numpy().tobytes(), repr(np.random.get_state()), torch.get_num_threads())
    nmf_groups(some_activations(0, 1, 8, 4, 4), 2)
    assert (torch.get_rng_state().numpy().tobytes(), repr(np.random.get_state()), torch.get_num_threads()) == before


def test_a_search_that_was_stopped_says_so_and_does_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = nmf_groups(some_activations(0, 1, 8, 4, 4), 4, max_iter=2)
    assert (found.iterations, found.converged) == (2, False)
    assert nmf_groups(some_activations(0, 1, 8, 4, 4), 1).converged


def test_a_group_too_many_is_empty_and_stands_last() -> None:
    activations = torch.zeros(1, 4, 2, 2)
    activations[0, 0, 0, 0] = 3
    found = nmf_groups(activations, 2)
    assert found.count < 2
    assert found.totals.tolist() == [1, 0]
    assert found.directions[0].tolist() == pytest.approx([1, 0, 0, 0])
    assert bool(found.directions.isfinite().all())


@pytest.mark.parametrize(
    ("activations", "said"),
    [
        (torch.ones(2, 3), r"\[B, C, H, W\] .* but a tensor \[2, 3\]"),
        (torch.full((1, 2, 2, 2), torch.nan), "finite numbers"),
        (-torch.ones(1, 2, 2, 2), "clamp"),
        (torch.zeros(1, 2, 2, 2), "all of them are zero"),
    ],
)
def test_activations_that_have_no_groups_are_refused(activations: torch.Tensor, said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        nmf_groups(activations, 1)


@pytest.mark.parametrize("groups", [0, 4, 2.0, True])
def test_groups_beyond_positions_and_channels_are_refused(groups: int) -> None:
    with pytest.raises(UnitError, match=r"4 positions of 3 channels fall into 1 to 3 groups|takes a whole number"):
        nmf_groups(torch.ones(1, 3, 2, 2), groups)


@pytest.mark.parametrize(("seed", "max_iter", "said"), [(-1, 9, "seed"), (2**32, 9, "seed"), (0, 0, "max_iter")])
def test_numbers_out_of_range_are_refused(seed: int, max_iter: int, said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        nmf_groups(torch.ones(1, 3, 2, 2), 2, seed=seed, max_iter=max_iter)
