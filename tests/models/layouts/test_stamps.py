"""The pass in which windows see their own places alone."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from lucidtorch.models.layouts.stamps import unmixed


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("side", range(8, 15))
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 2, 0), (3, 2, 1), (2, 2, 0), (3, 1, 1), (5, 3, 2)])
def test_poolings_keep_the_size_of_what_they_give(
    kernel: int, stride: int, padding: int, side: int, ceil_mode: bool
) -> None:
    values = torch.rand(3, 2, side, side)
    for pool in (F.max_pool2d, F.avg_pool2d):
        expected = pool(values, kernel, stride, padding, ceil_mode=ceil_mode).shape
        with torch.no_grad(), unmixed(torch.nn.Identity(), 3):
            assert pool(values, kernel, stride, padding, ceil_mode=ceil_mode).shape == expected
