"""Numbers about pictures, on pictures whose numbers are known."""

from __future__ import annotations

import math

import pytest
import torch

from lucidtorch.recipes.parts.measures import clipped_share, fine_share, roughness


def waves(length: float, side: int = 64) -> torch.Tensor:
    """Stripes with a wave of so many pixels, `[1, H, W]`."""
    return (0.5 + 0.4 * torch.sin(2 * math.pi * torch.arange(side) / length)).expand(1, side, side)


@pytest.mark.parametrize(("length", "share"), [(8, 0), (16, 0), (3.2, 1), (64 / 30, 1)])
def test_waves_shorter_than_four_pixels_are_fine(length: float, share: float) -> None:
    assert fine_share(waves(length)) == pytest.approx(share, abs=1e-6)
    assert fine_share(waves(length).mT) == pytest.approx(share, abs=1e-6)


def test_shares_add_up_by_energy() -> None:
    mixed = 0.5 * waves(16) + 0.25 * waves(3.2)
    assert fine_share(mixed) == pytest.approx(0.25**2 / (0.25**2 + 0.5**2), rel=1e-4)


def test_noise_is_as_fine_as_the_circle_of_coarse_waves_leaves() -> None:
    noise = torch.rand(3, 128, 128, generator=torch.Generator().manual_seed(1))
    assert fine_share(noise) == pytest.approx(1 - math.pi * 0.25**2, abs=0.02)


def test_an_even_picture_has_nothing_fine_and_nothing_rough() -> None:
    even = torch.full((3, 8, 9), 0.3)
    assert (fine_share(even), roughness(even), clipped_share(even)) == (0, 0, 0)


def test_roughness_by_hand() -> None:
    assert roughness(torch.tensor([[[0.0, 0.5], [0.25, 0.25]]])) == pytest.approx((0.25 + 0.25 + 0.5 + 0) / 4)
    assert roughness(torch.tensor([[[0.7]]])) == 0


def test_clipped_is_what_a_file_holds_as_black_or_white() -> None:
    image = torch.tensor([[[0.0, 1.0, 0.4], [0.001, 0.999, 0.01]]])
    assert clipped_share(image) == pytest.approx(4 / 6)
