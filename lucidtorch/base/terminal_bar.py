"""The progress bar on a terminal; this module is loaded only where there is one to draw on."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

WIDTH = 48  # of the description, in characters
PAUSE = 0.1  # seconds at least between two drawings


class TerminalBar:
    """A bar on the stream of errors, gone when it is closed; it is drawn by whoever works, and starts no thread."""

    def __init__(self) -> None:
        text = TextColumn("{task.description}", markup=False)
        columns = (text, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False)
        self._task = self._bar.add_task("")
        self._bar.start()
        self._due = 0.0

    def show(self, done: float, total: int, what: str) -> None:
        """Draw how far the work is."""
        short = what if len(what) <= WIDTH else f"{what[: WIDTH - 1]}…"
        self._bar.update(self._task, completed=done, total=total, description=short)
        now = time.monotonic()
        if now >= self._due or done >= total:
            self._bar.refresh()
            self._due = now + PAUSE

    def close(self) -> None:
        """Take the bar away."""
        self._bar.stop()
