"""Fixed magnitudes: what is strong stays strong, to the last digit, while phases move."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.seeds import generators
from lucidtorch.param import image
from lucidtorch.param.fixed_magnitude import FixedMagnitude, maco, natural_magnitude, scaled_magnitude

SIZES = st.tuples(st.integers(1, 12), st.integers(1, 12))


def filled(part: maco, batch: int, channels: int, *size: int) -> Any:
    basis: Any = part.basis(batch, channels, size)
    basis.fill(generators(range(batch), "start"))
    return basis.double()


def strengths(basis: FixedMagnitude) -> np.ndarray:
    return np.abs(np.fft.rfft2(basis.of_magnitude().detach().numpy()))


@given(SIZES, st.integers(1, 5), st.integers(0, 1000))
def test_the_magnitude_is_the_template_at_any_size(size: tuple[int, int], channels: int, seed: int) -> None:
    basis = filled(maco(), 2, channels, *size)
    basis.put("phases", 5 * torch.randn(basis.phases.shape, generator=torch.Generator().manual_seed(seed)))
    template = basis.magnitude.numpy()
    np.testing.assert_allclose(strengths(basis), np.stack([template] * 2), rtol=1e-9, atol=1e-6)


def test_pixels_are_the_formula() -> None:
    basis = filled(maco(contrast=1.5), 2, 3, 6, 5)
    phases, magnitude = basis.phases.detach().numpy(), basis.magnitude.numpy()
    found = basis().detach().numpy()
    for which in range(2):
        own = math.pi * (phases[which] - phases[which].mean()) / (phases[which].std() + 1e-4)
        spectrum = magnitude * np.exp(1j * own)
        for row in range(6):
            spectrum[:, row, 0] = magnitude[:, row, 0] * np.exp(1j * (own[:, row, 0] - own[:, -row, 0]) / math.sqrt(2))
        pixels = np.fft.irfft2(spectrum, s=(6, 5))
        np.testing.assert_allclose(found[which], 1.5 * (pixels - pixels.mean()) / (pixels.std() + 1e-4), atol=1e-9)


@pytest.mark.parametrize("channels", [1, 3, 7])
def test_images_are_standard_each_by_itself(channels: int) -> None:
    pixels = filled(maco(contrast=1.0), 3, channels, 9, 14)().detach()
    for one in pixels:
        assert one.mean().item() == pytest.approx(0, abs=1e-9)
        assert one.std(correction=0).item() == pytest.approx(1, abs=1e-3)


def test_its_contrast_is_that_of_imagenet() -> None:
    pictures = image(96, batch=8, spatial=maco())().detach()
    assert pictures.std(dim=(0, 2, 3)).mean().item() == pytest.approx(0.226, rel=0.1)
    assert pictures.mean(dim=(0, 2, 3)).tolist() == pytest.approx([0.5] * 3, abs=0.03)


@pytest.mark.parametrize("size", [(32, 32), (33, 40)])
def test_the_magnitude_holds_through_a_render_while_phases_move(demo: Any, size: tuple[int, int]) -> None:
    param = image(size, spatial=maco())
    start = image(size, spatial=maco())
    start.fill([0])
    values = []
    for step in lt.optimize(demo, "conv2_1:5", param=param, steps=200, lr=0.1, seed=0):
        values.append(step.values.item())
    (basis,), (before,) = step.param.parts, start.parts
    assert isinstance(basis, FixedMagnitude)
    assert isinstance(before, FixedMagnitude)
    moved = (basis.phases - before.phases).abs()
    assert (math.pi * moved > 1).float().mean() > 0.5  # in radians
    assert np.mean(values[-20:]) > 1.2 * values[0] > 0
    largest = basis.magnitude.max().item()
    in_the_render = strengths(basis)
    np.testing.assert_allclose(in_the_render, basis.magnitude.numpy()[None], atol=1e-5 * largest)
    basis.double()
    np.testing.assert_allclose(strengths(basis), basis.magnitude.numpy()[None], rtol=1e-5)


def test_natural_images_fade_as_stated() -> None:
    magnitude = natural_magnitude(3, (512, 512)).numpy()
    np.testing.assert_allclose(magnitude[:, 0, 0], [255052, 269511, 227829])
    row = magnitude[0, 0]
    coarse = np.polyfit(np.log(np.arange(1, 20)), np.log(row[1:20]), 1)[0]
    fine = math.log(magnitude[0, 256, 256] / magnitude[0, 230, 230]) / math.log(256 / 230)
    assert coarse == pytest.approx(-1.25, abs=0.02)
    assert -2.3 < fine < -2.1
    other = natural_magnitude(5, (8, 6)).numpy()
    assert all(np.array_equal(one, other[0]) for one in other)


@given(st.integers(2, 12), st.integers(1, 6))
def test_at_its_own_size_a_template_is_itself(height: int, half: int) -> None:
    dice = torch.Generator().manual_seed(height)
    template = torch.rand(2, height, half + 1, generator=dice, dtype=torch.float64)
    assert torch.allclose(scaled_magnitude(template, (height, 2 * half)), template, atol=1e-12)


@pytest.mark.parametrize("size", [(16, 16), (64, 64), (24, 40), (17, 31), (5, 3)])
def test_at_another_size_a_template_keeps_its_frequencies(size: tuple[int, int]) -> None:
    """A magnitude that is linear in each frequency is met exactly, but where it turns at 0 and at one half."""

    def linear(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        return (3 - 2 * np.abs(rows)[:, None]) * (2 - columns[None])

    template = linear(np.fft.fftfreq(32), np.fft.rfftfreq(32))[None]
    found = scaled_magnitude(torch.tensor(template), size)[0].numpy()
    expected = linear(np.fft.fftfreq(size[0]), np.fft.rfftfreq(size[1]))
    found[0, 0] = expected[0, 0]
    near = np.abs(np.fft.fftfreq(size[0])[:, None]) + np.fft.rfftfreq(size[1])[None] < 2 / 32
    np.testing.assert_allclose(found[~near], expected[~near], atol=1e-9)
    np.testing.assert_allclose(found[near], expected[near], rtol=0.05)


def test_frequency_zero_lends_nothing_to_its_neighbours() -> None:
    template = torch.ones(1, 8, 5, dtype=torch.float64)
    template[0, 0, 0] = 1000
    found = scaled_magnitude(template, (32, 32))
    assert found[0, 0, 0] == 1000
    found[0, 0, 0] = 1
    assert torch.allclose(found, torch.ones_like(found))


def test_given_magnitudes_are_used_even_those_that_no_real_image_has() -> None:
    template = np.random.default_rng(3).uniform(0.5, 2, size=(3, 8, 5))
    basis = filled(maco(template), 1, 3, 8, 8)
    found = strengths(basis)[0]
    np.testing.assert_allclose(found[:, :, 1:4], template[:, :, 1:4], rtol=1e-6)
    mirrored = template[:, -np.arange(8) % 8]
    np.testing.assert_allclose(found[..., 0], ((template + mirrored) / 2)[..., 0], rtol=1e-6)


def test_images_do_not_look_at_each_other() -> None:
    both = filled(maco(), 2, 3, 7, 8)
    other: Any = maco().basis(2, 3, (7, 8)).double()
    other.put("phases", both.phases.detach().flip(0))
    assert torch.equal(other()[1], both()[0])
    one: Any = maco().basis(1, 3, (7, 8)).double()
    one.put("phases", both.phases.detach()[1:])
    assert torch.allclose(one()[0], both()[1], atol=1e-9)


def test_one_pixel_is_grey_and_has_a_gradient() -> None:
    basis = filled(maco(), 1, 3, 1, 1)
    assert basis().isfinite().all()
    (gradient,) = torch.autograd.grad(basis().sum(), basis.phases)
    assert gradient.isfinite().all()


def test_it_has_no_inverse_and_one_resolution() -> None:
    param = image(8, spatial=maco())
    assert not param.invertible
    with pytest.raises(BadInputError, match="has no inverse"):
        param.assign(torch.rand(1, 3, 8, 8))
    with pytest.raises(BadInputError, match="one resolution"):
        param.at(16)


@pytest.mark.parametrize(
    ("magnitude", "message"),
    [
        (np.ones((8, 5)), r"\[8, 5\]"),
        (-np.ones((3, 8, 5)), "smallest is -1"),
        (np.eye(1, 40).reshape(1, 8, 5), "beside the mean"),
        (np.full((3, 8, 5), np.nan), "finite"),
        ("natural", "numbers"),
    ],
)
def test_magnitudes_that_are_none_are_refused(magnitude: Any, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        maco(magnitude)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: image((4, 8, 8), spatial=maco()), "not clips"),
        (lambda: image(8, channels=2, spatial=maco(np.ones((3, 8, 5)))), "3 channels, but 2"),
        (lambda: maco(contrast=0), "contrast"),
    ],
)
def test_what_does_not_fit_is_refused(make: Any, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        make()
