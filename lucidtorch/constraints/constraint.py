"""Constraints: projections of the images after every update of a render.

Args:
    images: `[B, C, *size]` in [0, 1], after the update.
    moment: The state of the render besides the images.
    shape: The shape of the images, `[B, C, *size]`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
from torch import Tensor

from lucidtorch.base.arrays import Array
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.notation import Word
from lucidtorch.base.shown import shown


@dataclass(frozen=True)
class Moment:
    """The state of a render that constraints may use besides the images.

    Args:
        step: The number of updates so far, from 1.
        zero: The neutral colour, `[C]` in [0, 1]: the model's mean colour, on the images' device.
        gradient: `[B, C, *size]`, of the maximized objective with respect to the images before this update; None where
            no constraint needs it.
    """

    step: int
    zero: Tensor
    gradient: Tensor | None = None

    def zero_of(self, images: Tensor) -> Tensor:
        """Return the zero colour as `[1, C, 1, ...]`, which broadcasts over images, in their dtype."""
        return self.zero.to(images).reshape(1, -1, *(1 for _ in images.shape[2:]))


class Constraint(Word, ABC):
    """A projection of the images: a value whose arguments are its attributes and its text.

    It is applied to the images after an update, and the result is assigned to the param. Write one as a frozen
    dataclass in lower case; arguments that do not fit their annotations raise `BadInputError`. ``a | b`` applies a
    first, then b.
    """

    needs_gradient: ClassVar[bool] = False  # whether it uses the gradient of its moment

    @abstractmethod
    def apply(self, images: Tensor, moment: Moment) -> Tensor:
        """Project the images, each independently of the others.

        Returns:
            `[B, C, *size]` in [0, 1]; the input is not modified.
        """

    def check(self, shape: Sequence[int]) -> None:
        """Raise an error for images that it cannot be applied to, before any work; by default, for none.

        Raises:
            BadInputError: It cannot be applied to images of this shape.
        """
        return

    def __or__(self, other: ConstraintLike) -> Constraints:
        return Constraints.of((self, other))


@dataclass(frozen=True, repr=False)
class Constraints:
    """Constraints that are applied from left to right.

    Args:
        steps: The constraints, in order; none is the identity, with the empty text.
    """

    steps: tuple[Constraint, ...] = ()

    @classmethod
    def of(cls, parts: ConstraintLike | Iterable[ConstraintLike]) -> Constraints:
        """Combine constraints, in order.

        Args:
            parts: A constraint, combined ones, or several of these.

        Raises:
            BadInputError: One of them is not a constraint.
        """
        if isinstance(parts, Constraints):
            return parts
        if isinstance(parts, Constraint):
            return cls((parts,))
        if isinstance(parts, str | Tensor | np.ndarray) or not isinstance(parts, Iterable):
            raise BadInputError(
                f"{shown(parts)} is no constraint; write for example constraints.decay(0.01) | constraints.blur(0.5)."
            )
        return cls(tuple(step for part in parts for step in cls.of(part).steps))

    @property
    def needs_gradient(self) -> bool:
        """Whether one of them uses the gradient of its moment."""
        return any(step.needs_gradient for step in self.steps)

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The arrays among the arguments of all of them."""
        return tuple(array for step in self.steps for array in step.arrays)

    def check(self, shape: Sequence[int]) -> None:
        """Raise an error for images that one of them cannot be applied to, before any work."""
        for step in self.steps:
            step.check(shape)

    def apply(self, images: Tensor, moment: Moment) -> Tensor:
        """Project the images; the input is not modified."""
        for step in self.steps:
            images = step.apply(images, moment)
        return images

    def __or__(self, other: ConstraintLike) -> Constraints:
        return Constraints((*self.steps, *Constraints.of(other).steps))

    def __repr__(self) -> str:
        return " | ".join(map(repr, self.steps))


ConstraintLike: TypeAlias = Constraint | Constraints
