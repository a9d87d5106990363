"""What transforms draw: from which numbers, how often each."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import torch

from lucidtorch.base.seeds import generators
from lucidtorch.transforms import (
    Transform,
    atlas,
    blur,
    colour_jitter,
    colour_noise,
    noise,
    perspective,
    random_crop,
    rotate,
    scale,
    shear,
    span,
    strong,
    uniform_noise,
)

COUNT, LISTED = 2000, 8000


def numbers(transform: Transform, count: int = COUNT, channels: int = 3) -> np.ndarray:
    return transform.sample((count, channels, 4, 4), generators(range(count), "test")).numpy()


@pytest.mark.parametrize(
    ("transform", "column", "low", "high"),
    [
        (scale(0.9, 1.1), 0, -0.1, 0.1),
        (rotate(-10, 10), 0, -10, 10),
        (shear(5, 30), 0, 5, 30),
        (blur(0.5, 2), 0, 0.5, 2),
        (perspective(0.6), 7, 0, 0.3),
        (uniform_noise(0.04), 9, -0.04, 0.04),
        (colour_jitter(0.4, 1.5), 0, -0.4, 0.4),
        (colour_jitter(0.4, 1.5), 1, -1, 1.5),
        (colour_jitter(hue=0.2), 3, -0.2, 0.2),
        (random_crop(0.05, 0.99), 2, 0.05 - 0.52, 0.99 - 0.52),
    ],
    ids=repr,
)
def test_ranges_are_drawn_evenly_and_within(transform: Transform, column: int, low: float, high: float) -> None:
    draws = numbers(transform)[:, column]
    assert low <= draws.min()
    assert draws.max() <= high
    counts, _ = np.histogram(draws, bins=10, range=(low, high))
    assert abs(counts - COUNT / 10).max() < 5 * math.sqrt(COUNT / 10)


@pytest.mark.parametrize(
    ("transform", "sd"),
    [(noise(0.08), 0.08), (colour_noise(0.02), 0.02), (random_crop(0.5, 0.5, spread=0.15), 0.15)],
    ids=repr,
)
def test_normal_draws_have_the_moments_said(transform: Transform, sd: float) -> None:
    draws = numbers(transform)[:, :2]
    assert abs(draws.mean()) < 5 * sd / math.sqrt(draws.size)
    assert draws.std() == pytest.approx(sd, rel=0.05)
    assert abs(np.corrcoef(draws.T)[0, 1]) < 0.1
    assert abs((draws / sd) ** 4).mean() == pytest.approx(3, rel=0.15)


def lists(transform: Transform) -> Counter[float]:
    return Counter(numbers(transform, LISTED)[:, 0].round(9).tolist())


def as_often_as(found: Counter[float], expected: Counter[float]) -> bool:
    total, drawn = sum(expected.values()), sum(found.values())
    if set(found) != set(expected):
        return False
    shares = {one: drawn * count / total for one, count in expected.items()}
    return all(abs(found[one] - share) < 5 * math.sqrt(share) for one, share in shares.items())


def test_lucids_angles_are_zero_as_often_as_in_lucid() -> None:
    found = lists(rotate([span(-10, 10), 0, 0, 0, 0, 0]))
    assert as_often_as(found, Counter([*map(float, range(-10, 11)), *5 * [0.0]]))
    assert found[0.0] / LISTED == pytest.approx(6 / 26, abs=0.02)


def test_lucids_scales_are_the_eleven() -> None:
    found = lists(scale([span(0.9, 1.1, 0.02)]))
    assert as_often_as(found, Counter(round((place - 5) / 50, 9) for place in range(11)))


def test_the_angles_and_scales_of_atlas_and_strong() -> None:
    angles = Counter(map(float, [*range(-20, 20), *range(-10, 10), *range(-5, 5), *5 * [0]]))
    assert sum(angles.values()) == 75
    icons = [round(0.998**power - 1, 9) for power in range(20, 40)]
    wide = [round(0.995**power - 1, 9) for power in range(-5, 80)]
    for pipeline, factors in ((atlas(), Counter(icons)), (strong(), Counter([*wide, *icons, *icons]))):
        factor, angle = (next(step for step in pipeline.steps if isinstance(step, kind)) for kind in (scale, rotate))
        assert as_often_as(lists(angle), angles)
        assert as_often_as(lists(factor), factors)


def test_two_steps_draw_afresh() -> None:
    dice = generators([5], "test")
    for transform in (rotate(-10, 10), noise(1), random_crop(0.2, 0.5)):
        shape = (1, 3, 4, 4)
        assert not torch.equal(transform.sample(shape, dice), transform.sample(shape, dice))
