"""The curves of a picture: every line can be read, alone and beside others."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtorch.galleries.curve import CURVE_HEIGHT, CURVE_WIDTH, Curve, panels, plotted

GROWING = tuple(float(step) for step in range(11))
Corner = tuple[float, float]


def corners(curve: Curve, line: int = 0) -> list[Corner]:
    return [tuple(map(float, point.split(","))) for point in curve.lines[line].points.split()]  # type: ignore[misc]


def heights(curve: Curve, line: int = 0) -> list[float]:
    return [y for _, y in corners(curve, line)]


def test_lines_in_one_box_share_its_axis() -> None:
    curve = plotted({"objective": GROWING, "half": tuple(value / 2 for value in GROWING)}, 10)
    assert curve is not None
    assert [line.name for line in curve.lines] == ["objective", "half"]
    top, middle = heights(curve, 0)[5], heights(curve, 1)[10]
    assert top == middle  # both are 5
    ten = next(y for y, text in curve.rows if text == "10")
    assert heights(curve)[10] == pytest.approx(ten, abs=0.1)
    assert (curve.lines[1].first_text, curve.lines[1].last_text) == ("0", "5")


def test_terms_of_another_scale_have_a_box_of_their_own_and_keep_their_colour() -> None:
    far = tuple(5000 + value for value in GROWING)
    boxes = panels({"objective": GROWING, "far": far, "near": GROWING[::-1]}, 10)
    assert [[line.name for line in box.lines] for box in boxes] == [["objective", "near"], ["far"]]
    assert [[line.number for line in box.lines] for box in boxes] == [[0, 2], [1]]
    assert max(heights(boxes[1])) - min(heights(boxes[1])) > CURVE_HEIGHT / 2


def test_level_lines_join_what_is_near_and_stay_out_of_what_is_not() -> None:
    near, far = (5.0,) * 11, (900.0,) * 11
    boxes = panels({"objective": GROWING, "near": near, "far": far}, 10)
    assert [[line.name for line in box.lines] for box in boxes] == [["objective", "near"], ["far"]]


def test_steps_without_a_value_are_left_out_at_their_place() -> None:
    curve = plotted({"objective": (0.0, None, math.nan, 3.0, math.inf)}, 40)
    assert curve is not None
    assert [x for x, _ in corners(curve)] == [0, 157.5]
    assert plotted({"objective": (None, 1.0, None)}, 40) is None
    assert panels({"objective": (), "one": (1.0,)}, 40) == []


def test_a_curve_says_in_words_what_it_shows() -> None:
    [box] = panels({"objective": GROWING, "channel('a', 1)": GROWING[::-1]}, None)
    assert box.text == (
        "The objective goes from 0 to 10 as the picture grows. channel('a', 1) goes from 10 to 0 as the picture grows."
    )
    assert [text for _, text in box.columns] == ["first step", "last step"]


LINES = st.dictionaries(st.text(max_size=3), st.lists(st.none() | st.floats(), max_size=5), max_size=6)


@given(LINES, st.none() | st.integers(0, 1000))
def test_every_line_that_can_be_drawn_is_in_one_box_and_inside_it(
    lines: dict[str, list[float | None]], steps: int | None
) -> None:
    boxes = panels(lines, steps)
    drawn = {
        name
        for name, values in lines.items()
        if sum(1 for value in values if value is not None and abs(value) < 1e100) > 1
    }
    names = [line.name for box in boxes for line in box.lines]
    assert sorted(names) == sorted(drawn)
    for box in boxes:
        for place in range(len(box.lines)):
            assert all(0 <= x <= CURVE_WIDTH and 0 <= y <= CURVE_HEIGHT for x, y in corners(box, place))
