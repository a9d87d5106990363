"""Inside a mask the picture changes; outside it is the given image, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError
from lucidtorch.param import image, pyramid, shared

START = torch.tensor(np.random.default_rng(3).uniform(size=(3, 10, 12)), dtype=torch.float32)
DISC = np.zeros((10, 12), np.float32)
DISC[3:7, 4:9] = 1
SOFT = np.linspace(0, 1, 120, dtype=np.float32).reshape(10, 12)


@pytest.mark.parametrize("options", [{}, {"bounds": "clip"}, {"fft": False}, {"spatial": pyramid()}])
def test_outside_the_given_image_stays_bit_for_bit(options: dict[str, Any], demo: Any) -> None:
    param = image((10, 12), init=START, mask=DISC, **options)
    model = lt.load_model(torch.nn.Conv2d(3, 2, 1), mean=0.0, std=1.0, size=(10, 12))
    found = lt.render(model, lt.objectives.L2(), param=param, transforms="identity()", steps=3, progress=False)
    outside = torch.tensor(DISC) == 0
    assert torch.equal(found.images[0][:, outside], START[:, outside])
    assert (found.images[0][:, ~outside] - START[:, ~outside]).abs().min() > 0


def test_only_the_inside_has_a_gradient() -> None:
    param = image((10, 12), init=START, mask=DISC, fft=False, decorrelate=False)
    images = param()
    (numbers,) = param.parameters()
    (gradient,) = torch.autograd.grad(images.sum(), numbers)
    assert torch.equal(gradient[0, 0] != 0, torch.tensor(DISC) > 0)
    with torch.no_grad():
        numbers[0, :, 0, 0] = torch.nan
    assert param().isfinite().all()


def test_a_soft_mask_blends() -> None:
    param, free = image((10, 12), init=START, mask=SOFT), image((10, 12), init=START)
    for one in (param, free):
        one.fill([0])
        with torch.no_grad():
            next(one.parameters()).mul_(0.5)
    expected = SOFT * free().detach().numpy() + (1 - SOFT) * START.numpy()
    np.testing.assert_allclose(param().detach().numpy(), expected, atol=1e-6)


def test_each_image_may_have_its_mask() -> None:
    param = image((10, 12), batch=2, init=START, mask=np.stack([DISC, 1 - DISC]))
    param.assign(torch.full((2, 3, 10, 12), 0.25))
    inside = torch.tensor(np.stack([DISC, 1 - DISC])[:, None]) > 0
    expected = torch.where(inside, torch.tensor(0.25), START)
    assert torch.allclose(param(), expected, atol=1e-5)


@pytest.mark.parametrize("mask", [DISC, np.stack([DISC] * 4), np.stack([np.stack([DISC] * 4)] * 2)])
def test_a_clip_has_a_mask_that_is_still_or_moves(mask: np.ndarray) -> None:
    start = START[:, None].expand(3, 4, 10, 12)
    param = image((4, 10, 12), batch=2, init=start, mask=mask)
    param.assign(torch.zeros(2, 3, 4, 10, 12))
    assert torch.equal(param()[..., 0, 0], start[..., 0, 0].expand(2, 3, 4))
    assert param()[..., 4, 5].max() < 1e-3


def test_masks_go_with_held_channels_opacity_and_sums() -> None:
    start = torch.cat([START, torch.full((1, 10, 12), 0.5)])
    param = image((10, 12), alpha=True, hold={1: 0.25}, init=start, mask=DISC) + shared([1, 3, 5, 6])
    found = param().detach()
    outside = torch.tensor(DISC) == 0
    assert (found[:, 1] == 0.25).all()
    assert torch.equal(found[0, [0, 2, 3]][:, outside], start[[0, 2, 3]][:, outside])
    assert (found[0, [0, 2, 3]] - start[[0, 2, 3]]).abs().max() < 1e-3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mask": DISC}, "init="),
        ({"mask": DISC.T, "init": START}, r"\[12, 10\]"),
        ({"mask": np.stack([DISC] * 3), "init": START, "batch": 2}, r"\[3, 10, 12\]"),
        ({"mask": 2 * DISC, "init": START}, r"\[0, 1\]"),
        ({"mask": 0 * DISC, "init": START}, "0 everywhere"),
        ({"mask": np.stack([DISC, 0 * DISC]), "init": START, "batch": 2}, "0 everywhere"),
        ({"mask": 1.0, "init": START}, "but 1.0 was given"),
        ({"mask": "disc", "init": START}, "numbers"),
    ],
)
def test_masks_that_do_not_fit_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        image((10, 12), **options)
