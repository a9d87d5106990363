"""Passes forward and back through the networks of a render, of all images or of a few at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from lucidtorch.base.arrays import Array
from lucidtorch.base.sizes import PLANE
from lucidtorch.models.running.address import Address
from lucidtorch.objectives.algebra import Objective, Trace
from lucidtorch.objectives.references import INPUT, reference
from lucidtorch.param.param import Param
from lucidtorch.rendering.checks import references_of
from lucidtorch.rendering.job import Job
from lucidtorch.rendering.networks import Forward
from lucidtorch.transforms import background, crop_or_pad_to, pad
from lucidtorch.transforms.transform import Draws, Pipeline, Transform

Score: TypeAlias = Callable[[Tensor, Mapping[str, Tensor]], Tensor | None]  # images and activations, to what to descend
ReferencePass: TypeAlias = Callable[[Pipeline, Draws], dict[str, Tensor]]

VALUES = ""  # no layer has this address


@dataclass(frozen=True)
class ForwardPasses:
    """The forward passes of a running loop."""

    forward: Forward
    references: ReferencePass
    compiled: Forward | None = None  # the same as `forward`, for passes in which no ReLU is redirected


class References:
    """The given pictures that an objective compares with: they go through the same transforms and draws as the images.

    Only what makes another thing of an image, such as a mesh that wears it, leaves them as they are.
    """

    def __init__(self, job: Job) -> None:
        self.batch = job.param.batch
        pairs = references_of(job.goal)
        self.layers: dict[Array, list[str]] = {}
        for layer, picture in pairs:
            self.layers.setdefault(picture, []).append(layer)
        self.addresses: Mapping[str, Address] = {layer: job.addresses[layer] for layer, _ in pairs}
        like = torch.zeros((), device=job.networks.device)
        self.pictures = {picture: self._images(picture.tensor(like), job.param) for picture in self.layers}
        self.kept: dict[str, Tensor] = {}
        self.kept_for: Pipeline | None = None  # where the pipeline draws nothing, one pass does for all updates

    def activations(self, forward: Forward, pipeline: Pipeline, draws: Draws) -> dict[str, Tensor]:
        """Run the networks on the given pictures."""
        views, pipeline = pipeline.views, pipeline.for_references()
        if pipeline == self.kept_for and pipeline.is_text and all(one.shape[1] == 0 for one in draws):
            return self.kept
        found: dict[str, Tensor] = {}
        with torch.no_grad():
            for picture, images in self.pictures.items():
                captured = forward(pipeline.apply(images.repeat_interleave(views, 0), draws))
                found |= {reference(layer, picture): captured[layer] for layer in self.layers[picture]}
        self.kept, self.kept_for = found, pipeline
        return found

    def _images(self, picture: Tensor, param: Param) -> Tensor:
        images = picture.expand(self.batch, *picture.shape[-3:])
        opaque = param.alpha and images.shape[1] < param.channels
        return torch.cat([images, torch.ones_like(images[:, :1])], 1) if opaque else images


@dataclass(frozen=True)
class ForwardInputs:
    """What a pass takes beside the images."""

    forward: Forward
    pipeline: Pipeline
    draws: Draws  # of all images, one row per view of each
    references: Mapping[str, Tensor]  # the activations of the pictures that the objective compares with
    rule: Callable[[], AbstractContextManager[object]] = contextlib.nullcontext  # changes gradients; anew for each pass

    def activations(self, images: Tensor, places: Tensor) -> dict[str, Tensor]:
        """Run the networks on some of the images, those at `places` in the batch."""
        views = self.pipeline.views
        rows = (places[:, None] * views + torch.arange(views)).flatten()
        viewed = images if views == 1 else images.repeat_interleave(views, 0)
        draws = tuple(one[rows] for one in self.draws)
        with self.rule():
            return self.forward(self.pipeline.apply(viewed, draws))


@dataclass(frozen=True)
class PassResult:
    """What a pass found."""

    values: Tensor  # the objective of each image, `[B]`
    gradient: Tensor  # of the negative sum of the values, times the loss scale, to the images
    activations: Mapping[str, Tensor]  # `[B, ...]`: whole, or their sums where images went through a few at a time


def evaluate_views(goal: Objective, images: Tensor, activations: Mapping[str, Tensor], trace: Trace) -> Tensor:
    """Evaluate an objective on every view of the images, and take the mean over each image's views."""
    batch = len(images)
    views = max((len(one) for one in activations.values()), default=batch) // batch
    if views == 1:
        return goal.evaluate({INPUT: images, **activations}, trace)
    parts, values = [], []
    for view in range(views):
        part = Trace(trace.step, trace.memories)
        own = {layer: found[view::views] for layer, found in activations.items()}
        values.append(goal.evaluate({INPUT: images, **own}, part))
        parts.append(part)
    trace.update({key: torch.stack([part[key] for part in parts]).mean(0) for key in parts[0]})
    return torch.stack(values).mean(0)


