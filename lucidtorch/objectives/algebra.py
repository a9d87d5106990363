"""The algebra of objectives: immutable expressions with one value per image."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import torch
from torch import Tensor

from lucidtorch.base.bounds import Within
from lucidtorch.base.checks import checked
from lucidtorch.base.errors import ObjectiveError
from lucidtorch.base.surroundings import pinned
from lucidtorch.objectives.counts import Images
from lucidtorch.objectives.operands import (
    ATOM,
    NEGATION,
    POWER,
    PRODUCT,
    SUM,
    Number,
    as_tensor,
    format_operand,
    frozen_operand,
    value_of,
)
from lucidtorch.objectives.trace import Activations, Trace


class Objective(ABC):
    """What shall be made large: an expression that is called on activations and gives one value per image.

    Objectives are values: immutable, hashable, picklable, equal when they say the same. `+ - * / **` and the sign make
    new ones, with numbers on either side. Printing one gives the text that `lucidtorch.parse` reads back.
    """

    binding = ATOM

    @abstractmethod
    def evaluate(self, activations: Activations, trace: Trace) -> Tensor:
        """Compute the value of each image.

        Args:
            activations: Address to activations, `[B, C, H, W]` or `[B, C]`; ``"input"`` is the image.
            trace: Takes the value of every term that is met.

        Returns:
            `[B]`.
        """

    @abstractmethod
    def children(self) -> tuple[Operand, ...]:
        """Give the parts of this expression, numbers included."""

    @abstractmethod
    def rebuilt(self, children: tuple[Any, ...]) -> Objective:
        """Make the same expression of other parts.

        Args:
            children: As many as `children` gives.

        Returns:
            An expression of the same kind.
        """

    @property
    def own_layers(self) -> tuple[str, ...]:
        """The layers that this node itself reads, without its parts."""
        return ()

    @property
    def own_images(self) -> Images:
        """What this node itself says about the number of images, without its parts."""
        return Images()

    @property
    def layers(self) -> tuple[str, ...]:
        """Every address that must be captured, in the order of the text, each once."""
        return tuple(dict.fromkeys(layer for node in self.walk() for layer in node.own_layers))

    @property
    def images(self) -> Images:
        """What the whole expression says about the number of images."""
        found = Images()
        for node in self.walk():
            found = found.also(node.own_images)
        return found

    @property
    def batch(self) -> int | None:
        """The number of images it speaks of, or None where any number will do."""
        return self.images.number

    def walk(self) -> Iterator[Objective]:
        """Go through this expression and all its parts, in the order of the text."""
        yield self
        for child in self.children():
            if isinstance(child, Objective):
                yield from child.walk()

    def mapped(self, change: Callable[[Objective], Objective]) -> Objective:
        """Make a new expression by changing its nodes, the innermost first.

        Args:
            change: Takes a node whose parts are changed already, and gives what shall stand in its place.

        Returns:
            The new expression.
        """
        children = tuple(child.mapped(change) if isinstance(child, Objective) else child for child in self.children())
        return change(self if children == self.children() else self.rebuilt(children))

    def terms(self, sign: int = 1) -> Iterator[tuple[int, Objective]]:
        """Go through what arithmetic joins: the terms, `each`, `interpolate` and `on`, each with its sign.

        Args:
            sign: The sign of this expression.

        Yields:
            1 or -1, and a part whose value a trace holds.
        """
        yield sign, self

    @checked
    def on(self, image: Annotated[int, Within(0), ObjectiveError]) -> Objective:
        """Keep this objective for one image of the batch and give the others 0.

        Args:
            image: The place of the image in the batch, from 0.

        Returns:
            An objective that speaks of that image.

        Raises:
            ObjectiveError: The place is no whole number from 0.
        """
        return On(self, image)

    @pinned()
    def __call__(self, activations: Activations) -> Tensor:
        return self.evaluate(activations, Trace())

    def __add__(self, other: Operand) -> Objective:
        return Sum._of(self, 1, other)

    def __radd__(self, other: Operand) -> Objective:
        return Sum._of(other, 1, self)

    def __sub__(self, other: Operand) -> Objective:
        return Sum._of(self, -1, other)

    def __rsub__(self, other: Operand) -> Objective:
        return Sum._of(other, -1, self)

    def __mul__(self, other: Operand) -> Objective:
        return Binary._of("*", self, other)

    def __rmul__(self, other: Operand) -> Objective:
        return Binary._of("*", other, self)

    def __truediv__(self, other: Operand) -> Objective:
        return Binary._of("/", self, other)

    def __rtruediv__(self, other: Operand) -> Objective:
        return Binary._of("/", other, self)

    def __pow__(self, other: Operand) -> Objective:
        return Binary._of("**", self, other)

    def __rpow__(self, other: Operand) -> Objective:
        return Binary._of("**", other, self)

    def __neg__(self) -> Objective:
        return Negation(self)


@dataclass(frozen=True, repr=False)
class Sum(Objective):
    """A chain of additions and subtractions, taken from left to right.

    Args:
        signed: Each sign (1 or -1) with its term; the first sign is 1.
    """

    signed: tuple[tuple[int, Operand], ...]
    binding = SUM

    @classmethod
    def _of(cls, left: Operand, sign: int, right: Operand) -> Sum:
        """Add (1) or subtract (-1) one more term; a long chain stays one flat value."""
        if not isinstance(right, Objective | int | float) or not isinstance(left, Objective | int | float):
            return NotImplemented
        first = left.signed if isinstance(left, Sum) else ((1, frozen_operand(left)),)
        return cls((*first, (sign, frozen_operand(right))))

    def children(self) -> tuple[Operand, ...]:
        return tuple(term for _, term in self.signed)

    def rebuilt(self, children: tuple[Any, ...]) -> Objective:
        return Sum(tuple((sign, child) for (sign, _), child in zip(self.signed, children, strict=True)))

    def evaluate(self, activations: Activations, trace: Trace) -> Tensor:
        total = value_of(self.signed[0][1], activations, trace)
        for sign, term in self.signed[1:]:
            value = value_of(term, activations, trace)
            total = total + value if sign > 0 else total - value
        return as_tensor(total)

    def terms(self, sign: int = 1) -> Iterator[tuple[int, Objective]]:
        for own, term in self.signed:
            if isinstance(term, Objective):
                yield from term.terms(sign * own)

    def __repr__(self) -> str:
        parts = [format_operand(self.signed[0][1], SUM, first=True)]
        for sign, term in self.signed[1:]:
            parts += ["+" if sign > 0 else "-", format_operand(term, PRODUCT)]
        return " ".join(parts)


@dataclass(frozen=True, repr=False)
class Binary(Objective):
    """A product, quotient or power.

    Args:
        sign: ``*``, ``/`` or ``**``.
        left: What stands before it.
        right: What stands behind it.
    """

    sign: str
    left: Operand
    right: Operand

    @classmethod
    def _of(cls, sign: str, left: Operand, right: Operand) -> Binary:
        if not isinstance(right, Objective | int | float) or not isinstance(left, Objective | int | float):
            return NotImplemented
        return cls(sign, frozen_operand(left), frozen_operand(right))

    @property
    def binding(self) -> int:  # type: ignore[override]  # a class attribute everywhere else
        return POWER if self.sign == "**" else PRODUCT

    def children(self) -> tuple[Operand, ...]:
        return (self.left, self.right)

    def rebuilt(self, children: tuple[Any, ...]) -> Objective:
        return Binary(self.sign, *children)

    def evaluate(self, activations: Activations, trace: Trace) -> Tensor:
        left, right = value_of(self.left, activations, trace), value_of(self.right, activations, trace)
        if self.sign == "*":
            return as_tensor(left * right)
        return as_tensor(left / right if self.sign == "/" else left**right)

    def terms(self, sign: int = 1) -> Iterator[tuple[int, Objective]]:
        flips = self.sign != "**" and any(isinstance(side, int | float) and side < 0 for side in self.children())
        for side in self.children():
            if isinstance(side, Objective):
                yield from side.terms(-sign if flips else sign)

    def __repr__(self) -> str:
        if self.sign == "**":
            return f"{format_operand(self.left, ATOM)} ** {format_operand(self.right, NEGATION, first=True)}"
        return f"{format_operand(self.left, PRODUCT, first=True)} {self.sign} {format_operand(self.right, NEGATION)}"


@dataclass(frozen=True, repr=False)
class Negation(Objective):
    """An objective with its sign turned: what makes it small becomes what makes it large.

    Args:
        inner: What is negated.
    """

    inner: Objective
    binding = NEGATION

    def children(self) -> tuple[Operand, ...]:
        return (self.inner,)

    def rebuilt(self, children: tuple[Any, ...]) -> Objective:
        return Negation(children[0])

    def evaluate(self, activations: Activations, trace: Trace) -> Tensor:
        return -self.inner.evaluate(activations, trace)

    def terms(self, sign: int = 1) -> Iterator[tuple[int, Objective]]:
        yield from self.inner.terms(-sign)

    def __repr__(self) -> str:
        return f"-{format_operand(self.inner, NEGATION, first=True)}"


@dataclass(frozen=True, repr=False)
class On(Objective):
    """An objective that only one image follows.

    Args:
        inner: What that image follows.
        image: The place of the image in the batch, from 0.
    """

    inner: Objective
    image: int

    @property
    def own_images(self) -> Images:
        """The image it names must be there."""
        return Images(at_least=self.image + 1)

    def children(self) -> tuple[Operand, ...]:
        return (self.inner,)

    def rebuilt(self, children: tuple[Any, ...]) -> Objective:
        return On(children[0], self.image)

    def evaluate(self, activations: Activations, trace: Trace) -> Tensor:
        values = self.inner.evaluate(activations, trace)
        if self.image >= values.shape[0]:
            raise ObjectiveError(f"`.on({self.image})` names an image that is not there: there are {values.shape[0]}.")
        chosen = torch.arange(values.shape[0], device=values.device) == self.image
        return trace.keep(self, torch.where(chosen, values, torch.zeros_like(values)))

    def __repr__(self) -> str:
        text = repr(self.inner) if self.inner.binding == On.binding else f"({self.inner!r})"
        return f"{text}.on({self.image})"


Operand: TypeAlias = Objective | Number
