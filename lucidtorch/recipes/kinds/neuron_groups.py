"""The units of a layer in groups that are active together, found on one picture or many."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from lucidtorch.analysis.factors import LARGEST_SEED, MAP_AXES, Groups, nmf_groups
from lucidtorch.base.sizes import short_size, size_pair
from lucidtorch.galleries.plan import slug
from lucidtorch.objectives.directions import direction
from lucidtorch.recipes.blame import FieldError, blamed
from lucidtorch.recipes.functions import RecipeFunction
from lucidtorch.recipes.looked_at import PictureFields, look_at
from lucidtorch.recipes.parts.group_story import Found, told
from lucidtorch.recipes.recipe import Layers, SizeField
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.kind import RenderingKind
from lucidtorch.recipes.runs.planning import Plan, Shot
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Story


class NeuronGroups(PictureFields, RenderingKind):
    """Groups of the units of layers.

    Attributes:
        layers: Their addresses.
        image_size: The size at which the network looks at them.
        groups: How many groups each layer is split into.
        max_iter: After how many iterations the search for the groups ends at the latest.
        cossim_pow: How purely a group's picture shall show the group.
    """

    summary: ClassVar[str] = "Groups of a layer's units that are active together in pictures: where each is, and what."
    packages: ClassVar[tuple[str, ...]] = ("scikit-learn", "scipy")

    recipe: Literal["neuron_groups"] = "neuron_groups"
    layers: Layers = Field(description="The address of a layer with positions, or several; behind a ReLU if possible.")
    image_size: SizeField | None = Field(
        default=None, description="Pixels on a side, or [height, width], of what is looked at; the network's if absent."
    )
    groups: int = Field(default=6, ge=1, le=256, description="How many groups each layer is split into.")
    max_iter: int = Field(
        default=1000, ge=1, le=1_000_000, description="After how many iterations the search for groups ends at last."
    )
    cossim_pow: float = Field(
        default=2.0, ge=0, le=16, description="How purely a picture shows its group: the power of the cosine."
    )

    def plan(self, stage: Stage) -> Plan:
        layers = stage.layers(self.layers)
        with blamed("image_size"):
            sides = None if self.image_size is None else size_pair(self.image_size)
        seen = look_at(stage, self, sides)
        found = tuple(self._found(stage, layer, seen.pixels) for layer in layers)
        tasks = [task for one in found for task in stage.tasks(slug(one.layer), one.shots)]
        fields = {"layers": layers, "image_size": short_size(tuple(seen.pixels.shape[2:])), **seen.fields}

        def tell(desk: Desk) -> Story:
            return told(desk, stage.network.name, self.title, seen.pixels, found)

        return Plan(tuple(tasks), tell, fields, seen.files)

    def _found(self, stage: Stage, layer: str, pictures: Tensor) -> Found:
        with blamed("image_size"):
            # one at a time, so that a picture's activations do not depend on the others
            seen = [stage.network.activations(one[None], layer)[layer].cpu().float() for one in pictures]
        values = torch.cat(seen)
        key = ("layers",) if isinstance(self.layers, str) else ("layers", self.layers.index(layer))
        positive = values.clamp(min=0)
        if values.ndim != MAP_AXES:
            raise FieldError(key, f"{layer!r} has no positions, and groups are found by where units are active.")
        if not bool((positive > 0).any()):
            raise FieldError(key, f"{layer!r} is nowhere above zero on what is looked at; name another layer or image.")
        with blamed("groups"):
            groups = nmf_groups(
                positive,
                self.groups,
                seed=stage.seed(layer, "groups") % (LARGEST_SEED + 1),
                max_iter=self.max_iter,
                threads=self.threads,
            )
        return Found(layer, groups, self._shots(stage, layer, groups), rectified=bool((values < 0).any()))

    def _shots(self, stage: Stage, layer: str, groups: Groups) -> tuple[Shot, ...]:
        return tuple(
            Shot(
                f"pictures/{slug(layer)}/group-{number:03d}.png",
                direction(layer, groups.directions[number - 1], cossim_pow=self.cossim_pow),
                stage.seed(layer, number, "group", 0),
            )
            for number in range(1, groups.count + 1)
        )


neuron_groups = RecipeFunction(NeuronGroups)
