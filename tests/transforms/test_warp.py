"""A fused pipeline against a naive bilinear warp: one matrix, composed by hand, sampled pixel by pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtorch.base.seeds import generators
from lucidtorch.transforms import Pipeline, crop_or_pad_to, jitter, pad, rotate, scale, standard


def shift(right: float, down: float) -> np.ndarray:
    return np.array([[1, 0, right], [0, 1, down], [0, 0, 1.0]])


def about(linear: np.ndarray, height: int, width: int) -> np.ndarray:
    x, y = (width - 1) / 2, (height - 1) / 2
    full = np.eye(3)
    full[:2, :2] = linear
    return shift(x, y) @ full @ shift(-x, -y)


def composed(pipeline: Pipeline, draws: list[list[float]], height: int, width: int) -> tuple[np.ndarray, int, int]:
    """The matrix from input to output pixels, and the output's size, from each step's own definition."""
    matrix = np.eye(3)
    for step, drawn in zip(pipeline.steps, draws, strict=True):
        match step:
            case pad():
                matrix = shift(step.pixels, step.pixels) @ matrix
                height, width = height + 2 * step.pixels, width + 2 * step.pixels
            case jitter():
                matrix = shift(*drawn) @ matrix
            case scale():
                matrix = about(np.eye(2) * drawn[0], height, width) @ matrix
            case rotate():
                angle = math.radians(drawn[0])  # counter-clockwise, with rows that point down
                turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
                matrix = about(turn, height, width) @ matrix
            case crop_or_pad_to():
                matrix = shift((step.width - width) // 2, (step.height - height) // 2) @ matrix
                height, width = step.height, step.width
    return matrix, height, width


def naive_warp(image: np.ndarray, matrix: np.ndarray, height: int, width: int, fill: float) -> np.ndarray:
    """Bilinear sampling with the fill's value outside, `image` being `[H, W]`."""
    inverse = np.linalg.inv(matrix)
    rows, columns = image.shape

    def at(row: int, column: int) -> float:
        inside = 0 <= row < rows and 0 <= column < columns
        return float(image[row, column]) if inside else fill

    out = np.empty((height, width))
    for row in range(height):
        for column in range(width):
            x, y, _ = inverse @ np.array([column, row, 1.0])
            left, above = math.floor(x), math.floor(y)
            u, v = x - left, y - above
            out[row, column] = (1 - v) * ((1 - u) * at(above, left) + u * at(above, left + 1)) + v * (
                (1 - u) * at(above + 1, left) + u * at(above + 1, left + 1)
            )
    return out


PIPELINES = [
    standard(),
    Pipeline((scale(0.5, 0.5),)),
    Pipeline((rotate(33, 33),)),
    scale(0.7, 1.4) | rotate(-170, 170),
    rotate(20, 20) | jitter(5) | scale(1.3, 1.3) | jitter(3),
    pad(3, 0.1) | rotate(-45, 45) | crop_or_pad_to(20, 14),
    jitter(6) | pad(2) | scale(0.8, 0.8) | pad(1) | rotate(5, 10),
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
        matrix, height, width = composed(pipeline, own, *size)
        for channel in range(2):
            expected = naive_warp(images[place, channel].numpy(), matrix, height, width, pipeline.fill)
            np.testing.assert_allclose(found[place, channel], expected, atol=2e-5)


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
    matrix, rows, columns = composed(pipeline, [one[0].tolist() for one in draws], height, width)
    expected = naive_warp(images[0, 0].numpy(), matrix, rows, columns, 0.5)
    found = pipeline.apply(images, draws)[0, 0].numpy()
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
