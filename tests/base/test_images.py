from __future__ import annotations

import pytest
import torch

from lucidtorch.base.images import resized, shrunk


@pytest.mark.parametrize(("shape", "side", "wanted"), [((3, 40, 20), 10, (10, 5)), ((2, 1, 8, 30), 15, (4, 15))])
def test_large_images_are_made_smaller_in_their_own_proportions(
    shape: tuple[int, ...], side: int, wanted: tuple[int, int]
) -> None:
    assert tuple(shrunk(torch.full(shape, 0.25), side).shape) == (*shape[:-2], *wanted)
    torch.testing.assert_close(shrunk(torch.full(shape, 0.25), side), torch.full((*shape[:-2], *wanted), 0.25))


def test_small_images_stay_as_they_are() -> None:
    image = torch.rand(3, 8, 5, generator=torch.Generator().manual_seed(0))
    assert shrunk(image, 8) is image
    assert resized(image, (8, 5)) is image
