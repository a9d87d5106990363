"""The comparison of two baselines, on invented folders: what counts as a difference, and what does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import baseline
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

Write = Callable[..., None]
DATA = {"title": "What is seen", "score": 0.5, "units": [1, 2], "recipe": {"steps": 2, "stop": None, "fold": True}}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file into the old or the new folder, by the kind of what it holds."""

    def one(side: str, name: str, value: Any) -> None:
        path = tmp_path / side / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".json":
            baseline.write_json(path, value)
        elif path.suffix == ".npz":
            np.savez(path, **value)
        else:
            text = PngInfo()
            text.add_text("made", f"by the {side} side")
            Image.fromarray(value).save(path, pnginfo=text)

    return one


@pytest.fixture
def compared(tmp_path: Path) -> Callable[..., list[str]]:
    """What is said of the two folders."""
    return lambda **more: list(baseline.compare(tmp_path / "old", tmp_path / "new", **more))


def changed(**fields: Any) -> dict[str, Any]:
    return {**DATA, **fields}


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (changed(score=0.5001), "data/a.json: score: 0.5, now 0.5001"),
        (changed(score="0.5"), "data/a.json: score: 0.5, now '0.5'"),
        (changed(units=[1, 3]), "data/a.json: units[1]: 2, now 3"),
        (changed(units=[1, True]), "data/a.json: units[1]: 2, now True"),
        (changed(units=[1]), "data/a.json: units: 2 items, now 1"),
        (changed(recipe={"steps": 2, "stop": None}), "data/a.json: recipe: fold is only in the old"),
        (changed(note=""), "data/a.json: note is only in the new"),
        (
            changed(recipe={"steps": 2, "stop": "plateau", "fold": True}),
            "data/a.json: recipe: stop: None, now 'plateau'",
        ),
    ],
)
def test_a_change_of_data_is_told_with_its_place(
    write: Write, compared: Callable[..., list[str]], new: Any, said: str
) -> None:
    write("old", "data/a.json", DATA)
    write("new", "data/a.json", new)
    assert compared() == [said]


def test_rounding_of_data_and_the_order_of_keys_are_no_difference(
    write: Write, compared: Callable[..., list[str]]
) -> None:
    write("old", "data/a.json", DATA)
    write("new", "data/a.json", dict(reversed(changed(score=0.5 * (1 + 5e-7)).items())))
    write("old", "data/b.npz", {"maps": np.float32([0.25, np.nan])})
    write("new", "data/b.npz", {"maps": np.float32([np.nextafter(np.float32(0.25), np.float32(1)), np.nan])})
    assert compared() == []


def test_each_changed_line_of_a_text_is_told(write: Write, compared: Callable[..., list[str]]) -> None:
    write("old", "records/a.json", {"help": "one\ntwo\nthree\n"})
    write("new", "records/a.json", {"help": "one\n2\nthree"})
    place = "records/a.json: help"
    assert compared() == [f"{place}: - 'two\\n'", f"{place}: - 'three\\n'", f"{place}: + '2\\n'", f"{place}: + 'three'"]


def test_files_of_one_side_are_told(write: Write, compared: Callable[..., list[str]]) -> None:
    write("old", "data/runs/a.json", {})
    write("new", "data/runs/b.json", {})
    assert compared() == ["data/runs/a.json: only in the old", "data/runs/b.json: only in the new"]


def test_a_renamed_word_is_applied_to_the_old_side(
    write: Write, compared: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    write("old", "data/way/a.json", {"way": "a way", "always": 'no field "way"'})
    write("new", "data/rule/a.json", {"rule": "a rule", "always": 'no field "rule"'})
    write("old", "renders/a.npz", {"history.way": np.ones(1)})
    write("new", "renders/a.npz", {"history.rule": np.ones(1)})
    assert len(compared()) == 4
    monkeypatch.setattr(baseline, "RENAMED", {"way": "rule"})
    assert compared() == []
    write("new", "data/rule/a.json", {"rule": "a way", "always": 'no field "rule"'})
    assert compared() == ["data/rule/a.json: rule: - 'a rule'", "data/rule/a.json: rule: + 'a way'"]


def test_a_render_is_the_same_to_the_byte(write: Write, compared: Callable[..., list[str]]) -> None:
    for half in ("default", "plain"):
        write("old", f"renders/a.{half}.npz", {"images": np.float32([0.5, 0.25])})
        write("new", f"renders/a.{half}.npz", {"images": np.float32([0.5, 0.25 + 1e-7])})
    said = "images: 1 of 2 numbers differ, by up to 8.94e-08"
    assert compared() == [f"renders/a.default.npz: {said}", f"renders/a.plain.npz: {said}"]
    assert compared(loose=True) == [f"renders/a.plain.npz: {said}"]


def test_loosely_the_first_step_and_the_values_count(write: Write, compared: Callable[..., list[str]]) -> None:
    def side(name: str, first: float, values: float) -> None:
        arrays = {"snapshots.1": np.float32([first]), "values": np.float32([values, 1]), "images": np.float32([values])}
        write(name, "renders/a.default.npz", arrays)

    side("old", 0.5, 2)
    side("new", 0.50009, 2.039)
    assert compared(loose=True) == []
    side("new", 0.50011, 2.041)
    first, values = compared(loose=True)
    assert first == "renders/a.default.npz: snapshots.1: 1 of 1 numbers differ, by up to 0.00011, and 0.0001 is allowed"
    assert values == "renders/a.default.npz: values: 1 of 2 numbers differ, by up to 0.041, and 0.04 is allowed"


def test_loosely_a_render_that_fails_is_told(write: Write, compared: Callable[..., list[str]]) -> None:
    write("old", "renders/a.default.npz", {"snapshots.1": np.ones(2), "values": np.ones(1)})
    write("new", "renders/a.default.npz", {})
    assert len(compared(loose=True)) == 2


def test_pixels_of_a_picture_count_and_its_text_does_not(write: Write, compared: Callable[..., list[str]]) -> None:
    pixels = np.full((4, 6, 3), 90, np.uint8)
    write("old", "data/a.png", pixels)
    write("new", "data/a.png", pixels.copy())
    pixels[1, 2, 0] = 92
    write("old", "data/b.png", pixels)
    write("new", "data/b.png", np.full((4, 6, 3), 90, np.uint8))
    assert compared() == ["data/b.png[0]: 1 of 96 numbers differ, by up to 2"]


def test_times_and_texts_that_hold_data_are_taken_apart() -> None:
    found = baseline.lasting(
        {"seconds": 3.5, "recipe": '{"steps": 2, "key": "f00d"}', "rows": [{"began": "now", "n": 1}]}
    )
    assert found == {"recipe": {"steps": 2}, "rows": [{"n": 1}]}


def test_what_fails_is_kept_as_what_it_says(tmp_path: Path) -> None:
    baseline.keep(tmp_path / "a", lambda: {"images": np.ones(2), "steps": 3, "parts": (np.zeros(1), None)})
    baseline.keep(tmp_path / "b", lambda: 1 / 0)
    assert baseline.contents(tmp_path / "a.json", str) == {"images": "array", "steps": 3, "parts": ["array", None]}
    assert set(baseline.contents(tmp_path / "a.npz", str)) == {"images", "parts.0"}
    assert baseline.contents(tmp_path / "b.json", str) == "ZeroDivisionError: division by zero"
