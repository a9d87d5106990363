"""One warp against kornia's: another library's matrices to places, and its own backward pass."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from kornia.geometry.transform import warp_affine, warp_perspective
from torch import Tensor

from lucidtorch.base.seeds import generators
from lucidtorch.transforms import standard
from lucidtorch.transforms.geometry import warped

ROUNDING = 1e-5  # kornia 0.7 inverts matrices in float32
SIZES = [((16, 23), (20, 31)), ((33, 8), (12, 9))]


def turned(seed: int, size: tuple[int, int]) -> np.ndarray:
    """Matrices of pixels for two images: turned, stretched and shifted by chance about their middle."""
    random = np.random.default_rng(seed)
    middle = np.array([[1, 0, (size[1] - 1) / 2], [0, 1, (size[0] - 1) / 2], [0, 0, 1]])
    found = []
    for angle, factor, right, down in zip(*random.uniform(-1, 1, (4, 2)), strict=True):
        sine, cosine = math.sin(math.pi * angle), math.cos(math.pi * angle)
        stretch = math.exp(factor / 2)
        linear = np.array([[cosine, sine, 5 * right], [-sine, cosine, 5 * down], [0, 0, 1]]) * [
            [stretch],
            [stretch],
            [1],
        ]
        found.append(middle @ linear @ np.linalg.inv(middle))
    return np.array(found)


def tilted(seed: int, size: tuple[int, int]) -> np.ndarray:
    """The same, and seen from a slant."""
    matrix = turned(seed, size)
    matrix[:, 2, :2] = np.random.default_rng(seed + 1).uniform(-0.004, 0.004, (2, 2))
    return matrix


def compared(ours: Tensor, theirs: Tensor, images: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, rtol=0, atol=ROUNDING)
    gradient = torch.rand(ours.shape, dtype=ours.dtype, generator=torch.Generator().manual_seed(1))
    (mine,) = torch.autograd.grad(ours, images, gradient)
    (other,) = torch.autograd.grad(theirs, images, gradient)
    torch.testing.assert_close(mine, other, rtol=0, atol=ROUNDING)
    assert mine.abs().max() > 0.1


def pictures(size: tuple[int, int]) -> Tensor:
    return torch.rand(2, 3, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_(True)


@pytest.mark.parametrize(("size", "canvas"), SIZES)
@pytest.mark.parametrize("outside", [0.3, "reflect"])
@pytest.mark.parametrize("seed", range(3))
def test_an_affine_warp_is_kornias(
    seed: int, outside: float | str, size: tuple[int, int], canvas: tuple[int, int]
) -> None:
    images, matrix = pictures(size), turned(seed, size)
    fill, beyond = (0.0, "reflection") if isinstance(outside, str) else (outside, "zeros")
    theirs = warp_affine(images - fill, torch.from_numpy(matrix)[:, :2], canvas, padding_mode=beyond) + fill
    compared(warped(images, matrix, canvas, outside), theirs, images)


@pytest.mark.parametrize(("size", "canvas"), SIZES)
@pytest.mark.parametrize("seed", range(3))
def test_a_projective_warp_is_kornias(seed: int, size: tuple[int, int], canvas: tuple[int, int]) -> None:
    images, matrix = pictures(size), tilted(seed, size)
    theirs = warp_perspective(images - 0.3, torch.from_numpy(matrix), canvas) + 0.3
    compared(warped(images, matrix, canvas, 0.3, projective=True), theirs, images)


def test_a_fill_of_its_own_for_each_image() -> None:
    images, matrix = pictures((16, 23)), turned(0, (16, 23))
    fills = torch.tensor([0.2, 0.9], dtype=torch.float64)
    together = warped(images, matrix, (20, 31), fills)
    apart = [warped(images[i : i + 1], matrix[i : i + 1], (20, 31), fills[i].item()) for i in range(2)]
    assert torch.equal(together, torch.cat(apart))


def test_in_float32_a_place_is_off_by_less_than_a_ten_thousandth_of_a_pixel() -> None:
    """Though the picture is 500 pixels wide; nowhere it changes by more than a half from one pixel to the next."""
    pipeline = standard()
    images = (torch.arange(500.0) / 500).expand(1, 1, 40, 500)
    draws = pipeline.sample(images.shape, generators([3], "test"))
    single, double = pipeline.apply(images, draws), pipeline.apply(images.double(), draws)
    assert (single - double).abs().max() < 5e-5


def test_points_on_the_horizon_are_numbers() -> None:
    """Where the depth is exactly zero, nothing but what lies outside is seen."""
    images = pictures((8, 8))
    matrix = np.linalg.inv(np.array([[1, 0, 0], [0, 1, 0], [-0.5, 0, 1.0]]))[None].repeat(2, 0)  # depth 0 at column 2
    found = warped(images, matrix, (8, 8), 0.3, projective=True)
    assert (found[..., 1:, 2] == 0.3).all()
