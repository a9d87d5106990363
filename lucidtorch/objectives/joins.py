"""Reductions of several objectives, weights that change over the steps, and objectives on several networks."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import torch
from torch import Tensor

from lucidtorch.base.checks import Within, checked
from lucidtorch.base.errors import ObjectiveError
from lucidtorch.base.notation import format_call
from lucidtorch.base.shown import shown
from lucidtorch.objectives.algebra import Activations, Objective, Operand, Trace
from lucidtorch.objectives.arguments import frozen_operand, is_layer
from lucidtorch.objectives.images import Part
from lucidtorch.objectives.references import INPUT
from lucidtorch.objectives.term import Term

Update: TypeAlias = Annotated[int, Within(0), ObjectiveError]  # a number of updates
Weight: TypeAlias = Annotated[float, ObjectiveError]
SEPARATOR = "/"  # between the name of a network and an address in it


@dataclass(frozen=True, repr=False)
class Several(Objective):
    """The mean, minimum or maximum of several objectives, image by image."""

    kind: str  # `mean`, `minimum` or `maximum`

    def compute(self, activations: Activations, trace: Trace) -> Tensor:
        values = self.part_values(activations, trace)
        if self.kind == "mean":
            average: Tensor = sum(values) / len(values)
            return average
        like = next(value for value in values if isinstance(value, Tensor))
        stacked = torch.stack([one if isinstance(one, Tensor) else torch.full_like(like, one) for one in values])
        return stacked.amin(0) if self.kind == "minimum" else stacked.amax(0)

    def __repr__(self) -> str:
        return f"{self.kind}({', '.join(map(repr, self.parts))})"


@dataclass(frozen=True, repr=False)
class Timed(Objective):
    """An objective whose weight changes linearly between two steps; on finished pictures it is the last weight."""

    start: int
    end: int
    first: float = 0
    last: float = 1

    def weight(self, step: int | None) -> float:
        """The weight after a number of updates."""
        if step is None or step >= self.end:
            return self.last
        if step <= self.start:
            return self.first
        return self.first + (self.last - self.first) * (step - self.start) / (self.end - self.start)

    def compute(self, activations: Activations, trace: Trace) -> Tensor:
        (inner,) = self.objectives
        values = inner.evaluate(activations, trace)
        weight = self.weight(trace.step)
        return values * weight if weight else torch.zeros_like(values.detach())

    def __repr__(self) -> str:
        (inner,) = self.parts
        if self.start == self.end and (self.first, self.last) in ((0, 1), (1, 0)):
            return f"{'before' if self.first else 'after'}({self.start}, {inner!r})"
        return format_call("ramp", inspect.signature(ramp), {**vars(self), "inner": inner})


@dataclass(frozen=True, repr=False)
class Of(Objective):
    """An objective on one of several networks, named as in the call of `render`."""

    network: str

    def __post_init__(self) -> None:
        if not self.network or SEPARATOR in self.network:
            raise ObjectiveError(
                f"`of` takes the name of a network, without a slash, but {shown(self.network)} was given."
            )
        if any(isinstance(node, Of) for part in self.objectives for node in part.walk()):
            raise ObjectiveError(f"An `of` contains another one, but each term belongs to one network: {self!r:.200}.")

    @property
    def plain(self) -> Objective:
        """The inner objective with the network's name in every address."""
        (inner,) = self.objectives
        return inner.mapped(self._named)

    def _named(self, node: Objective) -> Objective:
        if not isinstance(node, Term):
            return node
        layers = {name: value for name, value in node.arguments if is_layer(name) and value != INPUT}
        for value in layers.values():
            if value is not None and not isinstance(value, str):
                raise ObjectiveError(f"Inside `of`, write the address of the layer as text, not {shown(value)}.")
        return node.replaced(**{name: f"{self.network}{SEPARATOR}{value}" for name, value in layers.items() if value})

    def walk(self) -> Iterator[Objective]:
        """Iterate over this expression and all its parts, with the network's name in every address."""
        yield self
        yield from self.plain.walk()

    def terms(self, sign: int = 1) -> Iterator[tuple[int, Objective]]:
        yield from self.plain.terms(sign)

    def compute(self, activations: Activations, trace: Trace) -> Tensor:
        return self.plain.evaluate(activations, trace)

    def __repr__(self) -> str:
        return f"of({self.network!r}, {self.parts[0]!r})"


@checked
def mean(*parts: Operand | Sequence[Operand]) -> Objective:
    """The mean of several objectives, image by image.

    Formula: (a + b + ...) / n.
    Source: plain arithmetic.

    Args:
        parts: The objectives and numbers, or one list of them.

    Raises:
        ObjectiveError: There is no objective among them.

    Example:
        >>> from lucidtorch.objectives import channel
        >>> mean(channel("conv1_1", 0), channel("conv1_1", 5))
        mean(channel('conv1_1', 0), channel('conv1_1', 5))
    """
    return Several("mean", parts=_operands("mean", parts))


