"""Each geometric transform against what it says, pixel by pixel."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lucidtorch.base.seeds import generators
from lucidtorch.transforms import (
    Pipeline,
    atlas,
    crop,
    crop_or_pad_to,
    flip,
    identity,
    jitter,
    pad,
    perspective,
    rotate,
    scale,
    shear,
    standard,
    strong,
)
from lucidtorch.transforms.transform import Transform


def numbered(batch: int, channels: int, height: int, width: int) -> Tensor:
    """Images in which every pixel has a value of its own."""
    count = batch * channels * height * width
    return (torch.arange(count, dtype=torch.float64) / count).reshape(batch, channels, height, width)


def moved(transform: Transform | Pipeline, images: Tensor, seeds: Sequence[int] = ()) -> Tensor:
    pipeline = Pipeline.of(transform)
    dice = generators(tuple(seeds) or range(len(images)), "test")
    return pipeline.apply(images, pipeline.sample(images.shape, dice))


@pytest.mark.parametrize("value", [0.5, 0.0, 1.0, -2.0])
@pytest.mark.parametrize("pixels", [0, 1, 5])
def test_pad_is_exact(pixels: int, value: float) -> None:
    images = numbered(2, 3, 4, 7)
    expected = np.pad(images.numpy(), [(0, 0), (0, 0), (pixels, pixels), (pixels, pixels)], constant_values=value)
    assert np.array_equal(moved(pad(pixels, value), images).numpy(), expected)


def test_pads_of_two_values_stand_one_in_the_other() -> None:
    images = numbered(1, 1, 3, 3)
    inner = np.pad(images.numpy(), [(0, 0), (0, 0), (1, 1), (1, 1)], constant_values=0.0)
    expected = np.pad(inner, [(0, 0), (0, 0), (2, 2), (2, 2)], constant_values=1.0)
    assert np.array_equal(moved(pad(1, 0.0) | pad(2, 1.0), images).numpy(), expected)


@pytest.mark.parametrize("pixels", [0, 1, 2, 3, 8])
def test_jitter_shifts_by_whole_pixels_within_its_range(pixels: int) -> None:
    images = numbered(60, 1, 6, 9)
    found = moved(jitter(pixels), images)
    draws = jitter(pixels).sample(images.shape, generators(range(60), "test"))
    low, high = -(pixels // 2), pixels - pixels // 2
    for image, out, (right, down) in zip(images, found, draws.tolist(), strict=True):
        assert right == int(right)
        assert low <= right <= high
        assert low <= down <= high
        for row in range(6):
            for column in range(9):
                above, left = row - int(down), column - int(right)
                inside = 0 <= above < 6 and 0 <= left < 9
                assert out[0, row, column] == (image[0, above, left] if inside else 0.5)


@pytest.mark.parametrize("pixels", [1, 4, 7])
def test_jitter_covers_its_range_evenly(pixels: int) -> None:
    count = 4000
    draws = jitter(pixels).sample((count, 1, 4, 4), generators(range(count), "test"))
    cells = torch.zeros(pixels + 1, pixels + 1)
    for right, down in (draws + pixels // 2).long().tolist():
        cells[down, right] += 1
    expected = count / (pixels + 1) ** 2
    chi_square = ((cells - expected) ** 2 / expected).sum().item()
    freedom = (pixels + 1) ** 2 - 1
    assert chi_square < freedom + 5 * math.sqrt(2 * freedom)


@settings(max_examples=50)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 40), st.integers(0, 99))
def test_jitter_may_move_an_image_off_its_canvas(height: int, width: int, pixels: int, seed: int) -> None:
    images = numbered(1, 2, height, width)
    found = moved(jitter(pixels), images, [seed])
    assert found.shape == images.shape
    known = {0.5, *images.flatten().tolist()}
    assert set(found.flatten().tolist()) <= known


@pytest.mark.parametrize("size", [4, 5, 8, 33])
@pytest.mark.parametrize(("angle", "turns"), [(90, 1), (180, 2), (-90, 3), (270, 3), (360, 4)])
def test_rotating_by_a_right_angle_is_a_permutation(size: int, angle: float, turns: int) -> None:
    images = numbered(2, 3, size, size)
    expected = np.rot90(images.numpy(), k=turns, axes=(2, 3))  # counter-clockwise
    for kind, tolerance in ((torch.float64, 1e-4), (torch.float32, 1e-4)):
        found = moved(rotate(angle, angle), images.to(kind))
        assert np.abs(found.double().numpy() - expected).max() < tolerance


def test_a_positive_angle_turns_counter_clockwise() -> None:
    images = torch.zeros(1, 1, 41, 41, dtype=torch.float64)
    images[0, 0, 20, 36] = 1  # to the right of the centre
    found = moved(rotate(30, 30), images, [0])
    row, column = divmod(int(found[0, 0].sub(0.5).abs().mul(found[0, 0] > 0.5).argmax()), 41)
    assert row < 20  # it went up
    assert column > 20


def test_scaling_by_one_half_about_the_centre() -> None:
    images = numbered(1, 1, 8, 12)
    found = moved(scale(0.5, 0.5), images)
    assert found.shape == images.shape
    for row in range(8):
        for column in range(12):
            above, left = 3.5 + (row - 3.5) * 2, 5.5 + (column - 5.5) * 2
            if 0 <= above <= 7 and 0 <= left <= 11:
                i, j = int(above), int(left)
                expected = images[0, 0, i : i + 2, j : j + 2].mean()
                assert found[0, 0, row, column].item() == pytest.approx(expected.item(), abs=1e-6)
            elif above < -1 or above > 8 or left < -1 or left > 12:
                assert found[0, 0, row, column].item() == pytest.approx(0.5, abs=1e-6)


def test_scaling_leaves_the_centre_where_it_is() -> None:
    images = numbered(3, 2, 9, 13)
    found = moved(scale(0.3, 3.0), images)
    assert torch.allclose(found[:, :, 4, 6], images[:, :, 4, 6], atol=1e-6)


@pytest.mark.parametrize("pixels", [0, 1, 3])
def test_crop_cuts_a_window_out(pixels: int) -> None:
    images = numbered(40, 2, 6, 9)
    found = moved(crop(pixels), images)
    assert found.shape == (40, 2, 6 - pixels, 9 - pixels)
    seen = set()
    for image, out in zip(images, found, strict=True):
        row, column = divmod(int((image[0] == out[0, 0, 0]).flatten().nonzero()[0]), 9)
        assert torch.equal(out, image[:, row : row + 6 - pixels, column : column + 9 - pixels])
        seen.add((row, column))
    assert len(seen) > (pixels + 1) ** 2 / 2
    assert max(max(place) for place in seen) <= pixels


def test_what_a_crop_cuts_off_is_gone() -> None:
    images = numbered(1, 1, 6, 6)
    found = moved(crop(2) | pad(1), images)
    assert (found[..., 0, :] == 0.5).all()
    assert (found[..., :, -1] == 0.5).all()


@pytest.mark.parametrize("vertical", [False, True])
def test_flip_mirrors_exactly_as_often_as_said(vertical: bool) -> None:
    images = numbered(400, 1, 3, 4)
    found = moved(flip(0.3, vertical=vertical), images)
    mirrored = images.flip(-2 if vertical else -1)
    turned = (found == mirrored).flatten(1).all(1)
    assert ((found == images).flatten(1).all(1) ^ turned).all()
    assert 80 < turned.sum() < 160
    assert torch.equal(moved(flip(1, vertical=vertical), images), mirrored)
    assert torch.equal(moved(flip(0, vertical=vertical), images), images)


def test_shifts_and_flips_are_one_exact_copy() -> None:
    images = numbered(30, 2, 5, 7)
    pipeline = pad(2, 0.25) | jitter(4) | flip() | jitter(3) | flip(vertical=True)
    draws = pipeline.sample(images.shape, generators(range(30), "test"))
    found = pipeline.apply(images, draws)
    stepwise = images
    for step, drawn in zip((pad(20, 0.25), *pipeline.steps[1:]), draws, strict=True):
        stepwise = Pipeline.of(step).apply(stepwise, (drawn,))  # so wide that nothing is lost on the way
    assert torch.equal(found, stepwise[..., 18:-18, 18:-18])


@pytest.mark.parametrize("size", [(5, 9), (8, 8), (7, 4)])
@pytest.mark.parametrize("target", [(5, 9), (3, 3), (12, 11), (2, 20), (1, 1)])
def test_crop_or_pad_to_cuts_and_pads_evenly(size: tuple[int, int], target: tuple[int, int]) -> None:
    images = numbered(2, 1, *size)
    found = moved(crop_or_pad_to(*target), images)
    assert found.shape[-2:] == target
    above, left = (int((target[0] - size[0]) / 2), int((target[1] - size[1]) / 2))
    for row in range(target[0]):
        for column in range(target[1]):
            i, j = row - above, column - left
            inside = 0 <= i < size[0] and 0 <= j < size[1]
            assert found[1, 0, row, column] == (images[1, 0, i, j] if inside else 0.5)


@pytest.mark.parametrize(("words", "first"), [({}, 2), ({"odd_cut": "start"}, 3)])
def test_an_odd_excess_is_cut_as_lucid_cuts_it_or_as_version_0_1_0_did(words: dict[str, Any], first: int) -> None:
    images = torch.arange(144.0).reshape(1, 1, 12, 12) / 144
    found = moved(crop_or_pad_to(7, 7, **words), images)
    assert torch.equal(found, images[..., first : first + 7, first : first + 7])
    smaller = images[..., :7, :7]
    assert torch.equal(moved(crop_or_pad_to(12, 12, **words), smaller)[..., 2:9, 2:9], smaller)  # padding is the same


@pytest.mark.parametrize("pipeline", [strong, atlas])
def test_named_pipelines_end_with_the_cut_that_is_asked_for(pipeline: Callable[..., Pipeline]) -> None:
    assert pipeline(9).steps[-1] == crop_or_pad_to(9, 9)
    assert pipeline(9, odd_cut="start").steps[-1] == crop_or_pad_to(9, 9, odd_cut="start")


def test_what_is_cropped_away_is_gone() -> None:
    images = numbered(1, 1, 6, 6)
    found = moved(crop_or_pad_to(4, 4) | pad(2), images)
    expected = np.pad(images[0, 0, 1:5, 1:5].numpy(), 2, constant_values=0.5)
    assert np.array_equal(found[0, 0].numpy(), expected)


@pytest.mark.parametrize(
    "transform",
    [
        pad(0),
        jitter(0),
        scale(1, 1),
        rotate(0, 0),
        crop_or_pad_to(7, 10),
        identity(),
        pad(0) | jitter(0) | scale(1, 1) | rotate(0, 0) | jitter(0) | crop_or_pad_to(7, 10),
        pad(3) | rotate(0, 0) | crop_or_pad_to(7, 10),
        rotate(360, 360),
    ],
    ids=repr,
)
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_identity_parameters_are_the_identity(transform: Transform | Pipeline, kind: torch.dtype) -> None:
    images = numbered(2, 3, 7, 10).to(kind)
    assert (moved(transform, images) - images).abs().max() < 1e-4


PIPELINES = [
    pad(12),
    jitter(8),
    scale(0.5, 0.5),
    scale(0.9, 1.1),
    rotate(45, 45),
    rotate(-10, 10),
    crop_or_pad_to(40, 50),
    standard(),
    scale(0.4, 0.6) | rotate(10, 80) | jitter(9) | scale(0.5, 0.9),
    crop_or_pad_to(8, 8) | rotate(30, 30) | crop_or_pad_to(30, 30),
    standard() | crop_or_pad_to(64, 64),
    shear(-40, 40) | perspective(0.9),
    perspective(0.5) | flip() | rotate(-30, 30),
]


@pytest.mark.parametrize("transform", PIPELINES, ids=repr)
@pytest.mark.parametrize("value", [0.5, 0.2, 1.0])
@pytest.mark.parametrize("size", [(16, 16), (15, 22)])
def test_there_are_no_black_borders(transform: Transform | Pipeline, value: float, size: tuple[int, int]) -> None:
    """A canvas of the fill's own value stays that value; a white image never gets darker than the fill."""
    filled = pad(3, value) | transform
    flat = torch.full((4, 2, *size), value)
    if not isinstance(transform, pad) and "pad(12)" not in repr(transform):
        assert (moved(filled, flat) - value).abs().max() < 1e-5
    grey = moved(transform, torch.full((4, 2, *size), 0.5))
    assert (grey - 0.5).abs().max() < 1e-5
    white = moved(transform, torch.ones(4, 2, *size))
    assert white.min() >= 0.5 - 1e-5
    assert white.max() <= 1 + 1e-5


