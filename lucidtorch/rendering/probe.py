"""One forward pass before the first step: does the network take the canvas, and does the objective fit its layers?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from lucidtorch.base.errors import BadInputError, SizeError
from lucidtorch.base.seeds import OwnRandomState, generators
from lucidtorch.base.sizes import PLANE, Size, size_text
from lucidtorch.models.model import Model
from lucidtorch.models.running.capture import capture
from lucidtorch.models.running.precision import Precision, widened
from lucidtorch.models.running.probe import probing
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.picture import INPUT
from lucidtorch.param.param import Param
from lucidtorch.transforms.transform import GREY, Pipeline


class Probe:
    """Tries a grey image of the right size before any step is made.

    Args:
        model: The network.
        layers: The addresses of the layers that the objective needs.
        goal: The objective, class names looked up.
        param: What makes the images; it is not filled.
        precision: What the network computes in.
    """

    def __init__(
        self, model: Model, layers: Sequence[str], goal: Objective, param: Param, precision: Precision
    ) -> None:
        self.model = model
        self.layers = layers
        self.precision = precision
        self.goal = goal
        self.param = param
        self.rng = OwnRandomState(0)

    def settle(self, pipeline: Pipeline, fallback: Pipeline | None) -> Pipeline:
        """Find the pipeline whose canvas the network takes, and evaluate the objective on what comes out.

        Args:
            pipeline: What shall be used.
            fallback: What may be used instead where the network refuses the canvas; None where nothing may.

        Returns:
            The pipeline to use.

        Raises:
            SizeError: The network does not take a canvas of that size.
            BadInputError: The objective does not fit the layers: no such channel, position, class or direction.
        """
        refusal = self._refusal(pipeline)
        if refusal is None:
            return pipeline
        if fallback is not None and self._refusal(fallback) is None:
            return fallback
        raise SizeError(self._message(refusal, self._canvas(pipeline)))

    def _canvas(self, pipeline: Pipeline) -> Size:
        grey = torch.full((1, self.param.channels, *self.param.size), GREY, device=self.model.device)
        with self.rng(), torch.no_grad():
            moved, dice = grey, generators((0,), "transforms")
            for step in pipeline.steps:  # one by one: what another library's transform leaves is known only afterwards
                moved = step.apply(moved, step.sample(moved.shape, dice))
        canvas = tuple(moved.shape[2:])
        if len(canvas) != len(self.param.size) or min(canvas) < 1 or moved.shape[:2] != grey.shape[:2]:
            raise SizeError(
                f"The transforms turn {list(grey.shape)} into {list(moved.shape)}; they must leave an image."
            )
        return canvas

    def _refusal(self, pipeline: Pipeline) -> str | None:
        """Run and evaluate once; give the network's reason to refuse the canvas, and let ours pass."""
        canvas = self._canvas(pipeline)
        model = self.model
        grey = torch.full((1, self.param.channels, *canvas), GREY, device=model.device, dtype=model.dtype)
        addresses = model.addresses(self.layers, canvas)
        held_still = probing(model.module)
        captured = capture(model.module, addresses, model.feed.with_any_batch())
        with held_still as attempt, captured as run, self.precision.on(model.device):
            found = run(model.normalize(grey))
        if attempt.reason is None:
            self._evaluate({layer: widened(values) for layer, values in found.items()}, canvas)
        return attempt.reason

    def _evaluate(self, found: Mapping[str, Tensor], canvas: Size) -> None:
        batch = self.param.batch
        maps = {name: values.expand(batch, *values.shape[1:]) for name, values in found.items()}
        maps[INPUT] = torch.full((batch, self.param.channels, *self.param.size), GREY, device=self.model.device)
        for name, values in maps.items():
            if 0 in values.shape:
                raise SizeError(f"At {size_text(canvas)} pixels nothing is left in {name!r}; make the image larger.")
        with torch.no_grad():
            value = self.goal(maps)
        if value.shape != (batch,):
            raise BadInputError(
                f"{self.goal!r} gives values of shape {list(value.shape)}, not one per image: it must read a layer."
            )

    def _message(self, refusal: str, canvas: Size) -> str:
        size = self.model.convention.size
        height, width = size[-PLANE:]
        return (
            f"{self.model.name} does not take images of {size_text(canvas)} pixels ({refusal}). It was made for "
            f"{size_text(size)}: write a larger size, or end the transforms with crop_or_pad_to({height}, {width})."
        )
