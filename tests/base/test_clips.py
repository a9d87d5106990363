"""Clips as pictures: which frames, and where they stand."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lucidtorch.base.images import shown_frames, strip


@pytest.mark.parametrize(
    ("count", "places"),
    [(1, (0,)), (3, (0, 1, 2)), (8, tuple(range(8))), (15, (0, 2, 4, 6, 8, 10, 12, 14)), (9, (0, 1, 2, 3, 5, 6, 7, 8))],
)
def test_frames_are_chosen_evenly(count: int, places: tuple[int, ...]) -> None:
    assert shown_frames(count) == places


@given(st.integers(1, 500))
def test_the_first_and_the_last_frame_are_always_shown(count: int) -> None:
    places = shown_frames(count)
    assert len(places) == min(count, 8)
    assert (places[0], places[-1]) == (0, count - 1)
    gaps = {later - earlier for earlier, later in itertools.pairwise(places)}
    assert max(gaps, default=1) - min(gaps, default=1) <= 1
    assert min(gaps, default=1) >= 1


@pytest.mark.parametrize(("frames", "shown"), [(1, [0]), (3, [0, 1, 2]), (22, [0, 3, 6, 9, 12, 15, 18, 21])])
def test_frames_stand_side_by_side(frames: int, shown: list[int]) -> None:
    clip = torch.rand(2, frames, 4, 5)
    found = strip(clip)
    assert found.shape == (2, 4, 7 * len(shown) - 2)
    for place, frame in enumerate(shown):
        assert torch.equal(found[:, :, 7 * place : 7 * place + 5], clip[:, frame])
