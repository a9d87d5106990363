"""Several objectives as one: their mean, the smallest and the largest of them for each image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lucidtorch.base.checks import checked
from lucidtorch.base.errors import ObjectiveError
from lucidtorch.base.shown import shown
from lucidtorch.objectives.algebra import Objective, Operand
from lucidtorch.objectives.operands import as_tensor, frozen_operand, value_of
from lucidtorch.objectives.trace import Activations, Trace

KINDS = ("mean", "minimum", "maximum")


@dataclass(frozen=True, repr=False)
class Several(Objective):
    """What several objectives come to, image by image.

    Args:
        kind: ``mean``, ``minimum`` or ``maximum``.
        parts: The objectives and numbers.
    """

    kind: str
    parts: tuple[Operand, ...]

    @classmethod
    def of(cls, kind: str, parts: Sequence[Operand | Sequence[Operand]]) -> Several:
        """Make one of what a call was given."""
        listed = parts[0] if len(parts) == 1 and isinstance(parts[0], Sequence) else parts
        given = [frozen_operand(one) for one in listed]
        fits = all(isinstance(one, Objective | int | float) for one in given)
        if not fits or not any(isinstance(one, Objective) for one in given):
            raise ObjectiveError(
                f"`{kind}` takes objectives, for example {kind}(channel('a', 0), channel('a', 1)), but {shown(parts)} "
                f"was given."
            )
        return cls(kind, tuple(given))

    def children(self) -> tuple[Operand, ...]:
        return self.parts

    def rebuilt(self, children: tuple[Any, ...]) -> Objective:
        return Several(self.kind, children)

    def evaluate(self, activations: Activations, trace: Trace) -> Tensor:
        values = [value_of(part, activations, trace) for part in self.parts]
        if self.kind == "mean":
            return trace.keep(self, as_tensor(sum(values) / len(values)))
        like = next(value for value in values if isinstance(value, Tensor))
        whole = [one if isinstance(one, Tensor) else like.new_full(like.shape, one) for one in values]
        stacked = torch.stack(whole)
        return trace.keep(self, stacked.amin(0) if self.kind == "minimum" else stacked.amax(0))

    def __repr__(self) -> str:
        return f"{self.kind}({', '.join(map(repr, self.parts))})"


@checked
def mean(*parts: Operand | Sequence[Operand]) -> Objective:
    """The mean of several objectives, image by image.

    Formula: (a + b + ...) / n.
    Source: plain arithmetic.

    Args:
        parts: The objectives and numbers, or one list of them.

    Returns:
        The expression.

    Raises:
        ObjectiveError: There is no objective among them.

    Example:
        >>> from lucidtorch.objectives import channel
        >>> mean(channel("conv1_1", 0), channel("conv1_1", 5))
        mean(channel('conv1_1', 0), channel('conv1_1', 5))
    """
    return Several.of("mean", parts)


@checked
def minimum(*parts: Operand | Sequence[Operand]) -> Objective:
    """The smallest of several objectives, image by image: what none of them may lack.

    Formula: min(a, b, ...); equal ones share the gradient.
    Source: plain arithmetic.

    Args:
        parts: The objectives and numbers, or one list of them.

    Returns:
        The expression.

    Raises:
        ObjectiveError: There is no objective among them.
    """
    return Several.of("minimum", parts)


@checked
def maximum(*parts: Operand | Sequence[Operand]) -> Objective:
    """The largest of several objectives, image by image: each picture follows what it is nearest to.

    Formula: max(a, b, ...); equal ones share the gradient.
    Source: plain arithmetic.

    Args:
        parts: The objectives and numbers, or one list of them.

    Returns:
        The expression.

    Raises:
        ObjectiveError: There is no objective among them.
    """
    return Several.of("maximum", parts)


def total(*parts: Operand | Sequence[Operand]) -> Objective:
    """The sum of several objectives, which texts write as `sum(a, b, c)` or `sum([a, b, c])`.

    Formula: a + b + ...
    Source: plain arithmetic.
    """
    checked = Several.of("sum", parts).parts
    found = checked[0]
    for part in checked[1:]:
        found = found + part
    if not isinstance(found, Objective):
        raise ObjectiveError(f"`sum` takes objectives, but {shown(parts)} was given.")
    return found
