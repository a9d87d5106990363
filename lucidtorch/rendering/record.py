"""The record of a render that its pictures carry: how it is written, and the schema by which it is read back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self, get_origin

import torch
from pydantic import Field, model_validator

from lucidtorch.base.defaults import record_text
from lucidtorch.base.records import (
    MOST_IMAGES,
    MOST_THREADS,
    Batch,
    Count,
    DefinedBy,
    NetworkRecord,
    Record,
    Seed,
    Settings,
    Short,
    Sides,
    Steps,
    Text,
    Words,
    versions,
)
from lucidtorch.base.registry import defined_by
from lucidtorch.rendering.job import Job
from lucidtorch.rendering.networks import ONLY
from lucidtorch.rendering.settings import Engine, Schedule, options_of, with_fields


def record_of(job: Job) -> Settings:
    """Write down everything that decides the bytes of the pictures of a render."""
    sources = {
        name: None if model.source is None else model.source.portable().to_dict()
        for name, model in job.networks.models.items()
    }
    texts = {
        "objective": record_text(job.objective),
        "param": record_text(job.param) if job.param.is_text else None,
        "transforms": record_text(job.pipeline) if job.pipeline.is_text else None,
        "constraints": record_text(job.constraints),
    }
    return {
        "kind": "render",
        "model": sources.get(ONLY),
        "models": None if ONLY in sources or None in sources.values() else sources,
        "model_name": job.networks.name,
        **texts,
        **defined_by(*texts.values()),
        "complete": True,
        **job.schedule.to_dict(),
        "seed": list(job.seeds),
        "batch": job.param.batch,
        "canvas": list(job.canvas),
        **job.engine.to_dict(),
        "device": job.networks.device.type,
        "threads": torch.get_num_threads(),
        "versions": versions(),
    }


def _recorded() -> Iterator[tuple[str, tuple[Any, Any]]]:
    """The fields of a record that say how a render steps and how its networks are executed."""
    for name, option in (options_of(Schedule) | options_of(Engine)).items():
        is_text = option.kind is str or get_origin(option.kind) is Literal  # checked when the record is followed
        kind = option.recorded or (Short if is_text else option.kind)
        absent = option.default if option.absent is None else option.absent
        yield name, (kind | None if option.default is None else kind, absent)


@with_fields(dict(_recorded()))
class RenderRecord(Record):
    """Everything that decides the pictures of one render, as a picture carries it.

    Beside the attributes below it has all of `Engine`, and of how it steps ``steps``, ``lr``, ``optimizer``,
    ``lr_schedule``, ``stop``, ``snapshots`` and ``planned``: over how many updates the step size was spread, where the
    render was interrupted.

    Attributes:
        kind: The kind of record.
        model: How the network is loaded; None where there are several, or only a Python program has it.
        models: How several networks are loaded, by name.
        model_name: What messages call the network.
        objective: The objective's text.
        param: The param's text; None where it holds a module of a Python program.
        transforms: The pipeline's text; None where it holds functions of a Python program.
        constraints: The text of the constraints; empty where there are none.
        defined_by: The words of these texts that other packages define, each with its module and version.
        seed: One per image.
        batch: How many images were rendered together.
        canvas: Height and width that the network saw; frames or slices before them.
        device: ``cpu``, ``cuda`` or ``mps``.
        threads: How many threads computed.
        versions: Of everything that computes.
        images: Which of the images the file shows; all of them where None.
        snapshot: After how many updates it shows them; at the end where None.
        recipe_id: The checksum of the recipe that the picture is a part of, or None.
        complete: Whether its texts write every argument; those of version 0.1.0 left defaults out.
    """

    kind: Literal["render"]
    model: NetworkRecord | None
    models: Annotated[dict[Short, NetworkRecord], Field(max_length=16)] | None = None
    model_name: Text
    objective: Text
    param: Text | None
    transforms: Text | None
    constraints: Text = ""
    defined_by: DefinedBy = Field(default_factory=dict)
    seed: Annotated[tuple[Seed, ...], Field(min_length=1, max_length=MOST_IMAGES)]
    batch: Batch
    canvas: Sides
    device: Short = "cpu"
    threads: Annotated[int, Field(ge=1, le=MOST_THREADS)]
    versions: Words = Field(default_factory=dict)
    images: Annotated[tuple[Count, ...], Field(min_length=1, max_length=MOST_IMAGES)] | None = None
    snapshot: Steps | None = None
    recipe_id: Short | None = None
    complete: bool = False

    @property
    def schedule(self) -> Schedule:
        """How the render stepped."""
        return Schedule(**{name: getattr(self, name) for name in options_of(Schedule)})

    @property
    def engine(self) -> Engine:
        """How its networks were executed; a version that did not say a compute batch took all images at once."""
        words = {name: getattr(self, name) for name in options_of(Engine)}
        return Engine(**{**words, "compute_batch": words["compute_batch"] or self.batch})

    @model_validator(mode="after")
    def _shown_is_there(self) -> Self:
        snapshots: tuple[int, ...] = getattr(self, "snapshots", ())
        if self.snapshot is not None and self.snapshot not in snapshots:
            raise ValueError(f"the picture is of step {self.snapshot}, but kept were {list(snapshots)}")
        if not all(image < self.batch for image in self.images or ()):
            raise ValueError(f"images are {list(self.images or ())}, but there are {self.batch} of them")
        return self
