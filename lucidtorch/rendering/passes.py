"""Passes forward and back through the networks, of all images or of a few at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from lucidtorch.objectives.algebra import Objective, Trace
from lucidtorch.rendering.networks import Look
from lucidtorch.rendering.seeing import by_image, evaluate_views
from lucidtorch.transforms.transform import Draws, Pipeline

Score: TypeAlias = Callable[[Tensor, Mapping[str, Tensor]], Tensor | None]  # images and activations, to what to descend

VALUES = ""  # no layer has this address


@dataclass(frozen=True)
class Scene:
    """How images are looked at in one pass.

    Args:
        look: From images on the canvas to activations by address.
        pipeline: What the images go through.
        draws: What was drawn for all of them, one row per view of each image.
        references: What the networks make of the pictures that the objective compares with.
        rule: What changes how gradients go through the network, made anew for each pass.
    """

    look: Look
    pipeline: Pipeline
    draws: Draws
    references: Mapping[str, Tensor]
    rule: Callable[[], AbstractContextManager[object]] = contextlib.nullcontext

    def activations(self, images: Tensor, places: Tensor) -> dict[str, Tensor]:
        """See some of the images."""
        views = self.pipeline.views
        rows = (places[:, None] * views + torch.arange(views)).flatten()
        seen = images if views == 1 else images.repeat_interleave(views, 0)
        draws = tuple(one[rows] for one in self.draws)
        with self.rule():
            return self.look(self.pipeline.apply(seen, draws))


@dataclass(frozen=True)
class Sight:
    """What a pass found.

    Args:
        values: The objective of each image, `[B]`.
        gradient: Of the negative sum of the values, times the scale that was asked for, to the images.
        activations: By address, `[B, ...]`: whole, or their sums where images went through a few at a time.
    """

    values: Tensor
    gradient: Tensor
    activations: Mapping[str, Tensor]


def step_back(
    scene: Scene,
    goal: Objective,
    images: Tensor,
    trace: Trace,
    scale: float,
    batch: int,
    *,
    apart: bool,
    rests: Collection[int] = (),
) -> Sight:
    """Evaluate an objective and take its gradient to the images."""
    trace.clear()
    if apart and batch < len(images):
        return _one_after_another(scene, goal, images, trace, scale, batch, rests)
    found: dict[str, Tensor] = {}

    def score(leaf: Tensor, activations: Mapping[str, Tensor]) -> Tensor:
        values = evaluate_views(goal, leaf, {**activations, **scene.references}, trace)
        found["values"] = values.detach()
        return -scale * values.sum()

    gradient, activations = back_to_images(scene, images, score, batch)
    return Sight(found["values"], gradient, activations)


def back_to_images(scene: Scene, images: Tensor, score: Score, batch: int) -> tuple[Tensor, dict[str, Tensor]]:
    """Take the gradient of a score of all images' activations to the images.

    Where they go through a few at a time, they do so twice: once for the activations, and once more for the gradient.
    """
    leaf = images.detach().requires_grad_(True)
    if batch >= len(images):
        activations = scene.activations(leaf, torch.arange(len(images)))
        (gradient,) = _gradients(score(leaf, activations), [leaf])
        return gradient, _found(activations, len(images))
    with torch.no_grad():
        seen = _joined([_own(scene, images, part) for part in _parts(len(images), batch)])
    leaves = {layer: one.requires_grad_(True) for layer, one in seen.items()}
    gradient, *inner = _gradients(score(leaf, leaves), [leaf, *leaves.values()])
    if any(bool(one.any()) for one in inner):
        gradient = gradient.clone()  # that of a sum is one number, seen many times
        for part in _parts(len(images), batch):
            gradient[part.own] += _chained(scene, images, part, dict(zip(leaves, inner, strict=True)))
    return gradient, _found(leaves, len(images))


def passed_on(images: Tensor, parameters: Sequence[Tensor], gradient: Tensor) -> list[Tensor]:
    """Take a gradient to the images on to the parameters that make them."""
    if not images.requires_grad:
        return [torch.zeros_like(one) for one in parameters]
    found = torch.autograd.grad(images, parameters, gradient, allow_unused=True)
    return [torch.zeros_like(one) if own is None else own for own, one in zip(found, parameters, strict=True)]


def _one_after_another(
    scene: Scene, goal: Objective, images: Tensor, trace: Trace, scale: float, batch: int, rests: Collection[int]
) -> Sight:
    """Evaluate images whose values are their own, a few at a time: the others' rows repeat these and count nothing."""
    gradient = torch.zeros_like(images)
    seen_by_part: list[tuple[_Part, dict[str, Tensor]]] = []
    for part in _parts(len(images), batch):
        if all(place in rests for place in range(part.start, part.start + part.count)):
            continue
        leaf = images[part.places].detach().requires_grad_(True)
        activations = scene.activations(leaf, part.places)
        seen = {layer: part.among(one, scene.pipeline.views) for layer, one in activations.items()}
        noted = Trace(trace.step)
        found = evaluate_views(goal, part.spread(leaf, images), {**seen, **scene.references}, noted)[part.own]
        gradient[part.own] = _gradients(-scale * found.sum(), [leaf])[0][: part.count]
        for key, value in noted.items():
            trace.setdefault(key, torch.zeros_like(value))[part.own] = value.detach()[part.own]
        sums = {layer: _sums(one.detach(), scene.pipeline.views)[: part.count] for layer, one in activations.items()}
        seen_by_part.append((part, {VALUES: found.detach(), **sums}))
    gathered = _gathered(seen_by_part, len(images))
    return Sight(gathered.pop(VALUES), gradient, gathered)


