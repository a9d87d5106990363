"""The spectrum of pictures whose waves are known, against sums written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from lucidtorch.analysis.picture_measures import power_spectrum, radial_spectrum, spectral_slope
from lucidtorch.base.errors import BadInputError


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def faded(side: int, decay: float) -> torch.Tensor:
    """Noise whose power at the frequency f is f ** -decay, by an inverse transform of given amplitudes."""
    frequencies = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side), indexing="ij"))
    frequencies[0, 0] = 1
    white = np.fft.fft2(np.random.default_rng(5).standard_normal((side, side)))
    return torch.from_numpy(np.fft.ifft2(white / np.abs(white) * frequencies ** (-decay / 2)).real)[None]


@pytest.mark.parametrize("shape", [(3, 6, 9), (1, 5, 4)])
def test_power_is_the_sum_written_out(shape: tuple[int, int, int]) -> None:
    image = noise(*shape)
    _, height, width = shape
    values = (image - image.mean((1, 2), keepdim=True)).numpy()
    found = power_spectrum(image)
    rows, columns = np.mgrid[:height, :width]
    for y in range(height):
        for x in range(width):
            v, u = y - height // 2, x - width // 2
            wave = np.exp(-2j * np.pi * (v * rows / height + u * columns / width))
            assert float(found[y, x]) == pytest.approx((np.abs((values * wave).sum((1, 2))) ** 2).sum(), abs=1e-9)


def test_all_of_a_checkerboard_is_as_fine_as_pixels_can_be() -> None:
    board = (torch.arange(8)[:, None] + torch.arange(10)[None]).remainder(2).expand(3, 8, 10).double()
    power = power_spectrum(board)
    assert float(power[0, 0]) == pytest.approx(float(power.sum()))
    assert float(power[0, 0]) == pytest.approx(3 * (8 * 10 / 2) ** 2)


def test_stripes_stand_in_the_ring_of_their_length() -> None:
    stripes = torch.sin(2 * math.pi * torch.arange(48) / 8).expand(1, 32, 48)
    frequencies, power = radial_spectrum(stripes)
    assert frequencies.tolist() == [pytest.approx(k / 32) for k in range(1, 17)]
    assert float(frequencies[power.argmax()]) == pytest.approx(1 / 8)
    assert float(power.sort().values[-2]) < 1e-9 * float(power.max())


def test_white_noise_is_level_at_one() -> None:
    _, power = radial_spectrum(noise(3, 128, 96))
    assert torch.allclose(power[8:], torch.ones(40, dtype=torch.float64), atol=0.2)
    slope = spectral_slope(noise(3, 128, 96))
    assert slope == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("decay", [1.0, 2.0, 3.0])
def test_the_slope_is_that_of_the_powers_that_were_put_in(decay: float) -> None:
    assert spectral_slope(faded(128, decay)) == pytest.approx(-decay, rel=0.08)


def test_the_slope_is_a_weighted_fit() -> None:
    image = noise(1, 24, 30)
    frequencies, power = (one.numpy() for one in radial_spectrum(image))
    line = np.polyfit(np.log(frequencies), np.log(power), 1, w=np.sqrt(1 / frequencies))
    assert spectral_slope(image) == pytest.approx(line[0])


def test_even_and_tiny_pictures_have_no_slope() -> None:
    assert spectral_slope(torch.full((3, 16, 16), 0.3)) is None
    assert float(radial_spectrum(torch.full((3, 16, 16), 0.3))[1].sum()) == 0
    assert spectral_slope(noise(1, 3, 40)) is None
    assert spectral_slope(noise(1, 1, 1)) is None


@pytest.mark.parametrize("shape", [(8, 8), (1, 3, 8, 8), (3, 0, 8)])
def test_what_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadInputError, match=r"\[C, H, W\]"):
        power_spectrum(torch.zeros(shape))
