"""The units of a layer in groups that are active together, found on one picture or many."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from lucidtorch.analysis.factors import LARGEST_SEED, MAP_AXES, Groups, nmf_groups
from lucidtorch.base.sizes import short_size, size_pair, size_text
from lucidtorch.galleries.plan import slug
from lucidtorch.objectives.directions import direction
from lucidtorch.recipes.blame import FieldError, blamed
from lucidtorch.recipes.functions import RecipeFunction
from lucidtorch.recipes.inputs import ImageField, kept_image, read_image
from lucidtorch.recipes.parts.group_story import Found, told
from lucidtorch.recipes.recipe import Layers, SizeField
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.kind import RecipeKind
from lucidtorch.recipes.runs.planning import Plan, Shot
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Story

Images = Annotated[tuple[ImageField, ...], Field(min_length=1, max_length=1024)]


class NeuronGroups(RecipeKind):
    """Groups of the units of layers.

    Attributes:
        layers: Their addresses.
        image: The picture that the groups are found in.
        images: Or several, which then share the groups.
        image_size: The size at which the network looks at them.
        groups: How many groups each layer is split into.
        max_iter: After how many iterations the search for the groups ends at the latest.
        cossim_pow: How purely a group's picture shall show the group.
    """

    summary: ClassVar[str] = "Groups of a layer's units that are active together in pictures: where each is, and what."
    packages: ClassVar[tuple[str, ...]] = ("scikit-learn", "scipy")

    recipe: Literal["neuron_groups"] = "neuron_groups"
    layers: Layers = Field(description="The address of a layer with positions, or several; behind a ReLU if possible.")
    image: ImageField | None = Field(
        default=None, description="The picture the groups are found in: a path, or {drawing: star}."
    )
    images: Images | None = Field(default=None, description="Or several pictures, which share the groups.")
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

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.image is None and self.images is None:
            raise FieldError(("image",), "Groups are found in a picture; name one, or several under `images`.")
        if self.image is not None and self.images is not None:
            raise FieldError(("images",), "Write `image` or `images`, not both.")
        return self

    def plan(self, stage: Stage) -> Plan:
        layers = stage.layers(self.layers)
        pictures = self._pictures(stage)
        found = tuple(self._found(stage, layer, pictures) for layer in layers)
        tasks = [task for one in found for task in stage.tasks(slug(one.layer), one.shots)]
        kept = [kept_image(value, stage.base) for value, _ in self._given()]
        names = tuple(name for name, _ in kept)
        fields = {
            "layers": layers,
            "image_size": short_size(tuple(pictures.shape[2:])),
            **({"images": names} if self.image is None else {"image": names[0]}),
        }

        def tell(desk: Desk) -> Story:
            return told(desk, stage.network.name, self.title, pictures, found)

        return Plan(tuple(tasks), tell, fields, {path: data for _, files in kept for path, data in files.items()})

    def _given(self) -> list[tuple[Any, tuple[str | int, ...]]]:
        """The pictures as the recipe names them, each with the way to it."""
        if self.image is not None:
            return [(self.image, ("image",))]
        return [(value, ("images", place)) for place, value in enumerate(self.images or ())]

    def _pictures(self, stage: Stage) -> Tensor:
        convention = stage.network.convention
        with blamed("image_size"):
            sides = size_pair(convention.size if self.image_size is None else self.image_size)
        read = []
        for value, key in self._given():
            with blamed(*key):
                read.append(read_image(value, sides, convention.channels, stage.base))
            wanted = sides if self.image_size is not None else read[0].shape[1:]
            if read[-1].shape[1:] != wanted:
                raise FieldError(
                    key,
                    f"It is {size_text(read[-1].shape[1:])}, and {size_text(wanted)} was expected; the pictures of a "
                    f"run have one size.",
                )
        return torch.stack([torch.tensor(one.numpy(), dtype=torch.float32) for one in read])

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
