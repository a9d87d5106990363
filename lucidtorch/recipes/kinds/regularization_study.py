"""Plain ascent next to each regularizer and to all of them: the same unit, the same start."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lucidtorch.base.defaults import record_text
from lucidtorch.base.shown import shown
from lucidtorch.galleries.plan import slug
from lucidtorch.galleries.task import Piece, Task
from lucidtorch.recipes.blame import FieldError, Key, blamed
from lucidtorch.recipes.functions import RecipeFunction
from lucidtorch.recipes.parts.regularizers import WORDS, Regularizer, RegularizerField, known
from lucidtorch.recipes.parts.study import ALL, PLAIN, Exhibit, Study
from lucidtorch.recipes.parts.unit_pictures import objective_seed
from lucidtorch.recipes.parts.ways import NOTHING, Ground, plain_image
from lucidtorch.recipes.runs.kind import RenderingKind
from lucidtorch.recipes.runs.planning import Plan
from lucidtorch.recipes.runs.stage import Stage

SUM = ("standard", "fft", "decorrelate")  # of the words, what every render does if nothing else is asked for

Named = tuple[tuple[Key, Regularizer], ...]


class RegularizationStudy(RenderingKind):
    """A comparison of regularizers.

    Attributes:
        objective: What the pictures maximize.
        regularizers: What plain ascent is compared with; every word that changes something where None.
        together: The names of those that the last picture joins; a choice that goes together well where None.
        penalty_scale: What the weights of all penalties are multiplied by.
        transforms: What every picture goes through, also that of plain ascent.
    """

    summary: ClassVar[str] = "Plain ascent next to each regularizer and all together: the same unit, the same start."

    recipe: Literal["regularization_study"] = "regularization_study"
    objective: str = Field(description="What the pictures maximize, such as conv4_1:12; put it in quotes.")
    regularizers: Annotated[tuple[RegularizerField, ...], Field(min_length=1, max_length=100)] | None = Field(
        default=None,
        description="Words such as jitter, and mappings {name, penalty, transforms, constraints, param, text} of your "
        "own; every word if absent.",
    )
    together: Annotated[tuple[str, ...], Field(max_length=100)] | None = Field(
        default=None, description="Names of those that the last picture joins; a good choice if absent, none if []."
    )
    penalty_scale: float = Field(
        default=1.0,
        gt=0,
        allow_inf_nan=False,
        description="Penalties are multiplied by it: 1 suits units that reach hundreds, 0.001 units that reach 1.",
    )
    transforms: str = Field(default=NOTHING, description="What every picture goes through, also that of plain ascent.")

    def plan(self, stage: Stage) -> Plan:
        goal = stage.objective(self.objective, "objective")
        if goal.batch not in (None, 1):
            raise FieldError(
                ("objective",), f"A study shows one picture in many ways, but {shown(goal)} is {goal.batch}."
            )
        ground = Ground(stage, goal, plain_image(stage), objective_seed(stage, goal), self.penalty_scale)
        named = self._named(ground)
        joined = self._joined(named)
        exhibits = [_exhibit(ground, PLAIN, ())]
        exhibits += [_exhibit(ground, part.name, ((key, part),), number) for number, (key, part) in enumerate(named, 1)]
        if joined:
            exhibits.append(_exhibit(ground, ALL, joined))
        study = Study(ground, tuple(exhibits), tuple(part.name for _, part in joined))
        fields = {
            "objective": record_text(goal),
            "regularizers": tuple(part.name for _, part in named) if self.regularizers is None else self.regularizers,
            "together": study.joined,
            "param": record_text(ground.param),
        }
        return Plan(tuple(_task(one, ground.seed) for one in exhibits), study.tell, fields)

    def _named(self, ground: Ground) -> Named:
        if self.regularizers is None:
            parts = [known(word) for word in WORDS]
            return tuple((("regularizers",), part) for part in parts if ground.changes(part))
        named: Named = tuple((("regularizers", place), known(one)) for place, one in enumerate(self.regularizers))
        taken = {PLAIN, ALL}
        for key, part in named:
            if part.name in taken:
                raise FieldError(key, f"There are two of the name {part.name!r}; give each a name of its own.")
            taken.add(part.name)
            with blamed(*key, "param"):
                changes = ground.changes(part)
            if not changes:
                raise FieldError(key, f"{part.name!r} changes nothing on {ground.param!r}; leave it out.")
        return named

    def _joined(self, named: Named) -> Named:
        """Find what the last picture joins."""
        names = [part.name for _, part in named]
        if self.together is None:
            good = [pair for pair in named if pair[1].name in SUM or pair[1].name not in WORDS]
            return tuple(good) if len(good) > 1 else named if len(named) > 1 else ()
        for place, name in enumerate(self.together):
            if name not in names:
                raise FieldError(
                    ("together", place), f"There is no regularizer {name!r} here; there are {', '.join(names)}."
                )
        return tuple(pair for pair in named if pair[1].name in self.together)


def _exhibit(ground: Ground, name: str, parts: Named, number: int | None = None) -> Exhibit:
    file = f"pictures/{slug(name)}.png" if number is None else f"pictures/{number:02d}-{slug(name)}.png"
    return Exhibit(name, file, ground.way(parts), tuple(part for _, part in parts))


def _task(one: Exhibit, seed: int) -> Task:
    name = one.file.removeprefix("pictures/").removesuffix(".png")
    return Task(name, one.way.objective, (seed,), (Piece(one.file, (0,)),), one.way.craft)


regularization_study = RecipeFunction(RegularizationStudy)
