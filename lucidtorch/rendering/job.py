"""A job: everything that decides the pictures of a render, checked before any work.

Pictures carry it as a record, whose schema is here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias, get_origin

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from lucidtorch.base.arrays import Array
from lucidtorch.base.defaults import record_text, with_defaults
from lucidtorch.base.errors import BadInputError, ImageError, ObjectiveError, SizeError
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
from lucidtorch.base.seeds import image_seeds
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import PLANE, Size, size_text
from lucidtorch.constraints.constraint import ConstraintLike, Constraints
from lucidtorch.constraints.text import parse as parse_constraints
from lucidtorch.models.inputs.convention import USUAL_SIDE
from lucidtorch.models.model import Model
from lucidtorch.models.running.address import Address
from lucidtorch.models.running.frozen import Attempt
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.images import Grid
from lucidtorch.objectives.joins import without_of
from lucidtorch.objectives.references import INPUT
from lucidtorch.objectives.term import Term
from lucidtorch.objectives.text import parse as parse_objective
from lucidtorch.param.images import image
from lucidtorch.param.param import Param
from lucidtorch.param.text import parse as parse_param
from lucidtorch.rendering import checks
from lucidtorch.rendering.checks import BatchDependence, Probe
from lucidtorch.rendering.networks import ONLY, ModelLike, Networks
from lucidtorch.rendering.settings import Engine, Schedule, options_of, sensible_batch, with_fields
from lucidtorch.transforms import background, crop_or_pad_to, standard
from lucidtorch.transforms.text import parse as parse_transforms
from lucidtorch.transforms.transform import Pipeline, Transform, TransformLike

ParamLike: TypeAlias = Param | str | None
TransformsLike: TypeAlias = TransformLike | Iterable[TransformLike] | str | None
ConstraintsLike: TypeAlias = ConstraintLike | Iterable[ConstraintLike] | str
TRIED_FIRST = (USUAL_SIDE, USUAL_SIDE)
UNSTATED_SIZE = 128  # the size of a picture for a network that does not say what it takes
KNOWN_PACKAGES = ("lucidtorch", "torch", "torchvision", "timm", "transformers")


@dataclass(frozen=True)
class Job:
    """Everything that decides a render."""

    networks: Networks
    objective: Objective  # as it was asked for, and prints
    goal: Objective  # the same with class names, networks and grids looked up, as it is computed
    addresses: Mapping[str, Address]  # of the layers that it needs
    param: Param  # unfilled; the render works on a copy
    pipeline: Pipeline
    schedule: Schedule
    seeds: tuple[int, ...]  # one per image
    engine: Engine  # with a compute batch
    dependence: BatchDependence
    constraints: Constraints

    @property
    def canvas(self) -> Size:
        """The height and width that the networks see; of clips and volumes, frames or slices before them."""
        return self.pipeline.output_size(self.param.size)

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The large arrays that the texts name: they are saved as files of their own."""
        named = [array for node in self.objective.walk() for array in arrays_of(node)]
        found = (*named, *self.param.arrays, *self.constraints.arrays)
        return tuple(dict.fromkeys(one for one in found if not one.is_inline))

    @property
    def draws_from_torch_alone(self) -> bool:
        """Whether all code that runs is known, and draws from no global random state but torch's."""
        modules = [part for model in self.networks.models.values() for part in model.module.modules()]
        homes = [
            *(type(one).__module__ for one in modules),
            *(term.definition.function.__module__ for term in checks.terms_of(self.goal)),
            *(type(one).__module__ for one in (*self.param.modules(), *self.pipeline.steps, *self.constraints.steps)),
        ]
        known = all(home.partition(".")[0] in KNOWN_PACKAGES for home in homes)
        given = all(model.is_data for model in self.networks.models.values())
        return known and given and self.param.is_text and self.pipeline.is_text

    def record(self) -> Settings:
        """Write down everything that decides the bytes of the pictures of a render."""
        sources = {
            name: None if model.source is None else model.source.portable().to_dict()
            for name, model in self.networks.models.items()
        }
        texts = {
            "objective": record_text(self.objective),
            "param": record_text(self.param) if self.param.is_text else None,
            "transforms": record_text(self.pipeline) if self.pipeline.is_text else None,
            "constraints": record_text(self.constraints),
        }
        return {
            "kind": "render",
            "model": sources.get(ONLY),
            "models": None if ONLY in sources or None in sources.values() else sources,
            "model_name": self.networks.name,
            **texts,
            **defined_by(*texts.values()),
            "complete": True,
            **self.schedule.to_dict(),
            "seed": list(self.seeds),
            "batch": self.param.batch,
            "canvas": list(self.canvas),
            **self.engine.to_dict(),
            "device": self.networks.device.type,
            "threads": torch.get_num_threads(),
            "versions": versions(),
        }


