"""Slanting and tilting: the right way round, to the right place."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from lucidtorch.transforms import Pipeline, perspective, rotate, shear
from lucidtorch.transforms.transform import Transform


def dot(row: int, column: int, side: int = 41) -> Tensor:
    image = torch.full((1, 1, side, side), 0.5, dtype=torch.float64)
    image[0, 0, row, column] = 1
    return image


def place_of_dot(transform: Transform, image: Tensor, draws: Tensor) -> tuple[float, float]:
    found = (Pipeline.of(transform).apply(image, (draws,))[0, 0] - 0.5).numpy()
    rows, columns = np.mgrid[0 : found.shape[0], 0 : found.shape[1]]
    return float((found * rows).sum() / found.sum()), float((found * columns).sum() / found.sum())


def test_a_positive_shear_leans_to_the_right() -> None:
    draws = torch.tensor([[45.0]], dtype=torch.float64)
    assert place_of_dot(shear(45, 45), dot(12, 20), draws) == pytest.approx((12, 28))
    assert place_of_dot(shear(45, 45), dot(26, 20), draws) == pytest.approx((26, 14))
    assert place_of_dot(shear(45, 45), dot(20, 33), draws) == pytest.approx((20, 33))


def test_shears_that_undo_each_other_are_the_identity() -> None:
    image = torch.rand(1, 2, 15, 11, dtype=torch.float64)
    draws = tuple(torch.tensor([[one]], dtype=torch.float64) for one in (-30, 30))
    assert ((shear(-30, -30) | shear(30, 30)).apply(image, draws) - image).abs().max() < 1e-9


@pytest.mark.parametrize("corner", range(4))
def test_a_corner_moves_inwards_by_its_own_draws(corner: int) -> None:
    column, row = ((0, 0), (40, 0), (40, 40), (0, 40))[corner]
    draws = torch.zeros(1, 8, dtype=torch.float64)
    draws[0, 2 * corner : 2 * corner + 2] = torch.tensor([0.25, 0.1])
    right, down = 1 if column == 0 else -1, 1 if row == 0 else -1
    found = place_of_dot(perspective(0.5), dot(row, column), draws)
    assert found == pytest.approx((row + 4 * down, column + 10 * right), abs=0.5)
    for other in range(4):
        if other != corner:
            beside, below = ((0, 0), (40, 0), (40, 40), (0, 40))[other]
            assert place_of_dot(perspective(0.5), dot(below, beside), draws) == pytest.approx((below, beside), abs=0.5)


def test_straight_lines_stay_straight_in_perspective() -> None:
    rows = torch.linspace(0, 1, 41, dtype=torch.float64)[:, None].expand(41, 41)
    line = 1 - (rows - 0.5).abs() * 6
    draws = torch.tensor([[0.3, 0.2, 0.0, 0.05, 0.1, 0.1, 0.0, 0.2]], dtype=torch.float64)
    moved = Pipeline.of(perspective(0.7)).apply(line.clamp(0.5)[None, None], (draws,))[0, 0]
    peaks = [(column, int(moved[:, column].argmax())) for column in range(12, 32)]
    slope, start = np.polyfit(*zip(*peaks, strict=True), 1)
    assert max(abs(start + slope * column - row) for column, row in peaks) < 1


def test_a_list_of_angles_turns_by_one_of_them() -> None:
    image = torch.rand(1, 1, 9, 9, dtype=torch.float64)
    quarter = rotate([90, 180])
    for angle, turns in ((90.0, 1), (180.0, 2)):
        found = Pipeline.of(quarter).apply(image, (torch.tensor([[angle]], dtype=torch.float64),))
        assert (found - image.rot90(turns, (2, 3))).abs().max() < 1e-9
