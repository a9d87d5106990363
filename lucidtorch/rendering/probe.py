"""One forward pass before the first step: does the network take the canvas, and does the objective fit its layers?"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from lucidtorch.base.errors import BadInputError, SizeError
from lucidtorch.base.seeds import OwnRandomState, generators
from lucidtorch.base.sizes import Size
from lucidtorch.models.address import Address
from lucidtorch.models.capture import capture
from lucidtorch.models.model import Model
from lucidtorch.models.probe import probing
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.picture import INPUT
from lucidtorch.param.param import Param
from lucidtorch.transforms.transform import GREY, Pipeline


class Probe:
    """Tries a grey image of the right size before any step is made.

    Args:
        model: The network.
        addresses: Where the layers are that the objective needs.
        goal: The objective, class names looked up.
        param: What makes the images; it is not filled.
    """

    def __init__(self, model: Model, addresses: Mapping[str, Address], goal: Objective, param: Param) -> None:
        self.model = model
        self.addresses = addresses
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
        canvas = (moved.shape[-2], moved.shape[-1])
        if min(canvas) < 1 or moved.shape[:2] != grey.shape[:2]:
            raise SizeError(
                f"The transforms turn {list(grey.shape)} into {list(moved.shape)}; they must leave an image."
            )
        return canvas

    def _refusal(self, pipeline: Pipeline) -> str | None:
        """Run and evaluate once; give the network's reason to refuse the canvas, and let ours pass."""
        canvas = self._canvas(pipeline)
        model = self.model
        grey = torch.full((1, self.param.channels, *canvas), GREY, device=model.device, dtype=model.dtype)
        with probing(model.module) as attempt, capture(model.module, self.addresses) as run:
            found = run(model.normalize(grey))
        if attempt.reason is None:
            self._evaluate(found, canvas)
        return attempt.reason

    def _evaluate(self, found: Mapping[str, Tensor], canvas: Size) -> None:
        batch = self.param.batch
        maps = {name: values.expand(batch, *values.shape[1:]) for name, values in found.items()}
        maps[INPUT] = torch.full((batch, self.param.channels, *self.param.size), GREY, device=self.model.device)
        for name, values in maps.items():
            if 0 in values.shape:
                raise SizeError(
                    f"At {canvas[0]} x {canvas[1]} pixels nothing is left in {name!r}; make the image larger."
                )
        with torch.no_grad():
            value = self.goal(maps)
        if value.shape != (batch,):
            raise BadInputError(
                f"{self.goal!r} gives values of shape {list(value.shape)}, not one per image: it must read a layer."
            )

    def _message(self, refusal: str, canvas: Size) -> str:
        height, width = self.model.convention.size
        return (
            f"{self.model.name} does not take images of {canvas[0]} x {canvas[1]} pixels ({refusal}). It was made for "
            f"{height} x {width}: write a larger size, or end the transforms with crop_or_pad_to({height}, {width})."
        )
