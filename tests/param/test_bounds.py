"""From pixels to [0, 1]: colour of one's own, clipping and its gradient, opacity."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from lucidtorch.base.errors import BadInputError
from lucidtorch.param import image
from lucidtorch.param.finish import Clip, Decorrelated

ROOT = np.random.default_rng(5).normal(size=(7, 7))


@pytest.mark.parametrize(
    ("pixel", "gradient", "passed"),
    [
        (0.5, 1.0, 1.0),
        (0.5, -1.0, -1.0),
        (0.0, 1.0, 1.0),
        (1.0, -1.0, -1.0),
        (-0.5, 1.0, 0.0),  # a step against it would lead further down
        (-0.5, -2.0, -2.0),
        (1.5, -1.0, 0.0),
        (1.5, 3.0, 3.0),
        (1.5, 0.0, 0.0),
    ],
)
def test_only_the_gradient_that_leads_back_passes(pixel: float, gradient: float, passed: float) -> None:
    numbers = torch.full((1, 1, 1, 1), pixel, requires_grad=True)
    images = Clip((0.0,))(numbers)
    assert images.item() == min(max(pixel, 0), 1)
    images.backward(torch.full_like(images, gradient))
    assert numbers.grad is not None
    assert numbers.grad.item() == passed


def test_clipped_images_start_at_the_mean_colour() -> None:
    for options, expected in (
        ({}, (0.48, 0.46, 0.41)),
        ({"decorrelate": False}, (0.5, 0.5, 0.5)),
        ({"channels": 1}, (0.5,)),
        ({"channels": 7, "colour": ROOT}, (0.5,) * 7),
        ({"alpha": True}, (0.48, 0.46, 0.41, 0.5)),
    ):
        found = image(64, batch=4, bounds="clip", **options)().mean((0, 2, 3))
        np.testing.assert_allclose(found.detach().numpy(), expected, atol=2e-3)


def test_clipping_reaches_black_and_white_exactly() -> None:
    start = torch.tensor([0.0, 1.0, 0.3, 0.7]).view(1, 2, 2).expand(3, 2, 2)
    for fft in (True, False):
        assert torch.allclose(image(2, init=start, bounds="clip", fft=fft)()[0], start, atol=1e-6)


def test_an_image_that_left_the_bounds_finds_back() -> None:
    param = image(4, fft=False, decorrelate=False, bounds="clip")
    param.fill([0])
    (numbers,) = param.parameters()
    with torch.no_grad():
        numbers.fill_(3)
    optimizer = torch.optim.Adam([numbers], 0.5)
    for _ in range(20):
        loss = (param() - 0.25).square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert param().max() < 0.9


@pytest.mark.parametrize("channels", [1, 2, 3, 7])
def test_a_root_of_any_number_of_colours(channels: int) -> None:
    root = ROOT[:channels, :channels]
    colour = Decorrelated(root).double()
    pixels = np.random.default_rng(0).normal(size=(2, channels, 3, 4))
    expected = np.einsum("ij,bjhw->bihw", root / np.linalg.norm(root, axis=0).max(), pixels)
    found = colour(torch.tensor(pixels))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(colour.inverse(found).numpy(), pixels, atol=1e-6)
    whole = image(5, channels=channels, colour=root)
    assert torch.allclose(torch.logit(whole()), colour.float()(next(iter(whole.parts))()), atol=1e-5)


def test_the_inverse_of_lucids_matrix_is_the_published_one() -> None:
    expected = [[0.57744, 0.57744, 0.57744], [2.77171, -0.30797, -2.36109], [3.11818, -6.12087, 3.11818]]
    colour = Decorrelated().double()
    found = colour.inverse(torch.eye(3, dtype=torch.float64)[None]).squeeze(0)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-4)
    assert torch.allclose(colour.matrix @ found, torch.eye(3, dtype=torch.float64), atol=1e-6)


def test_opacity_is_a_channel_of_its_own() -> None:
    param, plain = image(12, batch=2, alpha=True, sd=0.5), image(12, batch=2, channels=4, decorrelate=False, sd=0.5)
    assert (param.channels, param.alpha, plain.alpha) == (4, True, False)
    assert torch.allclose(param()[:, 3], plain()[:, 3])
    colours = Decorrelated()(torch.logit(plain()[:, :3]))
    assert torch.allclose(param()[:, :3], torch.sigmoid(colours), atol=1e-5)
    assert image(12, channels=1, alpha=True).channels == 2


def test_opacity_may_be_held() -> None:
    found = image(12, alpha=True, hold={3: 0.75})
    assert (found()[:, 3] == 0.75).all()
    assert torch.equal(found()[:, :3], image(12)())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bounds": "tanh"}, "sigmoid"),
        ({"bounds": 3}, "sigmoid"),
        ({"colour": [[1, 0], [0, 1]]}, "3 channels"),
        ({"colour": [[1, 0, 0], [0, 1, 0]]}, r"\[C, C\]"),
        ({"colour": [1, 2, 3]}, r"\[C, C\]"),
        ({"colour": np.ones((3, 3))}, "no inverse"),
        ({"colour": np.eye(3), "decorrelate": False}, "decorrelate"),
        ({"colour": np.eye(3), "channels": 4}, "4 channels"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        image(8, **options)
