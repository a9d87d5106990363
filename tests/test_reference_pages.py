"""The reference pages say of every word what the code says, with a picture of each."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from guards import references
from PIL import Image
from reference_examples import EXAMPLES, Example
from reference_pages import FOLDER, page
from reference_pictures import picture_of
from reference_things import TOLD, Things, names_in
from reference_words import CHAPTERS, Chapter, Word

import lucidtorch as lt
from lucidtorch.constraints import decay

LARGEST_PICTURE = 40_000  # bytes
each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=[one.name for one in CHAPTERS])
RULES = (references.undescribed, references.without_example, references.stale, references.pictureless)
ALL = [(chapter, word, one) for chapter in CHAPTERS for word, one in EXAMPLES[chapter.name].items() if not one.excuse]


@each_chapter
@pytest.mark.parametrize("rule", RULES, ids=[rule.__name__ for rule in RULES])
def test_the_pages_keep_the_rule(chapter: Chapter, rule: Callable[[Chapter], Iterator[str]]) -> None:
    found = list(rule(chapter))
    if found:
        pytest.fail("\n  ".join(["The reference pages say what the code says:", *found]), pytrace=False)


def test_no_picture_is_left_over() -> None:
    assert not references.unused_pictures()


@pytest.mark.parametrize("path", sorted((FOLDER / "pictures").rglob("*.png")), ids=lambda path: path.stem)
def test_pictures_are_small_and_not_empty(path: Path) -> None:
    assert path.stat().st_size < LARGEST_PICTURE
    with Image.open(path) as picture:
        assert len(picture.convert("RGBA").getcolors(1 << 20)) > 1


@pytest.mark.parametrize(("chapter", "word", "example"), ALL, ids=[f"{one[0].name}-{one[1]}" for one in ALL])
def test_the_texts_of_an_example_read(chapter: Chapter, word: str, example: Example, tmp_path: Path) -> None:
    lt.parse(Things().written_out(example.objective, tmp_path), tmp_path)
    lt.param.parse(Things().written_out(example.param, tmp_path), tmp_path)
    if example.transforms is not None:
        lt.transforms.parse(example.transforms)
    lt.constraints.parse(example.constraints)


def test_a_row_holds_usage_first_line_formula_source_and_picture() -> None:
    (row,) = [line for line in page(CHAPTERS[3]).splitlines() if line.startswith("| `decay(")]
    assert [cell.strip() for cell in row.split(" | ")] == [
        "| `decay(rate)`",
        "Decay towards the model's mean colour: only what the objective restores at every step remains.",
        r"x' = zero + (1 - rate) \* (x - zero).",
        "Yosinski et al. 2015, L2 decay (the Deep Visualization Toolbox's `decay`).",
        "![decay](pictures/constraints/decay.png)<br>`decay(0.05)` |",
    ]


def test_a_word_is_read_from_its_docstring() -> None:
    def word(size: int = 3) -> None:
        """What it does.

        More about it.

        Formula: one
            and two.
        Source: somebody's `thing`.

        Args:
            size: How large.
        """

    told = Word("word", word)
    assert (told.usage, told.first_line) == ("word(size=3)", "What it does.")
    assert (told.formula, told.source) == ("one and two.", "somebody's `thing`.")
    assert Word("decay", decay).family.__name__ == "lucidtorch.constraints.published"
    silent = Word("silent", lambda: None)
    assert (silent.first_line, silent.formula, silent.source) == ("", "", "")


def test_names_stand_for_things(tmp_path: Path) -> None:
    assert names_in("channel('map', 3) + direction('conv3_2', vector)") == ["vector"]
    assert names_in("maps(3)") == []
    assert set(names_in(" ".join(TOLD))) == set(TOLD)
    written = Things().written_out("-inversion('conv2_2', drawing)", tmp_path)
    assert written == "-inversion('conv2_2', photo('drawing.png', 64))"
    assert lt.parse(written, tmp_path).layers == ("conv2_2",)
    vector = lt.parse(Things().written_out("direction('conv3_2', vector)", tmp_path), tmp_path)
    assert vector({"conv3_2": torch.rand(1, 96, 4, 4)}).shape == (1,)


@pytest.mark.parametrize(
    ("chapter", "example", "size"),
    [
        ("objectives", Example("channel('conv2_1', [3, 4])", steps=2), (130, 64)),
        ("params", Example(param="image((32, 48), alpha=True)", transforms="background()", steps=2), (48, 32)),
        ("transforms", Example(transforms="pad(4)", steps=2), (3 * 72 + 64 + 3 * 4, 72)),
    ],
)
def test_a_picture_is_rendered(chapter: str, example: Example, size: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(picture_of(chapter, example))) as picture:
        assert picture.size == size
