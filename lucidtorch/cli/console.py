"""What commands say: results, notes and progress, on the right stream and only as much as was asked for."""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path
from typing import TextIO

from lucidtorch.base.terminal_bar import TerminalBar

PLAIN_SECONDS = 5.0  # between two lines of progress where there is no terminal


class Voice:
    """Speaks for one command.

    Args:
        quiet: Whether only errors and the result of `layers` are printed.
    """

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        if quiet:
            warnings.simplefilter("ignore")
        self._bar: TerminalBar | None = None
        self._said_at = time.monotonic()

    def wrote(self, path: Path, remark: str = "") -> None:
        """Say what was written.

        Args:
            path: Where it stands.
            remark: What else to know about it.
        """
        if not self.quiet:
            print(f"wrote {path}{remark}")

    def note(self, text: str) -> None:
        """Say something on the side.

        Args:
            text: One line.
        """
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def progress(self, done: int, total: int, what: str) -> None:
        """Show how far the work is: a bar on a terminal, a line now and then elsewhere.

        Args:
            done: How much is done.
            total: How much there is.
            what: What is being done.
        """
        if self.quiet:
            return
        if sys.stderr.isatty():
            self._bar = self._bar or TerminalBar()
            self._bar.show(done, total, what)
            if done == total:
                self.close()
            return
        now = time.monotonic()
        if done == total or now - self._said_at >= PLAIN_SECONDS:
            self._said_at = now
            self.note(f"{what}: {done} of {total}")

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def speak_plainly() -> None:
    """Show warnings as one line each, without the place in the code."""

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        print(f"note: {message}", file=sys.stderr)

    warnings.showwarning = show
