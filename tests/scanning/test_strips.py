"""Strips of patches: each in its place, with gaps that one can see through, and none larger than it may be."""

from __future__ import annotations

import pytest
import torch

from lucidtorch.scanning.patches import LARGEST, strip


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("count", [1, 4])
def test_small_patches_stand_side_by_side_as_they_are(channels: int, count: int) -> None:
    patches = torch.rand(count, channels, 5, 7, generator=torch.Generator().manual_seed(0))
    found = strip(list(patches))
    assert found.shape == (channels + 1, 5, count * 7 + (count - 1) * 2)
    for place, patch in enumerate(patches):
        start = place * 9
        assert torch.equal(found[:-1, :, start : start + 7], patch)
        assert (found[-1, :, start : start + 7] == 1).all()
        assert (found[-1, :, start + 7 : start + 9] == 0).all()


def test_patches_of_many_channels_are_brought_into_colours() -> None:
    assert strip([torch.full((5, 4, 4), 0.25)] * 2).shape == (4, 4, 10)


def test_large_patches_are_made_smaller_and_keep_their_shape() -> None:
    halves = torch.zeros(1, 240, 120)
    halves[:, 120:] = 1
    found = strip([halves, halves])
    assert found.shape == (2, LARGEST, 2 * LARGEST // 2 + 2)
    assert found[0, :50, :56].max() < 1e-5
    assert found[0, 62:, :56].min() > 1 - 1e-5
