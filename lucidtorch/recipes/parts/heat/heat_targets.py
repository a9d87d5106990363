"""What a heat map explains: classes of a network's heads, or whatever an objective says."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from torch import Tensor

from lucidtorch.base.errors import LucidtorchWarning
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.references import INPUT
from lucidtorch.param.images import image
from lucidtorch.recipes.blame import FieldError, Key, blamed
from lucidtorch.recipes.parts.unit_pictures import objective_name
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.rendering.preparation import prepare
from lucidtorch.rendering.settings import Schedule

NO_TRANSFORMS = "identity()"

Answers: TypeAlias = Mapping[str, Tensor]
"""What a network says of a picture: by head, the probability of each class `[K]`, in float64."""


@dataclass(frozen=True)
class Target:
    """One thing that is explained.

    Args:
        name: What it is called on the page.
        text: The objective as it would be typed.
        goal: The same with names looked up, as it is computed.
        head: The address of the head that the class is of, or None.
        number: The number of the class, or None.
    """

    name: str
    text: str
    goal: Objective
    head: str | None = None
    number: int | None = None

    def probability(self, answers: Answers) -> float | None:
        """Look up how likely the network takes the class for."""
        return None if self.head is None else float(answers[self.head][self.number])


@dataclass(frozen=True, eq=False)
class Explained:
    """A picture, and what is explained of it.

    Args:
        name: What it is called.
        pixels: `[C, H, W]` in [0, 1].
        answers: What the network says of it.
        targets: What is explained.
    """

    name: str
    pixels: Tensor
    answers: Answers
    targets: tuple[Target, ...]


def asked_targets(stage: Stage, texts: Sequence[tuple[str, Key]], sides: tuple[int, int]) -> tuple[Target, ...]:
    """Read objectives as a render does, and look up what they name."""
    return tuple(_asked(stage, text, key, sides) for text, key in texts)


def _asked(stage: Stage, text: str, key: Key, sides: tuple[int, int]) -> Target:
    objective = stage.objective(text, *key)
    if not any(layer != INPUT for layer in objective.layers):
        raise FieldError(key, f"{text} speaks of the picture and of no layer, so there is nothing to explain in it.")
    canvas = image(sides, channels=stage.network.convention.channels)
    with blamed(*key), warnings.catch_warnings():
        warnings.simplefilter("ignore", LucidtorchWarning)  # of what a render would come to
        job = prepare(stage.network, objective, canvas, NO_TRANSFORMS, Schedule(1), 0)
    if job.param.batch != 1:
        raise FieldError(
            key, f"{text} speaks of {job.param.batch} images, and each picture is explained alone; ask for one."
        )
    return Target(objective_name(stage.network, objective), repr(objective), job.goal)
