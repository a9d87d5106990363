"""What a render will do, settled and checked before its first step."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import nn

from lucidtorch.base.arrays import Array
from lucidtorch.base.errors import BadInputError, ImageError, LucidtorchWarning, ObjectiveError
from lucidtorch.base.seeds import image_seeds
from lucidtorch.base.settings import Settings, versions
from lucidtorch.base.sizes import PLANE, Size
from lucidtorch.models.layers.address import Address
from lucidtorch.models.model import Model
from lucidtorch.models.running.precision import Precision
from lucidtorch.models.sources.guesses import USUAL_SIDE
from lucidtorch.models.sources.loading import load_model
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.counts import Images
from lucidtorch.objectives.images import Each, diversity
from lucidtorch.objectives.picture import INPUT
from lucidtorch.objectives.term import Term
from lucidtorch.objectives.text import parse as parse_objective
from lucidtorch.param.images import image
from lucidtorch.param.param import Param
from lucidtorch.param.text import parse as parse_param
from lucidtorch.rendering.probe import Probe
from lucidtorch.rendering.schedule import Schedule
from lucidtorch.transforms.geometry import crop_or_pad_to
from lucidtorch.transforms.pipeline import standard
from lucidtorch.transforms.text import parse as parse_transforms
from lucidtorch.transforms.transform import Pipeline, TransformLike

ModelLike: TypeAlias = "Model | nn.Module | str"
ParamLike: TypeAlias = "Param | str | None"
TransformsLike: TypeAlias = "TransformLike | Iterable[TransformLike] | str | None"
TRIED_FIRST = (USUAL_SIDE, USUAL_SIDE)
UNSTATED_SIZE = 128  # the size of a picture for a network that does not say what it takes


@dataclass(frozen=True)
class Job:
    """Everything that decides a render.

    Args:
        model: The network.
        objective: What was asked for, as it prints.
        goal: The same with class names looked up, as it is computed.
        addresses: Where the layers are that it needs.
        param: The unfilled param; the render works on a copy.
        pipeline: What the images go through.
        schedule: How it steps.
        seeds: One per image.
        precision: What the network computes in.
    """

    model: Model
    objective: Objective
    goal: Objective
    addresses: Mapping[str, Address]
    param: Param
    pipeline: Pipeline
    schedule: Schedule
    seeds: tuple[int, ...]
    precision: Precision = Precision()  # noqa: RUF009  # a frozen value

    @property
    def canvas(self) -> Size:
        """The height and width that the network sees; of clips and volumes, frames or slices before them."""
        return self.pipeline.output_size(self.param.size)

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The large arrays that the texts name and that must stand beside a picture."""
        values = [value for node in self.objective.walk() if isinstance(node, Term) for _, value in node.arguments]
        named = [value for value in values if isinstance(value, Array)]
        return tuple(dict.fromkeys(one for one in (*named, *self.param.arrays) if not one.is_inline))

    def settings(self) -> Settings:
        """Write down everything that decides the bytes of the pictures.

        Returns:
            Plain numbers, texts, lists and mappings.
        """
        source = self.model.source
        return {
            "kind": "render",
            "model": None if source is None else source.to_dict(),
            "model_name": self.model.name,
            "objective": repr(self.objective),
            "param": repr(self.param),
            "transforms": repr(self.pipeline) if self.pipeline.is_text else None,
            "steps": self.schedule.steps,
            "snapshots": list(self.schedule.snapshots),
            "optimizer": self.schedule.optimizer,
            "lr": float(self.schedule.lr),
            "seed": list(self.seeds),
            "batch": self.param.batch,
            "canvas": list(self.canvas),
            "precision": self.precision.name,
            "device": self.model.device.type,
            "threads": torch.get_num_threads(),
            "versions": versions(),
        }


def prepare(
    model: ModelLike,
    objective: Objective | str,
    param: ParamLike,
    transforms: TransformsLike,
    schedule: Schedule,
    seed: int | Sequence[int],
    *,
    precision: str = "float32",
    folder: Path | None = None,
) -> Job:
    """Settle and check everything before any work; the arguments are those of `render`.

    Args:
        model: The network.
        objective: What the picture shall show, or its text.
        param: What makes the images, its text, or None for the default.
        transforms: What the images go through, as text, or None for the default.
        schedule: How it steps.
        seed: One number, or one per image.
        precision: What the network computes in.
        folder: Where the array files that a text names stand.

    Returns:
        The job.

    Raises:
        BadInputError: Anything in it does not fit; the message says what to write instead.
    """
    network = model if isinstance(model, Model) else load_model(model)
    wanted = parse_objective(objective, folder) if isinstance(objective, str) else objective
    if not isinstance(wanted, Objective):
        raise ObjectiveError(
            f"An objective or its text is needed, but {objective!r} was given; write for example channel('a', 0)."
        )
    wanted = wanted.mapped(lambda node: _with_addresses(node, network))
    goal = wanted.mapped(lambda node: _with_numbers(node, network))
    computing = Precision(precision)
    computing.check(network.device)
    needed = sorted((layer for layer in goal.layers if layer != INPUT), key=network.layers.order)
    network.addresses(needed, network.layers.size)  # a misspelt one stops here
    chosen = _param(param, wanted.images, network, folder)
    pipeline = read_pipeline(transforms)
    probe = Probe(network, needed, goal, chosen, computing)
    fallback = _fallback(pipeline, network)
    settled = probe.settle(standard() if pipeline is None else pipeline, fallback)
    if param is None and settled is fallback:  # of one size only, so that a picture of another would be cut
        chosen = image(network.convention.size, batch=chosen.batch, channels=chosen.channels)
    seeds = image_seeds(seed, chosen.batch)
    _warn(wanted, network, chosen.batch)
    addresses = network.addresses(needed, settled.output_size(chosen.size))
    return Job(network, wanted, goal, addresses, chosen, settled, schedule, seeds, computing)


