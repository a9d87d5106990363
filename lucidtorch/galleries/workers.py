"""Who renders tasks: this process, or several beside it."""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import signal
import warnings
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch

from lucidtorch.base.checks import is_whole
from lucidtorch.base.errors import BadInputError, LucidtorchWarning
from lucidtorch.base.shown import shown
from lucidtorch.base.threads import cores
from lucidtorch.galleries.task import Task
from lucidtorch.galleries.work import Record, make_task
from lucidtorch.models.model import Model
from lucidtorch.models.sources.loading import load_source
from lucidtorch.models.sources.model_source import ModelSource
from lucidtorch.rendering.entry import Callback
from lucidtorch.rendering.networks import ModelLike


def work_through(
    model: ModelLike, tasks: Sequence[Task], folder: Path, workers: int, callbacks: Sequence[Callback] = ()
) -> Generator[tuple[Task, Record], None, None]:
    """Render tasks; the pictures are the same whoever renders them.

    Args:
        model: The network, or several by name.
        tasks: What to render.
        folder: The folder of the whole run.
        workers: How many processes work side by side; 1 is this process alone.
        callbacks: Called after each update, where this process works alone.

    Yields:
        Each task with its record, as they are finished.

    Raises:
        BadInputError: Several workers are asked for, and the network is a module that only this process has.

    Warns:
        LucidtorchWarning: The workers' threads are more than there are cores.
    """
    check_workers(workers)
    if workers == 1 or len(tasks) == 1:
        for task in tasks:
            yield task, make_task(model, task, folder, callbacks)
        return
    if not isinstance(model, Model) or model.source is None:
        name = model.name if isinstance(model, Model) else "This network"
        raise BadInputError(f"{name} exists only in this process, so that one worker must do; leave workers out.")
    threads = max(task.craft.threads for task in tasks)
    if model.device.type == "cpu":
        _warn_of_crowding(workers, threads)
    start = (model.source, str(model.device), folder, threads)
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_Worker.begin, initargs=start) as pool:
        try:
            with _interrupts_held_back():
                # As bytes: what holds tensors would otherwise be fetched from this process, which may be ending.
                futures = {pool.submit(_Worker.make, pickle.dumps(task)): task for task in tasks}
            for future in as_completed(futures):
                yield futures[future], future.result()
        except (KeyboardInterrupt, GeneratorExit):
            for worker in set(multiprocessing.active_children()) - others:
                worker.terminate()  # a task is written whole or not at all, so nothing is lost but its time
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def check_workers(workers: int) -> None:
    """Refuse what is no number of processes.

    Args:
        workers: What was given.

    Raises:
        BadInputError: It is no whole number from 1.
    """
    if not is_whole(workers) or workers < 1:
        raise BadInputError(f"The number of workers is a whole number from 1, but {shown(workers)} was given.")


def _warn_of_crowding(workers: int, threads: int) -> None:
    """Say where more threads are asked for than can run at once."""
    there = cores()
    if workers * threads > there:
        message = (
            f"{workers} workers of {threads} thread{'s' * (threads != 1)} each share {there} "
            f"core{'s' * (there != 1)}, so that they wait for each other; write workers={max(1, there // threads)}."
        )
        warnings.warn(message, LucidtorchWarning, stacklevel=2)


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Let processes that start in the block ignore Ctrl-C from their first moment; this one hears of it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass(frozen=True)
class _Worker:
    """What a worker process holds from its start to its end."""

    model: Model
    folder: Path
    here: ClassVar[_Worker]

    @classmethod
    def begin(cls, source: ModelSource, device: str, folder: Path, threads: int) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process decides what an interrupt means
        torch.set_num_threads(threads)  # while it loads, too
        cls.here = cls(load_source(source, device=device), folder)

    @classmethod
    def make(cls, written: bytes) -> Record:
        task: Task = pickle.loads(written)
        return make_task(cls.here.model, task, cls.here.folder)
