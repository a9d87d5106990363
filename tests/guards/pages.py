"""The pages of the documentation, and the snippets in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from guards.sources import ROOT

LANGUAGES = ("python", "console", "text", "yaml")
FENCE = re.compile(
    r"(?:^<!-- not run: (?P<excuse>.+?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
LINK = re.compile(r"\]\((?P<target>[^)#\s]+)")


@dataclass(frozen=True)
class Snippet:
    """A block between fences: where it begins, its language, its text, and why it is not run."""

    path: Path
    line: int
    language: str
    text: str
    excuse: str | None

    @property
    def place(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"

    @property
    def code(self) -> str:
        """The text with as many empty lines before it as the page has, so that errors name the page's lines."""
        return "\n" * (self.line - 1) + self.text

    def commands(self) -> Iterator[tuple[list[str], list[str]]]:
        """Go through the commands of a console, each as its words and the lines that it is said to print."""
        lines = self.text.replace("\\\n", " ").splitlines()
        starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            yield shlex.split(lines[start][2:]), [line for line in lines[start + 1 : end] if line.strip()]


def pages() -> list[Path]:
    """The files that a reader is shown."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def snippets(path: Path) -> list[Snippet]:
    """Read the blocks between fences of a page, in order."""
    page = path.read_text(encoding="utf-8")
    return [_snippet(path, page, found) for found in FENCE.finditer(page)]


def dangling(path: Path) -> list[str]:
    """Say which links of a page lead to files that are not there."""
    targets = LINK.findall(path.read_text(encoding="utf-8"))
    return [one for one in targets if "://" not in one and not (path.parent / one).exists()]


def _snippet(path: Path, page: str, found: re.Match[str]) -> Snippet:
    line = page.count("\n", 0, found.start("text")) + 1
    return Snippet(path, line, found["language"], found["text"], found["excuse"])
