"""What is checked before the first step: do the parts fit each other, do the networks take the images, and how?"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import torch
from torch import Tensor

from lucidtorch.base.arrays import Array
from lucidtorch.base.errors import BadInputError, ImageError, LucidtorchWarning, ObjectiveError, SizeError
from lucidtorch.base.seeds import OwnRandomState, generators
from lucidtorch.base.sizes import PLANE, Size, size_text
from lucidtorch.constraints.constraint import Constraints
from lucidtorch.models.model import Model
from lucidtorch.models.running.capture import capture
from lucidtorch.models.running.frozen import probing
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.facets import facet
from lucidtorch.objectives.images import Each
from lucidtorch.objectives.matching import diversity
from lucidtorch.objectives.references import INPUT, reference
from lucidtorch.objectives.term import Term
from lucidtorch.param.param import Param
from lucidtorch.rendering.networks import Networks
from lucidtorch.rendering.settings import Engine
from lucidtorch.transforms.transform import GREY, Pipeline


def terms_of(goal: Objective) -> list[Term]:
    """List the terms of an expression, those inside others too."""
    return [node for node in goal.walk() if isinstance(node, Term)]


def references_of(goal: Objective) -> list[tuple[str, Array]]:
    """List the layers and the given pictures whose activations an expression compares with."""
    return list(dict.fromkeys(pair for term in terms_of(goal) for pair in term.own_targets))


def pictures_of(goal: Objective) -> list[Array]:
    """List the pictures that an expression compares with."""
    return list(dict.fromkeys(picture for term in terms_of(goal) for picture in term.pictures))


def takes_inner_gradients(goal: Objective) -> bool:
    """Say whether an objective takes gradients of one layer to another."""
    return any(term.name == facet.__name__ for term in terms_of(goal))


def check_channels(param: Param, pipeline: Pipeline | None, channels: int, name: str) -> None:
    """Make sure that what the network sees has its number of channels."""
    if pipeline is None:
        seen = param.channels - int(param.alpha)
    else:
        seen = pipeline.output_channels(param.channels)
        if param.alpha and seen == param.channels:
            raise ImageError(
                f"The param's last channel is opacity, and {name} sees no opacity: begin the transforms with "
                f"background(), which puts a picture behind it."
            )
    if seen != channels:
        raise ImageError(
            f"The param makes images of {seen} channels, but {name} takes {channels}: write channels={channels}."
        )


def check_constraints(constraints: Constraints, param: Param) -> None:
    """Make sure that the images can be held to something after each step."""
    constraints.check((param.batch, param.channels, *param.size))
    if constraints.steps and not param.invertible:
        raise BadInputError(
            f"Constraints change the image itself, and {param!r:.80} cannot take an image back into its numbers; "
            f"use param.image(...), or leave the constraints out."
        )


def check_pictures(goal: Objective, param: Param, pipeline: Pipeline) -> None:
    """Make sure that given pictures have the size of the images, unless the pipeline brings them to that of a view."""
    wanted = (param.channels - int(param.alpha), *param.size)
    for picture in pictures_of(goal):
        shape = picture.shape[-len(wanted) :]
        if pipeline.for_references() != pipeline:
            shape = (shape[0], *param.size)
        if shape not in (wanted, (param.channels, *param.size)):
            raise ImageError(
                f"The objective compares with a picture of shape {list(picture.shape)}, and the param makes "
                f"{list(wanted)}; scale it, for example photo('FILE.jpg', {wanted[1]}), or make the param of its size."
            )


def check_views(goal: Objective, pipeline: Pipeline) -> None:
    """Make sure that an expression can be evaluated on so many views of an image."""
    if pipeline.views > 1 and takes_inner_gradients(goal):
        raise ObjectiveError(
            f"`facet` takes gradients inside the network and cannot look at {pipeline.views} views of an image at "
            f"once; leave crops(...) out, or write views=1."
        )


def advise(objective: Objective, networks: Networks, batch: int) -> None:
    """Warn of what works, and yet does not show what was meant."""
    if batch == 1 and diversity.__name__ in {term.name for term in terms_of(objective)}:
        message = "diversity compares the images of a batch, and there is one: its value is 0. Write batch=4."
        warnings.warn(message, LucidtorchWarning, stacklevel=6)
    groups = [part for node in objective.walk() if isinstance(node, Each) for part in node.objectives]
    for layer in dict.fromkeys(layer for group in (objective, *groups) for layer in _minimized(group)):
        before = networks.before(layer)
        if before is not None:
            message = (
                f"{layer!r} is behind a ReLU and cannot go below zero; for a negative write {before!r}, which feeds it."
            )
            warnings.warn(message, LucidtorchWarning, stacklevel=6)


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
        for child in part.objectives:
            yield from _signed_units(child, own)


@dataclass
class Probe:
    """One forward pass of a grey image: do the networks take the canvas, and does the objective fit their layers?"""

    networks: Networks
    layers: Sequence[str]
    goal: Objective
    param: Param  # not filled
    engine: Engine
    rng: OwnRandomState = field(default_factory=lambda: OwnRandomState(0))
    maps: dict[str, Tensor] = field(default_factory=dict)  # what the objective read last

    def settle(self, pipeline: Pipeline, fallback: Pipeline | None) -> Pipeline:
        """Find the pipeline whose canvas the networks take, and evaluate the objective on what comes out."""
        refused = self._try(pipeline)
        if refused is None:
            return pipeline
        if fallback is not None and self._try(fallback) is None:
            return fallback
        model, reason = refused
        size = model.convention.size
        height, width = size[-PLANE:]
        raise SizeError(
            f"{model.name} does not take images of {size_text(self._canvas(pipeline))} pixels ({reason}). It was made "
            f"for {size_text(size)}: write a larger size, or end the transforms with crop_or_pad_to({height}, {width})."
        )

    def _canvas(self, pipeline: Pipeline) -> Size:
        grey = torch.full((1, self.param.channels, *self.param.size), GREY, device=self.networks.device)
        with self.rng(), torch.no_grad():
            moved, dice = grey, generators((0,), "transforms")
            for step in pipeline.steps:  # one by one: what another library's transform leaves is known only afterwards
                moved = step.apply(moved, step.sample(moved.shape, dice))
        canvas = tuple(moved.shape[2:])
        channels = pipeline.output_channels(self.param.channels)
        if len(canvas) != len(self.param.size) or min(canvas) < 1 or moved.shape[:2] != (1, channels):
            raise SizeError(
                f"The transforms turn {list(grey.shape)} into {list(moved.shape)}; they must leave an image."
            )
        return canvas

    def _try(self, pipeline: Pipeline) -> tuple[Model, str] | None:
        """Run and evaluate once; give the network that refuses and its reason, and let our own errors pass."""
        canvas = self._canvas(pipeline)
        found: dict[str, Tensor] = {}
        for name, model in self.networks.models.items():
            addresses = self.networks.own(name, self.networks.addresses(self.layers, canvas))
            grey = torch.full((1, model.convention.channels, *canvas), GREY, device=model.device, dtype=model.dtype)
            held_still = probing(model.module)
            captured = capture(model.module, addresses, model.feed.with_any_batch())
            with held_still as attempt, captured as run, self.engine.computing.on(model.device):
                found |= run(model.normalize(grey))
            if attempt.reason is not None:
                return model, attempt.reason
        self._evaluate(found, canvas)
        return None

    def _evaluate(self, found: Mapping[str, Tensor], canvas: Size) -> None:
        batch = self.param.batch
        maps = {name: values.expand(batch, *values.shape[1:]) for name, values in found.items()}
        maps[INPUT] = torch.full((batch, self.param.channels, *self.param.size), GREY, device=self.networks.device)
        for name, values in maps.items():
            if 0 in values.shape:
                raise SizeError(f"At {size_text(canvas)} pixels nothing is left in {name!r}; make the image larger.")
        maps |= {reference(layer, picture): maps[layer] for layer, picture in references_of(self.goal)}
        self.maps = maps
        with torch.no_grad():
            value = self.goal(maps)
        if value.shape != (batch,):
            raise BadInputError(
                f"{self.goal!r} gives values of shape {list(value.shape)}, not one per image: it must read a layer."
            )


class BatchDependence(StrEnum):
    """How the images of a batch depend on each other, which decides whether a few can go through at a time."""

    INDEPENDENT = "independent"  # the value of each image depends on that image alone
    JOINT = "joint"  # the objective compares images: all activations must be there before any gradient
    INSEPARABLE = "inseparable"  # they can only go through the network all at once


def batch_dependence(goal: Objective, pipeline: Pipeline, activations: Mapping[str, Tensor]) -> BatchDependence:
    """Find out how images depend on each other, by changing the activations of some and comparing the others' values.

    Every term is tried by itself, so that no weight, sign or limit around it hides anything. Any two images differ in
    a binary digit of their places: for each digit, those that have it change once, and those that have it not change
    once.
    """
    terms = list(dict.fromkeys(terms_of(goal)))
    if not pipeline.is_text or takes_inner_gradients(goal):
        return BatchDependence.INSEPARABLE
    if any(term.definition.remembers for term in terms):
        return BatchDependence.JOINT
    batch = max(len(one) for one in activations.values())
    source = torch.Generator().manual_seed(0)
    fixed = {name: one for name, one in activations.items() if len(one) < batch}  # of one picture for all images
    drawn = {name: _two_for_each(one, source) for name, one in activations.items() if len(one) == batch}
    with torch.no_grad():
        before = [term(fixed | {name: one[:batch] for name, one in drawn.items()}) for term in terms]
        for digit in range((batch - 1).bit_length()):
            has_it = torch.arange(batch) >> digit & 1 == 1
            for changed in (has_it, ~has_it):
                rows = torch.arange(batch) + batch * changed
                mixed = fixed | {name: one[rows] for name, one in drawn.items()}
                for term, known in zip(terms, before, strict=True):
                    if not torch.equal(known[~changed].nan_to_num(), term(mixed)[~changed].nan_to_num()):
                        return BatchDependence.JOINT
    return BatchDependence.INDEPENDENT


def _two_for_each(values: Tensor, source: torch.Generator) -> Tensor:
    """Noise of a shape, and after it another for each image."""
    noise = torch.rand(2 * len(values), *values.shape[1:], generator=source)
    return noise.to(values.device, values.dtype)