@checked
def minimum(*parts: Operand | Sequence[Operand]) -> Objective:
    """The smallest of several objectives, image by image: all of them must be large.

    Formula: min(a, b, ...); equal ones share the gradient.
    Source: plain arithmetic.

    Args:
        parts: The objectives and numbers, or one list of them.

    Raises:
        ObjectiveError: There is no objective among them.
    """
    return Several("minimum", parts=_operands("minimum", parts))


@checked
def maximum(*parts: Operand | Sequence[Operand]) -> Objective:
    """The largest of several objectives, image by image: one of them must be large.

    Formula: max(a, b, ...); equal ones share the gradient.
    Source: plain arithmetic.

    Args:
        parts: The objectives and numbers, or one list of them.

    Raises:
        ObjectiveError: There is no objective among them.
    """
    return Several("maximum", parts=_operands("maximum", parts))


def total(*parts: Operand | Sequence[Operand]) -> Objective:
    """The sum of several objectives, as text `sum(a, b, c)` or `sum([a, b, c])`.

    Formula: a + b + ...
    Source: plain arithmetic.
    """
    found, *others = _operands("sum", parts)
    for part in others:
        found = found + part
    if not isinstance(found, Objective):
        raise ObjectiveError(f"`sum` takes objectives, but {shown(parts)} was given.")
    return found


def _operands(word: str, parts: Sequence[Operand | Sequence[Operand]]) -> tuple[Operand, ...]:
    """Check the operands of a call, which may be one list."""
    listed = parts[0] if len(parts) == 1 and isinstance(parts[0], Sequence) else parts
    given = tuple(frozen_operand(one) for one in listed)
    fits = all(isinstance(one, Objective | int | float) for one in given)
    if not fits or not any(isinstance(one, Objective) for one in given):
        raise ObjectiveError(
            f"`{word}` takes objectives, for example {word}(channel('a', 0), channel('a', 1)), but {shown(parts)} "
            f"was given."
        )
    return given


@checked
def after(step: Update, inner: Part) -> Objective:
    """Activate an objective after a number of updates.

    Formula: 0 for the first `step` updates, then the objective itself.
    Source: step thresholds in Lucid's notebooks.

    Args:
        step: The number of updates without it.
        inner: The objective.

    Raises:
        ObjectiveError: The step is no whole number from 0, or there is no objective.

    Example:
        >>> from lucidtorch.objectives import channel, total_variation
        >>> channel("conv3_1", 4) - 0.01 * after(150, total_variation())
        channel('conv3_1', 4) - 0.01 * after(150, total_variation())
    """
    return Timed(step, step, parts=(inner,))


@checked
def before(step: Update, inner: Part) -> Objective:
    """Deactivate an objective after a number of updates.

    Formula: the objective itself for the first `step` updates, then 0.
    Source: step thresholds in Lucid's notebooks.

    Args:
        step: The number of updates with it.
        inner: The objective.

    Raises:
        ObjectiveError: The step is no whole number from 0, or there is no objective.
    """
    return Timed(step, step, 1, 0, parts=(inner,))


@checked
def ramp(start: Update, end: Update, inner: Part, first: Weight = 0, last: Weight = 1) -> Objective:
    """Change the weight of an objective linearly between two steps.

    Formula: w · inner, with w = first up to step `start`, last from step `end` on, and linear between them.
    Source: annealed weights, as in the schedules of MACO and neural-dream.

    Args:
        start: The number of updates after which the weight begins to change.
        end: The number of updates after which it has its last value.
        inner: The objective.
        first: The weight at the start.
        last: The weight at the end, and on finished pictures.

    Raises:
        ObjectiveError: The steps are no whole numbers in order, a weight is no finite number, or there is no objective.

    Example:
        >>> from lucidtorch.objectives import channel, L1
        >>> channel("conv3_1", 4) - ramp(0, 200, L1(constant=0.5), first=0.1, last=0)
        channel('conv3_1', 4) - ramp(0, 200, L1(constant=0.5), first=0.1, last=0)
    """
    if end < start:
        raise ObjectiveError(f"ramp(start, end, ...) takes start <= end, not {start} and {end}.")
    return Timed(start, end, first, last, parts=(inner,))


@checked
def of(network: Annotated[str, ObjectiveError], inner: Part) -> Objective:
    """Evaluate an objective on one of several networks, by the network's name in the call of `render`.

    Formula: the objective itself, with every address read as ``name/layer``.
    Source: captum.optim and torch-dreams optimize several networks at once.

    Args:
        network: The name of the network in the call of `render`.
        inner: The objective; its terms on `input` still apply to the image itself.

    Raises:
        ObjectiveError: The name is no text without a slash, or there is no objective.

    Example:
        >>> from lucidtorch.objectives import channel
        >>> both = of("demo", channel("conv2_1", 3)) - of("judge", channel("conv2_1", 3))
        >>> both.layers
        ('demo/conv2_1', 'judge/conv2_1')
    """
    return Of(network, parts=(inner,))


def without_of(objective: Objective) -> Objective:
    """Replace every `of` in an expression by its inner objective, with the network's name in every address."""
    return objective.mapped(lambda node: node.plain if isinstance(node, Of) else node)
