"""What repeats in pictures: correlations written out, and pictures whose period is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from lucidtorch.analysis.picture_measures import Repeat, autocorrelation, strongest_repeat


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def stripes(period: float, height: int = 48, width: int = 64) -> torch.Tensor:
    return (0.5 + 0.4 * torch.sin(2 * math.pi * torch.arange(width) / period)).expand(3, height, width)


@pytest.mark.parametrize("shape", [(3, 6, 9), (1, 7, 4), (1, 1, 5)])
def test_correlations_are_the_sums_written_out(shape: tuple[int, int, int]) -> None:
    image = noise(*shape)
    _, height, width = shape
    values = (image - image.mean((1, 2), keepdim=True)).numpy()
    found = autocorrelation(image)
    assert found.shape == (2 * (height // 2) + 1, 2 * (width // 2) + 1)
    for down in range(-(height // 2), height // 2 + 1):
        for across in range(-(width // 2), width // 2 + 1):
            total = 0.0
            for y in range(max(0, -down), min(height, height - down)):
                for x in range(max(0, -across), min(width, width - across)):
                    total += float((values[:, y, x] * values[:, y + down, x + across]).sum())
            wanted = total / float((values**2).sum())
            assert float(found[down + height // 2, across + width // 2]) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("period", [5, 8, 16])
def test_stripes_repeat_at_their_period(period: int) -> None:
    across = strongest_repeat(autocorrelation(stripes(period)))
    assert across is not None
    assert (across.down, across.across) == (0, period)
    assert across.height == pytest.approx(1 - period / 64, abs=0.05)
    down = strongest_repeat(autocorrelation(stripes(period).mT))
    assert down is not None
    assert (down.down, down.across, down.distance) == (period, 0, period)


def test_dots_repeat_at_the_nearest_dot() -> None:
    picture = torch.zeros(1, 60, 60)
    for row in range(4, 60, 15):
        for column in range(3, 60, 10):
            picture[0, row - 1 : row + 2, column - 1 : column + 2] = 1
    repeat = strongest_repeat(autocorrelation(picture))
    assert repeat is not None
    assert (repeat.down, repeat.across) == (0, 10)


def test_a_motif_that_stands_twice_is_found_where_it_stands() -> None:
    picture = torch.full((1, 64, 64), 0.5, dtype=torch.float64)
    motif = noise(9, 9)
    picture[0, 10:19, 10:19] = motif
    picture[0, 30:39, 22:31] = motif
    repeat = strongest_repeat(autocorrelation(picture))
    assert repeat is not None
    assert (repeat.down, repeat.across) == (20, 12)
    assert repeat.height == pytest.approx(0.5, abs=0.02)
    assert repeat.distance == pytest.approx(math.hypot(20, 12))


def test_what_hangs_together_with_the_middle_is_no_repeat() -> None:
    ramp = torch.linspace(0, 1, 64).expand(1, 64, 64)
    assert strongest_repeat(autocorrelation(ramp)) is None
    assert strongest_repeat(autocorrelation(noise(3, 64, 64))) is None
    assert strongest_repeat(autocorrelation(torch.full((3, 16, 16), 0.3))) is None
    assert strongest_repeat(autocorrelation(torch.rand(1, 1, 1))) is None


def test_only_islands_above_the_level_count() -> None:
    correlation = torch.zeros(7, 9, dtype=torch.float64)
    correlation[3, 4] = 1
    correlation[3, 5] = 0.9  # the lobe goes on here, and round the corner
    correlation[4, 6] = 0.8
    correlation[6, 1] = 0.3
    assert strongest_repeat(correlation) == Repeat(pytest.approx(0.3), 3, -3)
    correlation[6, 1] = 0.1
    assert strongest_repeat(correlation) is None
    assert np.isclose(Repeat(0.5, -3, 4).distance, 5)
