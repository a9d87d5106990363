"""How often values stand in pictures, and how extreme they are, by hand."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
import torch

from lucidtorch.analysis.picture_measures import centred, extreme_share, histogram, power_spectrum, saturation
from lucidtorch.base.errors import BadInputError


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(3))


def test_a_histogram_counts_each_channel() -> None:
    image = torch.tensor([[[0.0, 0.24, 0.25, 1.0]], [[0.5, 0.5, 0.5, 0.74]]])
    assert histogram(image, 4).tolist() == [[0.5, 0.25, 0, 0.25], [0, 0, 1, 0]]


def test_a_histogram_is_numpys() -> None:
    image = noise(3, 20, 31)
    wanted = [np.histogram(one, bins=16, range=(0, 1))[0] / one.size for one in image.double().numpy()]
    np.testing.assert_allclose(histogram(image, 16).numpy(), np.stack(wanted))


def test_extremes_are_within_a_margin_of_the_bounds() -> None:
    image = torch.tensor([[[0.0, 0.04, 0.06, 0.5], [0.94, 0.96, 1.0, 0.7]]])
    assert extreme_share(image) == pytest.approx(4 / 8)
    assert extreme_share(image, margin=0.1) == pytest.approx(6 / 8)


def test_saturation_is_that_of_the_standard_library() -> None:
    image = noise(3, 5, 7)
    wanted = np.mean([colorsys.rgb_to_hsv(*pixel)[1] for pixel in image.flatten(1).T.tolist()])
    assert saturation(image) == pytest.approx(wanted, rel=1e-6)
    assert saturation(torch.zeros(3, 2, 2)) == 0
    assert saturation(noise(1, 4, 4)) == 0


def test_an_even_picture_is_zero_without_its_mean() -> None:
    assert not bool(centred(torch.full((3, 7, 9), 0.3)).any())
    assert float(centred(noise(2, 7, 9)).sum()) == pytest.approx(0, abs=1e-9)


def test_what_does_not_fit_is_refused() -> None:
    for measure in (histogram, extreme_share, saturation, power_spectrum):
        with pytest.raises(BadInputError, match=r"\[C, H, W\]"):
            measure(torch.zeros(4, 4))
    with pytest.raises(BadInputError, match="from 1 to 65536, but 0"):
        histogram(noise(1, 4, 4), 0)
