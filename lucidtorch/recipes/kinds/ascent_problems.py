"""What goes wrong in plain ascent, measured: fine patterns, extreme values and repeated motifs."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from lucidtorch.base.defaults import record_text
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import PLANE, Size, size_text
from lucidtorch.galleries.plan import slug
from lucidtorch.galleries.task import Piece, Task
from lucidtorch.objectives.algebra import Objective
from lucidtorch.recipes.blame import FieldError, blamed
from lucidtorch.recipes.functions import RecipeFunction
from lucidtorch.recipes.inputs import ARRAYS, Drawing, ImageField, kept_image, read_image
from lucidtorch.recipes.looked_at import plain_stem
from lucidtorch.recipes.parts.ascents.ascent_story import Ascent, Comparison
from lucidtorch.recipes.parts.ascents.ascent_ways import ADDED, WAYS, WayWord
from lucidtorch.recipes.parts.unit_pictures import objective_name, objective_seed
from lucidtorch.recipes.parts.ways import NOTHING, Ground, plain_image
from lucidtorch.recipes.runs.kind import RenderingKind
from lucidtorch.recipes.runs.planning import Plan
from lucidtorch.recipes.runs.stage import Stage

MOST = 64  # objectives of a run


class AscentProblems(RenderingKind):
    """Plain ascent beside ascent that is kept natural, in pictures and numbers.

    Attributes:
        objectives: What the pictures maximize.
        ways: How each is made.
        reference: A picture that no network made, measured too.
        transforms: What every picture goes through, also those of plain ascent.
    """

    summary: ClassVar[str] = "What goes wrong in plain ascent, measured: fine patterns, extreme values, repeats."

    recipe: Literal["ascent_problems"] = "ascent_problems"
    objectives: Annotated[tuple[str, ...], Field(min_length=1, max_length=MOST)] = Field(
        description="What the pictures maximize, such as [conv4_1:12, logit('star')]; put each in quotes."
    )
    ways: Annotated[tuple[WayWord, ...], Field(min_length=1)] = Field(
        default=WAYS, description="How each is made, of plain, transforms, frequencies and regularized."
    )
    reference: ImageField = Field(
        default=Drawing(drawing="butterfly", number=1),
        description="A picture that no network made, as a yardstick: a path, or {drawing: star}; best a photograph.",
    )
    transforms: str = Field(default=NOTHING, description="What every picture goes through, also that of plain ascent.")

    def plan(self, stage: Stage) -> Plan:
        if len(set(self.ways)) < len(self.ways):
            raise FieldError(("ways",), f"A way stands there twice: {', '.join(self.ways)}; write each once.")
        param = plain_image(stage, bounds="clip")
        if len(param.size) != PLANE or param.alpha or param.held:
            raise FieldError(
                ("param",), f"Flat pictures without opacity are measured here, but param is {param!r}; leave it out."
            )
        grounds = [Ground(stage, goal, param, objective_seed(stage, goal), 1.0) for goal in self._goals(stage)]
        made = tuple(self._ascent(ground, number) for number, ground in enumerate(grounds, 1))
        picture = self._picture(stage, param.size)
        with blamed("reference"):
            name, files = kept_image(self.reference, stage.base)
        fields = {
            "objectives": tuple(record_text(one.goal) for one in grounds),
            "param": record_text(param),
            "reference": name,
        }
        whole = Comparison(stage, made, picture, self._reference_name())
        tasks = tuple(_task(one, word) for one in made for word in self.ways)
        return Plan(tasks, whole.tell, fields, files)

    def _goals(self, stage: Stage) -> list[Objective]:
        goals: list[Objective] = []
        for place, text in enumerate(self.objectives):
            goal = stage.objective(text, "objectives", place)
            if goal.batch not in (None, 1):
                raise FieldError(
                    ("objectives", place), f"One picture each is made here, but {shown(goal)} is {goal.batch}."
                )
            if repr(goal) in map(repr, goals):
                raise FieldError(("objectives", place), f"{goal!r} stands there twice; write each once.")
            goals.append(goal)
        return goals

    def _ascent(self, ground: Ground, number: int) -> Ascent:
        name = objective_name(ground.stage.network, ground.goal)
        ways = {word: ground.way([((), part) for part in ADDED[word]]) for word in self.ways}
        return Ascent(name, f"{number:02d}-{slug(name)}", ground, ways)

    def _picture(self, stage: Stage, size: Size) -> Tensor:
        """Read the yardstick, in colours where the pictures' files have them."""
        channels = 1 if stage.network.convention.channels == 1 else 3
        with blamed("reference"):
            found = read_image(self.reference, size, channels, stage.base)
        if tuple(found.shape[1:]) != tuple(size):
            raise FieldError(
                ("reference",), f"It is {size_text(found.shape[1:])}, and the pictures are {size_text(size)}."
            )
        return torch.tensor(found.numpy(), dtype=torch.float32)

    def _reference_name(self) -> str:
        if isinstance(self.reference, Drawing):
            return self.reference.name
        is_file = isinstance(self.reference, str) and not self.reference.endswith(ARRAYS)
        return plain_stem(str(self.reference)) if is_file else "a picture of yours"


def _task(one: Ascent, word: WayWord) -> Task:
    way, file = one.ways[word], one.file(word)
    name = file.removeprefix("pictures/").removesuffix(".png")
    return Task(name, way.objective, (one.ground.seed,), (Piece(file, (0,)),), way.craft)


ascent_problems = RecipeFunction(AscentProblems)
