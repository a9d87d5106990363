"""What the page of an interpolation tells: strips of frames, a movie, and how far each frame serves each end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lucidtorch.base.images import on_grey, sheet
from lucidtorch.galleries.task import Task
from lucidtorch.objectives.algebra import Objective
from lucidtorch.recipes.parts.scoring import clean_scores
from lucidtorch.recipes.parts.unit_pictures import objective_name
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Figure, Section, Story, Table

HEADINGS = {"aligned": "Kept alike", "separate": "Each frame on its own"}


@dataclass(frozen=True)
class Walk:
    """The frames of one walk.

    Args:
        name: ``aligned`` or ``separate``.
        parts: What each frame maximizes.
        frames: How many there are from each stop to the next, both counted.
        task: What is rendered.
    """

    name: str
    parts: tuple[Objective, ...]
    frames: int
    task: Task

    @property
    def files(self) -> tuple[str, ...]:
        """The files of the frames, in order."""
        return tuple(piece.file for piece in self.task.pieces)


def told(desk: Desk, stage: Stage, title: str | None, stops: Sequence[Objective], walks: Sequence[Walk]) -> Story:
    """Tell of walks between objectives."""
    names = [objective_name(stage.network, stop) for stop in stops]
    files = [file for walk in walks for file in walk.files]
    strip = desk.write("walk.png", sheet(desk.stacked(files), len(walks[0].files)), alpha=stage.param.alpha)
    rows = " In the upper row they are kept alike, in the lower one each is on its own." if len(walks) > 1 else ""
    route = " to ".join(names)
    whole = Figure(
        strip, f"from {route}", f"A strip of {len(walks[0].files)} frames from {route}", note=rows.strip(), whole=True
    )
    scores = {walk.name: _scores(desk, stage, stops, walk) for walk in walks}
    sections = [Section("The walk", figures=(whole,))]
    sections += [_section(desk, stage, walk, names, scores[walk.name]) for walk in walks]
    lead = (
        f"{len(walks[0].files)} pictures from {route}, in {stage.network.name}. The first and the last of each leg "
        f"maximize one objective alone; those between maximize a mixture, evenly from one to the other.{rows}",
        "A walk shows how the network can blend the two. It does not say that photographs lie on the way.",
    )
    return Story(title or f"From {route}", lead, tuple(sections), strip, {"scores": scores})


def _section(
    desk: Desk, stage: Stage, walk: Walk, names: Sequence[str], scores: Sequence[Sequence[float | None]]
) -> Section:
    labels = [_label(place, walk, names) for place in range(len(walk.files))]
    frames = list(desk.stacked(walk.files))
    shown = [on_grey(frame) for frame in frames] if stage.param.alpha else frames
    movie = desk.movie(f"{walk.name}.gif", [*shown, *shown[-2:0:-1]])
    moving = Figure(movie, "there and back", f"The walk from {' to '.join(names)} as a movie, there and back")
    figures = tuple(
        desk.figure(file, labels[place], walk.parts[place], alt=f"Frame {place + 1}: {labels[place]}")
        for place, file in enumerate(walk.files)
    )
    table = Table(
        ("frame", "mixture", *names),
        tuple((place + 1, labels[place], *scores[place]) for place in range(len(labels))),
        "What each finished picture gives each objective.",
    )
    return Section(HEADINGS[walk.name], _said(walk), (moving, *figures), table=table)


def _said(walk: Walk) -> tuple[str, ...]:
    if walk.name == "separate":
        return ("Each frame starts from noise of its own and knows nothing of its neighbours.",)
    return (
        "The frames are made together: what they share and a penalty on the distance between neighbours keep an eye "
        "where an eye was in the frame before.",
    )


def _label(place: int, walk: Walk, names: Sequence[str]) -> str:
    leg, step = divmod(place, walk.frames - 1)
    if step == 0:
        return names[leg]
    share = step / (walk.frames - 1)
    return f"{1 - share:.0%} {names[leg]}, {share:.0%} {names[leg + 1]}"


def _scores(desk: Desk, stage: Stage, stops: Sequence[Objective], walk: Walk) -> list[list[float | None]]:
    """The value of each objective on each frame; none on the mark of a dead one."""
    images = desk.stacked(walk.files)
    columns = [clean_scores(stage, stop, images) for stop in stops]
    dead = [desk.records[file]["dead"] for file in walk.files]
    return [[None if gone else column[place] for column in columns] for place, gone in enumerate(dead)]
