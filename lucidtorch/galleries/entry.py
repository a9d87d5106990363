"""The front door to galleries: every unit of whole layers as a folder of pages."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from lucidtorch.base.bounds import Threads
from lucidtorch.base.checks import checked
from lucidtorch.base.files import check_output_folder, remove_leftovers
from lucidtorch.base.images import read_png_text
from lucidtorch.base.settings import versions
from lucidtorch.datasets.scans.source import Data
from lucidtorch.galleries.beside import Beside, marked
from lucidtorch.galleries.examples import Examples, ScanLike
from lucidtorch.galleries.plan import Batch, plan
from lucidtorch.galleries.site import LayerPage, Picture, Site, Unit, publish
from lucidtorch.galleries.task import Craft, Task
from lucidtorch.galleries.unit_examples import Row, UnitExamples
from lucidtorch.galleries.work import Record, finished_task, settle
from lucidtorch.galleries.workers import work_through
from lucidtorch.models.checksum import network_key
from lucidtorch.models.layers.directory import LOGITS
from lucidtorch.models.layers.table import LayerLike
from lucidtorch.models.model import Model
from lucidtorch.models.sources.loading import load_model
from lucidtorch.param.text import parse as parse_param
from lucidtorch.rendering.engine import Batches, Engine
from lucidtorch.rendering.job import Job
from lucidtorch.rendering.networks import NetworkLike
from lucidtorch.rendering.preparation import ConstraintsLike, ParamLike, TransformsLike, read_constraints, read_pipeline
from lucidtorch.rendering.schedule import Schedule

Report: TypeAlias = Callable[[int, int, Batch], None]


@dataclass(frozen=True)
class _Done:
    """What there is of a batch: the record of its pictures, and what stands beside them; nothing where empty."""

    record: Record
    row: Row


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


@checked
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
    optimizer: str = "adam",
    lr_schedule: str = "constant",
    stop: str = "",
    constraints: ConstraintsLike = (),
    batch: int = 8,
    seed: int = 0,
    precision: str = "float32",
    compute_batch: Batches | None = None,
    channels_last: bool = True,
    fold: bool = True,
    winograd: bool = True,
    compile: bool = False,
    workers: Threads = 1,
    threads: Threads = 1,
    scan: ScanLike | None = None,
    data: Data | None = None,
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
        lr: The step size; where it changes, the largest.
        optimizer: ``adam`` or ``sgd``, with arguments where wanted.
        lr_schedule: How the step size goes over the updates: ``constant``, ``cosine`` or ``trapezoid``.
        stop: When a picture goes no further: ``plateau``; never where empty.
        constraints: What the images are held to after each step, or its text.
        batch: How many pictures are made together, as one piece of work.
        seed: The gallery's; each picture's own is made from it, the layer, the unit and the variant.
        precision: What the network computes in: ``float32``, ``bfloat16`` or ``float16``.
        compute_batch: How many images go through the network at once; chosen by the size of its activations where None.
        channels_last: Whether convolutions work with the channels of a place side by side in memory.
        fold: Whether batch normalizations become parts of the convolutions before them.
        winograd: Whether wide 3 x 3 convolutions go Winograd's way on a CPU, which rounds a little coarser.
        compile: Whether the network is compiled, which takes a minute at first in each process.
        workers: How many processes work side by side; more than one needs a network that can be loaded by name.
        threads: How many threads compute in each of them.
        scan: A finished scan of this network, or its folder: real images then stand beside the pictures of single units
            in its layers, with the unit's activation on the picture next to those on the data.
        data: The images of the scan, where only a Python program has them.
        report: Called after each batch with the number done, the number of all, and the batch.

    Returns:
        The gallery.

    Raises:
        BadInputError: Anything does not fit, or the scan is of another network; nothing was rendered then.
    """
    network = model if isinstance(model, Model) else load_model(model)
    chosen = parse_param(param) if isinstance(param, str) else param
    held = read_constraints(constraints)
    pipeline, schedule = read_pipeline(transforms), Schedule(steps, lr, optimizer, (), lr_schedule, stop)
    engine = Engine(precision, compute_batch, channels_last, fold, winograd, compile)
    craft = Craft(chosen, pipeline, schedule, threads, network_key(network), engine, held)
    batches = plan(network, layers, units, variants, batch, seed)
    examples = None if scan is None else Examples.open(scan, network, data)
    return _made(network, batches, craft, examples, Path(folder), workers, report)


