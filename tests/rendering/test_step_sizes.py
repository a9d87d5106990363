"""Step-size schedules: their shares by hand, and what they must keep to at every length."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtorch.base.errors import BadInputError
from lucidtorch.rendering.rules import StepSizes, constant, cosine, parse_step_sizes, trapezoid

SHARES = st.floats(0, 1)


def shares(sizes: StepSizes, steps: int) -> list[float]:
    return [sizes.share(number, steps) for number in range(1, steps + 1)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("constant", [1.0] * 8),
        ("cosine", [(1 + math.cos(math.pi * k / 8)) / 2 for k in range(8)]),
        ("trapezoid(warmup=0.25, cooldown=0.5)", [0.5, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25]),
        ("trapezoid(warmup=0, cooldown=1)", [1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]),
        ("trapezoid(warmup=0, cooldown=0)", [1.0] * 8),
        ("trapezoid(warmup=1, cooldown=0)", [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0]),
    ],
)
def test_the_shares_by_hand(text: str, expected: list[float]) -> None:
    assert shares(parse_step_sizes(text), 8) == pytest.approx(expected)


@given(warmup=SHARES, cooldown=SHARES, steps=st.integers(1, 600))
def test_every_update_moves_and_none_goes_further_than_lr(warmup: float, cooldown: float, steps: int) -> None:
    fitting = trapezoid(warmup, min(cooldown, 1 - warmup))
    for sizes in (constant(), cosine(), fitting):
        assert all(0 < one <= 1 for one in shares(sizes, steps))


@given(warmup=SHARES, steps=st.integers(1, 600))
def test_a_trapezoid_rises_then_holds_then_falls(warmup: float, steps: int) -> None:
    found = shares(trapezoid(warmup, 1 - warmup), steps)
    top = found.index(max(found))
    assert found[: top + 1] == sorted(found[: top + 1])
    assert found[top:] == sorted(found[top:], reverse=True)


@pytest.mark.parametrize("sizes", [constant(), cosine(), trapezoid(), trapezoid(0.2), trapezoid(cooldown=0.5)])
def test_the_text_reads_back(sizes: StepSizes) -> None:
    assert parse_step_sizes(repr(sizes)) == sizes


def test_without_arguments_the_text_is_the_name() -> None:
    assert repr(parse_step_sizes("trapezoid(warmup=0.1)")) == "trapezoid"
    assert repr(trapezoid(cooldown=0.5)) == "trapezoid(cooldown=0.5)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("trapezium", "Did you mean 'trapezoid'"),
        ("trapezoid(warmup=0.8)", "together at most 1"),
        ("trapezoid(warmup=-0.1)", "from 0 to 1"),
        ("trapezoid(cooldown=True)", "from 0 to 1"),
        ("trapezoid(heat=1)", "write trapezoid\\(warmup=0.1, cooldown=0.3\\)"),
        ("constant() | cosine()", "lr_schedule knows only no operators"),
        ("0.5", "one of constant, cosine, trapezoid"),
        ("", "empty"),
        (None, "is a text"),
    ],
)
def test_what_is_refused(text: object, said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        parse_step_sizes(text)
