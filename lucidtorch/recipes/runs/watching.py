"""The rendering of a run while somebody looks on."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Generator, Sequence
from pathlib import Path

from lucidtorch.galleries.task import Task
from lucidtorch.galleries.work import Record
from lucidtorch.galleries.workers import work_through
from lucidtorch.models.model import Model
from lucidtorch.recipes.runs.exhibit import fitted
from lucidtorch.rendering.entry import Callback
from lucidtorch.rendering.loop import Step
from lucidtorch.rendering.progress import WATCHED_PIXELS, pictures_now, progress_of


def watched(
    model: Model,
    tasks: Sequence[Task],
    folder: Path,
    workers: int,
    *,
    what: str,
    shown: bool,
    callbacks: Sequence[Callback] = (),
) -> Generator[tuple[Task, Record], None, None]:
    """Render tasks, and show in a notebook or on a terminal how far that is.

    Args:
        model: The network.
        tasks: What to render.
        folder: The folder of the whole run.
        workers: How many processes work side by side; what they are at in this moment is known of one alone.
        what: What is being made.
        shown: Whether to show anything at all.
        callbacks: Called after each update, where this process works alone.

    Yields:
        Each task with its record, as they are finished.
    """
    done = 0
    with progress_of(what, len(tasks), "tasks", shown=shown) as show:

        def on_the_way(step: Step) -> None:
            show(done + step.number / step.steps, lambda: pictures_now(step))

        with contextlib.closing(work_through(model, tasks, folder, workers, [on_the_way, *callbacks])) as finished:
            for task, record in finished:
                done += 1
                last = folder / record["pictures"][-1]["file"]
                show(done, functools.partial(fitted, last, WATCHED_PIXELS, "png"))
                yield task, record
