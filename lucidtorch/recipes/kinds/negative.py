"""Each unit's negative beside its positive."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch.nn import functional

from lucidtorch.base.images import GAP, GAP_VALUE, sheet
from lucidtorch.galleries.plan import slug
from lucidtorch.galleries.task import Task
from lucidtorch.models.model import Model
from lucidtorch.objectives.algebra import Objective
from lucidtorch.recipes.functions import RecipeFunction
from lucidtorch.recipes.parts.unit_pictures import numbers_text, unit_name, unit_shot
from lucidtorch.recipes.recipe import Layers, Units
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.kind import RenderingKind
from lucidtorch.recipes.runs.planning import Plan, Shot, together
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Figure, Section, Story

SIDES = ("negative", "positive")
RELUS = ("ReLU", "ReLU6")  # the kinds whose pre-activation is looked for


class Negative(RenderingKind):
    """What drives units down, and what drives them up.

    Attributes:
        layers: Their addresses.
        units: Which units of each.
        columns: How many pairs stand in a row of the sheet; about a square where None.
    """

    summary: ClassVar[str] = "Each unit's negative and positive side by side, the negative on the left."

    recipe: Literal["negative"] = "negative"
    layers: Layers = Field(description="The address of a layer, or several.")
    units: Units = Field(default="all", description="all, a text such as 0-63,70, or numbers.")
    columns: int | None = Field(
        default=None, ge=1, le=512, description="How many pairs stand in a row; about a square if absent."
    )

    def plan(self, stage: Stage) -> Plan:
        layers = stage.layers(self.layers)
        rows = [_Pairs.of(stage, layer, stage.units(layer, self.units), self.columns) for layer in layers]
        tasks = [task for one in rows for task in one.tasks(stage)]

        def tell(desk: Desk) -> Story:
            sections = tuple(section for one in rows for section in one.sections(desk))
            title = self.title or f"Negative and positive: {', '.join(layers)} of {stage.network.name}"
            lead = (
                f"Units of {stage.network.name} in pairs: on the left the picture that makes the unit's value as "
                f"negative as it would get, on the right the one that makes it as positive. Both of a pair started "
                f"from the same noise.",
                "The negative is what the unit is most held down by, not everything that leaves it silent. Behind a "
                "ReLU all values below zero look the same to the layers that follow.",
            )
            facts = {"value_of": {one.layer: one.target for one in rows}}
            return Story(title, lead, sections, sections[0].figures[0].file, facts)

        return Plan(tuple(tasks), tell, {"layers": layers})


@dataclass(frozen=True)
class _Pairs:
    """The pairs of one layer; `target` is the layer whose value is meant, before a ReLU where there is one."""

    network: Model
    layer: str
    target: str
    units: tuple[int, ...]
    negatives: tuple[Shot, ...]
    positives: tuple[Shot, ...]
    columns: int

    @classmethod
    def of(cls, stage: Stage, layer: str, units: tuple[int, ...], columns: int | None) -> _Pairs:
        target = stage.table.before(layer) or layer
        folder = f"pictures/{slug(layer)}"
        positives = tuple(unit_shot(stage, target, unit, f"{folder}/{unit:05d}-positive.png") for unit in units)
        negatives = tuple(
            replace(one, file=f"{folder}/{unit:05d}-negative.png", objective=-one.objective)
            for unit, one in zip(units, positives, strict=True)
        )
        across = min(len(units), columns or math.ceil(math.sqrt(len(units) / len(SIDES))))
        return cls(stage.network, layer, target, units, negatives, positives, across)

    def tasks(self, stage: Stage) -> tuple[Task, ...]:
        """Render the negatives together, and the positives."""
        low = stage.tasks(f"{slug(self.layer)}-negative", self.negatives, join=_turned)
        return low + stage.tasks(f"{slug(self.layer)}-positive", self.positives)

    def sections(self, desk: Desk) -> tuple[Section, Section]:
        """Lay out the sheet, and show each pair in a row of its own."""
        file = desk.write(f"pairs-{slug(self.layer)}.png", self._sheet(desk))
        text = f"{self.layer}: pairs of units {numbers_text(self.units)}, {self.columns} in a row; negative on the left"
        whole = Figure(file, text, f"A sheet of pairs of pictures of units of {self.layer}", whole=True)
        names = [unit_name(self.network, self.layer, unit) for unit in self.units]
        shown = [one for name, pair in zip(names, self._pairs, strict=True) for one in _figures(desk, name, pair)]
        rows = Section(f"{self.layer}, pair by pair", (), tuple(shown), len(SIDES), tuple(names), column_names=SIDES)
        return Section(self.layer, self._words(), (whole,)), rows

    @property
    def _pairs(self) -> Sequence[tuple[Shot, Shot]]:
        return list(zip(self.negatives, self.positives, strict=True))

    def _sheet(self, desk: Desk) -> torch.Tensor:
        pairs = [sheet(desk.stacked(one.file for one in pair), len(SIDES)) for pair in self._pairs]
        framed = [functional.pad(one, (GAP,) * 4, value=GAP_VALUE) for one in pairs]
        return sheet(torch.stack(framed), self.columns)

    def _words(self) -> tuple[str, ...]:
        if self.target != self.layer:
            return (
                f"{self.layer} is behind a ReLU and cannot fall below zero, so both pictures of a pair are of the "
                f"value before it, {self.target}.",
            )
        if self.network.layers[self.layer].kind in RELUS:
            return (
                f"{self.layer} is a ReLU, cannot fall below zero, and takes something else than the output of one "
                f"layer: its negatives show no more than what leaves it silent.",
            )
        return ()


def _figures(desk: Desk, name: str, pair: Sequence[Shot]) -> list[Figure]:
    return [
        desk.figure(one.file, f"{name}, {side}", one.objective, alt=f"What drives {name} {way}")
        for one, side, way in zip(pair, SIDES, ("down", "up"), strict=True)
    ]


def _turned(objectives: Sequence[Objective]) -> Objective:
    """Write negatives as the negative of one objective."""
    return -together([one for negative in objectives for one in negative.objectives])


negative = RecipeFunction(Negative)