@pytest.mark.parametrize("transform", PIPELINES, ids=repr)
@pytest.mark.parametrize("size", [(16, 16), (15, 22), (31, 7), (1, 5), (1, 1)])
def test_the_size_is_what_was_said(transform: Transform | Pipeline, size: tuple[int, int]) -> None:
    found = moved(transform, numbered(2, 3, *size))
    assert tuple(found.shape[-2:]) == transform.output_size(size)
    assert found.shape[:2] == (2, 3)
    assert found.isfinite().all()


def test_the_standard_pipeline_adds_24_pixels() -> None:
    assert standard().output_size((96, 131)) == (120, 155)
    assert repr(standard()) == "pad(12) | jitter(8) | scale(0.9, 1.1) | rotate(-10, 10) | jitter(4)"


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
def test_the_standard_pipeline_takes_any_number_of_channels(channels: int) -> None:
    images = torch.rand(2, channels, 20, 27)
    found = moved(standard(), images)
    assert found.shape == (2, channels, 44, 51)
    for channel in range(channels):
        alone = moved(standard(), images[:, channel : channel + 1])
        assert torch.allclose(found[:, channel : channel + 1], alone, atol=1e-6)


def test_two_images_of_one_batch_are_moved_differently() -> None:
    image = torch.rand(1, 1, 20, 20).expand(2, -1, -1, -1)
    found = moved(standard(), image, [0, 1])
    assert not torch.allclose(found[0], found[1])
