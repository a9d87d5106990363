"""Rendering one task: the unit of work, of resuming and of distribution."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import torch

from lucidtorch.base.files import atomic_write_bytes, atomic_write_text
from lucidtorch.base.threads import threads
from lucidtorch.galleries.task import Piece, Task
from lucidtorch.rendering.entry import Callback, run_job
from lucidtorch.rendering.job import Job
from lucidtorch.rendering.networks import ModelLike
from lucidtorch.rendering.preparation import prepare
from lucidtorch.rendering.result import Rendering

CURVE_POINTS = 64  # how many values of a history a folder keeps
CURVE_DIGITS = 6

Record: TypeAlias = Mapping[str, Any]


def make_task(model: ModelLike, task: Task, folder: Path, callbacks: Sequence[Callback] = ()) -> Record:
    """Render a task, or find that it stands in the folder already.

    The pictures are written first and the record last, each whole or not at all: a task with a record is finished.

    Args:
        model: The network.
        task: What to render.
        folder: The folder of the whole run.
        callbacks: Called after each update.

    Returns:
        The record of the task: its key, and for each picture its file, its checksum, the seed, curves and score of
        what it shows, and whether that is dead; a snapshot has its curves up to there, and no score.
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
        path = folder / piece.file
        for array in rendering.arrays:
            array.save(path.parent)
        atomic_write_bytes(path, rendering.png(piece.places, snapshot=piece.snapshot))
    record = {"key": task.key, "pictures": [_picture(task, rendering, piece, folder) for piece in task.pieces]}
    atomic_write_text(_record_of(task, folder), json.dumps(record, sort_keys=True, indent=1))
    return record


def finished_task(task: Task, folder: Path) -> Record | None:
    """Find the record of a task that was rendered before, with these very settings, and whose pictures still stand.

    Args:
        task: What was rendered.
        folder: The folder of the whole run.

    Returns:
        The record, or None.
    """
    key = task.key
    try:
        record = json.loads(_record_of(task, folder).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if key is None or not isinstance(record, dict) or record.get("key") != key:
        return None
    whole = all(_checksum(folder / one["file"]) == one["sha256"] for one in record["pictures"])
    return record if whole else None


def settle(model: ModelLike, task: Task) -> Job:
    """Settle and check a task without rendering it.

    Args:
        model: The network.
        task: What to render.

    Returns:
        The job.

    Raises:
        BadInputError: Anything does not fit.
    """
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


def _record_of(task: Task, folder: Path) -> Path:
    return folder / "batches" / f"{task.name}.json"


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
