"""What a study of regularizers tells: the start, plain ascent, each regularizer by its sort, and all in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from lucidtorch.base.images import on_grey, sheet
from lucidtorch.recipes.parts.measures import clipped_share, fine_share, roughness
from lucidtorch.recipes.parts.regularizers import Regularizer
from lucidtorch.recipes.parts.scoring import clean_scores
from lucidtorch.recipes.parts.ways import Ground, Way
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.story import Figure, Section, Story, Table

START, PLAIN, ALL = "start", "plain", "together"
SORTS = {
    "penalty": ("Penalties", "What is unnatural is measured on the picture and subtracted from the objective."),
    "constraints": ("After each step", "The picture itself is changed after each step, without asking the network."),
    "transforms": ("Through random transforms", "The network never sees the picture twice the same way."),
    "param": ("Other numbers", "The steps change other numbers than pixels, so that another picture is near."),
    "": ("Mixtures", "Several of these at once."),
}
HEAD = ("", "what is done", "score", "fine waves", "roughness", "clipped")
PER_CENT = 100


@dataclass(frozen=True)
class Exhibit:
    """One picture of a study.

    Args:
        name: What it is called.
        file: Its path in the run's folder.
        way: How it is made.
        parts: The regularizers in it; none for plain ascent.
    """

    name: str
    file: str
    way: Way
    parts: tuple[Regularizer, ...]

    @property
    def sort(self) -> str:
        """What its one regularizer changes; empty where it changes several things."""
        found = [
            word for word in ("penalty", "constraints", "transforms", "param") for one in self.parts if _has(one, word)
        ]
        return found[0] if len(found) == 1 else ""


@dataclass(frozen=True)
class Study:
    """A picture made in many ways.

    Args:
        ground: What all have in common.
        exhibits: The pictures: plain ascent first, and all together last where `joined` names something.
        joined: The names of the regularizers in the last picture.
    """

    ground: Ground
    exhibits: tuple[Exhibit, ...]
    joined: tuple[str, ...]

    def tell(self, desk: Desk) -> Story:
        """Put the study together when all pictures are rendered."""
        ground = self.ground
        start = desk.write(f"{START}.png", ground.start, alpha=ground.param.alpha)
        files = [start, *(one.file for one in self.exhibits)]
        pictures = desk.stacked(files)
        scores = [clean_scores(ground.stage, ground.goal, one[None])[0] for one in pictures]
        first = Figure(start, START, "The noise that every picture starts from", score=scores[0])
        figures = {
            one.name: self._figure(desk, one, score) for one, score in zip(self.exhibits, scores[1:], strict=True)
        }
        opaque = on_grey(pictures) if ground.param.alpha else pictures
        main = desk.write("sheet.png", sheet(opaque))
        names = [START, *figures]
        whole = Figure(main, "all pictures", f"The pictures of {', '.join(names)}", whole=True)
        measures = {name: _measured(one) for name, one in zip(names, opaque, strict=True)}
        sections = (
            self._beginning(first, figures),
            *self._sorts(figures),
            *self._ending(figures),
            Section("All in one", (f"Row by row: {', '.join(names)}.",), (whole,)),
            self._numbers(first, figures, measures),
        )
        facts = {"measures": measures, "scores": dict(zip(names, scores, strict=True)), "together": list(self.joined)}
        title = ground.stage.recipe.title or f"What regularizers do to {ground.goal!r}"
        return Story(title, self._lead(), sections, main, facts)

    def _figure(self, desk: Desk, one: Exhibit, score: float | None) -> Figure:
        text = " ".join(part.text for part in one.parts) if len(one.parts) == 1 else ""
        own = "" if one.way.same_start else "It starts from noise of its own: its numbers cannot make every picture."
        note = " ".join(part for part in (text, own) if part)
        alt = f"What looks for {self.ground.goal!r}, {one.name}"
        return replace(desk.figure(one.file, one.name, one.way.objective, alt=alt, note=note), score=score)

    def _lead(self) -> tuple[str, ...]:
        count = len(self.exhibits)
        steps = self.ground.stage.craft.schedule.steps
        return (
            f"The same thing is drawn {count} times: {self.ground.goal!r} of {self.ground.stage.network.name}, each "
            f"time from the same start and with the same {steps} steps. Only what keeps the picture natural differs.",
            "Scores are of the bare objective, without penalties, of the picture as it stands in its file; so they "
            "can be compared. Plain ascent may well score highest: a network can be excited by noise that no "
            "photograph holds. A regularizer gives some of the score for a picture that says more, and it has a say "
            "in what is seen.",
        )

    def _beginning(self, start: Figure, figures: Mapping[str, Figure]) -> Section:
        text = (
            "Every picture starts from the same numbers, and those whose steps change other numbers than pixels from "
            "the same picture, written in theirs. Plain ascent changes every pixel as the gradient says, and nothing "
            "else.",
        )
        return Section("The start and plain ascent", text, (start, figures[PLAIN]))

    def _sorts(self, figures: Mapping[str, Figure]) -> list[Section]:
        found = []
        for sort, (heading, text) in SORTS.items():
            own = [one for one in self.exhibits if one.name not in (PLAIN, ALL) and one.sort == sort]
            if own:
                found.append(Section(heading, (text,), tuple(figures[one.name] for one in own)))
        return found

    def _ending(self, figures: Mapping[str, Figure]) -> list[Section]:
        if ALL not in figures:
            return []
        text = f"These at once: {', '.join(self.joined)}. Beside it, plain ascent again."
        return [Section("All together", (text,), (figures[PLAIN], figures[ALL]))]

    def _numbers(
        self, start: Figure, figures: Mapping[str, Figure], measures: Mapping[str, Mapping[str, float]]
    ) -> Section:
        text = (
            "Fine waves: the share of the contrast in waves shorter than 4 pixels. Roughness: how much neighbouring "
            "pixels differ, of the whole range. Clipped: numbers that are as dark or as bright as can be. All in per "
            "cent.",
        )
        done = {START: "nothing yet"} | {one.name: _done(one, self.ground) for one in self.exhibits}
        shown = {START: start, **figures}
        rows = tuple(
            (shown[name], done[name], shown[name].score, *(round(PER_CENT * value, 2) for value in found.values()))
            for name, found in measures.items()
        )
        return Section("In numbers", text, table=Table(HEAD, rows, "Every picture, what was done, and what came of it"))


def _measured(image: torch.Tensor) -> dict[str, float]:
    found = {"fine_waves": fine_share(image), "roughness": roughness(image), "clipped": clipped_share(image)}
    return {name: float(f"{value:.6g}") for name, value in found.items()}


def _done(one: Exhibit, ground: Ground) -> str:
    """Write what was done beside plain ascent, as a recipe says it."""
    return (
        "; ".join(text for part in one.parts for text in _said(part, ground.weight)) or "the gradient, and nothing else"
    )


def _said(part: Regularizer, weight: float) -> Sequence[str]:
    found = []
    if part.penalty is not None:
        found.append(f"- {part.penalty}" if weight == 1 else f"- {weight:g} * ({part.penalty})")
    found += [text for text in (part.transforms, part.constraints) if text is not None]
    if part.param is not None:
        found.append(f"image({part.param})")
    return found


def _has(part: Regularizer, word: str) -> bool:
    return getattr(part, word) is not None
