"""How far work is, shown where somebody looks: in a notebook, on a terminal, and nowhere else."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TypeAlias

import torch

from lucidtorch.base.images import encode_png, strip
from lucidtorch.base.seeds import OwnRandomState
from lucidtorch.rendering.loop import Step
from lucidtorch.rendering.showing import fitting_sheet

WATCHED = 16  # images of a batch that are shown while they grow
WATCHED_PIXELS = 90_000  # of all of them together
CLIP_AXES = 5  # images have four

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
        from lucidtorch.rendering.notebook_display import NotebookDisplay  # it needs IPython, which a kernel has

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
