"""Write the reference pages: every word of the notation with its formula, its source and a small picture.

Run: `python benchmarks/reference_pages.py` (all of it), `--text` (no pictures), or `--only channel,decay`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import torch
from reference_examples import EXAMPLES, USUAL, Example
from reference_things import TOLD, names_in
from reference_words import CHAPTERS, Chapter, Word

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "reference"
HEAD = "*Generated from the code by `python benchmarks/reference_pages.py`; change the docstrings, not this page.*"
ABOUT = {
    "objectives": """What a picture shall show. Every value is per image and is maximized; what is called a size or a
distance is subtracted. `a` are the activations of the layer. The pictures are of the network
`demo`, 64 pixels wide.""",
    "params": """What makes the images. The pictures are of channel 12 of `conv4_1` of `demo` unless their text
says otherwise.""",
    "transforms": """What the images go through at each step. Each picture shows what a network sees of one drawing,
drawn three times, and then channel 12 of `conv4_1` of `demo` rendered so.""",
    "constraints": """What the images are held to after each step. `x` is a number of the image and `zero` the
network's mean colour. The pictures are of channel 12 of `conv4_1` of `demo`, rendered from
pixels and shifted by `jitter(8)`.""",
}
LEADING = {"objectives": "objective", "params": "param", "transforms": "transforms", "constraints": "constraints"}


def page(chapter: Chapter) -> str:
    """Write the page of a kind of word; it depends on the code alone.

    Args:
        chapter: The kind of word.

    Returns:
        Markdown.
    """
    examples, words = EXAMPLES[chapter.name], chapter.words()
    parts = [f"# The words of {chapter.name}", HEAD, ABOUT[chapter.name], *_things(examples)]
    families: dict[ModuleType, list[Word]] = {}
    for name in examples:
        if name in words:
            families.setdefault(words[name].family, []).append(words[name])
    for family, akin in families.items():
        title = family.__name__.rpartition(".")[2].replace("_", " ").capitalize()
        parts += [f"## {title}", (family.__doc__ or "").splitlines()[0], _table(chapter, akin)]
    return "\n\n".join(parts) + "\n"


def picture_path(chapter: Chapter, word: str) -> Path:
    """Say where the picture of a word stands."""
    return FOLDER / "pictures" / chapter.name / f"{word}.png"


def _things(examples: dict[str, Example]) -> Iterator[str]:
    used = {name for one in examples.values() for name in names_in(f"{one.objective} {one.param}")}
    told = [f"`{name}` for {text}" for name, text in TOLD.items() if name in used]
    if told:
        yield f"Below the pictures stands what was rendered. In it stands {', '.join(told)}."


def _table(chapter: Chapter, words: list[Word]) -> str:
    lines = ["| word | what it does | formula | source | picture |", "|---|---|---|---|---|"]
    for word in words:
        cells = [_code(word.usage), *map(_plain, (word.first_line, word.formula, word.source)), _shown(chapter, word)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _shown(chapter: Chapter, word: Word) -> str:
    example = EXAMPLES[chapter.name][word.name]
    usual = USUAL.get(chapter.name, Example())
    told = "<br>".join(_code(line) for line in example.told(LEADING[chapter.name], usual))
    if example.excuse:
        return f"{example.excuse}<br>{told}"
    target = picture_path(chapter, word.name).relative_to(FOLDER).as_posix()
    return f"![{word.name}]({target})<br>{told}"


def _code(text: str) -> str:
    return f"`{text}`".replace("|", r"\|")


def _plain(text: str) -> str:
    """Keep a text as it is in a cell of a table: no emphasis, no columns, no tags; what stands in backticks is code."""
    parts = text.replace("``", "`").split("`")
    for place in range(0, len(parts), 2):
        for sign in "\\*_<[]~":
            parts[place] = parts[place].replace(sign, f"\\{sign}")
    return "`".join(parts).replace("|", r"\|")


def write_text() -> None:
    """Write the pages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for chapter in CHAPTERS:
        (FOLDER / f"{chapter.name}.md").write_text(page(chapter), encoding="utf-8")


def write_pictures(only: frozenset[str]) -> None:
    """Render the pictures of some words, or of all where none is named."""
    from reference_pictures import picture_of  # loads what renders

    for chapter in CHAPTERS:
        for word in chapter.words():
            example = EXAMPLES[chapter.name][word]
            if example.excuse or (only and not {word, chapter.name, f"{chapter.name}/{word}"} & only):
                continue
            start = time.process_time()
            path = picture_path(chapter, word)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture_of(chapter.name, example))
            print(
                f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024 + 1} KB, {time.process_time() - start:.1f} s"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", action="store_true", help="write the pages alone")
    parser.add_argument(
        "--only", default="", help="render these alone: words (`blur`, `transforms/blur`) or whole pages (`params`)"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    if not options.text:
        write_pictures(frozenset(options.only.split(",")) - {""})
    write_text()
    print(f"wrote {FOLDER.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
