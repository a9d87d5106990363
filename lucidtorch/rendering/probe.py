"""One forward pass before the first step, which shows whether the network takes the canvas and the objective fits its layers."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from lucidtorch.base.errors import BadInputError, LucidtorchError, SizeError
from lucidtorch.base.seeds import OwnRandomState
from lucidtorch.base.sizes import Size
from lucidtorch.models.address import Address
from lucidtorch.models.capture import capture
from lucidtorch.models.frozen import frozen
from lucidtorch.models.model import Model
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.picture import INPUT
from lucidtorch.param.param import Param
from lucidtorch.transforms.transform import Pipeline

GREY = 0.5


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
        for candidate in (pipeline, fallback):
            if candidate is None:
                continue
            canvas = self._canvas(candidate)
            refusal = self._try(canvas)
            if refusal is None:
                return candidate
            if candidate is pipeline:
                first, first_canvas = refusal, canvas
        raise SizeError(self._message(first, first_canvas, pipeline)) from first

    def _canvas(self, pipeline: Pipeline) -> Size:
        canvas = pipeline.output_size(self.param.size)
        if min(canvas) < 1:
            raise SizeError(f"The transforms leave an image of {canvas[0]} x {canvas[1]} pixels; make it larger.")
        return canvas

    def _try(self, canvas: Size) -> Exception | None:
        """Run and evaluate once; give the network's own refusal, and let ours pass."""
        grey = torch.full((1, self.param.channels, *canvas), GREY, device=self.model.device)
        rng = OwnRandomState(0)
        try:
            with torch.no_grad(), rng(), frozen(self.model.module), capture(self.model.module, self.addresses) as run:
                found = run(self.model.normalize(grey))
        except LucidtorchError:
            raise
        except (RuntimeError, ValueError, IndexError, AssertionError) as error:
            return error
        self._evaluate(found, canvas)
        return None

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
                f"{self.goal!r} gives values of shape {list(value.shape)}, not one per image; it must read a layer or the image."
            )

    def _message(self, refusal: Exception, canvas: Size, pipeline: Pipeline) -> str:
        height, width = self.model.convention.size
        reason = str(refusal).strip().split("\n")[0]
        return (
            f"{self.model.name} does not take images of {canvas[0]} x {canvas[1]} pixels ({reason}). It was made for {height} x {width}; "
            f"write a larger size, or end the transforms with crop_or_pad_to({height}, {width})."
        )
