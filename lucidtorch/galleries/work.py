"""Rendering tasks, the unit of work, of resuming and of distribution: in this process, or in several beside it."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

import torch

from lucidtorch.base.checks import is_whole
from lucidtorch.base.errors import BadInputError, LucidtorchWarning
from lucidtorch.base.machine import cores, threads
from lucidtorch.base.records import TaskRecord
from lucidtorch.base.registry import ForeignWord, import_words, words_of
from lucidtorch.base.shown import shown
from lucidtorch.galleries.task import Piece, Task
from lucidtorch.models.loading import load_source
from lucidtorch.models.model import Model
from lucidtorch.models.sources.model_source import ModelSource
from lucidtorch.rendering.entry import Callback, run_job
from lucidtorch.rendering.job import Job, prepare
from lucidtorch.rendering.networks import ModelLike
from lucidtorch.rendering.result import Rendering
from lucidtorch.runs.folder import read_record, write_file
from lucidtorch.runs.workers import side_by_side

CURVE_POINTS = 64  # how many values of a history a folder keeps
CURVE_DIGITS = 6
BATCHES = "batches"  # the folder of the records

Record: TypeAlias = Mapping[str, Any]


def work_through(
    model: ModelLike, tasks: Sequence[Task], folder: Path, workers: int, callbacks: Sequence[Callback] = ()
) -> Generator[tuple[Task, Record], None, None]:
    """Render tasks; the pictures are the same whoever renders them.

    Warns:
        LucidtorchWarning: The workers' threads are more than there are cores.
    """
    if workers == 1 or len(tasks) <= 1:
        for task in tasks:
            yield task, make_task(model, task, folder, callbacks)
        return
    check_workers(workers, model)
    if not isinstance(model, Model) or model.source is None:
        return  # which was refused
    count = max(task.craft.threads for task in tasks)
    if model.device.type == "cpu":
        _warn_of_crowding(workers, count)
    words = words_of(*(text for task in tasks for text in task.texts))
    start = functools.partial(_worker, words, model.source, str(model.device), folder, count)
    yield from side_by_side(start, tasks, workers)


def check_workers(workers: int, model: ModelLike | None = None) -> None:
    """Refuse what is no number of processes, and several of them for a network that they cannot load."""
    if not is_whole(workers) or workers < 1:
        raise BadInputError(f"The number of workers is a whole number from 1, but {shown(workers)} was given.")
    if workers > 1 and model is not None and not (isinstance(model, Model) and model.source is not None):
        name = model.name if isinstance(model, Model) else "This network"
        raise BadInputError(f"{name} exists only in this process, so that one worker must do; leave workers out.")


def make_task(model: ModelLike, task: Task, folder: Path, callbacks: Sequence[Callback] = ()) -> Record:
    """Render a task, or find that it stands in the folder already.

    The pictures are written first and the record last, each whole or not at all: a task with a record is finished.
    """
    known = finished_task(task, folder)
    if known is not None:
        return known
    with threads(task.craft.threads):
        rendering = run_job(settle(model, task), callbacks)
    if rendering.interrupted:
        raise KeyboardInterrupt  # a task is finished, or not there
    if task.recipe_id is not None:
        rendering.recipe["recipe_id"] = task.recipe_id
    for piece in task.pieces:
        for array in rendering.arrays:
            write_file(folder, str(PurePosixPath(piece.file).parent / array.file_name), array.file_bytes())
        write_file(folder, piece.file, rendering.png(piece.places, snapshot=piece.snapshot))
    record = {"key": task.key, "pictures": [_picture(task, rendering, piece, folder) for piece in task.pieces]}
    write_file(folder, f"{BATCHES}/{task.name}.json", json.dumps(record, sort_keys=True, indent=1))
    return record


def finished_task(task: Task, folder: Path) -> Record | None:
    """Find the record of a task that was rendered before, with these very settings, and whose pictures still stand."""
    record = read_task(folder / BATCHES / f"{task.name}.json")
    return record if record is not None and is_finished(record, task, folder) else None


def read_task(path: Path) -> Record | None:
    """Read the record of a task."""
    found = read_record(path, TaskRecord)
    return None if found is None else found.model_dump(mode="json")


def is_finished(record: Record, task: Task, folder: Path) -> bool:
    """Say whether a record is that of a task with these very settings whose pictures still stand."""
    key = task.key
    if key is None or record["key"] != key:
        return False
    if [one["file"] for one in record["pictures"]] != [piece.file for piece in task.pieces]:
        return False
    return all(_checksum(folder / one["file"]) == one["sha256"] for one in record["pictures"])


def settle(model: ModelLike, task: Task) -> Job:
    """Settle and check a task without rendering it."""
    craft = task.craft
    return prepare(
        model,
        task.objective,
        None if craft.param is None else craft.param.resized(batch=len(task.seeds)),
        craft.transforms,
        craft.schedule,
        task.seeds,
        engine=craft.engine,
        constraints=craft.constraints,
    )


def _worker(
    words: Sequence[ForeignWord], source: ModelSource, device: str, folder: Path, count: int
) -> Callable[[Task], Record]:
    """Import words and load the network in a worker process, and give what renders a task there."""
    import_words(words)
    torch.set_num_threads(count)  # while it loads, too
    model = load_source(source, device=device)
    return lambda task: make_task(model, task, folder)


def _warn_of_crowding(workers: int, count: int) -> None:
    """Say where more threads are asked for than can run at once."""
    there = cores()
    if workers * count > there:
        message = (
            f"{workers} workers of {count} thread{'s' * (count != 1)} each share {there} "
            f"core{'s' * (there != 1)}, so that they wait for each other; write workers={max(1, there // count)}."
        )
        warnings.warn(message, LucidtorchWarning, stacklevel=2)


def _checksum(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _picture(task: Task, rendering: Rendering, piece: Piece, folder: Path) -> dict[str, Any]:
    own = list(piece.places)
    end = task.craft.schedule.steps if piece.snapshot is None else piece.snapshot
    terms = {
        text: _curve(values[own, :end].mean(0)) for text, values in rendering.history.items() if text != "objective"
    }
    return {
        "file": piece.file,
        "sha256": _checksum(folder / piece.file),
        "seed": task.seeds[own[0]],
        "score": _rounded(rendering.values[own].mean()) if piece.snapshot is None else None,
        "curve": _curve(rendering.history["objective"][own, :end].mean(0)),
        "terms": terms if len(terms) > 1 else {},
        "dead": piece.snapshot is None and all(rendering.dead[place] for place in own),
        "stopped": [str(rendering.stopped[place]) for place in own if place in rendering.stopped],
    }


def _curve(values: torch.Tensor) -> list[float | None]:
    stride = max(1, math.ceil(len(values) / CURVE_POINTS))
    return [_rounded(value) for value in values[::stride]]


def _rounded(value: torch.Tensor) -> float | None:
    number = float(value)
    return float(f"{number:.{CURVE_DIGITS}g}") if math.isfinite(number) else None
