"""A film of pictures that grow: its frames, its files, and its strip."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from lucidtorch.base.images import on_grey, sheet
from lucidtorch.galleries.task import Piece
from lucidtorch.objectives.algebra import Objective
from lucidtorch.recipes.parts.scoring import clean_scores, start_of
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Figure, Section, Story


@dataclass(frozen=True)
class Cut:
    """How a film is shown.

    Args:
        strip: How many frames stand in its strip at most.
        formats: The kinds of its files, of ``gif`` and ``mp4``.
        frames_per_second: How fast it plays.
        hold: How many seconds longer the last frame stays.
    """

    strip: int
    formats: tuple[str, ...]
    frames_per_second: float
    hold: float


@dataclass(frozen=True)
class Film:
    """A film of pictures that grow.

    Args:
        stage: What it is planned on.
        goal: What the pictures maximize.
        seeds: One per picture.
        numbers: After how many updates there are frames, ascending, the last after all of them.
        cut: How it is shown.
    """

    stage: Stage
    goal: Objective
    seeds: tuple[int, ...]
    numbers: tuple[int, ...]
    cut: Cut

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The files of the frames, one per picture and step."""
        return tuple(
            Piece(self.file(place, step), (place,), None if step == self._end else step)
            for place in self._places
            for step in self.numbers
        )

    @property
    def _places(self) -> range:
        return range(len(self.seeds))

    @property
    def _end(self) -> int:
        return self.numbers[-1]

    def file(self, place: int, step: int) -> str:
        """Say where a frame stands."""
        return f"pictures/{place:03d}.png" if step == self._end else f"pictures/{place:03d}-step-{step:06d}.png"

    def tell(self, desk: Desk) -> Story:
        """Put the film together when all frames are rendered."""
        frames = {step: desk.stacked(self.file(place, step) for place in self._places) for step in self.numbers}
        start = start_of(self.stage, self.seeds)
        if start is not None:
            frames = {0: start, **frames}
        shown = self._chosen(tuple(frames))
        film = self._films(desk, frames)
        strip = desk.write("strip.png", _strip([self._opaque(frames[step]) for step in shown]))
        whole = Figure(strip, f"steps {_listed(shown)}", f"The pictures after {_listed(shown)} steps", whole=True)
        title = self.stage.recipe.title or f"How {self.goal!r} comes about"
        sections = (
            Section("The film", self._about(frames), film),
            Section("The strip", ("From left to right, after so many steps: " + _listed(shown) + ".",), (whole,)),
            self._steps(desk, frames, shown),
        )
        facts = {"steps_of_frames": list(frames), "steps_of_strip": list(shown), "seconds": self._seconds(len(frames))}
        return Story(title, self._lead(), sections, strip, facts)

    def _chosen(self, steps: Sequence[int]) -> tuple[int, ...]:
        count = min(self.cut.strip, len(steps))
        return tuple(steps[place] for place in np.linspace(0, len(steps) - 1, count).round().astype(int))

    def _films(self, desk: Desk, frames: Mapping[int, Tensor]) -> tuple[Figure, ...]:
        sheets = [sheet(self._opaque(images)) for images in frames.values()]
        end = desk.figure(self.file(0, self._end), "", self.goal)
        shown = end if len(self.seeds) == 1 else Figure("", "", "", objective=end.objective, steps=end.steps)
        cut, figures = self.cut, []
        for kind in dict.fromkeys(cut.formats):
            file = desk.movie(f"film.{kind}", sheets, rate=cut.frames_per_second, hold=cut.hold)
            alt = f"A film of {len(frames)} frames, from the start to step {self._end}"
            figures.append(replace(shown, file=file, caption=file, alt=alt))
        return tuple(figures)

    def _steps(self, desk: Desk, frames: Mapping[int, Tensor], shown: Sequence[int]) -> Section:
        kept = [step for step in shown if step]
        scores = {step: clean_scores(self.stage, self.goal, frames[step]) for step in kept}
        figures = [self._frame(desk, place, step, scores[step][place]) for place in self._places for step in kept]
        text = (
            "The frames of the strip as files of their own, which carry what makes them again. A score is the "
            "objective of the picture as it stands there, without random transforms; the curve of the last one is of "
            "all steps, as the network saw the picture through the transforms.",
        )
        rows = tuple(f"picture {place}" for place in self._places) if len(self.seeds) > 1 else ()
        names = tuple(f"step {step}" for step in kept)
        return Section("Step by step", text, tuple(figures), len(kept), rows, names)

    def _frame(self, desk: Desk, place: int, step: int, score: float | None) -> Figure:
        caption = f"after {step} step{'s' if step > 1 else ''}"
        alt = f"What looks for {self.goal!r} {caption}"
        found = desk.figure(self.file(place, step), caption, self.goal, alt=alt)
        if step == self._end:
            return found
        return replace(found, score=score, curve=(), terms={}, dead=False)

    def _lead(self) -> tuple[str, ...]:
        count = len(self.seeds)
        what = f"{count} pictures change" if count > 1 else "A picture changes"
        return (
            f"{what} so that {self.stage.network.name} gives {self.goal!r} a large value: "
            f"{self._end} steps, each a small change in the direction that the network's gradient names.",
        )

    def _about(self, frames: Mapping[int, Tensor]) -> tuple[str, ...]:
        steps = tuple(frames)
        even = len({after - before for before, after in itertools.pairwise(steps[1:])}) <= 1
        start = "It begins with the start, before any step. " if 0 in frames else ""
        spread = (
            "The frames lie evenly over the steps."
            if even
            else "The frames do not lie evenly over the steps, so that the speed of the film is not that of the "
            "picture."
        )
        count = f"{len(steps)} frames, {self.cut.frames_per_second:g} in a second; the last one stays."
        return (f"{count} {start}{spread} All frames lie in the folder pictures.",)

    def _seconds(self, count: int) -> float:
        return round(count / self.cut.frames_per_second + self.cut.hold, 3)

    def _opaque(self, images: Tensor) -> Tensor:
        return on_grey(images) if self.stage.param.alpha else images


def spaced(steps: int, frames: int, spacing: str) -> tuple[int, ...]:
    """Choose the steps of a film."""
    count = min(frames, steps)
    found: list[int] = []
    for left in range(count, 0, -1):  # what is still to be chosen is spread over what is left
        last = found[-1] if found else 0
        if spacing == "linear" or left == 1:
            step = last + round((steps - last) / left)
        else:
            step = round(max(last, 1) * (steps / max(last, 1)) ** (1 / left)) if found else 1
        found.append(min(max(step, last + 1), steps - left + 1))
    return tuple(found)


def _strip(frames: Sequence[Tensor]) -> Tensor:
    """Lay frames out side by side, the pictures of each below one another."""
    rows = torch.stack(list(frames), 1)
    return sheet(rows.flatten(0, 1), columns=len(frames))


def _listed(steps: Sequence[int]) -> str:
    return ", ".join(map(str, steps))