def by_image(activations: Mapping[str, Tensor], batch: int) -> dict[str, Tensor]:
    """Put the views of each image into one row."""
    return {
        layer: found if len(found) == batch else torch.unflatten(found, 0, (batch, -1))
        for layer, found in activations.items()
    }


def step_back(
    inputs: ForwardInputs,
    goal: Objective,
    images: Tensor,
    trace: Trace,
    scale: float,
    batch: int,
    left_out: Collection[int] | None,
) -> PassResult:
    """Evaluate an objective and take its gradient to the images, `batch` of them at a time.

    Images that are independent of each other go through once, without those that are `left_out`; else that is None.
    """
    trace.clear()
    if left_out is not None and batch < len(images):
        return _one_after_another(inputs, goal, images, trace, scale, batch, left_out)
    found: dict[str, Tensor] = {}

    def score(leaf: Tensor, activations: Mapping[str, Tensor]) -> Tensor:
        values = evaluate_views(goal, leaf, {**activations, **inputs.references}, trace)
        found["values"] = values.detach()
        return -scale * values.sum()

    gradient, activations = back_to_images(inputs, images, score, batch)
    return PassResult(found["values"], gradient, activations)


def back_to_images(inputs: ForwardInputs, images: Tensor, score: Score, batch: int) -> tuple[Tensor, dict[str, Tensor]]:
    """Take the gradient of a score of all images' activations to the images.

    Where they go through a few at a time, they do so twice: once for the activations, and once more for the gradient.
    """
    total = len(images)
    leaf = images.detach().requires_grad_(True)
    if batch >= total:
        activations = inputs.activations(leaf, torch.arange(total))
        (gradient,) = gradients(score(leaf, activations), [leaf])
    else:
        parts = _parts(total, batch)
        with torch.no_grad():
            found = [_own_activations(inputs, images, part) for part in parts]
        activations = {layer: torch.cat([one[layer] for one in found]).requires_grad_(True) for layer in found[0]}
        gradient, *inner = gradients(score(leaf, activations), [leaf, *activations.values()])
        if any(bool(one.any()) for one in inner):
            gradient = gradient.clone()  # that of a sum is one number, seen many times
            for part in parts:
                gradient[part.own] += _chained(inputs, images, part, dict(zip(activations, inner, strict=True)))
    return gradient, by_image({layer: one.detach() for layer, one in activations.items()}, total)


def gradients(output: Tensor | None, wanted: Sequence[Tensor], towards: Tensor | None = None) -> list[Tensor]:
    """Take gradients, or products with one to the output; zeros where the output does not depend on something."""
    if output is None or not output.requires_grad:
        return [torch.zeros_like(one) for one in wanted]
    found = torch.autograd.grad(output, wanted, towards, allow_unused=True)
    return [torch.zeros_like(one) if own is None else own for own, one in zip(found, wanted, strict=True)]


