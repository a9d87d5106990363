"""Seeds: the same on every machine, one per image, and never the global ones."""

from __future__ import annotations

import contextlib
import hashlib
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lucidtorch.base.errors import BadInputError
from lucidtorch.base.seeds import OwnRandomState, derive_seed, generators, image_seeds, picture_seed


@given(st.lists(st.integers(0, 2**70) | st.text(max_size=5), max_size=5))
def test_a_derived_seed_is_63_bits_of_blake2b(parts: list[int | str]) -> None:
    digest = hashlib.blake2b(repr(tuple(parts)).encode(errors="surrogatepass"), digest_size=8).hexdigest()
    assert derive_seed(*parts) == int(digest, 16) // 2
    assert 0 <= derive_seed(*parts) < 2**63


def test_a_derived_seed_stays_what_it_was() -> None:
    """Pictures made earlier must come out the same: this figure must never change."""
    assert (
        derive_seed(7, "conv3_1", 12, "negative", 0)
        == int(hashlib.blake2b(b"(7, 'conv3_1', 12, 'negative', 0)", digest_size=8).hexdigest(), 16) // 2
    )


def test_parts_that_differ_give_seeds_that_differ() -> None:
    seeds = {derive_seed(run, layer, unit) for run in range(10) for layer in "abc" for unit in range(100)}
    assert len(seeds) == 3000
    assert derive_seed("1") != derive_seed(1)
    assert derive_seed("a", "b") != derive_seed("ab")


@given(st.integers(0, 2**62), st.integers(1, 9))
def test_a_whole_number_counts_up(seed: int, batch: int) -> None:
    assert image_seeds(seed, batch) == tuple(seed + place for place in range(batch))


def test_seeds_may_be_given_one_by_one() -> None:
    assert image_seeds([5, 0, 5], 3) == (5, 0, 5)
    assert image_seeds((9,), 1) == (9,)
    assert image_seeds(range(3), 3) == (0, 1, 2)
    assert image_seeds(np.int64(3), 2) == (3, 4)
    assert image_seeds([np.int32(3), 2], 2) == (3, 2)


@pytest.mark.parametrize(
    "seed", [-1, 1.5, "1", None, True, [1], [1, 2, 3], [1, -1], [1, 0.5], [1, None], [True, 1], {}]
)
def test_what_is_no_seed_is_refused(seed: Any) -> None:
    with pytest.raises(BadInputError):
        image_seeds(seed, 2)


def test_each_seed_and_purpose_has_a_stream_of_its_own() -> None:
    def drawn(seed: int, purpose: str) -> list[float]:
        (generator,) = generators([seed], purpose)
        return torch.rand(3, generator=generator).tolist()

    assert drawn(1, "start") == drawn(1, "start")
    streams = [tuple(drawn(seed, purpose)) for seed in range(20) for purpose in ("start", "transforms")]
    assert len(set(streams)) == 40
    many = generators([4, 1, 4], "start")
    values = [torch.rand(3, generator=one).tolist() for one in many]
    assert values[0] == values[2] == drawn(4, "start")
    assert values[1] == drawn(1, "start")


def drawn_from_all() -> tuple[float, float, float]:
    return torch.rand(1).item(), float(np.random.rand()), random.random()


@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt])
def test_a_private_state_goes_on_and_gives_the_users_back(
    error: type[BaseException] | None, fingerprint: Callable[[Any], Any]
) -> None:
    own, other = OwnRandomState(5), OwnRandomState(5)
    before = fingerprint(torch.nn.Identity())
    with contextlib.suppress(RuntimeError, KeyboardInterrupt), own():
        first = drawn_from_all()
        if error is not None:
            raise error
    assert fingerprint(torch.nn.Identity()) == before
    with own():
        second = drawn_from_all()
    assert fingerprint(torch.nn.Identity()) == before
    assert first != second
    drawn_from_all()
    with other():
        assert (drawn_from_all(), drawn_from_all()) == (first, second)
    with OwnRandomState(6)():
        assert drawn_from_all() != first


@given(st.integers(0, 2**63 - 1), st.text("abc_1", max_size=8), st.integers(0, 10**6))
def test_the_seeds_of_pictures_survive_javascript(seed: int, layer: str, unit: int) -> None:
    found = picture_seed(seed, layer, unit)
    assert 0 <= found < 2**53
    assert int(float(found)) == found  # what JavaScript makes of it
    assert picture_seed(seed, layer, unit, bits=63) == derive_seed(seed, layer, unit)
