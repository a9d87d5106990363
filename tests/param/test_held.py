"""Channels that are held stay exactly as they were given; the others are made as if they were alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lucidtorch.base.errors import BadInputError, ImageError
from lucidtorch.param import image, parse

MASK = np.random.default_rng(2).uniform(size=(9, 12)).astype(np.float32)
MOVING = np.random.default_rng(3).uniform(size=(5, 9, 12)).astype(np.float32)


@given(st.integers(2, 8), st.data())
def test_held_and_free_channels_stand_at_their_places(channels: int, data: st.DataObject) -> None:
    held = data.draw(st.sets(st.integers(0, channels - 1), min_size=1, max_size=channels - 1))
    hold = {channel: data.draw(st.floats(0, 1, width=32)) for channel in held}
    param = image((4, 5), batch=2, channels=channels, hold=hold, decorrelate=False)
    alone = image((4, 5), batch=2, channels=channels - len(held), decorrelate=False)
    found = param().detach()
    assert found.shape == (2, channels, 4, 5)
    assert param.held == tuple(sorted(held))
    for channel, value in hold.items():
        assert found[:, channel].unique().tolist() == [value]
    free = [channel for channel in range(channels) if channel not in held]
    assert torch.equal(found[:, free], alone().detach())


def test_three_free_channels_have_decorrelated_colours() -> None:
    param = image((9, 12), channels=4, hold={1: MASK})
    assert torch.equal(param()[:, [0, 2, 3]], image((9, 12))())
    assert image((9, 12), channels=3, hold={1: 0.5}).finish.colour is None


@pytest.mark.parametrize(
    "mask",
    [MASK, torch.tensor(MASK), torch.tensor(MASK, dtype=torch.float64), MASK.tolist()],
    ids=["numpy", "tensor", "float64", "lists"],
)
def test_a_mask_in_any_form_comes_out_bit_for_bit(mask: Any) -> None:
    found = image((9, 12), batch=3, channels=4, hold={3: mask})()
    assert np.array_equal(found[:, 3].detach().numpy(), np.stack([MASK] * 3))


def test_a_mask_of_truth_values_is_one_of_zeros_and_ones() -> None:
    found = image((9, 12), channels=4, hold={3: torch.tensor(MASK) > 0.5})()
    assert np.array_equal(found[0, 3].detach().numpy(), (MASK > 0.5).astype(np.float32))


@pytest.mark.parametrize(
    ("given_values", "expected"),
    [
        (MASK, np.broadcast_to(MASK, (2, 5, 9, 12))),
        (MOVING, np.broadcast_to(MOVING, (2, 5, 9, 12))),
        (np.stack([MOVING, 1 - MOVING]), np.stack([MOVING, 1 - MOVING])),
        ([0.25, 0.75], np.broadcast_to(np.array([0.25, 0.75]).reshape(2, 1, 1, 1), (2, 5, 9, 12))),
        (0.5, np.full((2, 5, 9, 12), 0.5)),
    ],
    ids=["still", "moving", "one per clip", "one number per clip", "number"],
)
def test_clips_hold_what_is_still_and_what_moves(given_values: Any, expected: np.ndarray) -> None:
    found = image((5, 9, 12), batch=2, channels=2, hold={0: given_values})()
    assert np.array_equal(found[:, 0].detach().numpy(), expected)


def test_each_image_may_hold_its_own() -> None:
    masks = np.stack([MASK, 1 - MASK])
    found = image((9, 12), batch=2, channels=5, hold={4: masks, 0: [0.0, 1.0]})().detach()
    assert np.array_equal(found[:, 4].numpy(), masks)
    assert (found[0, 0] == 0).all()
    assert (found[1, 0] == 1).all()


def test_numbers_get_the_gradient_of_free_channels_only() -> None:
    param = image((9, 12), channels=4, hold={3: MASK})
    images = param()
    (numbers,) = param.parameters()
    (nothing,) = torch.autograd.grad(images[:, 3].sum() + 0 * numbers.sum(), numbers)
    assert (nothing == 0).all()
    whole, free = param().square().sum(), param()[:, :3].square().sum()
    (one,), (other,) = torch.autograd.grad(whole, numbers), torch.autograd.grad(free, numbers)
    assert torch.equal(one, other)
    assert one.abs().sum() > 0


@pytest.mark.parametrize("fft", [True, False])
@pytest.mark.parametrize("size", [(9, 12), (5, 9, 12)])
def test_a_start_image_gives_the_free_channels(fft: bool, size: tuple[int, ...]) -> None:
    start = torch.tensor(np.random.default_rng(4).uniform(size=(2, 4, *size)), dtype=torch.float32)
    free = [0, 1, 3]
    whole = image(size, batch=2, channels=4, fft=fft, hold={2: 0.5}, init=start)()
    alone = image(size, batch=2, channels=4, fft=fft, hold={2: 0.5}, init=start[:, free])()
    shared = image(size, batch=2, channels=4, fft=fft, hold={2: 0.5}, init=start[0, free])()
    assert (whole[:, free] - start[:, free]).abs().max() < 1e-3
    assert torch.equal(whole, alone)
    assert torch.allclose(shared[1], whole[0], atol=1e-6)
    assert (whole[:, 2] == 0.5).all()


def test_assigning_reads_all_channels_or_the_free_ones() -> None:
    param = image((9, 12), channels=4, hold={0: 0.5})
    images = param().detach()
    (numbers,) = (one.detach().clone() for one in param.parameters())
    found = []
    for given_images in (images, images[:, 1:]):
        param.assign(given_images)
        found.append(next(param.parameters()).detach().clone())
    assert torch.equal(*found)
    assert torch.allclose(found[0][..., :1, 1:-1, :], numbers[..., :1, 1:-1, :], atol=1e-5)
    assert torch.allclose(param(), images, atol=1e-6)


def test_nothing_held_is_no_difference() -> None:
    assert torch.equal(image(8, hold={})(), image(8)())
    assert repr(image(8, hold=None)) == "image(8)"


def test_large_masks_stand_beside_the_text(tmp_path: Path) -> None:
    param = image((9, 12), channels=5, hold={3: MASK, 4: 1 - MASK, 0: 0.5}, init=MASK[None].repeat(5, 0))
    assert len(param.arrays) == 3
    for array in param.arrays:
        array.save(tmp_path)
    again = parse(repr(param), tmp_path)
    assert repr(again) == repr(param)
    assert torch.equal(again(), param())
    with pytest.raises(BadInputError, match="cannot be read"):
        parse(repr(param), tmp_path / "elsewhere")


def test_what_was_given_may_change_afterwards() -> None:
    mask, hold = torch.tensor(MASK), dict[int, Any]()
    hold[3] = mask
    param = image((9, 12), channels=4, hold=hold)
    before = param().detach().clone()
    mask.zero_()
    hold.clear()
    assert torch.equal(param(), before)
    assert torch.equal(param.resized(batch=2)()[0, 3], before[0, 3])


def test_precision_stays() -> None:
    param = image((9, 12), channels=4, hold={3: MASK})
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = param()
    assert cast.dtype == torch.float32
    assert torch.equal(cast, param())
    assert param.double()().dtype == torch.float64


@pytest.mark.parametrize(
    ("hold", "message"),
    [
        ({4: 1.0}, "channel 4"),
        ({-1: 1.0}, "channel -1"),
        ({0: 0, 1: 0, 2: 0, 3: 0}, "all 4 channels"),
        ({3: 1.5}, r"\[0, 1\]"),
        ({3: -0.1}, r"\[0, 1\]"),
        ({3: 255 * MASK}, r"\[0, 1\]"),
        ({3: MASK.T}, r"\[12, 9\]"),
        ({3: MASK[None]}, r"\[1, 9, 12\]"),
        ({3: np.stack([MASK] * 3)}, r"\[3, 9, 12\]"),
        ({3: [0.1, 0.2, 0.3]}, r"\[3\]"),
        ({3: "mask"}, "'mask'"),
        ({3: None}, "None} was given"),
        ({3: float("nan")}, "finite"),
        ({3: []}, "empty"),
        ({"3": 1.0}, "whole numbers"),
        ({1.0: 1.0}, "whole numbers"),
        ([1.0], "takes a mapping"),
        (3, "takes a mapping"),
        (MASK, "takes a mapping"),
    ],
)
def test_what_cannot_be_held_is_refused(hold: Any, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        image((9, 12), batch=2, channels=4, hold=hold)


def test_one_mask_per_image_fits_no_other_number_of_images() -> None:
    param = image((9, 12), batch=2, channels=4, hold={3: np.stack([MASK, MASK])})
    with pytest.raises(ImageError, match=r"\[3, 9, 12\]"):
        param.resized(batch=3)
    with pytest.raises(ImageError, match="init"):
        image((9, 12), channels=4, hold={3: 1.0}, init=torch.rand(2, 9, 12))
