"""Work in several processes side by side, which end with the process that started them, however that ends.

This module is the first that a worker loads, and loads nothing heavy itself: what a worker computes with arrives as
bytes, and is only read when the worker watches its parent already.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from typing import Any, ClassVar, TypeVar

from lucidtorch.base.errors import LucidtorchError

Job = TypeVar("Job")
DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2) on Linux
ENDED = 1  # the exit code of a worker whose parent has ended


def side_by_side(
    start: Callable[[], Callable[[Job], Any]], jobs: Sequence[Job], workers: int
) -> Generator[tuple[Job, Any], None, None]:
    """Do jobs in several processes.

    An interrupt, or closing the generator, ends the workers at once, in the middle of their jobs; so does the end of
    this process, of whatever kind.
    """
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    begin = (pickle.dumps(start),)
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_Worker.begin, initargs=begin) as pool:
        try:
            with _signals_held_back():
                # As bytes: what holds tensors would otherwise be fetched from this process, which may be ending.
                futures = {pool.submit(_Worker.work, pickle.dumps(job)): job for job in jobs}
            for future in as_completed(futures):
                yield futures[future], future.result()
        except (KeyboardInterrupt, GeneratorExit):
            for worker in set(multiprocessing.active_children()) - others:
                worker.kill()  # they are deaf to other signals
            raise
        except BrokenProcessPool as error:
            raise LucidtorchError(
                "A worker process died, perhaps for want of memory; what was finished is kept. Give the command again, "
                "with fewer workers."
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def _signals_held_back() -> Iterator[None]:
    """Let processes that start in the block ignore Ctrl-C from their first moment; this one hears of it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):  # there is none on Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Worker:
    """What a worker process holds from its start to its end."""

    job: ClassVar[Callable[[Any], Any]]

    @classmethod
    def begin(cls, start: bytes) -> None:
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, signal.SIG_IGN)  # the first process decides what they mean
        _end_with_parent()
        cls.job = staticmethod(pickle.loads(start)())

    @classmethod
    def work(cls, job: bytes) -> Any:
        return cls.job(pickle.loads(job))


def _end_with_parent() -> None:
    """End this process when its parent ends: by the system where it can, and by watching a pipe."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGKILL)
    threading.Thread(target=_watch, name="lucidtorch-parent", daemon=True).start()


def _watch() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])  # a pipe that only the parent holds open; its handle on Windows
    os._exit(ENDED)
