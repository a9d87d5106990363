"""The front door to galleries: every unit of whole layers as a folder of pages."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from lucidtorch.base.checks import Threads, checked
from lucidtorch.base.errors import noting
from lucidtorch.base.images import read_png_text
from lucidtorch.base.records import versions
from lucidtorch.base.trust import trusting
from lucidtorch.galleries.beside import Beside, marked
from lucidtorch.galleries.examples import Examples, ScanLike
from lucidtorch.galleries.folder import GalleryFolder
from lucidtorch.galleries.plan import Batch, Place, class_names, plan, replanned
from lucidtorch.galleries.site import LayerPage, Picture, Site, Unit, publish
from lucidtorch.galleries.task import Craft
from lucidtorch.galleries.unit_examples import Row, UnitExamples, kept_row
from lucidtorch.galleries.work import Record, check_workers, settle, work_through
from lucidtorch.models.layers.table import LayerLike
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model, network_key
from lucidtorch.models.sources.model_source import file_facts
from lucidtorch.param.text import parse as parse_param
from lucidtorch.rendering.job import ConstraintsLike, Job, ParamLike, TransformsLike, read_constraints, read_pipeline
from lucidtorch.rendering.networks import NetworkLike
from lucidtorch.rendering.settings import Engine, Schedule, takes_old_words
from lucidtorch.runs.folder import GALLERY, check_folder, kept_in_place
from lucidtorch.scanning.source import Data

Report: TypeAlias = Callable[[int, int, Batch], None]


@dataclass(frozen=True)
class _Done:
    """A finished batch: the record of its pictures, and what stands beside them; nothing where empty."""

    batch: Batch
    record: Record
    row: Row = ()
    words: str = ""

    @property
    def places(self) -> set[Place]:
        """The pictures that it holds."""
        return {(self.batch.layer, self.batch.variant, unit) for unit in self.batch.units}


@dataclass(frozen=True)
class Gallery:
    """A finished gallery, or as much of it as there was time for.

    Args:
        index: The page to open.
        units: How many pictures it shows, those of earlier calls included.
        dead: How many of them are of dead units.
        interrupted: Whether it was interrupted; the same call goes on where it stopped.
        moved: Where an earlier gallery of another network or of other settings was moved to that stood in the folder,
            or None.
    """

    index: Path
    units: int
    dead: int
    interrupted: bool
    moved: Path | None = None


@takes_old_words
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
    lr: float = Schedule.lr,
    optimizer: str = Schedule.optimizer,
    lr_schedule: str = Schedule.lr_schedule,
    stop: str = Schedule.stop,
    constraints: ConstraintsLike = (),
    batch: int = 8,
    seed: int = 0,
    engine: Engine = Engine(),
    workers: Threads = 1,
    threads: Threads = 1,
    scan: ScanLike | None = None,
    data: Data | None = None,
    trust: bool = False,
    report: Report | None = None,
) -> Gallery:
    """Render every unit of some layers into a folder of static pages; the same call goes on where it was interrupted.

    A call with the same network and settings adds its layers, units and variants to the gallery that stands in the
    folder. A gallery of another network or of other settings is moved beside the folder first.

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
        engine: How the network is executed: its precision, how many images at once, and in which form.
        workers: How many processes work side by side; more than one needs a network that can be loaded by name.
        threads: How many threads compute in each of them.
        scan: A finished scan of this network, or its folder: real images then stand beside the pictures of single units
            in its layers, with the unit's activation on the picture next to those on the data.
        data: The images of the scan, where only a Python program has them.
        trust: Whether images outside of the folder of the scan are opened because it names them, and modules imported
            because a gallery that stands in the folder does.
        report: Called after each batch with the number done, the number of all, and the batch.

    Returns:
        The gallery.

    Raises:
        BadInputError: Anything does not fit, the scan is of another network, or the folder holds something else under a
            name that a gallery needs; nothing was rendered then.
        WriteError: The disk is full, or the folder was removed meanwhile.
    """
    check_workers(workers)
    check_folder(Path(folder), GALLERY)
    network = model if isinstance(model, Model) else load_model(model)
    chosen = parse_param(param) if isinstance(param, str) else param
    held = read_constraints(constraints)
    pipeline, schedule = read_pipeline(transforms), Schedule(steps, lr, optimizer, (), lr_schedule, stop)
    craft = Craft(chosen, pipeline, schedule, threads, network_key(network), engine, held)
    batches = plan(network, layers, units, variants, batch, seed)
    examples = None if scan is None else Examples.open(scan, network, data, trust=trust)
    jobs = [settle(network, first.task(craft)) for first in _first_of_each(batches)]
    check_workers(workers, network if len(batches) > 1 else None)
    with trusting(trust):
        made, moved = GalleryFolder.claimed(Path(folder), network, craft, batch, seed, batches)
    sides = None if examples is None else UnitExamples(examples, made.path, jobs[0].param.size, threads)
    with kept_in_place(made.path, GALLERY):
        done, interrupted = _rendered(made, batches, sides, workers, report)
        site = _site(made, done, jobs[0])
        found = [picture for layer in site.layers for unit in layer.units for picture in unit.pictures]
        index = publish(site, made.path)
    return Gallery(index, len(found), sum(picture.dead for picture in found), interrupted, moved)


def _rendered(
    held: GalleryFolder, asked: Sequence[Batch], sides: UnitExamples | None, workers: int, report: Report | None
) -> tuple[list[_Done], bool]:
    """Render what is missing of the batches that were asked for; all that is finished, and whether it was interrupted.

    A unit that is shown already is not made again in another batch, which would give the first batch another file.
    """
    done: dict[str, _Done] = {}
    try:
        for batch, record in held.finished():
            done[batch.name] = _Done(batch, record, *kept_row(held.path, batch.name, record))
        wanted = {(one.layer, one.variant, unit) for one in asked for unit in one.units}
        known = [one for one in done.values() if one.places & wanted]
        covered = {place for one in known for place in one.places}
        missing = replanned(held.model, asked, covered, held.size, held.seed, held.bits)
        total, count = len(known) + len(missing), 0
        named = {batch.name: batch for batch in missing}
        tasks = [batch.task(held.craft) for batch in missing]
        with contextlib.closing(work_through(held.model, tasks, held.path, workers)) as working:
            rendered = ((named[task.name], record) for task, record in working)
            for batch, record in itertools.chain(((one.batch, one.record) for one in known), rendered):
                if sides is not None:
                    done[batch.name] = _Done(batch, record, sides.made(batch, record), sides.examples.words)
                elif batch.name not in done:
                    done[batch.name] = _Done(batch, record)
                count += 1
                if report is not None:
                    with noting("raised by report"):
                        report(count, total, batch)
    except KeyboardInterrupt:
        for batch, record in held.finished():  # also what workers had finished and nobody had heard of
            done.setdefault(batch.name, _Done(batch, record, *kept_row(held.path, batch.name, record)))
        return list(done.values()), True
    return list(done.values()), False


def _first_of_each(batches: Sequence[Batch]) -> list[Batch]:
    """One batch for each layer and variant: if these fit, all do."""
    return list({(batch.layer, batch.variant): batch for batch in reversed(batches)}.values())[::-1]


def _site(held: GalleryFolder, done: Sequence[_Done], job: Job) -> Site:
    pages = []
    for layer in held.layers:
        own = [
            one for variant in held.variants for one in done if (one.batch.layer, one.batch.variant) == (layer, variant)
        ]
        record = held.model.layers[layer]
        field = "" if record.receptive_field is None else str(record.receptive_field)
        units = _units(held.model, layer, own, held.path, job.schedule.steps)
        pages.append(LayerPage(layer, record.kind, record.shape, field, units))
    words = " ".join(dict.fromkeys(one.words for one in done if one.words))
    return Site(
        f"{held.model.name}: what each unit looks for", held.model.name, _summary(held.model, job), tuple(pages), words
    )


def _units(model: Model, layer: str, done: Sequence[_Done], folder: Path, steps: int) -> tuple[Unit, ...]:
    pictures: dict[int, list[Picture]] = {}
    for one in done:
        row = one.row or (None,) * len(one.batch.units)
        for unit, entry, beside in zip(one.batch.units, one.record["pictures"], row, strict=True):
            pictures.setdefault(unit, []).append(_picture(one.batch, unit, entry, beside, folder, steps))
    labels = class_names(model, layer)
    return tuple(
        Unit(index, labels[index] if labels else None, _without_repeats(pictures[index])) for index in sorted(pictures)
    )


def _without_repeats(pictures: Sequence[Picture]) -> tuple[Picture, ...]:
    row = marked([one.beside for one in pictures])
    return tuple(replace(one, beside=beside) for one, beside in zip(pictures, row, strict=True))


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
    return {
        **file_facts(model.source),
        "picture": f"{' x '.join(map(str, job.param.size))} pixels",
        "steps": str(job.schedule.steps),
        "step size": f"{job.schedule.lr:g}",
        "precision": job.engine.precision,
        "param": repr(job.param.resized(batch=1)),
        "transforms": repr(job.pipeline) if job.pipeline.is_text else "given in Python",
        "constraints": repr(job.constraints) or "none",
        "versions": ", ".join(f"{name} {version}" for name, version in versions().items()),
    }