def _made(
    model: Model,
    batches: Sequence[Batch],
    craft: Craft,
    examples: Examples | None,
    folder: Path,
    workers: int,
    report: Report | None,
) -> Gallery:
    jobs = [settle(model, first.task(craft)) for first in _first_of_each(batches)]
    named = {batch.name: batch for batch in batches}
    tasks = {name: batch.task(craft) for name, batch in named.items()}
    sides = None if examples is None else UnitExamples(examples, folder, jobs[0].param.size, craft.threads)
    check_output_folder(folder)
    remove_leftovers(folder)
    done: dict[str, _Done] = {}
    interrupted = False
    try:
        with contextlib.closing(work_through(model, list(tasks.values()), folder, workers)) as finished:
            for task, record in finished:
                batch = named[task.name]
                done[task.name] = _Done(record, () if sides is None else sides.made(batch, record))
                if report is not None:
                    report(len(done), len(batches), batch)
    except KeyboardInterrupt:
        interrupted = True
        done |= _found_before([batch for batch in batches if batch.name not in done], tasks, sides, folder)
    site = _site(model, batches, done, jobs[0], folder, "" if examples is None else examples.words)
    found = [picture for layer in site.layers for unit in layer.units for picture in unit.pictures]
    return Gallery(publish(site, folder), len(found), sum(picture.dead for picture in found), interrupted)


def _found_before(
    batches: Sequence[Batch], tasks: Mapping[str, Task], sides: UnitExamples | None, folder: Path
) -> dict[str, _Done]:
    """What stands in the folder already: an interrupted gallery shows no less than it did before."""
    found = {}
    for batch in batches:
        record = finished_task(tasks[batch.name], folder)
        if record is not None:
            row = None if sides is None else sides.found(batch, record)
            found[batch.name] = _Done(record, row or ())
    return found


def _first_of_each(batches: Sequence[Batch]) -> list[Batch]:
    """One batch for each layer and variant: if these fit, all do."""
    return list({(batch.layer, batch.variant): batch for batch in reversed(batches)}.values())[::-1]


def _site(
    model: Model, batches: Sequence[Batch], done: Mapping[str, _Done], job: Job, folder: Path, words: str
) -> Site:
    pages = []
    for layer in dict.fromkeys(batch.layer for batch in batches):
        own = [(batch, done[batch.name]) for batch in batches if batch.layer == layer and batch.name in done]
        record = model.layers[layer]
        field = "" if record.receptive_field is None else str(record.receptive_field)
        units = _units(model, layer, own, folder, job.schedule.steps)
        pages.append(LayerPage(layer, record.kind, record.shape, field, units))
    return Site(f"{model.name}: what each unit looks for", model.name, _summary(model, job), tuple(pages), words)


def _units(model: Model, layer: str, done: Sequence[tuple[Batch, _Done]], folder: Path, steps: int) -> tuple[Unit, ...]:
    pictures: dict[int, list[Picture]] = {}
    for batch, own in done:
        row = own.row or (None,) * len(batch.units)
        for unit, entry, beside in zip(batch.units, own.record["pictures"], row, strict=True):
            pictures.setdefault(unit, []).append(_picture(batch, unit, entry, beside, folder, steps))
    labels = class_names(model, layer)
    return tuple(
        Unit(index, labels[index] if labels else None, _without_repeats(pictures[index])) for index in sorted(pictures)
    )


def _without_repeats(pictures: Sequence[Picture]) -> tuple[Picture, ...]:
    row = marked([one.beside for one in pictures])
    return tuple(replace(one, beside=beside) for one, beside in zip(pictures, row, strict=True))


def class_names(model: Model, layer: str) -> list[str] | None:
    """Find the names of a layer's units, where these are the classes.

    Args:
        model: The network.
        layer: The address of the layer.

    Returns:
        The labels, where the layer is a head, the scores, or the last linear layer with a channel for each.
    """
    table = model.layers
    record = table[layer]
    if names := model.classes_of(layer):
        return list(names)
    last = [one.address for one in table.values() if one.kind == "Linear"][-1:]
    scores = [table[LOGITS].address] if LOGITS in table else []
    if model.labels is None or record.address not in (*last, *scores) or record.channels != len(model.labels):
        return None
    return model.labels


def _picture(batch: Batch, unit: int, entry: Record, beside: Beside | None, folder: Path, steps: int) -> Picture:
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
        beside=beside,
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