def default_size(model: Model) -> Size:
    """Choose the size of a picture where nobody did.

    Args:
        model: The network.

    Returns:
        The network's own size; 128 x 128 for one that does not state it and takes the size that is tried first, and so
        presumably any.
    """
    size = model.convention.size
    return size if model.size_known or size != TRIED_FIRST else (UNSTATED_SIZE, UNSTATED_SIZE)


def _with_addresses(node: Objective, model: Model) -> Objective:
    """Write the addresses of modules that were given as such."""
    if not isinstance(node, Term):
        return node
    given = {name: value for name, value in node.arguments if isinstance(value, nn.Module)}
    return (
        node.replaced(**{name: model.layers.directory.name_of(value) for name, value in given.items()})
        if given
        else node
    )


def _with_numbers(node: Objective, model: Model) -> Objective:
    """Look the class names of a `logit` up in the model's labels."""
    if not isinstance(node, Term) or node.name != "logit":
        return node
    label: Any = dict(node.arguments)["label"]
    if isinstance(label, tuple):
        return node.replaced(label=tuple(model.label_index(one) for one in label))
    return node.replaced(label=model.label_index(label))


def _param(param: ParamLike, images: Images, model: Model, folder: Path | None) -> Param:
    channels = model.convention.channels
    if param is None:
        param = image(default_size(model), channels=channels)
    elif isinstance(param, str):
        param = parse_param(param, folder)
    if not isinstance(param, Param):
        raise BadInputError(
            f"A param or its text is needed, but {param!r} was given; write for example param.image(128)."
        )
    if param.channels != channels:
        raise ImageError(
            f"The param makes images of {param.channels} channels, but {model.name} takes {channels}: "
            f"write channels={channels}."
        )
    batch = images.number
    if batch is not None and param.batch == 1:
        param = param.resized(batch=batch)
    if images.exactly not in (None, param.batch) or param.batch < images.at_least:
        raise BadInputError(
            f"The objective speaks of {batch} images and the param makes {param.batch}; write batch={batch}."
        )
    if param.batch > 1 and not model.takes_batches:
        raise BadInputError(f"{model.name} takes one image at a time, and {param.batch} are to be made; write batch=1.")
    model.feed.check_batch(param.batch)
    return param


def read_pipeline(transforms: TransformsLike) -> Pipeline | None:
    """Make a pipeline of whatever a caller may give for one.

    Args:
        transforms: Transforms, their text, or None for the default.

    Returns:
        The pipeline, or None where the default is wanted.

    Raises:
        BadInputError: It is no transform, or the text does not parse.
    """
    if transforms is None:
        return None
    return parse_transforms(transforms) if isinstance(transforms, str) else Pipeline.of(transforms)


def _fallback(pipeline: Pipeline | None, model: Model) -> Pipeline | None:
    """For a network that takes one size only, the default pipeline ends by bringing its canvas to that size."""
    return None if pipeline is not None else standard() | crop_or_pad_to(*model.convention.size[-PLANE:])


def _warn(objective: Objective, model: Model, batch: int) -> None:
    names = {node.name for node in objective.walk() if isinstance(node, Term)}
    if batch == 1 and diversity.__name__ in names:
        message = "diversity compares the images of a batch, and there is one: its value is 0. Write batch=4."
        warnings.warn(message, LucidtorchWarning, stacklevel=4)
    groups = [part for node in objective.walk() if isinstance(node, Each) for part in node.parts]
    for layer in dict.fromkeys(layer for group in (objective, *groups) for layer in _minimized(group)):
        _warn_of_floor(layer, model)


def _minimized(objective: Objective) -> list[str]:
    """The layers of units that an expression only ever makes small."""
    units = list(_signed_units(objective))
    return [layer for _, unit in units for layer in unit.own_layers] if all(sign < 0 for sign, _ in units) else []


def _signed_units(objective: Objective, sign: int = 1) -> Iterator[tuple[int, Term]]:
    for own, part in objective.terms(sign):
        if isinstance(part, Term):
            if part.definition.unit:
                yield own, part
            continue
        for child in part.children():
            if isinstance(child, Objective):
                yield from _signed_units(child, own)


def _warn_of_floor(layer: str, model: Model) -> None:
    before = model.layers.before(layer)
    if before is not None:
        message = (
            f"{layer!r} is behind a ReLU and cannot go below zero; for a negative write {before!r}, which feeds it."
        )
        warnings.warn(message, LucidtorchWarning, stacklevel=5)
