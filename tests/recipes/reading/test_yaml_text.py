"""YAML as recipes read and write it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtorch.base.errors import RecipeError
from lucidtorch.recipes.documents.shipped import shipped_file, shipped_names
from lucidtorch.recipes.reading.nodes import Node, Place
from lucidtorch.recipes.reading.yaml_reader import read_yaml
from lucidtorch.recipes.reading.yaml_text import dump

HARD = [
    "3:12",
    "1e-2",
    "on",
    "",
    "yes",
    "~",
    "null",
    "0o17",
    "017",
    "0x1F",
    "1_000",
    "2001-01-01",
    "<<",
    "=",
    "a: b",
    " #x",
    "- a",
    "a:",
    "?",
    "? a",
    "[",
    "{}",
    "'",
    '"',
    "\\",
    "%a",
    "@",
    "`",
    "!x",
    "&a",
    "*a",
    ".nan",
    "1.",
    "---",
    "...",
    "--- a",
    "# x",
    "a #b",
    ": ",
    "\n",
    "\n\n",
    "a\n",
    "a\nb",
    " a\nb",
    "a\n b\n",
    "a\n\n b",
    "a\n ",
    "a \nb",
    "\ta",
    "a\tb",
    "a\n---\nb",
    "\u0085",
    "\u2028",
    "\u007f",
    "\ud800",
    "é\nß",
    "😀",
    ">",
    "|",
    "+.inf",
    "\ufeff",
    "\x00",
]
TEXTS = (
    st.sampled_from(HARD)
    | st.text(max_size=30)
    | st.text(alphabet=" \nab:#-'\"", max_size=40)
    | st.text(alphabet="ab ", min_size=75, max_size=130)
    | st.sampled_from(HARD).map(lambda text: text * 40)
)
WORDS = TEXTS | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none()
VALUES = st.recursive(
    WORDS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8
)


def read(text: str) -> Node:
    return read_yaml(text, lambda line, column: Place("r.yaml", line + 1, column + 1))


def exact(value: Any) -> str:
    """Tells 1 from 1.0 and true, and 0.0 from -0.0."""
    return repr(value)


@settings(max_examples=150)
@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4))
def test_what_is_written_is_read_back_by_this_reader_and_by_others(values: dict[str, Any]) -> None:
    text = dump(values)
    assert exact(read(text).plain) == exact(values)
    assert exact(yaml.safe_load(text)) == exact(values)


@pytest.mark.parametrize("text", HARD)
def test_every_hard_text_is_a_key_a_value_and_an_item(text: str) -> None:
    values = {text: text, "a": [text, 1], "b": {"c": [[text]]}}
    assert exact(read(dump(values)).plain) == exact(values)


@pytest.mark.parametrize("number", [1e-07, 1e22, 5e-324, -0.0, 0.1, 1e16, 123456789.125, -3, 2**70, 0])
def test_numbers_keep_every_digit(number: float) -> None:
    assert exact(read(dump({"a": number})).plain["a"]) == exact(number)


def test_long_texts_and_lists_are_easy_to_read() -> None:
    objective = " + ".join(f"channel('conv4_1', {unit})" for unit in range(8))
    text = dump({"objective": objective, "title": "on", "layers": ["conv1_1", "conv1_2"], "note": "one\ntwo", "e": {}})
    assert text.startswith("objective: >-\n  channel('conv4_1', 0) + ")
    assert "\ntitle: 'on'\nlayers: [conv1_1, conv1_2]\nnote: |-\n  one\n  two\ne: {}\n" in text
    assert max(map(len, text.splitlines())) <= 120


def test_equal_values_are_written_out() -> None:
    shared = [1, [2]]
    assert read(dump({"a": shared, "b": shared})).plain == {"a": [1, [2]], "b": [1, [2]]}


PLAIN = {
    "3:12": "3:12",
    "on": "on",
    "yes": "yes",
    "No": "No",
    "1_000": "1_000",
    "2001-01-01": "2001-01-01",
    "0b11": "0b11",
    "0777": 777,
    "0o17": 15,
    "0x1F": 31,
    "1e-2": 0.01,
    "1e3": 1000.0,
    ".5": 0.5,
    "5.": 5.0,
    "+12": 12,
    "-12e03": -12000.0,
    "true": True,
    "False": False,
    "~": None,
    "null": None,
    "": None,
    "'null'": "null",
    '"1"': "1",
    "nan": "nan",
    "inf": "inf",
    "tRUE": "tRUE",
    "conv2_1:3": "conv2_1:3",
    "channel('a', 1) - 2": "channel('a', 1) - 2",
    "=": "=",
    "<": "<",
}


@pytest.mark.parametrize("word", PLAIN)
def test_words_are_read_by_the_rules_of_yaml_1_2(word: str) -> None:
    assert exact(read(f"a: {word}").plain["a"]) == exact(PLAIN[word])


def test_every_value_and_key_has_its_place() -> None:
    root = read("# a comment\nmodel:\n  spec: demo\n  mean: [0, 1]\nunits:\n- 1\n-  2\n")
    places = {key: root.find(key)[0] for key in [("model", "spec"), ("model", "mean", 1), ("units", 1)]}
    assert [str(one.place) for one in places.values()] == ["r.yaml:3:9", "r.yaml:4:13", "r.yaml:7:4"]
    assert str(places["model", "spec"].key_place) == "r.yaml:3:3"
    assert places["units", 1].key_place is None
    node, count = root.find(("model", "std", 1))
    assert (str(node.place), count) == ("r.yaml:3:3", 1)


def test_line_ends_of_windows_and_a_byte_order_mark_change_nothing() -> None:
    assert read("\ufeffa: 1\r\nb: x\r\n").plain == {"a": 1, "b": "x"}


def test_anchors_that_stay_small_are_read() -> None:
    assert read("a: &a [1, 2]\nb: *a\nc: {d: *a}").plain == {"a": [1, 2], "b": [1, 2], "c": {"d": [1, 2]}}


def test_a_fault_of_a_long_list_is_told_in_a_line() -> None:
    with pytest.raises(RecipeError, match=re.escape("r.yaml:1:4: This list is not closed")) as error:
        read("a: [" + ", ".join("1" * 5000))
    assert len(str(error.value)) < 100


PLACED = re.compile(r"\Z|r\.yaml:\d+:\d+: [^\n]+[.]\Z")


def refusal(text: str) -> str:
    """What is said of a text; nothing where it is read."""
    try:
        read(text)
    except RecipeError as error:
        return str(error)
    return ""


YAMLISH = st.text(alphabet="ab:-?,[]{}#&*!|>'\"%@` \n\t0.~<", max_size=40)


@settings(max_examples=400)
@given(st.text(max_size=40) | YAMLISH)
def test_any_text_is_read_or_refused_with_its_place(text: str) -> None:
    assert PLACED.match(refusal(text))


@settings(max_examples=100)
@given(st.data())
def test_a_recipe_with_a_slip_is_read_or_refused_with_its_place(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([shipped_file(name).read_text(encoding="utf-8") for name in shipped_names()]))
    place = data.draw(st.integers(0, len(text)))
    slip = data.draw(st.text(max_size=2) | YAMLISH)
    assert PLACED.match(refusal(text[:place] + slip + text[place + data.draw(st.integers(0, 3)) :]))
