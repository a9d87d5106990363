"""Objectives that say which image of a batch does what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import torch
from torch import Tensor

from lucidtorch.base.bounds import Within
from lucidtorch.base.checks import checked
from lucidtorch.base.errors import ObjectiveError
from lucidtorch.objectives.algebra import Objective, Operand
from lucidtorch.objectives.counts import Images
from lucidtorch.objectives.trace import Activations, Trace

Part: TypeAlias = Annotated[Objective, ObjectiveError]


@dataclass(frozen=True, repr=False)
class Each(Objective):
    """An objective of its own for every image.

    Args:
        parts: Image 0 follows the first, image 1 the second, and so on.

    Raises:
        ObjectiveError: There are none.
    """

    parts: tuple[Objective, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise ObjectiveError(
                "`each` takes one objective per image, for example each(channel('a', 0), channel('a', 1))."
            )

    @property
    def own_images(self) -> Images:
        """One image per part."""
        return Images(exactly=len(self.parts))

    def children(self) -> tuple[Operand, ...]:
        return self.parts

    def rebuilt(self, children: tuple[Any, ...]) -> Objective:
        return Each(children)

    def evaluate(self, activations: Activations, trace: Trace) -> Tensor:
        values = [part.evaluate(activations, trace) for part in self.parts]
        if values[0].shape[0] != len(values):
            raise ObjectiveError(f"`each` gives {len(values)} objectives, but there are {values[0].shape[0]} images.")
        return trace.keep(self, torch.stack([value[image] for image, value in enumerate(values)]))

    def __repr__(self) -> str:
        return f"each({', '.join(map(repr, self.parts))})"


@dataclass(frozen=True, repr=False)
class Interpolate(Objective):
    """A walk from one objective to another over the images of a batch.

    Args:
        start: What the first image follows.
        end: What the last image follows.
        count: The number of images.
    """

    start: Objective
    end: Objective
    count: int

    @property
    def own_images(self) -> Images:
        """The number of steps of the walk."""
        return Images(exactly=self.count)

    def children(self) -> tuple[Operand, ...]:
        return (self.start, self.end)

    def rebuilt(self, children: tuple[Any, ...]) -> Objective:
        return Interpolate(children[0], children[1], self.count)

    def evaluate(self, activations: Activations, trace: Trace) -> Tensor:
        start, end = self.start.evaluate(activations, trace), self.end.evaluate(activations, trace)
        if start.shape[0] != self.count:
            raise ObjectiveError(f"`interpolate` speaks of {self.count} images, but there are {start.shape[0]}.")
        share = torch.arange(self.count, dtype=start.dtype, device=start.device) / (self.count - 1)
        return trace.keep(self, (1 - share) * start + share * end)

    def __repr__(self) -> str:
        return f"interpolate({self.start!r}, {self.end!r}, {self.count})"


@checked
def each(*parts: Part) -> Objective:
    """Give every image of the batch an objective of its own.

    Formula: image i maximizes the i-th objective.
    Source: the per-image objectives of a batch that Lucid writes with `batch=`.

    Args:
        parts: Image 0 follows the first, image 1 the second, and so on.

    Returns:
        The objective of the whole batch.

    Raises:
        ObjectiveError: No objective was given.
    """
    return Each(parts)


@checked
def interpolate(start: Part, end: Part, n: Annotated[int, Within(2), ObjectiveError]) -> Objective:
    """Move from one objective to another over the images of a batch.

    Formula: image i maximizes (1 - w) · start + w · end with w = i / (n - 1).
    Source: Lucid's `channel_interpolate`, for any two objectives.

    Args:
        start: What the first image follows.
        end: What the last image follows.
        n: The number of images, 2 or more.

    Returns:
        The objective of the whole batch.

    Raises:
        ObjectiveError: There are fewer than two images.
    """
    return Interpolate(start, end, n)


@checked
def negative(inner: Part) -> Objective:
    """Turn an objective round: what the unit is least like. The same as writing a minus before it.

    Formula: -o.
    Source: the negative neurons of "Feature Visualization" (Lucid).

    Args:
        inner: What shall become small.

    Returns:
        The negated objective.

    Raises:
        ObjectiveError: No objective was given.
    """
    return -inner