@dataclass(frozen=True)
class _Part:
    """Some images that go through at once, filled up with the last of them.

    Args:
        start: The place of the first.
        count: How many they are.
        batch: How many go through.
        total: How many images there are in all.
    """

    start: int
    count: int
    batch: int
    total: int

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


def _parts(total: int, batch: int) -> Iterator[_Part]:
    for start in range(0, total, batch):
        yield _Part(start, min(batch, total - start), batch, total)


def _own(scene: Scene, images: Tensor, part: _Part) -> dict[str, Tensor]:
    """The activations of some images, without the rows that fill up."""
    found = scene.activations(images[part.places], part.places)
    return {layer: one[: part.count * scene.pipeline.views] for layer, one in found.items()}


def _chained(scene: Scene, images: Tensor, part: _Part, gradients: Mapping[str, Tensor]) -> Tensor:
    """Take gradients to activations of some images on to these images."""
    leaf = images[part.places].detach().requires_grad_(True)
    found = scene.activations(leaf, part.places)
    views = scene.pipeline.views
    rows = slice(part.start * views, (part.start + part.count) * views)
    reached = [layer for layer, one in found.items() if one.requires_grad]
    outputs = [found[layer][: part.count * views] for layer in reached]
    (gradient,) = torch.autograd.grad(outputs, [leaf], [gradients[layer][rows] for layer in reached], allow_unused=True)
    return torch.zeros_like(images[part.own]) if gradient is None else gradient[: part.count]


def _gathered(parts: list[tuple[_Part, dict[str, Tensor]]], total: int) -> dict[str, Tensor]:
    """Put what was found of some images at their places among all; zeros where nothing was."""
    found: dict[str, Tensor] = {}
    for part, own in parts:
        for name, value in own.items():
            found.setdefault(name, value.new_zeros(total, *value.shape[1:]))[part.own] = value
    return found


def _joined(parts: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {layer: torch.cat([one[layer] for one in parts]) for layer in parts[0]}


def _found(activations: Mapping[str, Tensor], batch: int) -> dict[str, Tensor]:
    return by_image({layer: one.detach() for layer, one in activations.items()}, batch)


def _sums(values: Tensor, views: int) -> Tensor:
    """One number per image, which is none where one of its activations is none."""
    return values.reshape(len(values) // views, -1).sum(1, keepdim=True)


def _gradients(loss: Tensor | None, wanted: list[Tensor]) -> list[Tensor]:
    """Take gradients; zero where the loss does not depend on something, or at this step on nothing at all."""
    if loss is None or not loss.requires_grad:
        return [torch.zeros_like(one) for one in wanted]
    found = torch.autograd.grad(loss, wanted, allow_unused=True)
    return [torch.zeros_like(one) if own is None else own for own, one in zip(found, wanted, strict=True)]
