"""Borders: what stands in them, and how far they reach into what later transforms move."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transforms import naive

from lucidtorch.base.seeds import generators
from lucidtorch.transforms import Pipeline, crop_or_pad_to, flip, jitter, pad, rotate, scale


@pytest.mark.parametrize("pixels", [0, 1, 3, 9, 30])
@pytest.mark.parametrize("size", [(4, 7), (1, 5), (2, 2), (1, 1)])
def test_a_mirrored_border_is_exact_however_wide(pixels: int, size: tuple[int, int]) -> None:
    images = torch.rand(2, 3, *size, dtype=torch.float64)
    expected = np.pad(images.numpy(), [(0, 0), (0, 0), (pixels, pixels), (pixels, pixels)], mode="reflect")
    assert np.array_equal(
        Pipeline.of(pad(pixels, mode="reflect")).apply(images, (torch.zeros(2, 0),)).numpy(), expected
    )


def test_a_mirrored_border_goes_on_beyond_all_that_is_moved() -> None:
    images = torch.rand(2, 2, 8, 11, dtype=torch.float64)
    for rest in (jitter(9) | flip(), scale(0.3, 0.5), rotate(-50, 50) | jitter(6)):
        pipeline = pad(2, mode="reflect") | rest
        draws = pipeline.sample(images.shape, generators([3, 4], "test"))
        found = pipeline.apply(images, draws).numpy()
        for place in range(2):
            matrix, *size = naive.composed(pipeline, [one[place].tolist() for one in draws], 8, 11)
            expected = naive.warped(images[place].numpy(), matrix, *size, "reflect")
            np.testing.assert_allclose(found[place], expected, atol=1e-9)


def test_a_random_border_is_one_grey_per_image_and_step() -> None:
    count = 500
    images = torch.rand(count, 3, 3, 3, dtype=torch.float64)
    pipeline = Pipeline.of(pad(1, mode="random"))
    dice = generators(range(count), "test")
    first, second = (pipeline.apply(images, pipeline.sample(images.shape, dice)) for _ in range(2))
    corners = first[:, :, 0, 0]
    assert torch.equal(corners, corners[:, :1].expand(-1, 3))
    border = torch.cat([first[:, 0, 0], first[:, 0, -1], first[:, 0, :, 0], first[:, 0, :, -1]], 1)
    assert torch.equal(border, corners[:, :1].expand_as(border))
    assert torch.equal(first[:, :, 1:-1, 1:-1], images)
    assert not torch.equal(first, second)
    counts, _ = np.histogram(corners[:, 0], bins=5, range=(0, 1))
    assert counts.sum() == count
    assert abs(counts - count / 5).max() < 5 * (count / 5) ** 0.5


def test_a_random_border_goes_on_beyond_all_that_is_moved() -> None:
    images = torch.rand(6, 2, 8, 11, dtype=torch.float64)
    pipeline = scale(0.2, 0.4) | pad(2, mode="random") | rotate(-50, 50)
    draws = pipeline.sample(images.shape, generators(range(6), "test"))
    found = pipeline.apply(images, draws)
    greys = 0.5 + draws[1]
    assert len(set(greys.flatten().tolist())) == 6
    assert torch.equal(found[:, :, 0, 0], greys.expand(-1, 2))
    assert torch.equal(found[:, :, -1, -1], greys.expand(-1, 2))


@pytest.mark.parametrize("mode", ["reflect", "random"])
def test_a_second_border_stands_around_the_first(mode: str) -> None:
    images = torch.rand(2, 1, 5, 6, dtype=torch.float64)
    pipeline = pad(2, mode=mode) | pad(3, mode=mode)
    draws = pipeline.sample(images.shape, generators([1, 2], "test"))
    inner = Pipeline.of(pad(2, mode=mode)).apply(images, draws[:1])
    assert torch.equal(pipeline.apply(images, draws), Pipeline.of(pad(3, mode=mode)).apply(inner, draws[1:]))
    if mode == "reflect":
        twice = np.pad(
            np.pad(images.numpy(), [(0, 0), (0, 0), (2, 2), (2, 2)], mode="reflect"),
            [(0, 0), (0, 0), (3, 3), (3, 3)],
            mode="reflect",
        )
        assert np.array_equal(pipeline.apply(images, draws).numpy(), twice)


def test_the_border_is_used_after_something_in_between() -> None:
    images = torch.rand(2, 1, 5, 6, dtype=torch.float64)
    pipeline = pad(1, mode="random") | torch.nn.Identity() | crop_or_pad_to(11, 12)
    draws = pipeline.sample(images.shape, generators([1, 2], "test"))
    found = pipeline.apply(images, draws)
    assert torch.equal(found[:, 0, 0, 0], 0.5 + draws[0][:, 0])


def test_the_loop_sees_grey_where_the_border_is_no_one_value() -> None:
    assert (pad(2, mode="reflect") | jitter(2)).fill == 0.5
    assert (jitter(2) | pad(2, mode="random")).fill == 0.5
    assert (jitter(2) | pad(2, 0.25) | pad(2, 0)).fill == 0.25
    assert Pipeline().fill == 0.5
