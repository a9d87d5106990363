"""Pairs of objectives: what excites two things at once, for every two of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from lucidtorch.base.defaults import record_text
from lucidtorch.base.images import sheet
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.units import channel
from lucidtorch.recipes.blame import FieldError, blamed
from lucidtorch.recipes.functions import RecipeFunction
from lucidtorch.recipes.parts.sharing import with_shared
from lucidtorch.recipes.parts.unit_pictures import objective_name
from lucidtorch.recipes.recipe import Units
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.kind import RenderingKind
from lucidtorch.recipes.runs.planning import Plan, Shot
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Figure, Section, Story, Table

LARGEST = 64  # things in a grid; 64 of them make 2080 pictures
GRIDS = ((1, 2), (1, 4), (1, 8))  # rows of images, and how much coarser, of what the cells share
DIGITS = 3
MINUS = "\N{MINUS SIGN}"

Cells: TypeAlias = Mapping[tuple[int, int], Shot]


class Interaction(RenderingKind):
    """A grid of sums of two.

    Attributes:
        objectives: The things.
        layer: Or the layer whose units they are.
        units: Its units.
        lower: What stands below the diagonal.
        shared: Whether all cells share coarse parts.
    """

    summary: ClassVar[str] = "Every two of several objectives at once, in a grid; on its diagonal each alone."

    recipe: Literal["interaction"] = "interaction"
    objectives: Annotated[tuple[str, ...], Field(min_length=2, max_length=LARGEST)] | None = Field(
        default=None, description="What is combined, two by two; or name a layer and units of it."
    )
    layer: str | None = Field(default=None, description="The address of the layer whose units are combined.")
    units: Units | None = Field(default=None, description="Units of that layer: a text such as 4,30,44, or numbers.")
    lower: Literal["mirrored", "difference"] = Field(
        default="mirrored", description="Below the diagonal: the sums again, or the row minus the column."
    )
    shared: bool = Field(
        default=False, description="Whether all cells share coarse parts; they are then one batch, however many."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.objectives is not None and (self.layer is not None or self.units is not None):
            raise FieldError(("objectives",), "Write objectives, or layer and units, not both.")
        if self.objectives is None and (self.layer is None or self.units is None):
            missing = "units" if self.layer is not None else "layer" if self.units is not None else "objectives"
            raise FieldError(
                (missing,), "Write what is combined: objectives, or a layer and units of it, such as units: 4,30,44."
            )
        return self

    def plan(self, stage: Stage) -> Plan:
        things = self._things(stage)
        cells = {
            (row, column): self._shot(stage, things, row, column)
            for row in range(len(things))
            for column in range(len(things))
            if row <= column or self.lower == "difference"
        }
        shots = tuple(cells.values())
        craft, batch = stage.craft, 0
        fields: dict[str, Any] = {"objectives": tuple(map(record_text, things)), "layer": None, "units": None}
        if self.shared:
            craft, batch = replace(craft, param=with_shared(stage.param, GRIDS)), len(shots)
            fields["param"] = record_text(stage.param)
        tasks = stage.tasks("interaction", shots, craft=craft, batch=batch)

        def tell(desk: Desk) -> Story:
            names = [objective_name(stage.network, thing) for thing in things]
            return told(desk, self.title or f"Pairs in {stage.network.name}", names, cells, alpha=stage.param.alpha)

        return Plan(tasks, tell, fields)

    def _things(self, stage: Stage) -> tuple[Objective, ...]:
        if self.objectives is None:
            return self._channels(stage, self.layer or "", self.units or ())
        found = tuple(stage.objective(text, "objectives", place) for place, text in enumerate(self.objectives))
        for place, one in enumerate(found):
            with blamed("objectives", place):
                count = one.batch
            if count is not None:
                raise FieldError(
                    ("objectives", place), f"A cell is one picture, but {self.objectives[place]!r} speaks of {count}."
                )
        return found

    def _channels(self, stage: Stage, layer: str, units: str | int | Sequence[int]) -> tuple[Objective, ...]:
        stage.layers(layer, "layer")
        numbers = stage.units(layer, units)
        if not 2 <= len(numbers) <= LARGEST:
            raise FieldError(("units",), f"A grid has 2 to {LARGEST} units on a side, but {len(numbers)} were named.")
        return tuple(channel(layer, number) for number in numbers)

    def _shot(self, stage: Stage, things: Sequence[Objective], row: int, column: int) -> Shot:
        first, second = things[row], things[column]
        goal = first if row == column else first + second if row < column else first - second
        return Shot(f"pictures/{row:03d}-{column:03d}.png", goal, stage.seed("interaction"))


def told(desk: Desk, title: str, names: Sequence[str], cells: Cells, *, alpha: bool) -> Story:
    """Tell of a grid of pairs."""
    count = len(names)
    places = [(row, column) for row in range(count) for column in range(count)]
    shots = [cells[place if place in cells else place[::-1]] for place in places]
    grid = desk.write("grid.png", sheet(desk.stacked(one.file for one in shots), count), alpha=alpha)
    mirrored = len(cells) < len(places)
    whole = Figure(grid, "the whole grid", f"A grid of {count} by {count} pictures", whole=True)
    captions = [_caption(names, *place, mirrored) for place in places]
    figures = tuple(
        desk.figure(shot.file, caption, shot.objective) for shot, caption in zip(shots, captions, strict=True)
    )
    named = Section("Cell by cell", _how_to_read(mirrored), figures, count, tuple(names), tuple(names))
    sections = (Section("The grid", figures=(whole,)), named, Section("In numbers", table=_table(desk, names, cells)))
    lead = (
        f"{', '.join(names)}: each alone on the diagonal, and every two of them at once. All pictures start from the "
        f"same noise, so that what differs comes from what is asked for.",
    )
    return Story(title, lead, sections, grid)


def _how_to_read(mirrored: bool) -> tuple[str, ...]:
    lower = "Below it stand the same pictures again." if mirrored else "Below it: the row minus the column."
    return (
        f"Look along a row: on the diagonal is the picture of that thing alone, right of it the sum with each other "
        f"one. {lower}",
        "Where a sum looks like one of the two, that one won; where it looks like neither, the two make something of "
        "their own. One picture per cell shows one way of exciting both, and not that the network combines them so.",
    )


def _caption(names: Sequence[str], row: int, column: int, mirrored: bool) -> str:
    if row == column:
        return names[row]
    return f"{names[row]} {'+' if row < column or mirrored else MINUS} {names[column]}"


def _table(desk: Desk, names: Sequence[str], cells: Cells) -> Table:
    """How much of what each reaches alone two of them reach together."""
    scores = {place: desk.records[shot.file]["score"] for place, shot in cells.items()}
    rows = [(name, *(_share(scores, row, column) for column in range(len(names)))) for row, name in enumerate(names)]
    caption = (
        "The score of a sum, as a part of what both reach alone together: near 1 the two do not disturb each other. On "
        "the diagonal, the score of each alone."
    )
    return Table(("", *names), tuple(rows), caption)


def _share(scores: Mapping[tuple[int, int], float | None], row: int, column: int) -> float | None:
    if row == column:
        return scores[row, row]
    alone = [scores[row, row], scores[column, column]]
    together = scores[min(row, column), max(row, column)]
    reached = [one for one in (*alone, together) if one is not None]
    if len(reached) < 3 or min(reached[:2]) <= 0:
        return None
    return round(reached[2] / (reached[0] + reached[1]), DIGITS)


interaction = RecipeFunction(Interaction)
