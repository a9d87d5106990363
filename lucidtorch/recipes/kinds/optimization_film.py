"""How a picture comes about: a film of its steps."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from lucidtorch.base.defaults import record_text
from lucidtorch.base.seeds import image_seeds
from lucidtorch.galleries.task import Task
from lucidtorch.recipes.blame import FieldError, blamed
from lucidtorch.recipes.functions import RecipeFunction
from lucidtorch.recipes.parts.film import Cut, Film, spaced
from lucidtorch.recipes.runs.kind import RenderingKind
from lucidtorch.recipes.runs.planning import Plan
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.rendering.movie import check_encoder

FRAMES, STRIP = 48, 8
Snapshot = Annotated[int, Field(ge=1)]


class OptimizationFilm(RenderingKind):
    """A film of an optimization.

    Attributes:
        objective: What the pictures maximize.
        images: How many pictures there are; as many as the objective or the param speaks of where None.
        frames: How many frames the film has beside the start; fewer where there are not as many steps.
        spacing: How they lie over the steps.
        snapshots: After how many updates a frame is kept, in the place of `frames` and `spacing`.
        strip: How many of the frames stand in the strip, the start and the end among them.
        formats: What files the film is written to.
        frames_per_second: How fast it plays.
        hold: How many seconds longer the last frame stays.
    """

    summary: ClassVar[str] = "How a picture comes about: a film of its steps as GIF and MP4, and a strip of them."
    packages: ClassVar[tuple[str, ...]] = ("imageio", "imageio-ffmpeg")

    recipe: Literal["optimization_film"] = "optimization_film"
    objective: str = Field(description="What the pictures maximize, such as conv4_1:12; put it in quotes.")
    images: int | None = Field(
        default=None, ge=1, le=64, description="How many pictures grow side by side; what the objective says if absent."
    )
    frames: int | None = Field(
        default=None, ge=1, le=2000, description="How many frames, 48 if absent; fewer where there are fewer steps."
    )
    spacing: Literal["log", "linear"] | None = Field(
        default=None, description="log (the early steps, where most happens, fill more of the film) or linear."
    )
    snapshots: tuple[Snapshot, ...] = Field(
        default=(),
        max_length=2000,
        description="After how many updates a frame is kept, instead of frames and spacing.",
    )
    strip: int = Field(default=STRIP, ge=2, le=64, description="How many frames stand in the strip.")
    formats: tuple[Literal["gif", "mp4"], ...] = Field(
        default=("gif", "mp4"),
        min_length=1,
        max_length=2,
        description="The files of the film: gif, mp4 (which needs imageio-ffmpeg) or both.",
    )
    frames_per_second: float = Field(default=12, ge=0.1, le=50, description="How fast the film plays.")
    hold: float = Field(default=1.5, ge=0, le=60, description="How many seconds longer the last frame stays.")

    @model_validator(mode="after")
    def _steps_are_said_once(self) -> Self:
        if self.snapshots and (self.frames is not None or self.spacing is not None):
            raise FieldError(
                ("snapshots",),
                "snapshots say which frames there are, and so do frames and spacing; leave one of the two out.",
            )
        return self

    def plan(self, stage: Stage) -> Plan:
        goal = stage.objective(self.objective, "objective")
        count = self.images or goal.batch or stage.param.batch
        numbers, fields = self._numbers()
        craft = stage.schedule([step for step in numbers if step != self.schedule.steps])
        with blamed("seed"):
            seeds = image_seeds(self.seed, count)
        with blamed("formats"):
            for kind in self.formats:
                check_encoder(f".{kind}")
        cut = Cut(self.strip, self.formats, self.frames_per_second, self.hold)
        film = Film(stage, goal, seeds, numbers, cut)
        task = Task("film", goal, seeds, film.pieces, craft)
        return Plan((task,), film.tell, {"objective": record_text(goal), "images": count, **fields})

    def _numbers(self) -> tuple[tuple[int, ...], dict[str, int | str]]:
        """After how many updates there are frames, and what the open fields came to."""
        if self.snapshots:
            return tuple(sorted({*self.snapshots, self.schedule.steps})), {}
        frames, spacing = self.frames or FRAMES, self.spacing or "log"
        return spaced(self.schedule.steps, frames, spacing), {"frames": frames, "spacing": spacing}


optimization_film = RecipeFunction(OptimizationFilm)
