"""Progress in a notebook: one output that is drawn again and again; this module is loaded only inside a kernel."""

from __future__ import annotations

import html
import math
import time
from collections.abc import Callable
from typing import TypeAlias

from IPython.display import DisplayHandle, display

from lucidtorch.rendering.showing import QUIET, code_html, picture_html

Picture: TypeAlias = Callable[[], bytes]

PAUSE = 0.5  # seconds at least between two drawings, and before the first: a short render leaves nothing behind
SHARE = 0.05  # of the time at most goes into drawing
EMPTY = {"text/html": "", "text/plain": ""}


class NotebookDisplay:
    """How far the work is, with the pictures as they are now; empty when it is closed.

    Args:
        what: What is being made.
        total: How much there is to do.
        unit: What is counted, such as ``steps``.
    """

    def __init__(self, what: str, total: int, unit: str) -> None:
        self.what, self.total, self.unit = what, total, unit
        self._began = time.monotonic()
        self._due = self._began + PAUSE
        self._handle: DisplayHandle | None = None

    def show(self, done: float, picture: Picture) -> None:
        """Draw how far the work is, unless that was done a moment ago."""
        now = time.monotonic()
        if now < self._due:
            return
        self._put({"text/html": self._html(done, picture()), "text/plain": f"{self.what}: {self._counted(done)}"})
        after = time.monotonic()
        self._due = after + max(PAUSE, (after - now) / SHARE)

    def close(self) -> None:
        """Leave nothing to be seen, or to be kept in the notebook."""
        if self._handle is not None:
            self._put(EMPTY)

    def _put(self, data: dict[str, str]) -> None:
        if self._handle is None:
            self._handle = display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)

    def _html(self, done: float, png: bytes) -> str:
        bar = f'<progress value="{done:g}" max="{self.total}" style="width:100%"></progress>'
        words = f'{code_html(self.what)}{bar}<div style="{QUIET}">{html.escape(self._counted(done))}</div>'
        shown = picture_html(png, f"{self.what} so far") if png else ""
        return f'<div style="max-width:32em">{words}</div><div style="margin-top:8px">{shown}</div>'

    def _counted(self, done: float) -> str:
        text = f"{math.floor(done)} of {self.total} {self.unit}"
        if done <= 0:
            return text
        return f"{text}, {duration((time.monotonic() - self._began) / done * (self.total - done))} left"


def duration(seconds: float) -> str:
    """Say a time roughly."""
    whole = math.ceil(seconds)
    if whole < 100:
        return f"{whole} s"
    minutes = math.ceil(whole / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
