"""Sizes in all the forms that they are given in."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError, SizeError
from lucidtorch.base.sizes import size_pair, size_sides, size_text


class Side(enum.IntEnum):
    FOUR = 4


PAIRS: list[tuple[object, tuple[int, int]]] = [
    (5, (5, 5)),
    ((3, 4), (3, 4)),
    ([3, 4], (3, 4)),
    ("7", (7, 7)),
    ("96x128", (96, 128)),
    (" 9 x 8 ", (9, 8)),
]
PAIRS += [(np.int8(5), (5, 5)), ((np.uint16(3), Side.FOUR), (3, 4)), (Side.FOUR, (4, 4))]
TRIPLES = [
    ((2, 3, 4), (2, 3, 4)),
    ([16, 112, 112], (16, 112, 112)),
    ("16x112x96", (16, 112, 96)),
    ("1 x 2 x 3", (1, 2, 3)),
]
WRONG = [0, -1, (0, 3), (3,), (1, 2, 3, 4), (1, 0, 3), (), "", "x", "3x", "-3", "3.5", "1x2x3x4", "x3", "٣", 3.5, None]
WRONG += [True, (True, 3), (1, 2, True), (1, 2.0, 3), {1, 2}, {3: 4, 5: 6}, "0x5", "0"]


@pytest.mark.parametrize(("given_size", "sides"), PAIRS + TRIPLES)
def test_sizes_are_read(given_size: object, sides: tuple[int, ...]) -> None:
    assert size_sides(given_size) == sides


@pytest.mark.parametrize(("given_size", "pair"), PAIRS)
def test_pairs_are_read(given_size: object, pair: tuple[int, int]) -> None:
    assert size_pair(given_size) == pair


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_size_is_refused(wrong: object) -> None:
    with pytest.raises(SizeError, match=r"--size .* but"):
        size_sides(wrong, what="--size")
    with pytest.raises(SizeError):
        size_pair(wrong)


@pytest.mark.parametrize("three", [given_size for given_size, _ in TRIPLES])
def test_three_sides_are_no_pair(three: object) -> None:
    with pytest.raises(SizeError, match="height and width"):
        size_pair(three)


@given(st.lists(st.integers(1, 999), min_size=2, max_size=3))
def test_the_text_of_a_size_reads_back(sides: list[int]) -> None:
    assert size_sides(size_text(tuple(sides))) == tuple(sides)


@pytest.mark.parametrize(("given_size", "pair"), PAIRS)
def test_they_are_numbers_of_python(given_size: object, pair: tuple[int, int]) -> None:
    assert {type(side) for side in size_sides(given_size)} == {int}
    assert repr(lt.param.image(given_size)) == repr(lt.param.image(pair))  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [b"\x08", bytearray(b"\x08"), memoryview(b"\x08"), np.array(8), True, 8.0])
def test_bytes_and_truth_values_are_no_numbers(wrong: Any) -> None:
    for call in (
        lt.param.image,
        lambda given: lt.transforms.jitter(given),
        lambda given: lt.load_model("demo", size=given),
    ):
        with pytest.raises(BadInputError, match=r"^[^\n]* was given[^\n]*$"):
            call(wrong)
    with pytest.raises(BadInputError, match=r"^render\(seed=\) takes a whole number or a list .* was given\.$"):
        lt.render("demo", "conv1_1:0", param=lt.param.image(8), steps=1, seed=wrong, progress=False)
