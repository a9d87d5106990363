"""Plateaus: when an image rests, by the formula, each image on its own."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lucidtorch.base.errors import BadInputError
from lucidtorch.rendering.rules import Plateaus, parse_plateau, plateau

STEPS = 60
CURVES = st.lists(st.integers(-50, 50), min_size=STEPS, max_size=STEPS).map(lambda one: torch.tensor(one).double())


def rests(rule: plateau, scores: Tensor) -> dict[int, int]:
    """Follow scores `[B, steps]`."""
    followed = Plateaus(rule, len(scores))
    for number, values in enumerate(scores.unbind(1), 1):
        followed.note(number, values)
    return followed.converged


def rest_by_hand(rule: plateau, score: Tensor) -> int | None:
    """The formula, every weighted mean from its beginning."""
    means = []
    for count in range(1, len(score) + 1):
        weights = torch.tensor([rule.smoothing ** (count - k) for k in range(1, count + 1)], dtype=torch.float64)
        means.append(float((weights * score[:count]).sum() / weights.sum()))
    for count in range(rule.patience + 1, len(score) + 1):
        rise = means[count - 1] - means[count - 1 - rule.patience]
        if rise <= rule.rise * (max(means[:count]) - means[0]):
            return count
    return None


@given(curve=CURVES, patience=st.integers(1, 40), rise=st.sampled_from([0, 0.03, 0.3]))
def test_an_image_rests_where_the_formula_says(curve: Tensor, patience: int, rise: float) -> None:
    rule = plateau(patience, rise, smoothing=0.7)
    ramp = torch.arange(STEPS).double()  # so that some curves rise to their end
    for score in (curve + 0.17 * ramp, 10 * ramp + curve / 7):
        expected = rest_by_hand(rule, score)
        assert rests(rule, score[None]) == ({} if expected is None else {0: expected})


@given(curves=st.lists(CURVES, min_size=2, max_size=4))
def test_an_image_rests_when_it_would_alone(curves: list[Tensor]) -> None:
    rule = plateau(patience=8, rise=0.1)
    together = rests(rule, torch.stack(curves))
    alone = [rests(rule, one[None]).get(0) for one in curves]
    assert together == {place: step for place, step in enumerate(alone) if step is not None}


@given(curve=CURVES)
def test_units_of_the_score_change_nothing(curve: Tensor) -> None:
    rule = plateau(patience=8, rise=0.1, smoothing=0.5)
    assert rests(rule, curve[None]) == rests(rule, 1024 * curve[None]) == rests(rule, curve[None] / 1024)


def test_what_has_not_risen_at_all_rests_after_its_patience() -> None:
    assert rests(plateau(patience=5), torch.zeros(1, 20)) == {0: 6}


def test_a_steady_rise_never_rests() -> None:
    assert rests(plateau(patience=5), torch.arange(200.0)[None]) == {}


def test_each_rest_is_told_once() -> None:
    followed = Plateaus(plateau(patience=2, smoothing=0), 2)
    scores = torch.tensor([[0.0, 1, 2, 3, 3, 3, 3], [0, 1, 2, 3, 4, 5, 6]])
    told = [followed.note(number, values) for number, values in enumerate(scores.unbind(1), 1)]
    assert told == [[], [], [], [], [], [0], []]
    assert followed.converged == {0: 6}


def test_a_value_that_is_no_number_stops_no_other_image() -> None:
    scores = torch.arange(40.0).repeat(2, 1)
    scores[0, 3] = float("nan")
    assert rests(plateau(patience=5), scores) == {}


@pytest.mark.parametrize("rule", [plateau(), plateau(32), plateau(rise=0.05, smoothing=0.5)])
def test_the_text_reads_back(rule: plateau) -> None:
    assert parse_plateau(repr(rule)) == rule


def test_the_empty_text_is_never() -> None:
    assert parse_plateau("") is None
    assert repr(plateau()) == "plateau"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plateaus", "Did you mean 'plateau'"),
        ("plateau(patience=0)", "a whole number from 1"),
        ("plateau(rise=2)", "from 0 to 1"),
        ("plateau(smoothing=1)", "below 1"),
        (None, "is a text"),
    ],
)
def test_what_is_refused(text: object, said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        parse_plateau(text)
