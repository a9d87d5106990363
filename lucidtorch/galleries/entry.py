"""The front door to galleries: every unit of whole layers as a folder of pages."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from lucidtorch.base.files import check_output_folder, remove_leftovers
from lucidtorch.base.images import read_png_text
from lucidtorch.base.settings import versions
from lucidtorch.galleries.plan import Batch, plan
from lucidtorch.galleries.site import LayerPage, Picture, Site, Unit, publish
from lucidtorch.galleries.task import Craft, Task
from lucidtorch.galleries.work import Record, finished_task, settle
from lucidtorch.galleries.workers import work_through
from lucidtorch.models.checksum import network_key
from lucidtorch.models.layers.directory import LOGITS
from lucidtorch.models.layers.table import LayerLike
from lucidtorch.models.model import Model
from lucidtorch.models.sources.loading import load_model
from lucidtorch.param.text import parse as parse_param
from lucidtorch.rendering.job import Job
from lucidtorch.rendering.networks import NetworkLike
from lucidtorch.rendering.preparation import ConstraintsLike, ParamLike, TransformsLike, read_constraints, read_pipeline
from lucidtorch.rendering.schedule import Schedule

Report: TypeAlias = Callable[[int, int, Batch], None]
Records: TypeAlias = Mapping[str, Record]


@dataclass(frozen=True)
class Gallery:
    """A finished gallery, or as much of it as there was time for.

    Args:
        index: The page to open.
        units: How many pictures it shows.
        dead: How many of them are of dead units.
        interrupted: Whether it was interrupted; the same call goes on where it stopped.
    """

    index: Path
    units: int
    dead: int
    interrupted: bool


def gallery(
    model: NetworkLike,
    folder: str | Path = "gallery",
    *,
    layers: Sequence[LayerLike] | None = None,
    units: str | Sequence[int] = "all",
    variants: Sequence[str] = ("channel",),
    param: ParamLike = None,
    transforms: TransformsLike = None,
    steps: int = 256,
    lr: float = 0.05,
    constraints: ConstraintsLike = (),
    batch: int = 8,
    seed: int = 0,
    precision: str = "float32",
    workers: int = 1,
    threads: int = 1,
    report: Report | None = None,
) -> Gallery:
    """Render every unit of some layers into a folder of static pages; the same call goes on where it was interrupted.

    Args:
        model: The network: a `Model`, a module, or a name for `load_model`.
        folder: Where the pages shall stand.
        layers: Addresses or modules; every convolution and linear layer where None.
        units: ``"all"``, a text such as ``"0-63"``, or numbers.
        variants: Of ``channel``, ``negative`` and ``diversity``, or objectives with places for the layer and the unit,
            such as ``neuron({layer}, {unit})``; the first stands for a unit in grids.
        param: What makes the images, or its text; the network's size, Fourier, decorrelated, where None.
        transforms: What the images go through; Lucid's standard pipeline where None.
        steps: The number of updates of each picture.
        lr: The step size.
        constraints: What the images are held to after each step, or its text.
        batch: How many images are computed together.
        seed: The gallery's; each picture's own is made from it, the layer, the unit and the variant.
        precision: What the network computes in: ``float32``, ``bfloat16`` or ``float16``.
        workers: How many processes work side by side; more than one needs a network that can be loaded by name.
        threads: How many threads compute in each of them.
        report: Called after each batch with the number done, the number of all, and the batch.

    Returns:
        The gallery.

    Raises:
        BadInputError: Anything does not fit; nothing was rendered then.
    """
    network = model if isinstance(model, Model) else load_model(model)
    chosen = parse_param(param) if isinstance(param, str) else param
    held = read_constraints(constraints)
    pipeline, schedule = read_pipeline(transforms), Schedule(steps, lr)
    craft = Craft(chosen, pipeline, schedule, threads, network_key(network), precision, held)
    batches = plan(network, layers, units, variants, batch, seed)
    return _made(network, batches, craft, Path(folder), workers, report)


def _made(
    model: Model, batches: Sequence[Batch], craft: Craft, folder: Path, workers: int, report: Report | None
) -> Gallery:
    jobs = [settle(model, first.task(craft)) for first in _first_of_each(batches)]
    named = {batch.name: batch for batch in batches}
    tasks = [batch.task(craft) for batch in batches]
    check_output_folder(folder)
    remove_leftovers(folder)
    records: dict[str, Record] = {}
    interrupted = False
    try:
        with contextlib.closing(work_through(model, tasks, folder, workers)) as finished:
            for done, record in finished:
                records[done.name] = record
                if report is not None:
                    report(len(records), len(batches), named[done.name])
    except KeyboardInterrupt:
        interrupted = True
        records |= _found_before([task for task in tasks if task.name not in records], folder)
    site = _site(model, batches, records, jobs[0], folder)
    found = [picture for layer in site.layers for unit in layer.units for picture in unit.pictures]
    return Gallery(publish(site, folder), len(found), sum(picture.dead for picture in found), interrupted)


def _found_before(tasks: Sequence[Task], folder: Path) -> dict[str, Record]:
    """What stands in the folder already: an interrupted gallery shows no less than it did before."""
    found = {task.name: finished_task(task, folder) for task in tasks}
    return {name: record for name, record in found.items() if record is not None}


def _first_of_each(batches: Sequence[Batch]) -> list[Batch]:
    """One batch for each layer and variant: if these fit, all do."""
    return list({(batch.layer, batch.variant): batch for batch in reversed(batches)}.values())[::-1]


def _site(model: Model, batches: Sequence[Batch], records: Records, job: Job, folder: Path) -> Site:
    pages = []
    for layer in dict.fromkeys(batch.layer for batch in batches):
        done = [batch for batch in batches if batch.layer == layer and batch.name in records]
        record = model.layers[layer]
        field = "" if record.receptive_field is None else str(record.receptive_field)
        units = _units(model, layer, done, records, folder, job.schedule.steps)
        pages.append(LayerPage(layer, record.kind, record.shape, field, units))
    return Site(f"{model.name}: what each unit looks for", model.name, _summary(model, job), tuple(pages))


def _units(
    model: Model, layer: str, batches: Sequence[Batch], records: Records, folder: Path, steps: int
) -> tuple[Unit, ...]:
    pictures: dict[int, list[Picture]] = {}
    for batch in batches:
        for unit, entry in zip(batch.units, records[batch.name]["pictures"], strict=True):
            pictures.setdefault(unit, []).append(_picture(batch, unit, entry, folder, steps))
    labels = class_names(model, layer)
    return tuple(Unit(index, labels[index] if labels else None, tuple(pictures[index])) for index in sorted(pictures))


def class_names(model: Model, layer: str) -> list[str] | None:
    """Find the names of a layer's units, where these are the classes.

    Args:
        model: The network.
        layer: The address of the layer.

    Returns:
        The labels, where the layer is the scores themselves or the last linear layer, and has a channel for each.
    """
    table = model.layers
    record = table[layer]
    last = [one.address for one in table.values() if one.kind == "Linear"][-1:]
    scores = [table[LOGITS].address] if LOGITS in table else []
    if model.labels is None or record.address not in (*last, *scores) or record.channels != len(model.labels):
        return None
    return model.labels


def _picture(batch: Batch, unit: int, entry: Record, folder: Path, steps: int) -> Picture:
    recipe = read_png_text(folder / entry["file"])
    return Picture(
        variant=batch.variant,
        file=entry["file"],
        objective=repr(batch.objective_of(unit)),
        seed=entry["seed"],
        score=entry["score"],
        curve=tuple(entry["curve"]),
        dead=entry["dead"],
        recipe=recipe,
        note=batch.note,
        steps=steps,
    )


def _summary(model: Model, job: Job) -> dict[str, str]:
    source = "given in Python" if model.source is None else model.source.weights
    return {
        "weights": source,
        "picture": f"{' x '.join(map(str, job.param.size))} pixels",
        "steps": str(job.schedule.steps),
        "step size": f"{job.schedule.lr:g}",
        "precision": job.precision.name,
        "param": repr(job.param.resized(batch=1)),
        "transforms": repr(job.pipeline) if job.pipeline.is_text else "given in Python",
        "constraints": repr(job.constraints) or "none",
        "versions": ", ".join(f"{name} {version}" for name, version in versions().items()),
    }
