"""From an image to the numbers that make it, and back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError, ImageError, SizeError
from lucidtorch.param import image
from lucidtorch.param.finish import Decorrelated


def pictures(batch: int, channels: int, *size: int) -> torch.Tensor:
    """Noise, with some pixels at the very ends of the range."""
    values = torch.tensor(np.random.default_rng(6).uniform(size=(batch, channels, *size)), dtype=torch.float32)
    values.view(-1)[0], values.view(-1)[-1] = 0.0, 1.0
    return values


@pytest.mark.parametrize("fft", [True, False])
@pytest.mark.parametrize("decorrelate", [True, False])
@pytest.mark.parametrize("channels", [1, 3, 7])
@pytest.mark.parametrize(
    "size",
    [(16, 16), (15, 15), (9, 22), (22, 9), (1, 1), (1, 6), (7, 2), (8, 6, 10), (5, 7, 9), (1, 4, 5), (6, 1, 1)],
)
def test_init_is_the_image_that_comes_out(fft: bool, decorrelate: bool, channels: int, size: tuple[int, ...]) -> None:
    start = pictures(2, channels, *size)
    param = image(size, batch=2, channels=channels, fft=fft, decorrelate=decorrelate, init=start)
    assert (param() - start).abs().max() < 1e-3
    shared = image(size, batch=3, channels=channels, fft=fft, decorrelate=decorrelate, init=start[0])
    assert shared().shape == (3, channels, *size)
    assert (shared() - start[0]).abs().max() < 1e-3


@pytest.mark.parametrize("decay", [0.0, 0.5, 1.0, 2.0])
def test_any_decay_has_an_inverse(decay: float) -> None:
    start = pictures(1, 3, 31, 24)
    assert (image((31, 24), decay=decay, init=start)() - start).abs().max() < 1e-3


@given(st.lists(st.integers(1, 16), min_size=2, max_size=3), st.integers(1, 5), st.booleans())
def test_any_size_has_an_inverse(size: list[int], channels: int, fft: bool) -> None:
    start = pictures(1, channels, *size)
    found = image(size, channels=channels, fft=fft, init=start)()
    assert found.shape == start.shape
    assert (found - start).abs().max() < 1e-3


@pytest.mark.parametrize("size", [(12, 16), (3, 5, 4)])
def test_the_inverse_of_numbers_is_the_numbers(size: tuple[int, ...]) -> None:
    param = image(size, fft=False)
    param.fill([5])
    (numbers,) = (one.detach().clone() for one in param.parameters())
    param.assign(param().detach())
    assert torch.allclose(next(param.parameters()), numbers, atol=1e-5)


def test_a_start_image_ignores_the_seed_and_can_be_rendered(demo: Any) -> None:
    start = pictures(1, 3, 32, 32)[0]
    first, second = image(32, init=start), image(32, init=start)
    first.fill([1]), second.fill([2])
    assert torch.equal(first(), second())
    found = lt.render(demo, "conv1_1:0", param=image(32, init=start), lr=1e-6, steps=1, progress=False)
    assert (found.images[0] - start).abs().max() < 1e-2


def test_a_start_image_is_kept_as_it_was_given() -> None:
    start = pictures(1, 3, 8, 8)
    param = image(8, init=start)
    before = param().detach().clone()
    start.zero_()
    again = image(8, init=param.arguments["init"])
    assert torch.equal(again(), before)


@pytest.mark.parametrize(
    "init", [torch.rand(3, 8, 9), torch.rand(1, 8, 8), torch.rand(5, 3, 8, 8), torch.rand(8, 8), torch.rand(3), 3.0]
)
def test_a_start_image_of_another_shape_is_refused(init: Any) -> None:
    with pytest.raises(BadInputError):
        image(8, batch=2, init=init)


@pytest.mark.parametrize(
    "init", [torch.full((3, 8, 8), 1.5), torch.full((3, 8, 8), -0.1), torch.full((3, 8, 8), 255.0)]
)
def test_a_start_image_out_of_range_is_refused(init: Any) -> None:
    with pytest.raises(ImageError, match=r"\[0, 1\]"):
        image(8, init=init)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_start_image_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(BadInputError, match="finite"):
        image(8, init=torch.full((3, 8, 8), value))


@pytest.mark.parametrize("size", [0, -3, (0, 5), (5, 0), (3, 0, 5), (2, 3, 4, 5), (3,), "x", 3.5, None, True])
def test_sizes_that_are_none_are_refused(size: Any) -> None:
    with pytest.raises(SizeError):
        image(size)


@pytest.mark.parametrize(
    "options",
    [
        {"batch": 0},
        {"batch": 1.5},
        {"batch": True},
        {"channels": 0},
        {"channels": "3"},
        {"sd": 0},
        {"sd": -1},
        {"sd": float("nan")},
        {"sd": "a"},
        {"decay": float("inf")},
        {"decay": None},
    ],
)
def test_numbers_that_do_not_fit_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(BadInputError, match=f"{next(iter(options))}|finite"):
        image(8, **options)


def test_colours_are_lucids_matrix() -> None:
    colour = Decorrelated().double()
    root = np.array([[0.26, 0.09, 0.02], [0.27, 0, -0.05], [0.27, -0.09, 0.03]])
    longest = max(np.sqrt((root[:, k] ** 2).sum()) for k in range(3))
    assert longest == pytest.approx(0.4619524, abs=1e-7)
    pixels = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    expected = np.empty_like(pixels)
    for b in range(2):
        for row in range(4):
            for column in range(5):
                expected[b, :, row, column] = pixels[b, :, row, column] @ (root / longest).T
    found = colour(torch.tensor(pixels))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-7)
    np.testing.assert_allclose(colour.inverse(found).numpy(), pixels, atol=1e-6)
    published = [[0.5628286, 0.1948253, 0.0432945], [0.5844758, 0, -0.1082363], [0.5844758, -0.1948253, 0.0649418]]
    np.testing.assert_allclose(Decorrelated().matrix.numpy(), published, atol=1e-6)


def test_the_whole_chain_is_lucids_formula() -> None:
    """Inverse real FFT of scaled numbers, over four; the colour matrix; the sigmoid: all in numpy."""
    param = image((10, 7), batch=2, sd=0.5)
    param.fill([3, 4])
    numbers = next(param.parameters()).detach().double().numpy()
    root = np.array([[0.26, 0.09, 0.02], [0.27, 0, -0.05], [0.27, -0.09, 0.03]])
    rows, columns = np.fft.fftfreq(10)[:, None], np.fft.rfftfreq(7)[None, :]
    scale = 1 / np.maximum(np.sqrt(rows**2 + columns**2), 1 / 10)
    spectrum = (numbers[..., 0] + 1j * numbers[..., 1]) * scale * np.sqrt(10 * 7)
    pixels = np.fft.irfft2(spectrum, s=(10, 7)) / 4
    rgb = np.einsum("ij,bjhw->bihw", root / np.linalg.norm(root, axis=0).max(), pixels)
    np.testing.assert_allclose(param().detach().numpy(), 1 / (1 + np.exp(-rgb)), atol=1e-5)


def test_the_chain_of_a_clip_is_the_same_formula_over_three_axes() -> None:
    """Inverse real FFT over time, rows and columns, by numpy; frequencies in cycles per frame and per pixel."""
    param = image((5, 6, 7), batch=2, sd=0.5, decay=1.3)
    param.fill([3, 4])
    numbers = next(param.parameters()).detach().double().numpy()
    root = np.array([[0.26, 0.09, 0.02], [0.27, 0, -0.05], [0.27, -0.09, 0.03]])
    spectrum = np.empty((2, 3, 5, 6, 4), complex)
    for frame, row, column in np.ndindex(5, 6, 4):
        length = math.sqrt((min(frame, 5 - frame) / 5) ** 2 + (min(row, 6 - row) / 6) ** 2 + (column / 7) ** 2)
        own = numbers[:, :, frame, row, column]
        spectrum[:, :, frame, row, column] = (own[..., 0] + 1j * own[..., 1]) / max(length, 1 / 7) ** 1.3
    pixels = np.fft.irfftn(spectrum, s=(5, 6, 7), axes=(2, 3, 4), norm="ortho") / 4
    rgb = np.einsum("ij,bjthw->bithw", root / np.linalg.norm(root, axis=0).max(), pixels)
    np.testing.assert_allclose(param().detach().numpy(), 1 / (1 + np.exp(-rgb)), atol=1e-5)


def test_a_clip_of_one_frame_is_an_image() -> None:
    clip, still = image((1, 12, 15), batch=2), image((12, 15), batch=2)
    torch.testing.assert_close(clip()[:, :, 0], still())


def test_the_numbers_live_where_the_param_was_sent() -> None:
    """Also where a basis of plain pixels without colour has no numbers of its own."""
    start = pictures(1, 1, 8, 8)
    for options in ({}, {"channels": 1}, {"channels": 1, "init": start}, {"channels": 2, "hold": {0: 0.5}}):
        sent = image(8, fft=False, **options).to("meta")
        sent.fill([1])
        assert next(sent.parameters()).device.type == "meta"
