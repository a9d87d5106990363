from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtorch.datasets.plane import Plane, box, cell_of, disc, noise, pixels, polygon, spikes, stroke, union

POINTS = np.mgrid[-2:2:41j, -2:2:41j].astype(np.float32)
PLANE = Plane(POINTS[1], POINTS[0], 0.1)


def test_a_disc_is_the_distance_to_its_rim():
    distance = disc(PLANE, 0.5, -0.25, 0.75)
    for row, column in ((0, 0), (20, 20), (11, 30)):
        x, y = float(PLANE.x[row, column]), float(PLANE.y[row, column])
        assert distance[row, column] == pytest.approx(math.hypot(x - 0.5, y + 0.25) - 0.75, abs=1e-5)


def test_a_box_is_negative_exactly_inside():
    inside = box(PLANE, 0.2, 0.0, 1.0, 0.5) < 0
    assert np.array_equal(inside, (np.abs(PLANE.x - 0.2) < 1.0) & (np.abs(PLANE.y) < 0.5))


def test_a_stroke_is_the_distance_to_the_nearest_point_of_the_line():
    start, end = (-1.0, 0.5), (0.75, -1.25)
    along = np.linspace(0, 1, 2001)[:, None, None]
    x, y = start[0] + along * (end[0] - start[0]), start[1] + along * (end[1] - start[1])
    naive = np.hypot(PLANE.x - x, PLANE.y - y).min(0) - 0.25
    assert np.allclose(stroke(PLANE, start, end, 0.25), naive, atol=2e-3)


def test_a_polygon_in_either_order_is_the_same_square():
    corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
    distance = polygon(PLANE, corners)
    assert np.allclose(distance, polygon(PLANE, corners[::-1]), atol=1e-6)
    inner = np.abs(PLANE.x) < 0.95
    inner &= np.abs(PLANE.y) < 0.95
    expected = np.maximum(np.abs(PLANE.x), np.abs(PLANE.y)) - 1
    assert np.allclose(distance[inner], expected[inner], atol=1e-5)
    assert (distance[np.maximum(np.abs(PLANE.x), np.abs(PLANE.y)) > 1.05] > 0).all()


def test_a_star_has_its_points_and_notches_where_they_are_asked_for():
    corners = spikes(5, 1.0, 0.4)
    radii = [math.hypot(*corner) for corner in corners]
    assert len(corners) == 10
    assert radii == pytest.approx([1.0, 0.4] * 5)
    assert corners[0] == pytest.approx((0.0, -1.0))


def test_the_union_of_figures_is_the_smallest_distance():
    one, two = disc(PLANE, -1, 0, 0.5), disc(PLANE, 1, 0, 0.5)
    assert np.array_equal(union(one, two), np.minimum(one, two))


@settings(max_examples=30, deadline=None)
@given(
    x=st.floats(-20, 20), y=st.floats(-20, 20), scale=st.floats(0.3, 9), angle=st.floats(-7, 7), at=st.integers(0, 11)
)
def test_a_moved_plane_puts_its_origin_and_axes_where_they_were_asked_for(x, y, scale, angle, at):
    plane = pixels(12, 9)
    moved = plane.moved(x, y, scale=scale, angle=angle)
    column = at % 9
    back_x = x + scale * (math.cos(angle) * moved.x[at, column] - math.sin(angle) * moved.y[at, column])
    back_y = y + scale * (math.sin(angle) * moved.x[at, column] + math.cos(angle) * moved.y[at, column])
    assert back_x == pytest.approx(column - 4, abs=1e-3)
    assert back_y == pytest.approx(at - 5.5, abs=1e-3)
    assert moved.pixel == pytest.approx(1 / scale)


def test_edges_are_one_pixel_wide():
    distance = np.array([-1.0, -0.05, 0.0, 0.025, 0.05, 1.0], dtype=np.float32)
    assert PLANE.soft(distance).tolist() == pytest.approx([1, 1, 0.5, 0.25, 0, 0], abs=1e-5)


def test_noise_is_smooth_bounded_and_has_hills():
    hills = noise(pixels(64, 64), np.random.default_rng(0), 8.0)
    assert np.abs(hills).max() <= 1
    assert hills.std() > 0.2
    assert np.abs(np.diff(hills, axis=1)).max() < 2 * 1.5 / 8 + 1e-6  # the steepest smoothstep between -1 and 1


def test_a_value_is_split_into_its_cell_and_the_offset():
    cells, rest = cell_of(np.array([-0.25, 0.0, 1.75, 64.5], dtype=np.float32))
    assert cells.tolist() == [63, 0, 1, 0]
    assert rest.tolist() == pytest.approx([0.75, 0.0, 0.75, 0.5])
