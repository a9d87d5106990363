"""Random boxes: where they lie, how they shrink over a run, and how many one step looks at."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lucidtorch.base.seeds import generators
from lucidtorch.transforms import Pipeline, crops, jitter, noise, pad, parse, random_crop

MACO = random_crop(0.5, 0.5, sd=0.05, end=0.05, views=32)


def boxes(step: random_crop, count: int = 2000) -> np.ndarray:
    """The centre (x, y) and the side of boxes, in shares of the image."""
    draws = step.sample((count, 3, 8, 8), generators(range(count), "test")).numpy()
    return draws + np.array([0.5, 0.5, step.middle])


def test_the_whole_image_as_a_box_is_the_image() -> None:
    images = torch.rand(3, 2, 7, 12, dtype=torch.float64)
    for step in (random_crop(1, 1, spread=0), random_crop(1, 1, spread=None)):
        draws = step.sample(images.shape, generators(range(3), "test"))
        assert (Pipeline.of(step).apply(images, (draws,)) - images).abs().max() < 1e-9


def test_a_quarter_of_the_image_is_enlarged_to_its_size() -> None:
    images = torch.arange(8, dtype=torch.float64).expand(1, 1, 8, 8) / 10
    draws = torch.tensor([[-0.25, -0.25, 0.0]], dtype=torch.float64)  # the upper left quarter
    found = Pipeline.of(random_crop(0.5, 0.5)).apply(images, (draws,))
    assert found[0, 0, 4, 1:].tolist() == pytest.approx([0.025, 0.075, 0.125, 0.175, 0.225, 0.275, 0.325])


def test_a_box_at_another_size_is_sampled_at_its_pixels() -> None:
    images = torch.rand(1, 1, 8, 12, dtype=torch.float64)
    step = random_crop(0.5, 0.5, size=(4, 6))
    draws = torch.tensor([[0.25, 0.25, 0.0]], dtype=torch.float64)
    found = Pipeline.of(step).apply(images, (draws,))
    assert (found - images[..., 4:, 6:]).abs().max() < 1e-9
    assert step.output_size((8, 12)) == (4, 6)
    assert step.output_size((5, 8, 12)) == (5, 4, 6)


def test_macos_boxes_at_the_start_are_half_the_image_around_its_middle() -> None:
    found = boxes(MACO)
    assert found.mean(0) == pytest.approx([0.5, 0.5, 0.5], abs=0.015)
    assert found.std(0) == pytest.approx([0.15, 0.15, 0.05], rel=0.06)


@pytest.mark.parametrize(("progress", "mean"), [(0.0, 0.5), (0.25, 0.3875), (0.5, 0.275), (1.0, 0.05)])
def test_macos_boxes_shrink_linearly_over_the_run(progress: float, mean: float) -> None:
    then = MACO.at(progress)
    assert then.middle == pytest.approx(mean)
    assert then.views == 32
    found = boxes(then)[:, 2]
    assert found.min() >= 0.05 - 1e-12
    assert np.median(found) == pytest.approx(mean, abs=0.006)
    assert (found == found.min()).mean() == pytest.approx(0.5 if mean == 0.05 else 0, abs=0.05)


def test_a_box_without_an_end_stays_as_it_is() -> None:
    step = random_crop(0.2, 0.25)
    assert step.at(0.7) is step
    wide = random_crop(0.2, 0.4, end=0.1).at(1)
    assert (wide.low, wide.high) == pytest.approx((0.05, 0.2))


def test_boxes_anywhere_inside_lie_inside_evenly() -> None:
    found = boxes(random_crop(0.05, 0.99, spread=None))
    for centre in found.T[:2]:
        edges = np.stack([centre - found[:, 2] / 2, centre + found[:, 2] / 2])
        assert edges.min() >= 0
        assert edges.max() <= 1
        place = edges[0] / (1 - found[:, 2])
        counts, _ = np.histogram(place, bins=5, range=(0, 1))
        assert abs(counts - 400).max() < 100


def test_beyond_the_image_there_is_what_the_pad_says() -> None:
    images = torch.ones(1, 1, 8, 8, dtype=torch.float64)
    draws = torch.tensor([[-0.5, 0.0, 0.0]], dtype=torch.float64)  # its left half lies outside
    for border, expected in ((pad(0), 0.5), (pad(0, 0.25), 0.25), (pad(0, mode="reflect"), 1.0)):
        found = (border | random_crop(0.5, 0.5)).apply(images, (torch.zeros(1, 0), draws))
        assert found[0, 0, 4, 0].item() == pytest.approx(expected)
        assert found[0, 0, 4, -1].item() == pytest.approx(1)


def test_what_lies_beyond_a_box_is_gone() -> None:
    images = torch.ones(1, 1, 8, 8, dtype=torch.float64)
    pipeline = random_crop(0.5, 0.5, spread=0, size=4) | pad(2)
    found = pipeline.apply(images, pipeline.sample(images.shape, generators([0], "test")))
    assert found[0, 0, 0].tolist() == [0.5] * 8
    assert found[0, 0, 4].tolist() == [0.5, 0.5, 1, 1, 1, 1, 0.5, 0.5]


def test_a_pipeline_has_the_views_of_all_its_steps() -> None:
    assert (jitter(2) | noise(1)).views == 1
    assert crops(5).views == 5
    assert (random_crop(0.5, 1, views=2) | jitter(1) | random_crop(0.5, 1, views=3)).views == 6
    assert crops(7).at(0.5).views == 7
    assert crops(2, size=32).output_size((64, 80)) == (32, 32)
    assert parse("crops(2, size=32)") == crops(2, size=32)
    assert crops(2).at(1.0).steps[0] == random_crop(0.05, 0.05, sd=0.05, views=2)


def test_a_pipeline_at_a_time_is_the_same_where_nothing_changes() -> None:
    pipeline = pad(3) | jitter(2)
    assert pipeline.at(0.3) == pipeline
