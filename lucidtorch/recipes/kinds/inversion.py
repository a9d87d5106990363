"""What a layer still knows of a picture: another picture, made from noise until the layer cannot tell the two apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from lucidtorch.base.defaults import record_text
from lucidtorch.base.sizes import PLANE, short_size, size_pair, size_text
from lucidtorch.galleries.plan import slug
from lucidtorch.galleries.task import Craft, Task
from lucidtorch.objectives.algebra import Objective
from lucidtorch.param.images import image
from lucidtorch.param.param import Param
from lucidtorch.recipes.blame import FieldError, blamed
from lucidtorch.recipes.functions import RecipeFunction
from lucidtorch.recipes.looked_at import LookedAt, PictureFields, look_at
from lucidtorch.recipes.parts.inverting.inversion_story import Inversions
from lucidtorch.recipes.parts.inverting.loss import InversionLoss
from lucidtorch.recipes.recipe import Layers
from lucidtorch.recipes.runs.kind import RenderingKind
from lucidtorch.recipes.runs.planning import Plan, Shot
from lucidtorch.recipes.runs.stage import Stage


class Inversion(PictureFields, RenderingKind):
    """Pictures made again from what layers say of them.

    Attributes:
        layers: Their addresses.
        alpha: The power of the distance from grey that costs.
        alpha_weight: How much that counts.
        tv_beta: The power of the steepness that costs.
        tv_weight: How much that counts.
        transforms: What the pictures go through; nothing, as places count here.
        steps: The number of updates of each picture.
        lr: The step size.
    """

    summary: ClassVar[str] = "What layers still know of a picture: it is made again from noise, side by side by depth."

    recipe: Literal["inversion"] = "inversion"
    layers: Layers = Field(description="The address of a layer, or several; one per stage shows best what is lost.")
    alpha: float = Field(default=6.0, ge=1, le=64, description="The power of each pixel's distance from grey.")
    alpha_weight: float = Field(
        default=1.0,
        ge=0,
        allow_inf_nan=False,
        description="What the mean of those powers is multiplied by; more keeps the picture off black and white.",
    )
    tv_beta: float = Field(default=2.0, ge=1, le=16, description="The power of the steepness at each pixel.")
    tv_weight: float = Field(
        default=1.0,
        ge=0,
        allow_inf_nan=False,
        description="What the mean of those powers is multiplied by; more makes the picture smoother.",
    )
    transforms: str = Field(
        default="identity()",
        description="What the pictures go through at each step; nothing if absent, as moving them blurs where things "
        "are.",
    )
    steps: int = Field(default=512, ge=1, le=1_000_000, description="The number of updates of each picture.")
    lr: float = Field(default=0.1, gt=0, allow_inf_nan=False, description="The step size.")

    def plan(self, stage: Stage) -> Plan:
        layers = stage.layers(self.layers)
        seen = self._seen(stage)
        self._check_layers(stage, layers, seen)
        craft = replace(stage.craft, param=self._param(stage, seen.pixels))
        loss = InversionLoss(seen.pixels[0].numel(), self.alpha, self.alpha_weight, self.tv_beta, self.tv_weight)
        shots = {layer: _shots(stage, loss, layer, seen.pixels) for layer in layers}
        tasks = [task for layer in layers for task in _tasks(stage, loss, layer, shots[layer], seen.pixels, craft)]
        fields = {"layers": layers, "param": record_text(craft.param), **seen.fields}
        files = {layer: tuple(one.file for one in own) for layer, own in shots.items()}
        told = Inversions(stage.network, loss, seen.names, seen.pixels, files)
        return Plan(tuple(tasks), told.tell, fields, seen.files)

    def _seen(self, stage: Stage) -> LookedAt:
        given = stage.craft.param
        if given is not None and len(given.size) != PLANE:
            raise FieldError(("param",), f"Flat pictures are made again here, but param makes {size_text(given.size)}.")
        return look_at(stage, self, None if given is None else size_pair(given.size))

    def _param(self, stage: Stage, pictures: Tensor) -> Param:
        """Take what makes the pictures, and make sure that it makes nothing beside them."""
        given = stage.craft.param
        if given is None:
            return image(short_size(tuple(pictures.shape[-PLANE:])), channels=stage.network.convention.channels)
        if given.alpha or given.held:
            raise FieldError(("param",), f"The whole picture is made again, without opacity, but param is {given!r}.")
        return given

    def _check_layers(self, stage: Stage, layers: Sequence[str], seen: LookedAt) -> None:
        for name, picture in zip(seen.names, seen.pixels, strict=True):
            with blamed("size"):
                found = stage.network.activations(picture[None], layers)
            silent = [layer for layer in layers if not bool(found[layer].any())]
            if silent:
                raise FieldError(
                    ("layers",), f"{silent[0]!r} is zero everywhere on {name}, so that nothing can be made of it again."
                )


def _shots(stage: Stage, loss: InversionLoss, layer: str, pictures: Tensor) -> tuple[Shot, ...]:
    return tuple(
        Shot(
            f"pictures/{slug(layer)}/{number:03d}.png",
            loss.objective(layer, picture),
            stage.seed(layer, number, "inversion"),
        )
        for number, picture in enumerate(pictures, 1)
    )


def _tasks(
    stage: Stage, loss: InversionLoss, layer: str, shots: Sequence[Shot], pictures: Tensor, craft: Craft
) -> tuple[Task, ...]:
    """Cut the pictures of a layer into tasks, each with one objective that holds all its pictures."""
    known = {shot.objective: picture for shot, picture in zip(shots, pictures, strict=True)}

    def join(objectives: Sequence[Objective]) -> Objective:
        own = [known[one] for one in objectives]
        return objectives[0] if len(own) == 1 else loss.objective(layer, torch.stack(own))

    return stage.tasks(slug(layer), shots, craft=craft, join=join)


inversion = RecipeFunction(Inversion)
