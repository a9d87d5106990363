"""The z-buffer, against a loop over every pixel and triangle."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lucidtorch.transforms.meshes import view
from lucidtorch.transforms.meshes.mesh import SHAPES, sphere
from lucidtorch.transforms.meshes.view import on_canvas, orbit, rasterised

SIZE = (15, 20)
SQUARE = torch.tensor([[0, 1, 2], [0, 2, 3]])
SQUARE_UVS = torch.tensor([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=torch.float64)


def naive(corners: Tensor, uvs: Tensor, faces: Tensor, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Areas of the three triangles that a pixel's middle makes with the corners, and the nearest of all."""
    places, nearest = np.zeros((*size, 2)), np.full(size, np.inf)
    for face in faces.tolist():
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = corners[face].tolist()
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        for row, column in np.ndindex(size) if area else ():
            x, y = column + 0.5, row + 0.5
            a = ((bx - x) * (cy - y) - (cx - x) * (by - y)) / area
            b = ((cx - x) * (ay - y) - (ax - x) * (cy - y)) / area
            c = 1 - a - b
            if min(a, b, c) < 0:
                continue
            depth = 1 / (a / az + b / bz + c / cz)
            if depth < nearest[row, column]:
                nearest[row, column] = depth
                shares = np.array([a / az, b / bz, c / cz]) * depth
                places[row, column] = shares @ uvs[face].numpy()
    return places, np.isfinite(nearest)


def random_triangles(seed: int, vertices: int, count: int) -> tuple[Tensor, Tensor, Tensor]:
    dice = np.random.default_rng(seed)
    corners = dice.uniform([-8, -6, 0.5], [28, 21, 4], size=(vertices, 3))
    faces = dice.integers(0, vertices, size=(count, 3))  # some have no area
    return torch.tensor(corners), torch.tensor(dice.uniform(size=(vertices, 2))), torch.tensor(faces)


@given(st.integers(0, 10_000), st.integers(3, 12), st.integers(1, 8))
def test_any_triangles_are_drawn_as_by_the_loop(seed: int, vertices: int, count: int) -> None:
    triangles = random_triangles(seed, vertices, count)
    places, seen = rasterised(*triangles, SIZE)
    by_hand, covered = naive(*triangles, SIZE)
    np.testing.assert_array_equal(seen.numpy(), covered)
    np.testing.assert_allclose(places.numpy(), by_hand, atol=1e-9)


def test_work_in_small_portions_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    triangles = random_triangles(3, 30, 40)
    whole = rasterised(*triangles, SIZE)
    for portion in (1, 7, 64):
        monkeypatch.setattr(view, "PORTION", portion)
        assert all(torch.equal(one, other) for one, other in zip(rasterised(*triangles, SIZE), whole, strict=True))


def square(left: float, top: float, side: float, depth: tuple[float, float]) -> Tensor:
    """A square that is as deep at its left and at its right edge as said; corners from the lower left, turning left."""
    x, y = (left, left + side), (top, top + side)
    corners = [(x[0], y[1], depth[0]), (x[1], y[1], depth[1]), (x[1], y[0], depth[1]), (x[0], y[0], depth[0])]
    return torch.tensor(corners, dtype=torch.float64)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_squares_the_nearer_is_seen_whatever_their_order(order: tuple[int, int]) -> None:
    squares = [square(1, 1, 8, (2, 2)), square(5, 3, 8, (3, 3))]
    corners = torch.cat([squares[place] for place in order])
    uvs = torch.cat([torch.full((4, 2), float(place), dtype=torch.float64) for place in order])
    places, seen = rasterised(corners, uvs, torch.cat([SQUARE, SQUARE + 4]), SIZE)
    expected = torch.zeros(SIZE, dtype=torch.float64)
    expected[3:11, 5:13] = 1
    expected[1:9, 1:9] = 0
    assert torch.allclose(places[..., 0], expected)
    assert int(seen.sum()) == 64 + 64 - 24


def test_squares_that_cross_are_seen_on_the_side_where_each_is_nearer() -> None:
    corners = torch.cat([square(2, 2, 10, (1, 3)), square(2, 2, 10, (3, 1))])
    uvs = torch.cat([torch.zeros(4, 2), torch.ones(4, 2)]).double()
    places, _ = rasterised(corners, uvs, torch.cat([SQUARE, SQUARE + 4]), SIZE)
    assert torch.allclose(places[2:12, 2:7, 0], torch.zeros(10, 5).double())
    assert torch.allclose(places[2:12, 7:12, 0], torch.ones(10, 5).double())


def test_the_middle_of_a_slanted_square_is_nearer_to_its_far_edge() -> None:
    """On the canvas, halfway between depths 1 and 3 is a quarter of the way in space."""
    places, _ = rasterised(square(0, 0, 11, (1, 3)), SQUARE_UVS, SQUARE, (11, 11))
    assert torch.allclose(places[:, 5, 0], torch.full((11,), 0.25, dtype=torch.float64))


def test_both_sides_are_seen_and_what_has_no_area_or_is_beside_the_canvas_is_not() -> None:
    corners = square(2, 2, 10, (1, 1))
    for faces in (SQUARE, SQUARE.flip(1)):
        assert int(rasterised(corners, SQUARE_UVS, faces, SIZE)[1].sum()) == 100
    line = torch.tensor([[0, 1, 1], [0, 0, 0]])
    assert not rasterised(corners, SQUARE_UVS, line, SIZE)[1].any()
    for shift in ((40, 0, 0), (-40, 0, 0), (0, 40, 0), (0, -40, 0)):
        assert not rasterised(corners + torch.tensor(shift), SQUARE_UVS, SQUARE, SIZE)[1].any()
    far = square(-1e7, -1e7, 2e7, (1, 1))
    assert rasterised(far, SQUARE_UVS, SQUARE, SIZE)[1].all()


def test_a_sphere_is_a_disc_of_the_right_size_without_holes() -> None:
    size, distance = 301, 10.0
    mesh = sphere()
    for azimuth, elevation in ((0, 0), (37, 51), (200, -90)):
        corners = on_canvas(mesh.positions, orbit(azimuth, elevation, distance), 12, (size, size))
        _, seen = rasterised(corners, mesh.uvs, mesh.faces, (size, size))
        radius = size / 2 * math.tan(math.asin(1 / distance)) / math.tan(math.radians(6))
        assert float(seen.sum()) == pytest.approx(math.pi * radius**2, rel=0.01)
        away = torch.arange(size) - size // 2
        inside = away[:, None] ** 2 + away**2 < (0.99 * radius) ** 2
        assert seen[inside].all()


@pytest.mark.parametrize("name", SHAPES)
def test_neighbouring_triangles_leave_no_cracks(name: str) -> None:
    """A pixel that is not seen has a neighbour that is not: the outline has no single holes."""
    mesh = SHAPES[name]()
    corners = on_canvas(mesh.positions, orbit(20, 35, 11), 12, (160, 160))
    _, seen = rasterised(corners, mesh.uvs, mesh.faces, (160, 160))
    around = torch.nn.functional.avg_pool2d(seen[None, None].double(), 3, 1, 1)[0, 0] * 9
    assert not ((around == 8) & ~seen).any()
