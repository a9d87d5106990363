"""The viewer: what he looks at is straight in front of him."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from lucidtorch.transforms.meshes.view import look_at, on_canvas, orbit


def vector(*numbers: float) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def seen(matrix: Tensor, point: Tensor) -> Tensor:
    return (matrix @ torch.cat([point, torch.ones(1, dtype=torch.float64)]))[:3]


@pytest.mark.parametrize("eye", [vector(1, 2, 3), vector(-4, 0.5, 0), vector(0, -9, 1)])
@pytest.mark.parametrize("target", [vector(0, 0, 0), vector(2, -1, 5)])
def test_the_eye_is_the_origin_and_the_target_straight_ahead(eye: Tensor, target: Tensor) -> None:
    up = vector(0, 1, 0)
    matrix = look_at(eye, target, up)
    distance = float((eye - target).norm())
    assert torch.allclose(seen(matrix, eye), vector(0, 0, 0), atol=1e-6)
    assert torch.allclose(seen(matrix, target), vector(0, 0, -distance), atol=1e-6)
    assert torch.allclose(matrix[:3, :3] @ matrix[:3, :3].T, torch.eye(3, dtype=torch.float64), atol=1e-12)
    assert float(torch.linalg.det(matrix[:3, :3])) == pytest.approx(1)
    above = seen(matrix, eye + up)
    assert float(above[0]) == pytest.approx(0, abs=1e-12)
    assert float(above[1]) > 0


@pytest.mark.parametrize(
    ("azimuth", "elevation", "eye"),
    [(0, 0, (0, 0, 5)), (90, 0, (5, 0, 0)), (180, 0, (0, 0, -5)), (-90, 0, (-5, 0, 0)), (0, 90, (0, 5, 0))],
)
def test_an_orbit_goes_round_to_the_right_and_up(
    azimuth: float, elevation: float, eye: tuple[float, float, float]
) -> None:
    matrix = orbit(azimuth, elevation, 5)
    assert torch.allclose(seen(matrix, vector(*eye)), vector(0, 0, 0), atol=1e-12)
    assert torch.allclose(seen(matrix, vector(0, 0, 0)), vector(0, 0, -5), atol=1e-12)


def test_from_straight_above_the_front_is_below() -> None:
    matrix = orbit(0, 90, 5)
    assert torch.allclose(seen(matrix, vector(1, 0, 0))[:2], vector(1, 0), atol=1e-12)
    assert torch.allclose(seen(matrix, vector(0, 0, 1))[:2], vector(0, -1), atol=1e-12)


def test_the_field_spans_the_shorter_side_of_the_canvas() -> None:
    edge = 4 * math.tan(math.radians(15))
    points = torch.stack([vector(0, 0, 0), vector(edge, 0, 0), vector(0, edge, 0), vector(0, 0, 2)])
    found = on_canvas(points, orbit(0, 0, 4), 30, (20, 60))
    expected = [[30, 10, 4], [40, 10, 4], [30, 0, 4], [30, 10, 2]]
    assert torch.allclose(found, torch.tensor(expected, dtype=torch.float64), atol=1e-9)
