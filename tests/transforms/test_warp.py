"""A fused pipeline against a naive bilinear warp: one matrix, composed by hand, sampled pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from transforms import naive

from lucidtorch.base.seeds import generators
from lucidtorch.transforms import (
    Pipeline,
    Transform,
    crop_or_pad_to,
    flip,
    jitter,
    pad,
    perspective,
    rotate,
    scale,
    shear,
    standard,
)

PIPELINES = [
    standard(),
    Pipeline((scale(0.5, 0.5),)),
    Pipeline((rotate(33, 33),)),
    scale(0.7, 1.4) | rotate(-170, 170),
    rotate(20, 20) | jitter(5) | scale(1.3, 1.3) | jitter(3),
    pad(3, 0.1) | rotate(-45, 45) | crop_or_pad_to(20, 14),
    jitter(6) | pad(2) | scale(0.8, 0.8) | pad(1) | rotate(5, 10),
    shear(-40, 40) | perspective(0.6) | flip() | jitter(3),
    perspective(0.3) | perspective(0.3) | rotate(0, 90),
]


@pytest.mark.parametrize("pipeline", PIPELINES, ids=repr)
@pytest.mark.parametrize("size", [(12, 12), (9, 14), (11, 6)])
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_a_fused_pipeline_is_one_naive_warp(pipeline: Pipeline, size: tuple[int, int], kind: torch.dtype) -> None:
    images = torch.tensor(np.random.default_rng(3).uniform(size=(2, 2, *size)))
    draws = pipeline.sample(images.shape, generators([4, 5], "test"))
    found = pipeline.apply(images.to(kind), draws).double().numpy()
    for place in range(2):
        own = [one[place].tolist() for one in draws]
        matrix, height, width = naive.composed(pipeline, own, *size)
        expected = naive.warped(images[place].numpy(), matrix, height, width, pipeline.fill)
        np.testing.assert_allclose(found[place], expected, atol=2e-5)


@settings(max_examples=25)
@given(
    st.floats(0.4, 2.0),
    st.floats(-180, 180),
    st.integers(0, 5),
    st.integers(0, 4),
    st.integers(1, 12),
    st.integers(1, 12),
    st.integers(0, 1000),
)
def test_any_warp_is_the_naive_one(
    factor: float, angle: float, shifts: int, border: int, height: int, width: int, seed: int
) -> None:
    pipeline = pad(border) | scale(factor, factor) | rotate(angle, angle) | jitter(shifts)
    images = torch.tensor(np.random.default_rng(seed).uniform(size=(1, 1, height, width)))
    draws = pipeline.sample(images.shape, generators([seed], "test"))
    matrix, rows, columns = naive.composed(pipeline, [one[0].tolist() for one in draws], height, width)
    expected = naive.warped(images[0].numpy(), matrix, rows, columns, 0.5)
    found = pipeline.apply(images, draws)[0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_fused_pipeline_resamples_once() -> None:
    """Two turns that undo each other blur nothing when they are one warp."""
    images = torch.rand(1, 1, 15, 15, dtype=torch.float64)
    pipeline = rotate(30, 30) | scale(0.8, 0.8) | scale(1.25, 1.25) | rotate(-30, -30)
    found = pipeline.apply(images, pipeline.sample(images.shape, generators([0], "test")))
    assert (found - images).abs().max() < 1e-4


def test_a_function_in_between_parts_the_warps() -> None:
    images = torch.rand(1, 1, 15, 15, dtype=torch.float64)
    pipeline = Pipeline.of([rotate(30, 30), lambda x: x, rotate(-30, -30)])
    found = pipeline.apply(images, pipeline.sample(images.shape, generators([0], "test")))
    assert (found - images).abs().max() > 1e-2


def random_steps() -> st.SearchStrategy[Transform]:
    angle, factor = st.floats(-180, 180), st.floats(0.4, 2.0)
    return st.one_of(
        st.integers(0, 6).map(pad),
        st.integers(0, 9).map(jitter),
        angle.map(lambda one: rotate(one, one)),
        factor.map(lambda one: scale(one, one)),
        st.floats(-45, 45).map(lambda one: shear(one, one)),
        st.floats(0, 0.6).map(perspective),
        st.booleans().map(lambda one: flip(1.0, vertical=one)),
    )


def smooth(x: Tensor, y: Tensor) -> Tensor:
    """A picture that goes on for ever, so that it can be looked up exactly anywhere."""
    return 0.5 + 0.25 * torch.sin(x / 19) + 0.25 * torch.cos(y / 23)


@settings(max_examples=60)
@given(st.lists(random_steps(), min_size=1, max_size=6), st.integers(0, 1000))
def test_a_random_run_is_the_composition_of_its_matrices(steps: list[Transform], seed: int) -> None:
    height, width = 40, 52
    rows, columns = torch.meshgrid(torch.arange(height).double(), torch.arange(width).double(), indexing="ij")
    pipeline = Pipeline(tuple(steps))
    draws = pipeline.sample((1, 1, height, width), generators([seed], "test"))
    found = pipeline.apply(smooth(columns, rows)[None, None], draws)[0, 0]
    matrix, *size = naive.composed(pipeline, [one[0].tolist() for one in draws], height, width)
    below, beside = np.mgrid[0 : size[0], 0 : size[1]]
    x, y, depth = np.tensordot(np.linalg.inv(matrix), np.stack([beside, below, np.ones_like(below)]), 1)
    x, y = torch.tensor(x / depth), torch.tensor(y / depth)
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    beyond = (x < -1.001) | (x > width + 0.001) | (y < -1.001) | (y > height + 0.001)
    assert (found - smooth(x, y))[inside].abs().max().item() < 1e-3 if inside.any() else True
    assert ((found - 0.5)[beyond] == 0).all()


@settings(max_examples=60)
@given(
    st.lists(random_steps(), min_size=1, max_size=6),
    st.sampled_from([0.0, 0.117, 0.5, 1.0]),
    st.integers(0, 1000),
    st.sampled_from([torch.float32, torch.float64]),
)
def test_outside_of_the_image_there_is_the_fill_exactly(
    steps: list[Transform], fill: float, seed: int, kind: torch.dtype
) -> None:
    """At any draw: where a white image and a black one are equal, nothing but the fill can be."""
    steps = [pad(one.pixels, fill) if isinstance(one, pad) else one for one in steps]
    pipeline = Pipeline((pad(3, fill), *steps))
    draws = pipeline.sample((1, 1, 16, 23), generators([seed], "test"))
    white, black = (pipeline.apply(torch.full((1, 1, 16, 23), one, dtype=kind), draws) for one in (1.0, 0.0))
    outside = white == black
    assert (white[outside] == torch.tensor(fill, dtype=kind)).all()
    assert white.min() >= min(fill, 1.0) - 1e-5
    flat = pipeline.apply(torch.full((1, 1, 16, 23), fill, dtype=kind), draws)
    assert (flat == torch.tensor(fill, dtype=kind)).all()


@settings(max_examples=30)
@given(st.lists(random_steps(), min_size=1, max_size=5), st.integers(0, 1000), st.sampled_from(["reflect", "random"]))
def test_other_borders_are_never_black(steps: list[Transform], seed: int, mode: str) -> None:
    steps = [pad(one.pixels, mode=mode) if isinstance(one, pad) else one for one in steps]
    pipeline = Pipeline((pad(3, mode=mode), *steps))
    draws = pipeline.sample((1, 1, 16, 23), generators([seed], "test"))
    found = pipeline.apply(torch.full((1, 1, 16, 23), 0.7, dtype=torch.float64), draws)
    greys = {
        0.7,
        *(
            0.5 + one.item()
            for step, one in zip(pipeline.steps, draws, strict=True)
            if isinstance(step, pad)
            for one in one[0]
        ),
    }
    assert found.min() >= min(greys) - 1e-9
    assert found.max() <= max(greys) + 1e-9
    if mode == "reflect":
        assert (found - 0.7).abs().max() < 1e-9
