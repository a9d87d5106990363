"""What commands say: results, notes and progress, on the right stream and only as much as was asked for."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
import warnings
from collections.abc import Iterator
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
        """Say what was written."""
        if not self.quiet:
            with _whoever_reads(sys.stdout):
                print(f"wrote {path}{remark}", flush=True)

    def note(self, text: str) -> None:
        """Say something on the side."""
        if not self.quiet:
            say(text)

    def progress(self, done: int, total: int, what: str) -> None:
        """Show how far the work is: a bar on a terminal, a line now and then elsewhere."""
        if self.quiet:
            return
        if sys.stderr.isatty():
            with _whoever_reads(sys.stderr):
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
            with _whoever_reads(sys.stderr):
                self._bar.close()
            self._bar = None


def say(text: str) -> None:
    """Print a line on the stream of remarks; nobody needs to read it."""
    with _whoever_reads(sys.stderr):
        print(text, file=sys.stderr, flush=True)


def open_streams() -> None:
    """Open what was closed before the command began, so that no file of the work becomes its output."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", encoding="utf-8"))


@contextlib.contextmanager
def _whoever_reads(stream: TextIO) -> Iterator[None]:
    """Go on where the reader of a stream, or the terminal, has gone: the work does not need them."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ECONNRESET, errno.EIO):
            raise
        with contextlib.suppress(OSError, ValueError):
            silent = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silent, stream.fileno())
            os.close(silent)


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
        say(f"note: {message}")

    warnings.showwarning = show