def arrays_of(node: Objective) -> list[Array]:
    """List the arrays among the arguments of one node of an expression."""
    if isinstance(node, Grid):
        return [node.image]
    return [value for _, value in node.arguments if isinstance(value, Array)] if isinstance(node, Term) else []


def prepare(
    model: ModelLike,
    objective: Objective | str,
    param: ParamLike,
    transforms: TransformsLike,
    schedule: Schedule,
    seed: int | Sequence[int],
    *,
    engine: Engine = Engine(),
    constraints: ConstraintsLike = (),
    folder: Path | None = None,
) -> Job:
    """Settle and check everything before any work; the arguments are those of `render`."""
    networks = Networks.of(model)
    wanted = parse_objective(objective, folder) if isinstance(objective, str) else objective
    if not isinstance(wanted, Objective):
        raise ObjectiveError(
            f"An objective or its text is needed, but {shown(objective)} was given; write for example channel('a', 0)."
        )
    wanted = wanted.mapped(lambda node: _with_addresses(node, networks))
    asked = without_of(wanted).mapped(lambda node: _with_numbers(node, networks))
    engine.computing.check(networks.device)
    needed = networks.in_order([layer for layer in asked.layers if layer != INPUT])
    networks.addresses(needed)  # a misspelt one stops here
    goal = asked.mapped(lambda node: _with_directions(node, networks, engine))
    pipeline = read_pipeline(transforms)
    chosen = _param(param, goal, networks, pipeline, folder)
    held = read_constraints(constraints, folder)
    checks.check_constraints(held, chosen)
    probe = Probe(networks, needed, goal, chosen, engine)
    default = background() | standard() if chosen.alpha else standard()
    fallback = None if pipeline is not None else default | _fixed(networks.first.convention.size)
    settled = probe.settle(default if pipeline is None else pipeline, fallback)
    if param is None and settled is fallback:  # of one size only, so that a picture of another would be cut
        chosen = image(networks.first.convention.size, batch=chosen.batch, channels=chosen.channels)
    checks.check_pictures(goal, chosen, settled)
    checks.check_views(goal, settled)
    seeds = image_seeds(seed, chosen.batch)
    checks.advise(without_of(wanted), networks, chosen.batch)
    addresses = networks.addresses(needed, settled.output_size(chosen.size))
    running, dependence = _settled_engine(probe, settled)
    return Job(networks, wanted, goal, addresses, chosen, settled, schedule, seeds, running, dependence, held)


def _with_addresses(node: Objective, networks: Networks) -> Objective:
    """Write the addresses of modules that were given as such."""
    if not isinstance(node, Term):
        return node
    given = {name: value for name, value in node.arguments if isinstance(value, nn.Module)}
    return node.replaced(**{name: networks.address_of(one) for name, one in given.items()}) if given else node


def _with_numbers(node: Objective, networks: Networks) -> Objective:
    """Look the class names of a `logit` up in its network's labels."""
    if not isinstance(node, Term) or node.name != "logit":
        return node
    arguments: dict[str, Any] = dict(node.arguments)
    label, layer = arguments["label"], arguments["layer"]
    if isinstance(label, tuple):
        return node.replaced(label=tuple(networks.label_index(one, layer) for one in label))
    return node.replaced(label=networks.label_index(label, layer))


