"""Objectives whose weight depends on how many steps were made: later, earlier, more and more."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import torch
from torch import Tensor

from lucidtorch.base.bounds import Within
from lucidtorch.base.checks import checked
from lucidtorch.base.errors import ObjectiveError
from lucidtorch.base.notation import format_call
from lucidtorch.objectives.algebra import Objective, Operand
from lucidtorch.objectives.images import Part
from lucidtorch.objectives.trace import Activations, Trace

Update: TypeAlias = Annotated[int, Within(0), ObjectiveError]  # how many were made
Weight: TypeAlias = Annotated[float, ObjectiveError]


@dataclass(frozen=True, repr=False)
class Timed(Objective):
    """An objective with a weight that goes from one number to another between two steps.

    On finished pictures, and wherever no steps are made, the weight is the last one.

    Args:
        start: After how many steps the weight begins to change.
        end: After how many steps it has its last value; as `start`, where it jumps.
        inner: What is weighted.
        first: The weight until `start`.
        last: The weight from `end` on.

    Raises:
        ObjectiveError: The steps are not in order.
    """

    start: int
    end: int
    inner: Objective
    first: float = 0
    last: float = 1

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ObjectiveError(f"ramp(start, end, ...) takes start <= end, not {self.start} and {self.end}.")

    def weight(self, step: int | None) -> float:
        """Say how much the objective counts."""
        if step is None or step >= self.end:
            return self.last
        if step <= self.start:
            return self.first
        return self.first + (self.last - self.first) * (step - self.start) / (self.end - self.start)

    def children(self) -> tuple[Operand, ...]:
        return (self.inner,)

    def rebuilt(self, children: tuple[Any, ...]) -> Objective:
        return Timed(self.start, self.end, children[0], self.first, self.last)

    def evaluate(self, activations: Activations, trace: Trace) -> Tensor:
        values = self.inner.evaluate(activations, trace)
        weight = self.weight(trace.step)
        return trace.keep(self, values * weight if weight else torch.zeros_like(values.detach()))

    def __repr__(self) -> str:
        if self.start == self.end and (self.first, self.last) in ((0, 1), (1, 0)):
            return f"{'before' if self.first else 'after'}({self.start}, {self.inner!r})"
        return format_call("ramp", inspect.signature(ramp), vars(self))


@checked
def after(step: Update, inner: Part) -> Objective:
    """Let an objective count only once so many steps were made.

    Formula: 0 for the first `step` updates, then the objective itself.
    Source: thresholds of Lucid's notebooks, made one mechanism.

    Args:
        step: The number of updates without it.
        inner: What counts afterwards.

    Returns:
        The objective.

    Raises:
        ObjectiveError: The step is no whole number from 0, or there is no objective.

    Example:
        >>> from lucidtorch.objectives import channel, total_variation
        >>> channel("conv3_1", 4) - 0.01 * after(150, total_variation())
        channel('conv3_1', 4) - 0.01 * after(150, total_variation())
    """
    return Timed(step, step, inner)


@checked
def before(step: Update, inner: Part) -> Objective:
    """Let an objective count only until so many steps were made.

    Formula: the objective itself for the first `step` updates, then 0.
    Source: thresholds of Lucid's notebooks, made one mechanism.

    Args:
        step: The number of updates with it.
        inner: What counts until then.

    Returns:
        The objective.

    Raises:
        ObjectiveError: The step is no whole number from 0, or there is no objective.
    """
    return Timed(step, step, inner, 1, 0)


@checked
def ramp(start: Update, end: Update, inner: Part, first: Weight = 0, last: Weight = 1) -> Objective:
    """Let the weight of an objective go evenly from one number to another.

    Formula: w · inner, with w = first up to step `start`, last from step `end` on, and linear between them.
    Source: annealed weights, as in MACO's and neural-dream's schedules, made one mechanism.

    Args:
        start: After how many updates the weight begins to change.
        end: After how many updates it has its last value.
        inner: What is weighted.
        first: The weight at the start.
        last: The weight at the end, and on finished pictures.

    Returns:
        The objective.

    Raises:
        ObjectiveError: The steps are no whole numbers in order, a weight is no finite number, or there is no objective.

    Example:
        >>> from lucidtorch.objectives import channel, L1
        >>> channel("conv3_1", 4) - ramp(0, 200, L1(constant=0.5), first=0.1, last=0)
        channel('conv3_1', 4) - ramp(0, 200, L1(constant=0.5), first=0.1, last=0)
    """
    return Timed(start, end, inner, first, last)
