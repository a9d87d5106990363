"""The filters of a network: channels by gradient ascent from a blank image, and the weights of the first layer."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field

from lucidtorch.base.defaults import record_text
from lucidtorch.base.sizes import short_size
from lucidtorch.galleries.plan import slug
from lucidtorch.param.images import image
from lucidtorch.param.param import Param
from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.functions import RecipeFunction
from lucidtorch.recipes.parts.filter_banks.filter_story import (
    Ascent,
    best_sheet,
    facts_of,
    kernel_section,
    lead,
    sections,
)
from lucidtorch.recipes.parts.unit_pictures import unit_shot
from lucidtorch.recipes.recipe import Layers, Units
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.kind import RenderingKind
from lucidtorch.recipes.runs.planning import Plan
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Story

Start = Literal["blank", "noise"]
STARTS: dict[Start, float] = {"blank": 0.001, "noise": 0.5}  # sd of the frequencies: contrasts of 0.03 and 12 per cent


class Filters(RenderingKind):
    """Channels by gradient ascent.

    Attributes:
        layers: The addresses of the layers.
        units: Which units of each.
        best: How many of each layer, those with the highest objective, are shown first.
        start: What every picture starts from; a blank image where neither this nor `param` is given.
        kernels: Whether the weights of the first layer are shown too.
        transforms: What the network sees the pictures through.
    """

    summary: ClassVar[str] = "Channels by gradient ascent from a blank image, best first; the first layer's weights."

    recipe: Literal["filters"] = "filters"
    layers: Layers = Field(description="The address of a layer, or several.")
    units: Units = Field(default="all", description="all, a text such as 0-63,70, or numbers.")
    best: int = Field(
        default=9,
        ge=1,
        le=1024,
        description="How many of each layer are shown first: those with the highest objective.",
    )
    start: Start | None = Field(
        default=None,
        description="What every picture starts from: blank (grey with a trace of noise) or noise; blank if absent, "
        "unless param says another start.",
    )
    kernels: bool = Field(default=True, description="Whether the weights of the first layer are shown as pictures too.")
    transforms: str = Field(
        default="jitter(4)", description="What the network sees the pictures through; identity() is bare ascent."
    )

    def plan(self, stage: Stage) -> Plan:
        layers = stage.layers(self.layers)
        param, start = self._param(stage)
        craft = replace(stage.craft, param=param)
        ascents = tuple(_ascent(stage, layer, stage.units(layer, self.units)) for layer in layers)
        tasks = tuple(task for one in ascents for task in stage.tasks(slug(one.layer), one.shots, craft=craft))

        def tell(desk: Desk) -> Story:
            parts = [part for one in ascents for part in sections(desk, stage.network, one, self.best)]
            first = kernel_section(desk, stage.network) if self.kernels else None
            facts = {"layers": {one.layer: facts_of(desk, one, self.best) for one in ascents}}
            if first is not None:
                parts.append(first[0])
                facts["kernels"] = first[1]
            title = self.title or f"Filters of {stage.network.name}: {', '.join(layers)}"
            sheets = [best_sheet(desk, one, self.best) for one in ascents]
            return Story(title, lead(stage, ascents, start), tuple(parts), sheets[0], facts)

        return Plan(tasks, tell, {"layers": layers, "param": record_text(param), "start": start})

    def _param(self, stage: Stage) -> tuple[Param, Start | None]:
        """What makes the pictures, and the word for what it starts from."""
        given = stage.param
        made = {word: _starting(stage, word) for word in STARTS}
        if self.param is None:
            word = self.start or "blank"
            return made[word], word
        if self.start is not None and repr(given) != repr(made[self.start]):
            raise FieldError(
                ("start",), f"param, {self.param}, says what pictures start from; leave one of the two out."
            )
        return given, self.start


def _starting(stage: Stage, word: Start) -> Param:
    param = stage.param
    return image(short_size(param.size), channels=stage.network.convention.channels, sd=STARTS[word])


def _ascent(stage: Stage, layer: str, units: tuple[int, ...]) -> Ascent:
    shots = tuple(unit_shot(stage, layer, unit, f"pictures/{slug(layer)}/{unit:05d}.png") for unit in units)
    return Ascent(layer, units, shots)


filters = RecipeFunction(Filters)
