from __future__ import annotations

import json
from pathlib import Path

import pytest

from lucidtorch.base.errors import BadInputError, UnitError, UnknownLabelError
from lucidtorch.models.sources.labels import find_label, read_labels

LINES = ["n02129604 tiger, Panthera tigris", "n02119789 kit fox, Vulpes macrotis", "tiger cat", "crane", "Crane", "7"]


def test_labels_are_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("a\n\nübel \r\nc\n", encoding="utf-8")
    assert read_labels(path) == read_labels(str(path)) == ["a", "", "übel", "c"]
    assert read_labels(("a", "b")) == ["a", "b"]


@pytest.mark.parametrize(
    "held",
    [
        ["tench", "shark", "übel"],
        {"0": "tench", "2": "übel", "1": "shark"},
        {"0": ["n01440764", "tench"], "1": ["n01484850", "shark"], "2": ["n0", "übel"]},
        {"übel": 2, "tench": 0, "shark": 1},
    ],
)
def test_labels_are_read_from_json(tmp_path: Path, held: object) -> None:
    path = tmp_path / "labels.JSON"
    path.write_text(json.dumps(held), encoding="utf-8")
    assert read_labels(path) == read_labels(str(path)) == ["tench", "shark", "übel"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "broken JSON"),
        ("[" * 100_000, "broken JSON"),
        ("3", "hold no list of names. Write a list"),
        ("[]", "hold no list of names"),
        ("{}", "hold no list of names"),
        ('["a", 3]', "hold 3 in the place of a name"),
        ('["a", []]', r"hold \[\] in the place of a name"),
        ('{"0": "a", "2": "b"}', "do not name each class from 0 to 1 once"),
        ('{"0": "a", "x": "b"}', "do not name each class from 0 to 1 once"),
        ('{"a": 0, "b": 0}', "do not name each class from 0 to 1 once"),
    ],
)
def test_json_that_is_no_list_of_labels_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "labels.json").write_text(text)
    with pytest.raises(BadInputError, match=message):
        read_labels(tmp_path / "labels.json")


def test_what_is_no_list_of_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="No such file"):
        read_labels(tmp_path / "none.txt")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInputError, match="UTF-8"):
        read_labels(tmp_path / "binary.txt")
    with pytest.raises(BadInputError, match="texts"):
        read_labels([1, 2])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("label", "number"),
    [("tiger", 0), ("Panthera Tigris", 0), (LINES[1], 1), ("KIT FOX", 1), ("tiger cat", 2), ("7", 5), (4, 4)],
)
def test_a_class_is_found_by_number_line_or_one_of_its_names(label: int | str, number: int) -> None:
    assert find_label(label, LINES, len(LINES), "net") == number


@pytest.mark.parametrize(
    ("label", "error", "message"),
    [
        ("tigre", UnknownLabelError, "net has no class 'tigre'. Did you mean 'tiger'"),
        ("crane", UnknownLabelError, "2 classes 'crane': write one of the numbers 3, 4"),
        (6, UnitError, "net has no class 6: it has 6, 0 to 5"),
        (-1, UnitError, "no class -1"),
    ],
)
def test_a_wrong_class_is_refused(label: int | str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        find_label(label, LINES, len(LINES), "net")


def test_a_network_without_labels_takes_numbers_only() -> None:
    assert find_label(3, None, None, "net") == 3
    with pytest.raises(UnknownLabelError, match="no labels"):
        find_label("tiger", None, 5, "net")
