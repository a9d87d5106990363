"""Rendering one batch of a gallery: the unit of work, of resuming and of distribution."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from lucidtorch.base.checks import is_whole
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.files import atomic_write_bytes, atomic_write_text
from lucidtorch.base.settings import settings_text, versions
from lucidtorch.base.threads import threads
from lucidtorch.constraints.constraint import Constraints
from lucidtorch.galleries.plan import Batch
from lucidtorch.models.model import Model
from lucidtorch.param.param import Param
from lucidtorch.rendering.entry import run_job
from lucidtorch.rendering.job import Job
from lucidtorch.rendering.preparation import prepare
from lucidtorch.rendering.result import Rendering
from lucidtorch.rendering.schedule import Schedule
from lucidtorch.transforms.transform import Pipeline

CURVE_POINTS = 64  # how many values of a history a gallery keeps
CURVE_DIGITS = 6


@dataclass(frozen=True)
class Craft:
    """How every batch of a gallery is rendered.

    Args:
        param: What makes the images; its batch is the batch's.
        transforms: What they go through; Lucid's standard pipeline where None.
        schedule: How it steps.
        threads: How many threads compute, in this process and in every worker.
        network: A checksum of the network, from `network_key`.
        precision: What the network computes in.
        constraints: What the images are held to after each step.

    Raises:
        BadInputError: The number of threads is none.
    """

    param: Param | None
    transforms: Pipeline | None
    schedule: Schedule
    threads: int
    network: str | None
    precision: str = "float32"
    constraints: Constraints = field(default_factory=Constraints)

    def __post_init__(self) -> None:
        if not is_whole(self.threads) or self.threads < 1:
            raise BadInputError(f"threads is a whole number from 1, but {self.threads!r} was given.")

    def key(self, batch: Batch) -> str | None:
        """Sum up everything that decides the pictures of a batch.

        Args:
            batch: What is rendered.

        Returns:
            A checksum; None where transforms, param or network hold a function, which has no value to compare.
        """
        texts_say_all = [one is None or one.is_text for one in (self.param, self.transforms)]
        if self.network is None or not all(texts_say_all):
            return None
        asked = (batch.objective, self.param, self.transforms, self.schedule, self.precision, self.constraints)
        texts = (self.network, *map(repr, asked))
        facts = {"texts": texts, "seeds": batch.seeds, "threads": self.threads, "versions": versions()}
        return hashlib.sha256(settings_text(facts).encode()).hexdigest()


def network_key(model: Model) -> str | None:
    """Sum up everything about a network that decides pictures.

    Args:
        model: The network; one that only a Python program has counts with all its weights.

    Returns:
        A checksum; None where its input or output is a function, which has no value to compare.
    """
    if not model.is_data:
        return None
    source = None if model.source is None else model.source.to_dict()
    digest = hashlib.sha256(f"{source} {model.convention} {model.device.type} {model.dtype} {model.output}".encode())
    if source is None:
        for name, value in (*model.module.state_dict().items(), *model.feed.tensors.items()):
            digest.update(f"{name} {value.dtype} {list(value.shape)}".encode())
            digest.update(value.detach().cpu().flatten().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def make_batch(model: Model, batch: Batch, craft: Craft, folder: Path) -> dict[str, Any]:
    """Render a batch, or find that it stands in the folder already.

    The pictures are written first and the record last, each whole or not at all: a batch with a record is finished.

    Args:
        model: The network.
        batch: What to render.
        craft: How.
        folder: The gallery's folder.

    Returns:
        The record of the batch: its key, and for each unit its file, score, curve, seed, and whether it is dead.
    """
    known = finished_batch(batch, craft, folder)
    if known is not None:
        return known
    with threads(craft.threads):
        rendering = run_job(settle(model, batch, craft))
    if rendering.interrupted:
        raise KeyboardInterrupt  # a batch is finished, or not there
    for place, unit in enumerate(batch.units):
        images = range(place * batch.copies, (place + 1) * batch.copies)
        atomic_write_bytes(folder / batch.file(unit), rendering.png(images))
    units = [_unit(batch, rendering, place, folder) for place in range(len(batch.units))]
    record = {"key": craft.key(batch), "units": units}
    atomic_write_text(_record_of(batch, folder), json.dumps(record, sort_keys=True, indent=1))
    return record


def finished_batch(batch: Batch, craft: Craft, folder: Path) -> dict[str, Any] | None:
    """Find the record of a batch that was rendered before, with these very settings, and whose pictures still stand.

    Args:
        batch: What was rendered.
        craft: How.
        folder: The gallery's folder.

    Returns:
        The record, or None.
    """
    key = craft.key(batch)
    try:
        record = json.loads(_record_of(batch, folder).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if key is None or not isinstance(record, dict) or record.get("key") != key:
        return None
    whole = all(_checksum(folder / unit["file"]) == unit["sha256"] for unit in record["units"])
    return record if whole else None


def settle(model: Model, batch: Batch, craft: Craft) -> Job:
    """Settle and check a batch without rendering it.

    Args:
        model: The network.
        batch: What to render.
        craft: How.

    Returns:
        The job.

    Raises:
        BadInputError: Anything does not fit.
    """
    count = len(batch.seeds)
    param = None if craft.param is None else craft.param.resized(batch=count)
    return prepare(
        model,
        batch.objective,
        param,
        craft.transforms,
        craft.schedule,
        batch.seeds,
        precision=craft.precision,
        constraints=craft.constraints,
    )


def _record_of(batch: Batch, folder: Path) -> Path:
    return folder / "batches" / f"{batch.name}.json"


def _checksum(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _unit(batch: Batch, rendering: Rendering, place: int, folder: Path) -> dict[str, Any]:
    own = slice(place * batch.copies, (place + 1) * batch.copies)
    curve = rendering.history["objective"][own].mean(0)
    stride = max(1, math.ceil(len(curve) / CURVE_POINTS))
    return {
        "unit": batch.units[place],
        "file": batch.file(batch.units[place]),
        "sha256": _checksum(folder / batch.file(batch.units[place])),
        "seed": batch.seeds[own][0],
        "score": _rounded(rendering.values[own].mean()),
        "curve": [_rounded(value) for value in curve[::stride]],
        "dead": all(rendering.dead[own]),
    }


def _rounded(value: torch.Tensor) -> float | None:
    number = float(value)
    return float(f"{number:.{CURVE_DIGITS}g}") if math.isfinite(number) else None
