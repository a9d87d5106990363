"""The algebra of objectives: immutable expressions that give one value per image.

An expression is a term, which is a named function of activations (`term.py`), or combines other expressions, its
`parts`: by arithmetic, below, or by one of the functions in `images.py` and `joins.py`.

Args:
    activations: Address to activations, `[B, C, H, W]` or `[B, C]`; ``"input"`` is the image.
    trace: Stores the value of every part that is evaluated.
    change: Maps a node, whose parts are replaced already, to its replacement.
    sign: The sign of the whole expression, 1 or -1.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, TypeAlias

import torch
from torch import Tensor

from lucidtorch.base.checks import Within, checked
from lucidtorch.base.errors import ObjectiveError
from lucidtorch.base.notation import ATOM, NEGATION, OPERATORS, PRODUCT, SUM, format_operation
from lucidtorch.base.surroundings import pinned
from lucidtorch.objectives.arguments import Images, frozen_operand

Activations: TypeAlias = Mapping[str, Tensor]  # address to `[B, C, H, W]` or `[B, C]`; "input" is the image
Memory: TypeAlias = dict[str, Tensor]  # the state of one term, kept from update to update
Method: TypeAlias = "Callable[[Any, Operand], Objective]"


class Trace(dict[Hashable, Tensor]):
    """The values of all parts in one evaluation, `[B]` each: a part that occurs twice is computed once."""

    def __init__(self, step: int | None = None, memories: dict[Hashable, Memory] | None = None) -> None:
        super().__init__()
        self.step = step  # the number of updates so far; None after the last, as on a finished picture
        self.memories = {} if memories is None else memories  # the state of each term


def _methods(sign: str) -> tuple[Method, Method]:
    """Create the methods of an operator: with the objective on its left, and on its right."""
    return lambda own, other: _operation(own, sign, other), lambda own, other: _operation(other, sign, own)


@dataclass(frozen=True, repr=False)
class Objective(ABC):
    """What to maximize: an expression that is called on activations and returns one value per image.

    Objectives are values: immutable, hashable, picklable, compared by value. `+ - * / **` and the unary minus return
    new ones, with numbers on either side. `lucidtorch.parse` reads their text (`repr`) back.

    Args:
        parts: The objectives and numbers that it combines, in the order of the text.
    """

    parts: tuple[Operand, ...] = field(default=(), kw_only=True)
    binding: ClassVar[int] = ATOM  # the precedence of the outermost operator

    def evaluate(self, activations: Activations, trace: Trace) -> Tensor:
        """Compute the value of each image, `[B]`, once in a trace."""
        if self not in trace:
            trace[self] = self.compute(activations, trace)
        return trace[self]

    @abstractmethod
    def compute(self, activations: Activations, trace: Trace) -> Tensor:
        """Compute the value of each image, `[B]`."""

    def part_values(self, activations: Activations, trace: Trace) -> list[Any]:
        """Evaluate the parts; numbers stay as they are."""
        return [part.evaluate(activations, trace) if isinstance(part, Objective) else part for part in self.parts]

    @property
    def own_layers(self) -> tuple[str, ...]:
        """The layers that this node reads itself, without its parts."""
        return ()

    @property
    def own_images(self) -> Images:
        """The number of images that this node requires itself, without its parts."""
        return Images()

    @property
    def layers(self) -> tuple[str, ...]:
        """Every address that must be captured, in the order of the text, each once."""
        return tuple(dict.fromkeys(layer for node in self.walk() for layer in node.own_layers))

    @property
    def images(self) -> Images:
        """The number of images that the whole expression requires."""
        return functools.reduce(Images.also, (node.own_images for node in self.walk()))

    @property
    def batch(self) -> int | None:
        """The number of images that it requires, or None if any number is possible."""
        return self.images.number

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The parts without the numbers among them."""
        return tuple(part for part in self.parts if isinstance(part, Objective))

    def walk(self) -> Iterator[Objective]:
        """Iterate over this expression and all its parts, in the order of the text."""
        yield self
        for part in self.objectives:
            yield from part.walk()

    def mapped(self, change: Callable[[Objective], Objective]) -> Objective:
        """Return a new expression with replaced nodes, the innermost first."""
        parts = tuple(part.mapped(change) if isinstance(part, Objective) else part for part in self.parts)
        return change(self if parts == self.parts else replace(self, parts=parts))

    def terms(self, sign: int = 1) -> Iterator[tuple[int, Objective]]:
        """Iterate over the operands of arithmetic (terms, `each`, `mean` ...), each with its sign."""
        yield sign, self

    @checked
    def on(self, image: Annotated[int, Within(0), ObjectiveError]) -> Objective:
        """Restrict this objective to one image of the batch; the value of the others is 0.

        Args:
            image: The place of the image in the batch, from 0.

        Raises:
            ObjectiveError: The place is no whole number from 0.
        """
        return On(image, parts=(self,))

    @pinned()
    def __call__(self, activations: Activations) -> Tensor:
        return self.evaluate(activations, Trace())

    __add__, __radd__ = _methods("+")
    __sub__, __rsub__ = _methods("-")
    __mul__, __rmul__ = _methods("*")
    __truediv__, __rtruediv__ = _methods("/")
    __pow__, __rpow__ = _methods("**")

    def __neg__(self) -> Objective:
        return Operation(("-",), parts=(self,))


