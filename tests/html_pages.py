"""Pages of HTML as tests look at them: elements with their attributes, and text."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMIUM_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--v=0",
)


class Page(HTMLParser):
    """What a browser would find on a page: its elements with their attributes, and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        of_kind = (found for name, found in self.elements if name == tag)
        return [
            found for found in of_kind if all(wanted[key] in found.get(key.strip("_"), "").split() for key in wanted)
        ]

    def links(self, tag: str, **wanted: str) -> list[str]:
        return [found["href"] for found in self.all(tag, **wanted)]

    def values(self, *attributes: str) -> list[str]:
        return [found[key] for _, found in self.elements for key in attributes if key in found]


def contrast(one: str, other: str) -> float:
    """How far two colours such as ``#1a1a1c`` stand apart, as WCAG counts it: from 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def themes(style: str) -> list[dict[str, str]]:
    """The colours of each theme of a stylesheet, by name."""
    return [dict(re.findall(r"--([\w-]+): (#\w+);", one)) for one in re.findall(r"--ground: .*?\}", style, re.DOTALL)]


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [part / 255 for part in bytes.fromhex(digits)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