def _with_directions(node: Objective, networks: Networks, engine: Engine) -> Objective:
    """Put the activations of the picture of a `grid` in its place."""
    if not isinstance(node, Grid):
        return node
    picture = torch.tensor(node.image.numpy(), dtype=torch.float32, device=networks.device)[None]
    channels, size = picture.shape[1], tuple(picture.shape[2:])
    if channels != networks.first.convention.channels:
        raise ImageError(
            f"The picture of `grid` has {channels} channels, but {networks.name} takes "
            f"{networks.first.convention.channels}."
        )
    found: Tensor | None = None
    addresses = networks.addresses([node.layer], size)
    with networks.capturing(addresses, engine) as forward, torch.no_grad(), Attempt() as attempt:
        found = forward(picture)[node.layer]
    if found is None:
        raise SizeError(f"{networks.name} does not take a picture of {size_text(size)} pixels ({attempt.reason}).")
    return node.directions(found)


def read_pipeline(transforms: TransformsLike) -> Pipeline | None:
    """Make a pipeline of whatever a caller may give for one."""
    if transforms is None:
        return None
    return parse_transforms(transforms) if isinstance(transforms, str) else Pipeline.of(transforms)


def read_constraints(constraints: ConstraintsLike, folder: Path | None = None) -> Constraints:
    """Make constraints of whatever a caller may give for them."""
    return parse_constraints(constraints, folder) if isinstance(constraints, str) else Constraints.of(constraints)


def default_size(model: Model) -> Size:
    """Choose the default size of a picture."""
    size = model.convention.size
    return size if model.size_known or size != TRIED_FIRST else (UNSTATED_SIZE, UNSTATED_SIZE)


def _param(
    param: ParamLike, goal: Objective, networks: Networks, pipeline: Pipeline | None, folder: Path | None
) -> Param:
    channels = networks.first.convention.channels
    if param is None:
        sizes = [picture.shape[-PLANE:] for picture in checks.pictures_of(goal)]
        param = image(sizes[0] if sizes else default_size(networks.first), channels=channels)
    elif isinstance(param, str):
        param = parse_param(param, folder)
    if not isinstance(param, Param):
        raise BadInputError(
            f"A param or its text is needed, but {shown(param)} was given; write for example param.image(128)."
        )
    checks.check_channels(param, pipeline, channels, networks.name)
    images = goal.images
    batch = images.number
    if batch is not None and param.batch == 1:
        param = param.resized(batch=batch)
    if images.exactly not in (None, param.batch) or param.batch < images.at_least:
        raise BadInputError(
            f"The objective speaks of {batch} images and the param makes {param.batch}; write batch={batch}."
        )
    networks.check_batch(param.batch)
    return param


def _fixed(size: Size) -> Transform:
    """Bring a canvas to the only size that a network takes."""
    found: Transform = with_defaults(crop_or_pad_to.__name__, crop_or_pad_to)(*size[-PLANE:])
    return found


def _settled_engine(probe: Probe, pipeline: Pipeline) -> tuple[Engine, BatchDependence]:
    """Choose how many images are computed at once by default, and find out how they depend on each other."""
    networks, batch, batches = probe.networks, probe.param.batch, probe.engine.batches
    dependence = BatchDependence.INSEPARABLE
    if batch > 1 and networks.takes_parts:
        dependence = checks.batch_dependence(probe.goal, pipeline, probe.maps)
    sensible = batch
    if networks.device.type == "cpu" and dependence is not BatchDependence.INSEPARABLE and not batches:
        largest = networks.largest(probe.layers, pipeline.output_size(probe.param.size))
        sensible = sensible_batch(largest * pipeline.views, batch)
    batches = {start: min(one, batch) for start, one in (batches or {1: sensible}).items()}
    if min(batches.values()) < batch:
        if dependence is BatchDependence.INSEPARABLE:
            raise ObjectiveError(
                f"All {batch} images must go through the network at once here, since the objective takes gradients "
                f"inside of it, a function of others is among the transforms, or an extra input has a row for each "
                f"image; leave compute_batch out."
            )
        if dependence is BatchDependence.JOINT and not probe.engine.batches:  # a second forward pass costs too much
            batches = {1: batch}
    return probe.engine.with_batches(batches), dependence


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