Operand: TypeAlias = Objective | int | float


@dataclass(frozen=True, repr=False)
class Operation(Objective):
    """An arithmetic expression: a chain of `+` and `-`, one `*`, `/` or `**`, or one part with a minus."""

    signs: tuple[str, ...]  # the operator before each part; empty before the first of several

    @property
    def binding(self) -> int:  # type: ignore[override]  # one of the class everywhere else
        return NEGATION if len(self.parts) == 1 else OPERATORS[self.signs[1]].binding

    def compute(self, activations: Activations, trace: Trace) -> Tensor:
        value: Tensor
        value, *others = self.part_values(activations, trace)
        for sign, other in zip(self.signs[1:], others, strict=True):
            value = OPERATORS[sign].compute(value, other)
        return value if others else -value

    def terms(self, sign: int = 1) -> Iterator[tuple[int, Objective]]:
        turned = self.binding == PRODUCT and any(isinstance(part, int | float) and part < 0 for part in self.parts)
        for before, part in zip(self.signs, self.parts, strict=True):
            if isinstance(part, Objective):
                yield from part.terms(-sign if turned or before == "-" else sign)

    def __repr__(self) -> str:
        bindings = [part.binding if isinstance(part, Objective) else ATOM for part in self.parts]
        return format_operation(self.signs, list(zip(map(repr, self.parts), bindings, strict=True)))


@dataclass(frozen=True, repr=False)
class On(Objective):
    """An objective for one image of the batch; the value of the others is 0."""

    image: int

    @property
    def own_images(self) -> Images:
        return Images(at_least=self.image + 1)

    def compute(self, activations: Activations, trace: Trace) -> Tensor:
        (inner,) = self.objectives
        values = inner.evaluate(activations, trace)
        if self.image >= len(values):
            raise ObjectiveError(f"`.on({self.image})` names an image that is not there: there are {len(values)}.")
        return torch.where(torch.arange(len(values), device=values.device) == self.image, values, 0)

    def __repr__(self) -> str:
        (inner,) = self.objectives
        return f"{inner!r}.on({self.image})" if inner.binding == ATOM else f"({inner!r}).on({self.image})"


def _operation(left: object, sign: str, right: object) -> Any:
    """Combine two operands; a long sum stays one flat expression."""
    if not isinstance(left, Objective | int | float) or not isinstance(right, Objective | int | float):
        return NotImplemented
    if isinstance(left, Operation) and left.binding == OPERATORS[sign].binding == SUM:
        return Operation((*left.signs, sign), parts=(*left.parts, frozen_operand(right)))
    return Operation(("", sign), parts=(frozen_operand(left), frozen_operand(right)))
