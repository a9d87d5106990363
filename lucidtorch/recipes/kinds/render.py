"""One objective, one batch of pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lucidtorch.base.defaults import record_text
from lucidtorch.base.images import sheet
from lucidtorch.base.seeds import image_seeds
from lucidtorch.galleries.task import Piece, Task
from lucidtorch.models.model import Model
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.images import single
from lucidtorch.recipes.blame import blamed
from lucidtorch.recipes.functions import RecipeFunction
from lucidtorch.recipes.parts.unit_pictures import objective_name
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.kind import RenderingKind
from lucidtorch.recipes.runs.planning import Plan
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Figure, Section, Story

Seed = Annotated[int, Field(ge=0, lt=2**63)]
Step = Annotated[int, Field(ge=1)]


class Render(RenderingKind):
    """Pictures of one objective.

    Attributes:
        objective: What the pictures maximize.
        images: How many pictures there are; as many as the objective or the param speaks of where None.
        snapshots: After how many updates a picture is kept.
        seed: One number s (image i gets s + i), or one per image.
    """

    summary: ClassVar[str] = "Pictures of one objective, whatever it says."

    recipe: Literal["render"] = "render"
    objective: str = Field(description="What the pictures maximize, such as conv4_1:12; put it in quotes.")
    images: int | None = Field(
        default=None, ge=1, le=4096, description="How many pictures; what the objective says if absent."
    )
    snapshots: tuple[Step, ...] = Field(default=(), description="After how many updates pictures are kept too.")
    seed: Seed | tuple[Seed, ...] = Field(default=0, description="One number s (image i gets s + i), or one per image.")  # type: ignore[assignment]

    def plan(self, stage: Stage) -> Plan:
        goal = stage.objective(self.objective, "objective")
        count = self.images or goal.batch or stage.param.batch
        with blamed("seed"):
            seeds = image_seeds(self.seed, count)
        craft = replace(stage.schedule(self.snapshots), param=None if stage.craft.param is None else stage.param)
        ends = tuple(Piece(f"pictures/{place:03d}.png", (place,)) for place in range(count))
        ways = tuple(
            Piece(f"pictures/{place:03d}-step-{step:06d}.png", (place,), step)
            for place in range(count)
            for step in self.snapshots
        )
        task = Task("render", goal, seeds, (*ends, *ways), craft)

        def tell(desk: Desk) -> Story:
            return _Pictures(stage.network, task, len(ends), self.snapshots).story(desk, self.title)

        return Plan((task,), tell, {"objective": record_text(goal), "images": count})


@dataclass(frozen=True)
class _Pictures:
    """The pictures of one render: first those of the end, then, picture by picture, those on the way."""

    network: Model
    task: Task
    count: int
    snapshots: tuple[int, ...]

    def story(self, desk: Desk, title: str | None) -> Story:
        name = objective_name(self.network, self.task.objective)
        sections = [*self._together(desk), self._each(desk), *self._on_the_way(desk)]
        many = f"{self.count} pictures. Each was" if self.count > 1 else "The picture was"
        lead = (f"{many} changed step by step to make this as large as it would get: {self.task.objective!r}.",)
        return Story(title or f"{name} of {self.network.name}", lead, tuple(sections), sections[0].figures[0].file)

    def _together(self, desk: Desk) -> list[Section]:
        if self.count == 1:
            return []
        file = desk.write("sheet.png", sheet(desk.stacked(one.file for one in self.task.pieces[: self.count])))
        names = ", ".join(self._names)
        whole = Figure(file, f"all {self.count} pictures", f"All {self.count} pictures: {names}", whole=True)
        return [Section("All pictures", figures=(whole,))]

    def _each(self, desk: Desk) -> Section:
        rows = zip(self.task.pieces, self._names, self._parts, strict=False)  # the pieces go on with those on the way
        figures = tuple(desk.figure(piece.file, name, part) for piece, name, part in rows)
        return Section("Each picture" if self.count > 1 else "The picture", figures=figures)

    def _on_the_way(self, desk: Desk) -> list[Section]:
        if not self.snapshots:
            return []
        figures = tuple(self._snapshot(desk, piece) for piece in self.task.pieces[self.count :])
        columns = tuple(f"after {step} steps" for step in self.snapshots)
        return [Section("On the way", (), figures, len(columns), tuple(self._names), columns)]

    def _snapshot(self, desk: Desk, piece: Piece) -> Figure:
        place = piece.places[0]
        caption = f"after {piece.snapshot} steps"
        alt = f"{self._names[place]} {caption}"
        return Figure(piece.file, caption, alt, repr(self._parts[place]), desk.records[piece.file]["seed"])

    @property
    def _parts(self) -> list[Objective]:
        return [single(self.task.objective, place) for place in range(self.count)]

    @property
    def _names(self) -> list[str]:
        """A name for each picture: what it maximizes, where that is its own, and its number otherwise."""
        names = [objective_name(self.network, part) for part in self._parts]
        same = len(set(names)) < len(names)
        return [f"picture {place}" for place in range(self.count)] if same else names


render = RecipeFunction(Render)
