"""One forward pass before the first step: do the networks take the canvas, and does the objective fit their layers?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from lucidtorch.base.errors import BadInputError, SizeError
from lucidtorch.base.seeds import OwnRandomState, generators
from lucidtorch.base.sizes import PLANE, Size, size_text
from lucidtorch.models.model import Model
from lucidtorch.models.running.capture import capture
from lucidtorch.models.running.frozen import probing
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.references import INPUT, reference
from lucidtorch.param.param import Param
from lucidtorch.rendering.networks import Networks
from lucidtorch.rendering.seeing import targets_of
from lucidtorch.rendering.settings import Engine
from lucidtorch.transforms.transform import GREY, Pipeline


class Probe:
    """Tries a grey image of the right size before any step is made.

    Args:
        networks: The networks.
        layers: The addresses of the layers that the objective needs.
        goal: The objective, class names looked up.
        param: What makes the images; it is not filled.
        engine: How the networks are executed.
    """

    def __init__(
        self, networks: Networks, layers: Sequence[str], goal: Objective, param: Param, engine: Engine
    ) -> None:
        self.networks = networks
        self.layers = layers
        self.engine = engine
        self.goal = goal
        self.param = param
        self.rng = OwnRandomState(0)
        self.maps: dict[str, Tensor] = {}  # what the objective read last

    def settle(self, pipeline: Pipeline, fallback: Pipeline | None) -> Pipeline:
        """Find the pipeline whose canvas the networks take, and evaluate the objective on what comes out."""
        refused = self._try(pipeline)
        if refused is None:
            return pipeline
        if fallback is not None and self._try(fallback) is None:
            return fallback
        raise SizeError(self._message(*refused, self._canvas(pipeline)))

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
