"""What is seen at a step: every view of the images, and the pictures that an objective compares them with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from lucidtorch.base.arrays import Array
from lucidtorch.base.sizes import PLANE
from lucidtorch.models.model import Model
from lucidtorch.models.running.address import Address
from lucidtorch.objectives.algebra import Objective, Trace
from lucidtorch.objectives.references import INPUT, reference
from lucidtorch.objectives.term import Term
from lucidtorch.param.param import Param
from lucidtorch.rendering.job import Job
from lucidtorch.rendering.networks import Look
from lucidtorch.transforms import background, crop_or_pad_to, pad
from lucidtorch.transforms.transform import Draws, Pipeline, Transform

Glance: TypeAlias = Callable[[Pipeline, Draws], dict[str, Tensor]]


@dataclass(frozen=True)
class Eyes:
    """How a running loop sees.

    Args:
        look: From images on the canvas to activations by address.
        references: From a pipeline and its draws to what the networks make of the given pictures, by their keys.
        compiled: The same as `look`, compiled, for passes in which no ReLU is redirected; nothing where None.
    """

    look: Look
    references: Glance
    compiled: Look | None = None


class Comparisons:
    """The pictures that an objective compares with, seen as the images are: on the same canvas, under the same draws.

    Only what makes another thing of an image, such as a mesh that wears it, leaves them as they are.

    Args:
        job: What is rendered.
    """

    def __init__(self, job: Job) -> None:
        self.batch = job.param.batch
        targets = targets_of(job.goal)
        self.layers: dict[Array, list[str]] = {}
        for layer, picture in targets:
            self.layers.setdefault(picture, []).append(layer)
        named = dict.fromkeys(layer for layer, _ in targets)
        self.addresses: Mapping[str, Address] = {layer: job.addresses[layer] for layer in named}
        like = torch.zeros((), device=job.networks.device)
        self.pictures = {picture: self._images(picture.tensor(like), job.param) for picture in self.layers}
        self.kept: dict[str, Tensor] = {}
        self.kept_for: Pipeline | None = None  # what they were seen through

    def activations(self, look: Look, pipeline: Pipeline, draws: Draws) -> dict[str, Tensor]:
        """Look at the given pictures."""
        views, pipeline = pipeline.views, pipeline.for_references()
        if pipeline == self.kept_for and draws_nothing(pipeline, draws):
            return self.kept
        found: dict[str, Tensor] = {}
        with torch.no_grad():
            for picture, images in self.pictures.items():
                seen = look(pipeline.apply(images.repeat_interleave(views, 0), draws))
                found |= {reference(layer, picture): seen[layer] for layer in self.layers[picture]}
        self.kept, self.kept_for = found, pipeline
        return found

    def _images(self, picture: Tensor, param: Param) -> Tensor:
        images = picture.expand(self.batch, *picture.shape[-3:])
        opaque = param.alpha and images.shape[1] < param.channels
        return torch.cat([images, torch.ones_like(images[:, :1])], 1) if opaque else images


def targets_of(goal: Objective) -> list[tuple[str, Array]]:
    """List what an expression compares with."""
    terms = [node for node in goal.walk() if isinstance(node, Term)]
    return list(dict.fromkeys(pair for term in terms for pair in term.own_targets))


def draws_nothing(pipeline: Pipeline, draws: Draws) -> bool:
    """Say whether there is no chance in a pipeline."""
    return pipeline.is_text and all(one.shape[1] == 0 for one in draws)


def bare(pipeline: Pipeline, param: Param) -> tuple[Pipeline, Pipeline]:
    """Make the pipelines that show finished pictures without chance, on grey where see-through."""
    steps: list[Transform] = []
    channels = param.channels
    for step in pipeline.steps:
        if step.output_channels(channels) < channels:
            steps.append(background("colour", sd=0))
        steps += [] if (one := step.still()) is None else [one]
        channels = step.output_channels(channels)
    as_they_are, canvas = Pipeline(tuple(steps)), pipeline.output_size(param.size)
    if as_they_are.output_size(param.size) == canvas:
        return as_they_are, as_they_are
    return as_they_are, Pipeline((*steps, pad(0, value=pipeline.fill), crop_or_pad_to(*canvas[-PLANE:])))


def evaluate_views(goal: Objective, images: Tensor, activations: Mapping[str, Tensor], trace: Trace) -> Tensor:
    """Evaluate an objective on every view of the images, and take the mean over each image's views."""
    batch = len(images)
    views = max((len(one) for one in activations.values()), default=batch) // batch
    if views == 1:
        return goal.evaluate({INPUT: images, **activations}, trace)
    parts, values = [], []
    for view in range(views):
        part = Trace(trace.step, trace.memories)
        seen = {layer: found[view::views] for layer, found in activations.items()}
        values.append(goal.evaluate({INPUT: images, **seen}, part))
        parts.append(part)
    trace.update({key: torch.stack([part[key] for part in parts]).mean(0) for key in parts[0]})
    return torch.stack(values).mean(0)


def by_image(activations: Mapping[str, Tensor], batch: int) -> dict[str, Tensor]:
    """Put the views of each image into one row."""
    return {
        layer: found if len(found) == batch else torch.unflatten(found, 0, (batch, -1))
        for layer, found in activations.items()
    }


def zero_colour(model: Model, param: Param) -> Tensor:
    """Find the colour that constraints take for nothing: the network's mean colour."""
    colour = [*model.convention.mean_colour, *[0.0] * (param.channels - model.convention.channels)]
    return torch.tensor(colour, device=model.device)
