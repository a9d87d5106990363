"""The work of a run while somebody looks on."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import torch

from lucidtorch.base.errors import noting
from lucidtorch.base.images import encode_png
from lucidtorch.galleries.task import Task
from lucidtorch.galleries.work import Record, work_through
from lucidtorch.models.model import Model
from lucidtorch.recipes.runs.exhibit import fitted
from lucidtorch.rendering.entry import Callback
from lucidtorch.rendering.loop import Step
from lucidtorch.rendering.progress import WATCHED_PIXELS, pictures_now, progress_of

Report: TypeAlias = Callable[[int, int, str], None]
"""Called as a run goes on with the number done, the number of all, and what is counted, such as ``batches``."""


@dataclass(frozen=True)
class Onlooker:
    """Who is told how far a run is.

    Args:
        what: What is being made.
        report: Called as the work goes on, or None.
        shown: Whether a notebook or a terminal shows it.
        callbacks: Called after each update of a render, where one process works alone.
    """

    what: str = ""
    report: Report | None = None
    shown: bool = False
    callbacks: Sequence[Callback] = ()

    def watched(
        self, model: Model, tasks: Sequence[Task], folder: Path, workers: int
    ) -> Generator[tuple[Task, Record], None, None]:
        """Render tasks, and tell how far that is."""
        done = 0
        with progress_of(self.what, len(tasks), "tasks", shown=self.shown) as show:

            def on_the_way(step: Step) -> None:
                show(done + step.number / step.steps, lambda: pictures_now(step))

            steps = [on_the_way, *self.callbacks]
            with contextlib.closing(work_through(model, tasks, folder, workers, steps)) as finished:
                for task, record in finished:
                    done += 1
                    last = folder / record["pictures"][-1]["file"]
                    show(done, functools.partial(fitted, last, WATCHED_PIXELS, "png"))
                    self._tell(done, len(tasks), "batches")
                    yield task, record

    @contextlib.contextmanager
    def counting(self, unit: str, total: int) -> Iterator[Callable[[int], None]]:
        """Tell how far other work is than rendering."""
        with progress_of(self.what, total, unit, shown=self.shown) as show:

            def tell(done: int) -> None:
                show(done, _nothing)
                self._tell(done, total, unit)

            yield tell

    def _tell(self, done: int, total: int, unit: str) -> None:
        if self.report is not None:
            with noting("raised by report"):
                self.report(done, total, unit)


def _nothing() -> bytes:
    """A picture where there is none to show: one grey pixel."""
    return encode_png(torch.full((1, 1, 1), 0.5))