@dataclass(frozen=True)
class _Part:
    """Some images that go through at once, filled up with the last of them to a whole batch."""

    start: int
    count: int
    batch: int
    total: int  # how many images there are in all

    @property
    def own(self) -> slice:
        """The places of these images among all."""
        return slice(self.start, self.start + self.count)

    @property
    def places(self) -> Tensor:
        """Which image goes through in each row, `[batch]`."""
        return (self.start + torch.arange(self.batch)).clamp(max=self.start + self.count - 1)

    def spread(self, leaf: Tensor, images: Tensor) -> Tensor:
        """Put these images among all."""
        found = images.detach().clone()
        found[self.own] = leaf[: self.count]
        return found

    def among(self, values: Tensor, views: int) -> Tensor:
        """Put rows of these images at their places among rows of all: the others are the same numbers again."""
        own, rest = values[: self.count * views], values.detach()
        turns = torch.arange(self.total * views) % (self.count * views)
        first, last = self.start * views, (self.start + self.count) * views
        return torch.cat([rest[turns[:first]], own, rest[turns[last:]]])


def _parts(total: int, batch: int) -> list[_Part]:
    return [_Part(start, min(batch, total - start), batch, total) for start in range(0, total, batch)]


def _one_after_another(
    inputs: ForwardInputs,
    goal: Objective,
    images: Tensor,
    trace: Trace,
    scale: float,
    batch: int,
    left_out: Collection[int],
) -> PassResult:
    """Evaluate independent images a few at a time: the others' rows repeat these and count nothing."""
    total, views = len(images), inputs.pipeline.views
    gradient = torch.zeros_like(images)
    gathered: dict[str, Tensor] = {}  # values and activations of all images; zeros of those that are left out
    for part in _parts(total, batch):
        if all(place in left_out for place in range(part.start, part.start + part.count)):
            continue
        leaf = images[part.places].detach().requires_grad_(True)
        activations = inputs.activations(leaf, part.places)
        whole = {layer: part.among(one, views) for layer, one in activations.items()}
        noted = Trace(trace.step)
        values = evaluate_views(goal, part.spread(leaf, images), {**whole, **inputs.references}, noted)[part.own]
        gradient[part.own] = gradients(-scale * values.sum(), [leaf])[0][: part.count]
        for key, value in noted.items():
            trace.setdefault(key, torch.zeros_like(value))[part.own] = value.detach()[part.own]
        sums = {layer: _sums(one.detach(), views)[: part.count] for layer, one in activations.items()}
        for name, value in {VALUES: values.detach(), **sums}.items():
            gathered.setdefault(name, value.new_zeros(total, *value.shape[1:]))[part.own] = value
    return PassResult(gathered.pop(VALUES), gradient, gathered)


def _sums(values: Tensor, views: int) -> Tensor:
    """One number per image, which is NaN or infinite where one of its activations is."""
    return values.reshape(len(values) // views, -1).sum(1, keepdim=True)


def _own_activations(inputs: ForwardInputs, images: Tensor, part: _Part) -> dict[str, Tensor]:
    """The activations of some images, without the rows that fill up."""
    found = inputs.activations(images[part.places], part.places)
    return {layer: one[: part.count * inputs.pipeline.views] for layer, one in found.items()}


def _chained(inputs: ForwardInputs, images: Tensor, part: _Part, towards: Mapping[str, Tensor]) -> Tensor:
    """Take gradients to activations of some images on to these images."""
    leaf = images[part.places].detach().requires_grad_(True)
    found = inputs.activations(leaf, part.places)
    views = inputs.pipeline.views
    rows = slice(part.start * views, (part.start + part.count) * views)
    reached = [layer for layer, one in found.items() if one.requires_grad]
    outputs = [found[layer][: part.count * views] for layer in reached]
    (gradient,) = torch.autograd.grad(outputs, [leaf], [towards[layer][rows] for layer in reached], allow_unused=True)
    return torch.zeros_like(images[part.own]) if gradient is None else gradient[: part.count]


def bare(pipeline: Pipeline, param: Param) -> tuple[Pipeline, Pipeline]:
    """Make the pipelines of finished pictures, without random draws and on grey where see-through: as is, on canvas."""
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
