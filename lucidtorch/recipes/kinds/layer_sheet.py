"""All units of a layer, or chosen ones, in one sheet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field

from lucidtorch.base.images import sheet
from lucidtorch.galleries.plan import slug
from lucidtorch.models.model import Model
from lucidtorch.recipes.functions import RecipeFunction
from lucidtorch.recipes.parts.unit_pictures import counted, numbers_text, unit_name, unit_shot
from lucidtorch.recipes.recipe import Layers, Units
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.kind import RenderingKind
from lucidtorch.recipes.runs.planning import Plan, Shot
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Figure, Section, Story


class LayerSheet(RenderingKind):
    """Sheets of whole layers.

    Attributes:
        layers: Their addresses.
        units: Which units of each.
        columns: How many stand in a row of the sheet; about a square where None.
    """

    summary: ClassVar[str] = "All units of a layer, or chosen ones, in one sheet; one sheet per layer."

    recipe: Literal["layer_sheet"] = "layer_sheet"
    layers: Layers = Field(description="The address of a layer, or several.")
    units: Units = Field(default="all", description="all, a text such as 0-63,70, or numbers.")
    columns: int | None = Field(
        default=None, ge=1, le=1024, description="How many stand in a row; about a square if absent."
    )

    def plan(self, stage: Stage) -> Plan:
        layers = stage.layers(self.layers)
        rows = [_Sheet.of(stage, layer, stage.units(layer, self.units), self.columns) for layer in layers]
        tasks = [task for one in rows for task in stage.tasks(slug(one.layer), one.shots)]

        def tell(desk: Desk) -> Story:
            sections = tuple(one.section(desk) for one in rows)
            count = counted(sum(len(one.units) for one in rows), "unit")
            title = self.title or f"{', '.join(layers)} of {stage.network.name}"
            lead = (
                f"{count} of {stage.network.name}. Each picture was changed step by step until its unit, one channel "
                f"of the layer, was as active as it would get on average over all places of the picture.",
                "A picture shows what drives its unit most, not all that the unit answers to. The colours and the "
                "contrast are those of the optimization; compare shapes and textures.",
            )
            facts = {"sheets": {one.layer: one.facts(desk) for one in rows}}
            return Story(title, lead, sections, sections[0].figures[0].file, facts)

        return Plan(tuple(tasks), tell, {"layers": layers})


@dataclass(frozen=True)
class _Sheet:
    """One layer's sheet."""

    network: Model
    layer: str
    units: tuple[int, ...]
    shots: tuple[Shot, ...]
    columns: int

    @classmethod
    def of(cls, stage: Stage, layer: str, units: tuple[int, ...], columns: int | None) -> _Sheet:
        shots = tuple(unit_shot(stage, layer, unit, f"pictures/{slug(layer)}/{unit:05d}.png") for unit in units)
        return cls(stage.network, layer, units, shots, min(len(units), columns or math.ceil(math.sqrt(len(units)))))

    def section(self, desk: Desk) -> Section:
        """Lay out the sheet, and name every unit under a picture of its own."""
        picture = sheet(desk.stacked(one.file for one in self.shots), self.columns)
        file = desk.write(f"sheet-{slug(self.layer)}.png", picture)
        text = self._how_to_read(desk)
        whole = Figure(file, f"{self.layer}: {text}", f"A sheet of {len(self.units)} units of {self.layer}", whole=True)
        named = [
            desk.figure(shot.file, unit_name(self.network, self.layer, unit), shot.objective)
            for unit, shot in zip(self.units, self.shots, strict=True)
        ]
        return Section(self.layer, figures=(whole, *named))

    def facts(self, desk: Desk) -> dict[str, list[int] | int]:
        """What `data.json` says of the sheet: which unit stands where, and which are dead."""
        return {"units": list(self.units), "columns": self.columns, "dead": self._dead(desk)}

    def _how_to_read(self, desk: Desk) -> str:
        text = f"unit {self.units[0]}"
        if len(self.units) > 1:
            text = f"units {numbers_text(self.units)} from left to right, {self.columns} in a row"
        if self._even and len(self.units) > self.columns:
            text += f"; the rows begin with {', '.join(map(str, self.units[:: self.columns]))}"
        dead = self._dead(desk)
        if dead:
            text += f". Grey with a cross: dead, which nothing woke ({numbers_text(dead)})"
        return f"{text}."

    @property
    def _even(self) -> bool:
        """Whether the units go on without a gap, so that the first of a row tells the others."""
        return self.units[-1] - self.units[0] == len(self.units) - 1

    def _dead(self, desk: Desk) -> list[int]:
        pairs = zip(self.units, self.shots, strict=True)
        return [unit for unit, shot in pairs if desk.records[shot.file]["dead"]]


layer_sheet = RecipeFunction(LayerSheet)
