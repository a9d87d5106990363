"""Blur, noise, colours and backgrounds beyond the battery: known numbers, and what several images share."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lucidtorch.base.seeds import generators
from lucidtorch.transforms import (
    Pipeline,
    background,
    blur,
    colour_jitter,
    colour_noise,
    noise,
    normalize_gradient,
    pad,
    uniform_noise,
)


def test_a_blurred_dot_is_a_gaussian() -> None:
    dots = torch.zeros(1, 1, 21, 21, dtype=torch.float64)
    dots[0, 0, 10, 10] = 1
    found = Pipeline.of(blur(1, 2)).apply(dots, (torch.tensor([[1.5]], dtype=torch.float64),))[0, 0]
    assert found.sum().item() == pytest.approx(1, abs=1e-4)
    rows = torch.arange(21, dtype=torch.float64) - 10
    assert (found.sum(1) * rows.square()).sum().item() == pytest.approx(1.5**2, rel=0.01)
    assert found[10, 13] / found[10, 10] == pytest.approx(np.exp(-9 / 4.5))


def test_a_blur_of_one_colour_is_that_colour_to_its_edges() -> None:
    flat = torch.full((2, 3, 5, 4), 0.3, dtype=torch.float64)
    found = Pipeline.of(blur(0, 9)).apply(flat, (torch.tensor([[9.0], [0.0]], dtype=torch.float64),))
    assert (found - 0.3).abs().max() < 1e-12


@pytest.mark.parametrize("step", [noise(0.1), uniform_noise(0.2), colour_noise(0.1)], ids=repr)
def test_noise_has_no_mean_and_differs_between_channels_and_images(
    step: noise | uniform_noise | colour_noise,
) -> None:
    images = torch.full((200, 3, 8, 9), 0.5, dtype=torch.float64)
    added = Pipeline.of(step).apply(images, (step.sample(images.shape, generators(range(200), "test")),)) - images
    assert abs(added.mean()) < 0.01
    expected = {noise: 0.1, uniform_noise: 0.2 / 3**0.5, colour_noise: 0.1}[type(step)]
    assert added.std().item() == pytest.approx(expected, rel=0.05)
    assert not torch.equal(added[0], added[1])
    assert not torch.equal(added[0, 0], added[0, 1])
    within = added.flatten(2).std(-1)
    assert within.max() < 1e-12 if isinstance(step, colour_noise) else within.min() > 0.05


def test_colours_stay_in_their_range_and_each_image_has_its_own() -> None:
    images = torch.rand(1, 3, 6, 6).expand(8, -1, -1, -1)
    step = colour_jitter(0.9, 0.9, 0.9, 0.5)
    found = Pipeline.of(step).apply(images, (step.sample(images.shape, generators(range(8), "test")),))
    assert found.min() >= 0
    assert found.max() <= 1
    assert len({one.numpy().tobytes() for one in found}) == 8


def test_a_third_of_the_hue_circle_moves_red_to_green() -> None:
    red = torch.tensor([0.8, 0.1, 0.1]).reshape(1, 3, 1, 1)
    draws = torch.tensor([[0, 0, 0, 1 / 3]], dtype=torch.float64)
    found = Pipeline.of(colour_jitter(hue=0.5)).apply(red, (draws,))
    assert found.flatten().tolist() == pytest.approx([0.1, 0.8, 0.1], abs=1e-5)


def test_what_is_opaque_hides_the_background_and_what_is_clear_shows_it() -> None:
    colours = torch.rand(2, 3, 8, 9, dtype=torch.float64)
    opacity = torch.zeros(2, 1, 8, 9, dtype=torch.float64)
    opacity[..., :4] = 1
    draws = background().sample((2, 4, 8, 9), generators([1, 2], "test"))
    found = background().apply(torch.cat([colours, opacity], 1), draws)
    assert torch.equal(found[..., :4], colours[..., :4])
    behind = background().apply(torch.cat([colours * 0, opacity * 0], 1), draws)
    assert torch.equal(found[..., 4:], behind[..., 4:])
    assert not torch.allclose(behind[0], behind[1])
    assert (background().apply(torch.cat([colours, opacity], 1), draws * 0)[..., 4:] == 0.5).all()


@pytest.mark.parametrize("kind", ["smooth", "noise", "colour"])
def test_backgrounds_are_as_smooth_as_their_kind(kind: str) -> None:
    clear = torch.zeros(64, 2, 32, 32, dtype=torch.float64)
    step = background(kind)
    behind = step.apply(clear, step.sample(clear.shape, generators(range(64), "test")))[:, 0]
    between = (behind[:, :, 1:] - behind[:, :, :-1]).square().mean() / (behind - 0.5).square().mean() / 2
    low, high = {"smooth": (0.02, 0.6), "noise": (0.95, 1.05), "colour": (0, 1e-12)}[kind]
    assert low <= between <= high
    assert behind.mean().item() == pytest.approx(0.5, abs=0.05)
    assert 0.05 < behind.std() < 0.25


def test_the_gradient_of_each_image_comes_back_with_size_one() -> None:
    images = torch.rand(3, 2, 5, 6, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(3, 2, 5, 6, dtype=torch.float64) * torch.tensor([1e-9, 1.0, 1e6]).reshape(3, 1, 1, 1)
    weights[0] *= 0
    found = Pipeline.of(normalize_gradient()).apply(images, (torch.zeros(3, 0),))
    assert torch.equal(found, images)
    (gradient,) = torch.autograd.grad((found * weights).sum(), images)
    assert torch.equal(gradient[0], torch.zeros_like(gradient[0]))
    for place in (1, 2):
        assert gradient[place].square().mean().sqrt().item() == pytest.approx(1)
        expected = weights[place] / weights[place].square().mean().sqrt()
        assert torch.allclose(gradient[place], expected)


def test_the_gradient_is_evened_where_the_word_stands() -> None:
    images = torch.rand(2, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    pipeline = pad(1) | normalize_gradient()
    found = pipeline.apply(images, pipeline.sample(images.shape, generators([0, 1], "test")))
    (gradient,) = torch.autograd.grad((3 * found).sum(), images)
    assert torch.allclose(gradient, torch.ones_like(gradient))


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_contrast_moves_each_image_away_from_its_own_mean(channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def of_all_images(images: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
        mean = images.mean((1, 2, 3), keepdim=True) if images.shape[1] == 3 else images.mean()
        return images * factor.view(-1, 1, 1, 1) + mean * (1 - factor.view(-1, 1, 1, 1))

    monkeypatch.setattr("kornia.enhance.adjust_contrast_with_mean_subtraction", of_all_images)  # as kornia before 0.9
    dark, light = torch.full((channels, 4, 4), 0.2), torch.full((channels, 4, 4), 0.6)
    dark[:, 0], light[:, 0] = 0.4, 0.8
    images = torch.stack([dark, light]).double()
    draws = torch.tensor([[0.0, -0.5, 0.0, 0.0], [0.0, -0.5, 0.0, 0.0]], dtype=torch.float64)
    found = Pipeline.of(colour_jitter(contrast=0.5)).apply(images, (draws,))
    for one, low, high in zip(found, (0.225, 0.625), (0.325, 0.725), strict=True):  # means 0.25 and 0.65
        assert one[:, 1:].flatten().numpy() == pytest.approx(low, abs=1e-6)
        assert one[:, 0].flatten().numpy() == pytest.approx(high, abs=1e-6)
