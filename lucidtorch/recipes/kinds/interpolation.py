"""A walk from one objective to the next, over pictures that are made together."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from lucidtorch.base.defaults import record_text
from lucidtorch.galleries.task import Craft, Piece, Task
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.images import each, interpolate
from lucidtorch.objectives.joins import total
from lucidtorch.objectives.matching import alignment
from lucidtorch.objectives.references import INPUT
from lucidtorch.recipes.blame import FieldError, blamed
from lucidtorch.recipes.functions import RecipeFunction
from lucidtorch.recipes.parts.sharing import with_shared
from lucidtorch.recipes.parts.walk_story import Walk, told
from lucidtorch.recipes.recipe import Layers
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.kind import RenderingKind
from lucidtorch.recipes.runs.planning import Plan
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Story

ALIGNED = ((1, 2), (1, 4), (1, 8), (2, 8), (1, 16), (2, 16))  # Lucid's: rows of images, and how much coarser
MOST_FRAMES = 1024


class Interpolation(RenderingKind):
    """A walk between objectives.

    Attributes:
        objectives: Where the walk leads.
        frames: How many pictures there are from one objective to the next, both ends counted.
        alignment: How strongly neighbouring frames are kept alike.
        alignment_layers: In which layers.
        decay: By how much pairs count less for every frame that they are farther apart.
        shared: Whether the frames share coarse parts.
        compare: Whether the same walk is also shown without any of this.
    """

    summary: ClassVar[str] = "A walk from one objective to the next, frame by frame, with and without alignment."
    packages: ClassVar[tuple[str, ...]] = ("imageio",)

    recipe: Literal["interpolation"] = "interpolation"
    objectives: Annotated[tuple[str, ...], Field(min_length=2, max_length=64)] = Field(
        description="Where the walk leads, two objectives or more, such as conv5_1:303 and conv5_1:5."
    )
    frames: int = Field(
        default=6, ge=2, le=256, description="Pictures from each objective to the next, both ends counted."
    )
    alignment: float = Field(
        default=0.1, ge=0, allow_inf_nan=False, description="How strongly neighbouring frames are kept alike; 0: not."
    )
    alignment_layers: Layers | None = Field(
        default=None, description="The layers in which they are kept alike; those of the objectives if absent."
    )
    decay: float = Field(
        default=5.0, gt=0, allow_inf_nan=False, description="By how much pairs count less per frame between them."
    )
    shared: bool = Field(default=True, description="Whether all frames share coarse parts, so that they line up.")
    compare: bool = Field(default=False, description="Whether the walk is also shown without alignment and sharing.")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.alignment == 0 and self.alignment_layers is not None:
            raise FieldError(
                ("alignment_layers",), "They are for alignment, and alignment is 0; leave one of them out."
            )
        if self.compare and self.alignment == 0 and not self.shared:
            raise FieldError(("compare",), "There is nothing to compare: alignment is 0 and shared is false already.")
        if self.length > MOST_FRAMES:
            raise FieldError(
                ("frames",),
                f"The frames of a walk are made together, {MOST_FRAMES} at most, but {len(self.objectives)} objectives "
                f"and {self.frames} frames make {self.length}; write fewer.",
            )
        return self

    @property
    def length(self) -> int:
        """How many frames the whole walk has; where two legs meet is one frame."""
        return (len(self.objectives) - 1) * (self.frames - 1) + 1

    def plan(self, stage: Stage) -> Plan:
        stops = tuple(self._stop(stage, place) for place in range(len(self.objectives)))
        layers = self._alignment_layers(stage, stops)
        parts = mixtures(stops, self.frames)
        goal = interpolate(*stops, self.frames) if len(stops) == 2 else each(*parts)
        walks = []
        if self.shared or self.alignment:
            param = with_shared(stage.param, ALIGNED) if self.shared else stage.param
            pull = [self.alignment * alignment(layer, decay_ratio=self.decay) for layer in layers]
            craft = replace(stage.craft, param=param)
            walks.append(self._walk(stage, "aligned", goal - total(pull) if pull else goal, parts, craft))
        if self.compare or not walks:
            walks.append(self._walk(stage, "separate", goal, parts, replace(stage.craft, param=stage.param)))

        def tell(desk: Desk) -> Story:
            return told(desk, stage, self.title, stops, tuple(walks))

        fields = {
            "param": record_text(stage.param),
            "objectives": tuple(map(record_text, stops)),
            "alignment_layers": layers or None,
        }
        return Plan(tuple(walk.task for walk in walks), tell, fields)

    def _stop(self, stage: Stage, place: int) -> Objective:
        found = stage.objective(self.objectives[place], "objectives", place)
        with blamed("objectives", place):
            count = found.batch
        if count is not None:
            raise FieldError(
                ("objectives", place),
                f"A walk leads from one picture to another, but {self.objectives[place]!r} speaks of {count} images.",
            )
        return found

    def _alignment_layers(self, stage: Stage, stops: tuple[Objective, ...]) -> tuple[str, ...]:
        if not self.alignment:
            return ()
        if self.alignment_layers is not None:
            return stage.layers(self.alignment_layers, "alignment_layers")
        return tuple(dict.fromkeys(layer for stop in stops for layer in stop.layers if layer != INPUT))

    def _walk(self, stage: Stage, name: str, goal: Objective, parts: Sequence[Objective], craft: Craft) -> Walk:
        stops = map(repr, parts[:: self.frames - 1])
        start = stage.seed("interpolation", *stops)
        seeds = tuple(stage.seed(place, start=start) for place in range(len(parts)))
        pieces = tuple(Piece(f"pictures/{name}/{place:04d}.png", (place,)) for place in range(len(parts)))
        return Walk(name, tuple(parts), self.frames, Task(name, goal, seeds, pieces, craft))


def mixtures(stops: Sequence[Objective], frames: int) -> tuple[Objective, ...]:
    """Write what each frame of a walk maximizes."""
    found: list[Objective] = []
    for start, end in itertools.pairwise(stops):
        shares = [step / (frames - 1) for step in range(1, frames - 1)]
        found += [start, *((1 - share) * start + share * end for share in shares)]
    return (*found, stops[-1])


interpolation = RecipeFunction(Interpolation)
