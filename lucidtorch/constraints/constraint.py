"""What a constraint is: what the images must keep to after every update of a render.

Args:
    images: `[B, C, *size]` in [0, 1], after the update.
    moment: What a constraint may know besides the images.
    shape: The shape of the images, `[B, C, *size]`.
"""

from __future__ import annotations

import dataclasses
import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
from torch import Tensor

from lucidtorch.base.arrays import Array
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.notation import bind, format_call
from lucidtorch.base.shown import shown


@dataclass(frozen=True)
class Moment:
    """What a constraint may know besides the images.

    Args:
        step: How many updates were made, from 1.
        zero: The colour that counts as nothing, `[C]` in [0, 1]: the model's mean colour, on the images' device.
        gradient: `[B, C, *size]`, of the maximized objective with respect to the images before this update; None where
            no constraint needs it.
    """

    step: int
    zero: Tensor
    gradient: Tensor | None = None

    def zero_of(self, images: Tensor) -> Tensor:
        """Give the zero colour in a form that broadcasts over images: `[1, C, 1, ...]`, in their dtype."""
        return self.zero.to(images).reshape(1, -1, *(1 for _ in images.shape[2:]))


class Constraint(ABC):
    """Something that the images must keep to: a value whose arguments are its attributes and its text.

    It is applied to the finished images after an update, and the param takes on what comes out. Write one as a frozen
    dataclass in lower case. Joining two with `|` applies them from left to right.
    """

    needs_gradient: ClassVar[bool] = False  # whether it reads the gradient of its moment

    def __post_init__(self) -> None:
        """Freeze the arguments."""
        for name, value in bind(type(self), (), self._fields()).items():
            object.__setattr__(self, name, value)

    @abstractmethod
    def apply(self, images: Tensor, moment: Moment) -> Tensor:
        """Bring images back to what they must keep to, each on its own.

        Returns:
            `[B, C, *size]` in [0, 1]; the images that were given stay as they are.
        """

    def check(self, shape: Sequence[int]) -> None:
        """Refuse images that it cannot be applied to, before any work; none, unless it says otherwise.

        Raises:
            BadInputError: It cannot be applied to images of this shape.
        """
        return

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The arrays among its arguments."""
        return tuple(value for value in self._fields().values() if isinstance(value, Array))

    def __or__(self, other: ConstraintLike) -> Constraints:
        return Constraints.of((self, other))

    def _fields(self) -> dict[str, object]:
        return {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}  # type: ignore[arg-type]

    def __repr__(self) -> str:
        return format_call(type(self).__name__, inspect.signature(type(self)), self._fields())


@dataclass(frozen=True, repr=False)
class Constraints:
    """Constraints that images go through from left to right.

    Args:
        steps: The constraints, in order; none leaves the images as they are, and has the empty text.
    """

    steps: tuple[Constraint, ...] = ()

    @classmethod
    def of(cls, parts: ConstraintLike | Iterable[ConstraintLike]) -> Constraints:
        """Join whatever constraints are given, in order.

        Args:
            parts: A constraint, joined ones, or several of these.

        Raises:
            BadInputError: Something among them is no constraint.
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
        """Whether one of them reads the gradient of its moment."""
        return any(step.needs_gradient for step in self.steps)

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The arrays among the arguments of all of them."""
        return tuple(array for step in self.steps for array in step.arrays)

    def check(self, shape: Sequence[int]) -> None:
        """Refuse images that one of them cannot be applied to, before any work."""
        for step in self.steps:
            step.check(shape)

    def apply(self, images: Tensor, moment: Moment) -> Tensor:
        """Bring images back to what they must keep to; those that were given stay as they are."""
        for step in self.steps:
            images = step.apply(images, moment)
        return images

    def __or__(self, other: ConstraintLike) -> Constraints:
        return Constraints((*self.steps, *Constraints.of(other).steps))

    def __repr__(self) -> str:
        return " | ".join(map(repr, self.steps))


ConstraintLike: TypeAlias = Constraint | Constraints
