"""What layers prefer, on a network and data with answers that are known by counting on one's fingers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from coloured_data import CLASSES, Coloured, colour_network

from lucidtorch.datasets import scan
from lucidtorch.recipes.parts.scanned.preference import Preference, accuracy_text, best_by_class, ends, preferences
from lucidtorch.recipes.parts.scanned.preference_story import CHANCE, GROUND, bars, missing_answers
from lucidtorch.scanning.answers import right_answers
from lucidtorch.scanning.result import Scan


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    model, data = colour_network(), Coloured()
    folder = tmp_path_factory.mktemp("scan")
    return scan(model, data, folder, layers=["0", "1", "logits"], ranked=15, answers=right_answers(model, CLASSES))


def test_the_preference_of_a_class_is_its_count_by_what_chance_would_give(found: Scan) -> None:
    """The 2 best images of the channels red, green, blue and red: 4 red, 2 green and 2 blue ones of 8."""
    assert best_by_class(found, "0", 2).tolist() == [[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0], [2, 0, 0, 0]]
    own = {one.name: one for one in preferences(found, "0", 2)}
    assert list(own) == ["red", "blue", "green", "grey"]
    assert [own[name].count for name in CLASSES] == [4, 2, 2, 0]
    assert [own[name].chance for name in CLASSES] == pytest.approx([8 * 3 / 15, 8 * 6 / 15, 8 * 2 / 15, 8 * 4 / 15])
    assert [own[name].ratio for name in CLASSES] == pytest.approx([2.5, 0.625, 1.875, 0])


def test_the_accuracy_is_that_of_the_network_and_none_where_it_has_no_such_class(found: Scan) -> None:
    own = {one.name: one.accuracy for one in preferences(found, "0", 2)}
    assert own == {"red": 1.0, "green": pytest.approx(5 / 6), "blue": 1.0, "grey": None}
    assert "more than one, has the class's name" in missing_answers(found)[0]
    assert accuracy_text(5 / 6) == "83\N{NO-BREAK SPACE}%"
    assert accuracy_text(None) == "\N{EN DASH}"


def test_images_that_leave_a_unit_at_its_lowest_are_not_counted(found: Scan) -> None:
    """Behind the ReLU only blue images move channel 2; the others are all 0, and no better than each other."""
    assert best_by_class(found, "1", 15)[2].tolist() == [0, 0, 2, 0]
    assert found["1"].classes(2).tolist() == [3, 6, 2, 4]


def test_of_equal_classes_the_lower_number_is_first(tmp_path: Path) -> None:
    data = Coloured(counts=(2, 2, 2, 2), odd=False)
    own = preferences(scan(colour_network(), data, tmp_path, layers=["0"]), "0", 2)
    assert [(one.name, one.ratio) for one in own] == [("red", 2.0), ("green", 1.0), ("blue", 1.0), ("grey", 0.0)]
    assert all(one.accuracy is None for one in own)  # nobody said which answers are right


def test_classes_without_images_are_none(tmp_path: Path) -> None:
    data = Coloured(counts=(2, 0, 3, 1), odd=False)
    own = preferences(scan(colour_network(), data, tmp_path, layers=["0"]), "0", 1)
    assert {one.name for one in own} == {"red", "blue", "grey"}


def test_no_class_is_at_both_ends() -> None:
    classes = tuple(Preference(number, "", 0, 1.0, None) for number in range(7))
    for count, shown, most, least in ((7, 5, 4, 3), (7, 2, 2, 2), (2, 5, 1, 1), (1, 5, 1, 0)):
        first, last = ends(classes[:count], shown)
        assert [one.label for one in first] == list(range(most))
        assert [one.label for one in last] == list(range(count - least, count))


def test_bars_are_as_high_as_the_preference_and_the_line_is_at_chance() -> None:
    own = tuple(Preference(number, "", count, 2.0, None) for number, count in enumerate((8, 4, 2, 0)))
    picture = bars(own, 1)
    assert picture.shape == (3, 150, 1000)
    ground = torch.tensor(GROUND)[:, None]
    for place, ratio in enumerate((4, 2, 1, 0)):
        column = picture[:, :, place * 250 + 100]
        filled = ~torch.isclose(column, ground).all(0)
        filled[149 - 37] = ratio >= 1  # the line of chance lies there, and in the bars
        assert int(filled.sum()) == pytest.approx(148 * ratio / 4, abs=1)
    assert np.allclose(picture[:, 149 - 37], np.array(CHANCE)[:, None])
