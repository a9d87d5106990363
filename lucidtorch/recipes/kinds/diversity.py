"""Several versions of what an objective looks for, made to differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field

from lucidtorch.base.defaults import record_text
from lucidtorch.base.images import sheet
from lucidtorch.galleries.task import Piece, Task
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.matching import diversity as diversity_of
from lucidtorch.objectives.references import INPUT
from lucidtorch.recipes.blame import FieldError, Key, blamed
from lucidtorch.recipes.functions import RecipeFunction
from lucidtorch.recipes.parts.likeness import likeness
from lucidtorch.recipes.parts.unit_pictures import objective_name, objective_seed
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.kind import RenderingKind
from lucidtorch.recipes.runs.planning import Plan
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Cell, Figure, Section, Story, Table

LUCIDS_WEIGHT = 100.0
WITHOUT, WITH = "without", "with"

Objectives: TypeAlias = str | Annotated[tuple[str, ...], Field(min_length=1)]
Likeness: TypeAlias = Mapping[str, tuple[float, ...]]


class Diversity(RenderingKind):
    """Versions of what an objective looks for.

    Attributes:
        objectives: What the versions maximize; each objective has versions of its own.
        versions: How many there are of each.
        weight: How much their likeness counts against them.
        layer: Where they must differ; the deepest layer of each objective where None.
        compare: Whether the same versions are shown without the term.
    """

    summary: ClassVar[str] = "Several versions of what a unit looks for, pushed apart by the diversity term."

    recipe: Literal["diversity"] = "diversity"
    objectives: Objectives = Field(description="What the versions maximize, such as conv4_1:12, or several; in quotes.")
    versions: int = Field(default=4, ge=2, le=256, description="How many versions of each objective.")
    weight: float = Field(
        default=LUCIDS_WEIGHT, gt=0, allow_inf_nan=False, description="How much likeness counts against them."
    )
    layer: str | None = Field(
        default=None, description="Where the versions must differ; the deepest layer of each objective if absent."
    )
    compare: bool = Field(default=True, description="Whether to show the same versions without the term as well.")

    def plan(self, stage: Stage) -> Plan:
        if isinstance(self.objectives, str):
            crowds = [self._crowd(stage, 0, self.objectives, ("objectives",))]
        else:
            places = enumerate(self.objectives)
            crowds = [self._crowd(stage, place, text, ("objectives", place)) for place, text in places]
        tasks = tuple(task for one in crowds for task in one.tasks.values())

        def tell(desk: Desk) -> Story:
            found = [one.likeness(desk, stage) for one in crowds]
            pairs = zip(crowds, found, strict=True)
            sections = tuple(section for one, own in pairs for section in one.sections(desk, own))
            names = crowds[0].name if len(crowds) == 1 else f"each of {len(crowds)} objectives"
            title = self.title or f"{self.versions} versions of {names} in {stage.network.name}"
            facts = {"likeness": {repr(one.goal): own for one, own in zip(crowds, found, strict=True)}}
            return Story(title, self._lead(), sections, sections[0].figures[0].file, facts)

        return Plan(tasks, tell, {"objectives": tuple(record_text(one.goal) for one in crowds)})

    def _crowd(self, stage: Stage, place: int, text: str, key: Key) -> _Crowd:
        goal = stage.objective(text, *key)
        if goal.batch is not None:
            problem = f"{text!r} speaks of {goal.batch} images, but all versions maximize the same; name one unit."
            raise FieldError(key, problem)
        layer = self._layer(stage, goal, key)
        weight = int(self.weight) if self.weight.is_integer() else self.weight
        goals = {WITHOUT: goal} if self.compare else {}
        goals[WITH] = goal - weight * diversity_of(layer)
        seeds = tuple(objective_seed(stage, goal, copy) for copy in range(self.versions))
        tasks = {way: _task(stage, f"{place:03d}-{way}", one, seeds) for way, one in goals.items()}
        return _Crowd(place, goal, objective_name(stage.network, goal), layer, tasks)

    def _layer(self, stage: Stage, goal: Objective, key: Key) -> str:
        if self.layer is not None:
            with blamed("layer"):
                stage.table.resolve(self.layer)
            return self.layer
        named = [layer for layer in goal.layers if layer != INPUT]
        if not named:
            raise FieldError(key, f"{goal!r} speaks of no layer; say with the field layer where the versions differ.")
        return max(named, key=stage.table.order)

    def _lead(self) -> tuple[str, ...]:
        scores = (
            "A score with the term is the lower for it, so compare scores within a row only." if self.compare else ""
        )
        return (
            f"{self.versions} pictures of one objective. Each has a start of its own and was changed step by step "
            f"until the objective was as large as it would get.",
            f"The diversity term, with the weight {self.weight:g}, pushes the versions apart: it measures how alike "
            f"their textures are in one layer, whatever stands where in them. What all versions have in common is what "
            f"the unit asks for; what differs is what it puts up with. {scores}".strip(),
        )


@dataclass(frozen=True)
class _Crowd:
    """The versions of one objective: with the diversity term, and without it where that is wanted."""

    place: int
    goal: Objective
    name: str
    layer: str
    tasks: Mapping[str, Task]

    def sections(self, desk: Desk, found: Likeness) -> tuple[Section, Section]:
        """Lay all versions out, and name each."""
        count = len(self.tasks[WITH].seeds)
        files = [piece.file for task in self.tasks.values() for piece in task.pieces]
        file = desk.write(f"versions-{self.place:03d}.png", sheet(desk.stacked(files), count))
        rows = " Above without the diversity term, below with it." if len(self.tasks) > 1 else ""
        whole = Figure(file, f"{count} versions of {self.name}.{rows}", f"Versions of {self.name}", whole=True)
        named = [
            desk.figure(
                piece.file, f"version {copy}, {way} the term", task.objective, alt=f"Version {copy} of {self.name}"
            )
            for way, task in self.tasks.items()
            for copy, piece in enumerate(task.pieces)
        ]
        ways = tuple(f"{way} the term" for way in self.tasks)
        columns = tuple(f"version {copy}" for copy in range(count))
        table = self._table(found)
        top = Section(self.name, figures=(whole,), table=table)
        return top, Section(f"{self.name}, each version", (), tuple(named), count, ways, columns)

    def likeness(self, desk: Desk, stage: Stage) -> Likeness:
        """Measure how alike the versions are; nothing where the network does not take the files as they are."""
        found = {}
        for way, task in self.tasks.items():
            images = desk.stacked(piece.file for piece in task.pieces)
            found[way] = likeness(stage.network, images, self.layer)
        return {way: values for way, values in found.items() if values is not None}

    def _table(self, found: Likeness) -> Table | None:
        if not found:
            return None
        head = ("version", *(f"{way} the term" for way in found))
        rows: list[tuple[Cell, ...]] = [
            (copy, *values) for copy, values in enumerate(zip(*found.values(), strict=True))
        ]
        means: tuple[Cell, ...] = ("mean", *(round(sum(values) / len(values), 3) for values in found.values()))
        caption = (
            f"Likeness of each version to the others in {self.layer}: the mean cosine of their Gram matrices, 1 for "
            f"identical textures."
        )
        return Table(head, (*rows, means), caption)


def _task(stage: Stage, name: str, goal: Objective, seeds: tuple[int, ...]) -> Task:
    pieces = tuple(Piece(f"pictures/{name}-{copy:02d}.png", (copy,)) for copy in range(len(seeds)))
    return Task(name, goal, seeds, pieces, stage.craft)


diversity = RecipeFunction(Diversity)
