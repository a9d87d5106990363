"""One forward pass before the first step: do the networks take the canvas, and does the objective fit their layers?"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from lucidtorch.base.errors import BadInputError, SizeError
from lucidtorch.base.seeds import OwnRandomState, generators
from lucidtorch.base.sizes import PLANE, Size, size_text
from lucidtorch.models.model import Model
from lucidtorch.models.running.capture import capture
from lucidtorch.models.running.precision import Precision
from lucidtorch.models.running.probe import Attempt, probing
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.references import INPUT, reference
from lucidtorch.param.param import Param
from lucidtorch.rendering.job import Job
from lucidtorch.rendering.networks import Networks
from lucidtorch.rendering.seeing import still, targets_of
from lucidtorch.transforms.transform import GREY, Pipeline


class Probe:
    """Tries a grey image of the right size before any step is made.

    Args:
        networks: The networks.
        layers: The addresses of the layers that the objective needs.
        goal: The objective, class names looked up.
        param: What makes the images; it is not filled.
        precision: What the networks compute in.
    """

    def __init__(
        self, networks: Networks, layers: Sequence[str], goal: Objective, param: Param, precision: Precision
    ) -> None:
        self.networks = networks
        self.layers = layers
        self.precision = precision
        self.goal = goal
        self.param = param
        self.rng = OwnRandomState(0)
        self.maps: dict[str, Tensor] = {}  # what the objective read last

    def settle(self, pipeline: Pipeline, fallback: Pipeline | None) -> Pipeline:
        """Find the pipeline whose canvas the networks take, and evaluate the objective on what comes out.

        Args:
            pipeline: What shall be used.
            fallback: What may be used instead where a network refuses the canvas; None where nothing may.

        Returns:
            The pipeline to use.

        Raises:
            SizeError: A network does not take a canvas of that size.
            BadInputError: The objective does not fit the layers: no such channel, position, class or direction.
        """
        refused = self._try(pipeline)
        if refused is None:
            return pipeline
        if fallback is not None and self._try(fallback) is None:
            return fallback
        raise SizeError(self._message(*refused, self._canvas(pipeline)))

    def bare(self, pipeline: Pipeline) -> Pipeline:
        """Find what finished pictures go through to be looked at.

        Args:
            pipeline: What the images go through; it is settled.

        Returns:
            What leaves them at their own size, where the networks take that and the objective fits what comes out;
            else what puts them in the middle of the canvas.
        """
        channels, canvas = self.param.channels, pipeline.output_size(self.param.size)
        as_they_are = still(pipeline, channels)
        if as_they_are.output_size(self.param.size) == canvas:
            return as_they_are
        refused = True
        with contextlib.suppress(BadInputError), Attempt():
            refused = self._try(as_they_are) is not None
        return still(pipeline, channels, canvas) if refused else as_they_are

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
            with held_still as attempt, captured as run, self.precision.on(model.device):
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
        maps |= {reference(layer, picture): maps[layer] for layer, picture in targets_of(self.goal)}
        self.maps = maps
        with torch.no_grad():
            value = self.goal(maps)
        if value.shape != (batch,):
            raise BadInputError(
                f"{self.goal!r} gives values of shape {list(value.shape)}, not one per image: it must read a layer."
            )

    def _message(self, model: Model, refusal: str, canvas: Size) -> str:
        size = model.convention.size
        height, width = size[-PLANE:]
        return (
            f"{model.name} does not take images of {size_text(canvas)} pixels ({refusal}). It was made for "
            f"{size_text(size)}: write a larger size, or end the transforms with crop_or_pad_to({height}, {width})."
        )


def finished(job: Job) -> Job:
    """Settle how the finished pictures of a job are looked at.

    Args:
        job: The job.

    Returns:
        The same with another pipeline: at the pictures' own size where that works, else on the canvas.
    """
    layers = list(job.addresses)
    bare = Probe(job.networks, layers, job.goal, job.param, job.precision).bare(job.pipeline)
    return replace(job, pipeline=bare, addresses=job.networks.addresses(layers, bare.output_size(job.param.size)))
