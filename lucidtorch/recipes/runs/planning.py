"""The plan of a run: which pictures are rendered, decided before the first of them, and what is told afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lucidtorch.galleries.task import Task
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.images import each
from lucidtorch.objectives.term import Term

if TYPE_CHECKING:
    from lucidtorch.recipes.runs.desk import Desk
    from lucidtorch.recipes.story import Story


@dataclass(frozen=True)
class Shot:
    """One picture of a run.

    Args:
        file: Its path in the run's folder, such as ``pictures/conv1_1-00012.png``.
        objective: What it maximizes.
        seed: Its seed.
    """

    file: str
    objective: Objective
    seed: int


@dataclass(frozen=True)
class Plan:
    """What a run does.

    Args:
        tasks: What is rendered.
        tell: Makes of the finished pictures what the page says: sheets, overlays and movies are made here.
        fields: What the kind's own fields came to where they were left open or shortened, by name.
        files: The files that the run keeps beside its recipe, such as pictures that it looked at, by their path.
        sums: The checksums of what was read and is not kept, such as data, by what it is called.
    """

    tasks: tuple[Task, ...]
    tell: Callable[[Desk], Story]
    fields: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    sums: Mapping[str, str] = field(default_factory=dict)


def together(objectives: Sequence[Objective]) -> Objective:
    """Write what a batch maximizes, one objective per image."""
    if len(objectives) == 1:
        return objectives[0]
    terms = [one for one in objectives if isinstance(one, Term) and one.name == "channel"]
    arguments = [dict(one.arguments) for one in terms]
    units = [one.pop("index") for one in arguments]
    if len(terms) == len(objectives) and all(one == arguments[0] for one in arguments):
        return terms[0].replaced(index=tuple(units))
    return each(*objectives)
