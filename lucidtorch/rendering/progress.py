"""The progress bar of a render on a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from lucidtorch.rendering.loop import Step

WIDTH = 48  # of the description, in characters


@contextlib.contextmanager
def progress_bar(steps: int, text: str, *, shown: bool) -> Iterator[Callable[[Step], None]]:
    """Show how far a render is, on a terminal only; the bar is gone afterwards.

    Args:
        steps: The number of updates.
        text: What is being made.
        shown: Whether to show anything at all.

    Yields:
        What to call after each update.
    """
    if not shown or not sys.stderr.isatty():
        yield lambda step: None
        return
    from rich.console import Console  # loaded only where there is a terminal to draw on
    from rich.progress import Progress

    short = text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(short.replace("[", r"\["), total=steps)
        yield lambda step: bar.update(task, completed=step.number)
