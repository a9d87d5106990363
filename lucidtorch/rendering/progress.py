"""How far work is, shown where somebody watches: in a notebook, on a terminal, and nowhere else."""

from __future__ import annotations

import contextlib
import html
import math
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import torch

from lucidtorch.base.images import encode_png, strip
from lucidtorch.base.seeds import OwnRandomState
from lucidtorch.rendering.loop import Step
from lucidtorch.rendering.showing import QUIET, code_html, fitting_sheet, picture_html

WATCHED = 16  # images of a batch that are shown while they grow
WATCHED_PIXELS = 90_000  # of all of them together
CLIP_AXES = 5  # images have four
PAUSE = 0.5  # seconds at least between two drawings, and before the first: a short render leaves nothing behind
SHARE = 0.05  # of the time at most goes into drawing
EMPTY = {"text/html": "", "text/plain": ""}

Picture: TypeAlias = Callable[[], bytes]
Show: TypeAlias = Callable[[float, Picture], None]


@contextlib.contextmanager
def progress_bar(steps: int, text: str, *, shown: bool) -> Iterator[Callable[[Step], None]]:
    """Show how far a render is; nothing of it is left afterwards."""
    with progress_of(text, steps, "steps", shown=shown) as show:
        yield lambda step: show(step.number, lambda: pictures_now(step))


@contextlib.contextmanager
def progress_of(what: str, total: int, unit: str, *, shown: bool) -> Iterator[Show]:
    """Show how far any work is: one output in a notebook, a bar on a terminal, silence elsewhere."""
    if shown and in_notebook():
        with contextlib.closing(NotebookDisplay(what, total, unit)) as display:
            yield display.show
    elif shown and sys.stderr.isatty():
        from lucidtorch.base.terminal_bar import TerminalBar  # loaded only where there is a terminal to draw on

        with contextlib.closing(TerminalBar()) as bar:
            bar.show(0, total, what)
            yield lambda done, picture: bar.show(done, total, what)
    else:
        yield lambda done, picture: None


def in_notebook() -> bool:
    """Say whether this program runs inside the kernel of a notebook, without loading anything."""
    shell_of = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = None if shell_of is None else shell_of()
    return getattr(shell, "kernel", None) is not None


def pictures_now(step: Step) -> bytes:
    """Draw the first images of a render as they are now, small."""
    with OwnRandomState(0)():
        images = step.images[:WATCHED]
    free = images[:, [channel for channel in range(images.shape[1]) if channel not in step.param.held]]
    if free.ndim == CLIP_AXES:
        rows = torch.stack([strip(clip) for clip in free])
        return encode_png(fitting_sheet(rows, WATCHED_PIXELS, columns=1), alpha=step.param.alpha)
    return encode_png(fitting_sheet(free, WATCHED_PIXELS), alpha=step.param.alpha)


class NotebookDisplay:
    """One output that is drawn again and again: how far the work is, and the pictures as they are now.

    It is empty once it is closed.
    """

    def __init__(self, what: str, total: int, unit: str) -> None:
        self.what, self.total, self.unit = what, total, unit
        self._began = time.monotonic()
        self._due = self._began + PAUSE
        self._handle: Any = None

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
        from IPython.display import display  # loaded only inside a kernel

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
