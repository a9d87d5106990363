"""The reference pages: whether they say all of what the code says, and no more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from reference_examples import EXAMPLES
from reference_pages import FOLDER, page, picture_path
from reference_words import CHAPTERS, Chapter

WRITE = "run `python benchmarks/reference_pages.py`"


def undescribed(chapter: Chapter) -> Iterator[str]:
    """Say which words of a chapter have a docstring without a first line, a formula or a source."""
    for name, word in chapter.words().items():
        for what, text in (("first line", word.first_line), ("Formula:", word.formula), ("Source:", word.source)):
            if not text:
                yield f"{word.meaning.__module__}.{name} has no {what}"


def without_example(chapter: Chapter) -> Iterator[str]:
    """Say which words of a chapter have no example, and which examples are of no word, or do not show theirs."""
    words, examples = chapter.words(), EXAMPLES[chapter.name]
    yield from (f"{name} has no example in benchmarks/reference_examples.py" for name in words.keys() - examples.keys())
    yield from (f"there is no word {name} in {chapter.name}" for name in examples.keys() - words.keys())
    for name, one in examples.items():
        texts = f"{one.objective} {one.param} {one.transforms} {one.constraints}"
        if re.search(rf"\b{name}\(", texts) is None:
            yield f"the example of {name} does not use it: {texts}"


def stale(chapter: Chapter) -> Iterator[str]:
    """Say whether the page of a chapter is not what the code says now."""
    path = FOLDER / f"{chapter.name}.md"
    if not path.exists() or path.read_text(encoding="utf-8") != page(chapter):
        yield f"docs/reference/{path.name} is not what the code says; {WRITE} --text"


def pictureless(chapter: Chapter) -> Iterator[str]:
    """Say which words of a chapter have no picture though their page shows one."""
    for name, one in EXAMPLES[chapter.name].items():
        path = picture_path(chapter, name)
        if not one.excuse and not path.exists():
            yield f"docs/reference/{path.relative_to(FOLDER)} is not there; {WRITE} --only {name}"


def unused_pictures() -> list[Path]:
    """List the pictures that no page shows."""
    shown = {picture_path(chapter, name) for chapter in CHAPTERS for name in EXAMPLES[chapter.name]}
    return [path for path in (FOLDER / "pictures").rglob("*") if path.is_file() and path not in shown]
