"""Pictures changed too little to be seen, until the network's answer is another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, TypeAlias

import torch
from pydantic import AfterValidator, Field
from torch import Tensor

from lucidtorch.base.seeds import generators
from lucidtorch.base.shown import shown
from lucidtorch.recipes.blame import FieldError, blamed
from lucidtorch.recipes.functions import RecipeFunction
from lucidtorch.recipes.looked_at import PictureFields, see
from lucidtorch.recipes.parts.attacks.aim import Aim, look
from lucidtorch.recipes.parts.attacks.answers import Label, chosen_heads, label_number, short_names
from lucidtorch.recipes.parts.attacks.attack import Attack, Reach
from lucidtorch.recipes.parts.attacks.attack_story import told
from lucidtorch.recipes.parts.attacks.case import Case
from lucidtorch.recipes.parts.attacks.terms import Terms
from lucidtorch.recipes.parts.unit_pictures import counted
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.kind import LookingKind
from lucidtorch.recipes.runs.planning import Plan
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Story

LEVELS = re.compile(r"(\d{1,3}(?:\.\d+)?)/255")
USUAL_SHARE = 1.25  # of epsilon, that all steps make together: Kurakin's ten steps of 1/255 for 8/255


def _distance(value: float | str) -> float | str:
    """Check a change of pixels, as a number or as a text such as ``8/255``."""
    found = LEVELS.fullmatch(value) if isinstance(value, str) else None
    if isinstance(value, str) and found is None:
        raise FieldError(
            (), f"A change is written as a number such as 0.03, or as 8/255, but {shown(value)} was given."
        )
    if not 0 < _number(value) <= 1:
        raise FieldError((), f"A change of pixels is above 0 and at most 1, but {value} was given.")
    return value


def _number(value: float | str) -> float:
    return float(value.split("/")[0]) / 255 if isinstance(value, str) else value


Distance: TypeAlias = Annotated[float | str, AfterValidator(_distance)]


class Adversarial(PictureFields, LookingKind):
    """Attacks on a network's answers.

    Attributes:
        epsilon: The largest change of a pixel.
        steps: The number of iterations.
        step_size: The change of a pixel by one iteration.
        target: The class that shall become the answer.
        labels: What the pictures show.
        head: Which of the network's answers is attacked.
        random_start: Whether the iterations start at a random place.
        search: Whether the smallest epsilon of each picture is searched.
        largest: The largest epsilon of the search.
        rows: How many iterations are shown.
    """

    summary: ClassVar[str] = "Pictures changed too little to be seen until the answer is another: FGSM and iterated."

    recipe: Literal["adversarial"] = "adversarial"
    epsilon: Distance = Field(
        default="8/255", description="The largest change of a pixel, of 0 to 1: a number, or a text such as 8/255."
    )
    steps: int = Field(default=10, ge=1, le=1000, description="The number of iterations; 1 is FGSM itself.")
    step_size: Distance | None = Field(
        default=None, description="The change of a pixel by one iteration; 1.25 * epsilon / steps if absent."
    )
    target: Label | None = Field(
        default=None, description="The class that shall become the answer; any but the right one if absent."
    )
    labels: Label | Annotated[tuple[Label, ...], Field(min_length=1)] | None = Field(
        default=None, description="What the pictures show: one class, or one for each; the clean answers if absent."
    )
    head: str | None = Field(default=None, description="The layer whose answer is attacked; every head if absent.")
    random_start: bool = Field(
        default=False, description="Whether the iterations start at a random place within epsilon."
    )
    search: bool = Field(default=True, description="Whether the smallest epsilon of each picture is searched.")
    largest: Distance = Field(default="32/255", description="The largest epsilon that the search tries.")
    rows: int = Field(default=10, ge=1, le=1000, description="Of how many iterations pictures are shown at most.")

    def plan(self, stage: Stage) -> Plan:
        heads = chosen_heads(stage.network, self.head)
        first = next(iter(heads))
        if len(heads) > 1:
            self._refuse_labels(stage.network.name, tuple(heads))
        seen = see(stage, self)
        numbers = self._numbers(stage, first, heads[first], len(seen.names))
        target = None
        if self.target is not None:
            target = label_number(stage.network, first, heads[first], self.target, "target")
        with blamed("size"):
            stage.network.activations(seen.pixels[:1], list(heads))
        terms = self._terms("" if target is None else self._classes(stage, first, heads[first])[target])

        def tell(desk: Desk) -> Story:
            cases = (
                Case(name, head, self._classes(stage, head, names), self._attack(stage, head, pixels, number, target))
                for head, names in heads.items()
                for name, pixels, number in zip(seen.names, seen.pixels, numbers, strict=True)
            )
            return told(desk, stage.network.name, self.title, terms, cases, len(heads) * len(numbers))

        return Plan((), tell, {"step_size": terms.reach.step_size, **seen.fields}, seen.files)

    def _refuse_labels(self, network: str, heads: Sequence[str]) -> None:
        """Labels are of one head."""
        for field, given in (("labels", self.labels), ("target", self.target)):
            if given is not None:
                raise FieldError(
                    (field,), f"{network} gives {len(heads)} answers; say of which under `head`: {', '.join(heads)}."
                )

    def _numbers(self, stage: Stage, head: str, names: Sequence[str], count: int) -> tuple[int | None, ...]:
        """The numbers of the labels; None for each picture where the clean answers take their place."""
        if self.labels is None:
            return (None,) * count
        if not isinstance(self.labels, tuple):
            return (label_number(stage.network, head, names, self.labels, "labels"),) * count
        if len(self.labels) != count:
            raise FieldError(
                ("labels",),
                f"{counted(len(self.labels), 'label')} are given for {counted(count, 'picture')}; write one for each.",
            )
        return tuple(
            label_number(stage.network, head, names, label, "labels", place) for place, label in enumerate(self.labels)
        )

    def _terms(self, target: str) -> Terms:
        epsilon = _number(self.epsilon)
        step_size = USUAL_SHARE * epsilon / self.steps if self.step_size is None else _number(self.step_size)
        return Terms(
            Reach(epsilon, self.steps, step_size),
            largest=_number(self.largest) if self.search else None,
            given=self.labels is not None,
            target=target,
            noisy=self.random_start,
            rows=self.rows,
        )

    def _classes(self, stage: Stage, head: str, names: Sequence[str]) -> tuple[str, ...]:
        return short_names(names, stage.network.layers[head].channels or 0)

    def _attack(self, stage: Stage, head: str, pixels: Tensor, label: int | None, target: int | None) -> Attack:
        """Aim at a picture; it starts where a noise says that is the same for all pictures."""
        model, noise = stage.network, None
        if self.random_start:
            noise = 2 * torch.rand(pixels.shape, generator=generators([self.seed], "adversarial start")[0]) - 1
        answer = look(model, head, pixels).answer if label is None else label
        return Attack(model, head, pixels, Aim(answer, target), noise)


adversarial = RecipeFunction(Adversarial)
