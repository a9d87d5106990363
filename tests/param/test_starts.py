"""How images start: their spread, their seeds, and nothing drawn before it is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.natural_images import amplitudes, frequencies
from lucidtorch.base.seeds import generators
from lucidtorch.param import fft, image, pixels

# The standard deviation of pixels before colour and sigmoid at sd .01: size, decay, value.
PUBLISHED = [
    (32, 1.0, 0.0154),
    (64, 1.0, 0.0172),
    (128, 1.0, 0.0189),
    (224, 1.0, 0.0200),
    (256, 1.0, 0.0202),
    (512, 1.0, 0.0216),
    (1024, 1.0, 0.0226),
    (512, 0.85, 0.0134),
    (512, 1.5, 0.225),
]
QUICK = [one for one in PUBLISHED if one[0] <= 512 and one[1] <= 1]


def lucids_deviation(height: int, width: int, decay: float, sd: float = 0.01) -> float:
    """The same figure by Parseval's theorem, over the frequencies of a real image one by one."""
    total = 0.0
    for row in range(height):
        vertical = min(row, height - row) / height
        for column in range(width // 2 + 1):
            length = math.hypot(vertical, column / width)
            variance = (sd / max(length, 1 / max(height, width)) ** decay / 4) ** 2
            edge = column == 0 or 2 * column == width
            # An inner frequency stands for two and is complex. In the edge columns the opposite rows are read together:
            # of a number and its opposite only their Hermitian part counts, half of the variance of both.
            total += variance * (1.0 if edge else 4.0)
    return math.sqrt(total / (height * width))


def deviation_of_clips(size: tuple[int, ...], decay: float, sd: float = 0.01) -> float:
    """The same for clips, over every frequency of the full transform."""
    total = 0.0
    for place in np.ndindex(*size):
        length = math.sqrt(sum((min(at, side - at) / side) ** 2 for at, side in zip(place, size, strict=True)))
        column, width = place[-1], size[-1]
        edge = column == 0 or 2 * column == width  # here only the Hermitian part of the numbers counts
        total += (sd / max(length, 1 / max(size)) ** decay / 4) ** 2 * (1.0 if edge else 2.0)
    return math.sqrt(total / math.prod(size))


def measured(*size: int, decay: float = 1.0, seeds: range = range(64)) -> float:
    """The root mean square over that many images, one at a time."""
    basis, squares = fft(decay=decay).basis(1, 1, size), []
    for generator in generators(seeds, "start"):
        basis.fill([generator])
        squares.append(basis().square().mean().item())
    return math.sqrt(sum(squares) / len(squares))


@pytest.mark.parametrize(("size", "decay", "expected"), QUICK)
def test_the_spread_of_the_start_is_lucids(size: int, decay: float, expected: float) -> None:
    assert measured(size, size, decay=decay) == pytest.approx(expected, rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize(("size", "decay", "expected"), [one for one in PUBLISHED if one not in QUICK])
def test_the_spread_of_large_starts_is_lucids(size: int, decay: float, expected: float) -> None:
    many = range(200 if decay > 1 else 64)  # with a steep decay a few frequencies make all of it
    assert measured(size, size, decay=decay, seeds=many) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("even", [32, 64, *(pytest.param(side, marks=pytest.mark.slow) for side in (128, 256))])
@pytest.mark.parametrize("by", [-1, 1])
def test_odd_sizes_start_like_their_even_neighbours(even: int, by: int) -> None:
    many = range(256)
    neighbour = measured(even, even, seeds=many)
    for size in ((even + by, even + by), (even + by, even), (even, even + by)):
        assert measured(*size, seeds=many) == pytest.approx(neighbour, rel=0.05)


@pytest.mark.parametrize("size", [(32, 32), (33, 33), (31, 64), (64, 31), (48, 80), (225, 224)])
@pytest.mark.parametrize("decay", [1.0, 0.85])
def test_the_spread_follows_from_the_spectrum_at_any_size(size: tuple[int, int], decay: float) -> None:
    assert measured(*size, decay=decay, seeds=range(60)) == pytest.approx(lucids_deviation(*size, decay), rel=0.05)


@pytest.mark.parametrize("size", [(8, 16, 16), (5, 9, 12), (16, 7, 8), (12, 12, 13)])
@pytest.mark.parametrize("decay", [1.0, 0.5])
def test_the_spread_of_clips_follows_from_the_spectrum(size: tuple[int, ...], decay: float) -> None:
    assert measured(*size, decay=decay, seeds=range(60)) == pytest.approx(deviation_of_clips(size, decay), rel=0.05)


@pytest.mark.parametrize("size", [(8, 64, 64), (16, 112, 112), (64, 64, 64)])
def test_clips_and_volumes_start_about_as_faint_as_images(size: tuple[int, ...]) -> None:
    still = measured(size[1], size[2], seeds=range(4))
    assert 0.4 * still < measured(*size, seeds=range(2)) < still


def test_after_colour_and_sigmoid_the_start_is_a_faint_grey() -> None:
    images = image(224, batch=2)()
    assert images.mean().item() == pytest.approx(0.5, abs=0.002)
    assert 0.0015 < images.std().item() < 0.0045


def test_frequencies_are_numpys() -> None:
    expected = [
        [0, 0.25, 0.5],
        [0.25, 0.35355339, 0.55901699],
        [0.5, 0.55901699, 0.70710678],
        [0.25, 0.35355339, 0.55901699],
    ]
    np.testing.assert_allclose(frequencies((4, 4)).numpy(), expected, atol=1e-8)
    np.testing.assert_allclose(frequencies((2, 3)).numpy(), [[0, 1 / 3], [0.5, math.hypot(0.5, 1 / 3)]], atol=1e-12)
    axes = np.fft.fftfreq(3)[:, None, None], np.fft.fftfreq(4)[:, None], np.fft.rfftfreq(5)
    expected_clip = np.sqrt(sum(axis**2 for axis in axes))
    np.testing.assert_allclose(frequencies((3, 4, 5)).numpy(), expected_clip, atol=1e-12)
    for height, width in ((5, 8), (6, 7), (1, 1), (1, 6), (405, 3)):
        rows, columns = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]
        np.testing.assert_allclose(frequencies((height, width)).numpy(), np.sqrt(rows**2 + columns**2), atol=1e-12)


def test_the_spectrum_of_four_by_four_is_the_published_one() -> None:
    expected = [[4, 4, 2], [4, 2.8284, 1.7889], [2, 1.7889, 1.4142], [4, 2.8284, 1.7889]]
    np.testing.assert_allclose(amplitudes((4, 4), 1).numpy(), expected, atol=5e-5)
    np.testing.assert_allclose(amplitudes((4, 4), 0).numpy(), np.ones((4, 3)))
    np.testing.assert_allclose(amplitudes((4, 6), 2)[0].numpy(), [36, 36, 9, 4], atol=1e-9)


def test_a_width_of_405_has_203_columns() -> None:
    for channels, size, numbers in ((3, (16, 405), (3, 16, 203, 2)), (2, (5, 6, 9), (2, 5, 6, 5, 2))):
        basis = fft().basis(1, channels, size)
        basis.fill(generators([0], "start"))
        assert [one.shape for one in basis.parameters()] == [(1, *numbers)]
        assert basis().shape == (1, channels, *size)


def test_pixels_start_with_their_deviation() -> None:
    basis = pixels(sd=0.3).basis(1, 3, (64, 65))
    basis.fill(generators([1], "start"))
    assert basis().std().item() == pytest.approx(0.3, rel=0.05)


@pytest.mark.parametrize("fft", [True, False])
def test_sd_scales_the_start(fft: bool) -> None:
    small, large = image(16, fft=fft, sd=0.01), image(16, fft=fft, sd=0.03)
    small.fill([2]), large.fill([2])
    assert torch.allclose(3 * next(small.parameters()), next(large.parameters()))


@pytest.mark.parametrize("size", [(12, 15), (4, 9, 6)])
@pytest.mark.parametrize(
    "options",
    [{}, {"fft": False}, {"decorrelate": False}, {"channels": 1}, {"channels": 7}, {"channels": 4, "hold": {1: 0.5}}],
)
def test_each_image_starts_from_its_own_seed(options: dict[str, Any], size: tuple[int, ...]) -> None:
    both = image(size, batch=2, **options)
    both.fill([41, 7])
    for place, seed in enumerate((41, 7)):
        one = image(size, **options)
        one.fill([seed])
        assert torch.equal(next(one.parameters())[0], next(both.parameters())[place])
        torch.testing.assert_close(one()[0], both()[place])  # a batch of another size may round otherwise
    assert not torch.equal(both()[0], both()[1])


def test_building_draws_nothing_and_filling_touches_no_global_dice(
    fingerprint: Callable[[Any], dict[str, object]],
) -> None:
    before = fingerprint(nn.Identity())
    param = image(16, batch=2)
    assert list(param.parameters()) == []
    param.fill([1, 2])
    assert len(list(param.parameters())) == 1
    param()
    assert fingerprint(nn.Identity()) == before


def test_called_on_its_own_it_starts_from_seed_0() -> None:
    param, filled = image(16, batch=2), image(16, batch=2)
    filled.fill([0, 1])
    assert torch.equal(param(), filled())
    assert torch.equal(param(), param())


@pytest.mark.parametrize("seeds", [[1], [1, 2, 3], [1, -2], [1, 2.5], [1, True]])
def test_seeds_that_do_not_fit_are_refused(seeds: list[Any]) -> None:
    with pytest.raises(BadInputError):
        image(16, batch=2).fill(seeds)


def test_it_is_filled_anew_for_each_render(demo: Any) -> None:
    param = image(32)
    param.fill([99])
    first = lt.render(demo, "conv1_1:0", param=param, steps=1, seed=3, progress=False).images
    second = lt.render(demo, "conv1_1:0", param=image(32), steps=1, seed=3, progress=False).images
    assert torch.equal(first, second)
    start = image(32)
    start.fill([99])
    assert torch.equal(*(next(one.parameters()) for one in (param, start)))
