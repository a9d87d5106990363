"""The algebra of objectives: immutable expressions that give one value per image.

An expression is a term, which is a named function of activations (`term.py`), or joins other expressions, its `parts`:
by arithmetic, below, or by one of the words in `images.py` and `joins.py`.

Args:
    activations: Address to activations, `[B, C, H, W]` or `[B, C]`; ``"input"`` is the image.
    trace: Takes the value of every part that is evaluated.
    change: Takes a node whose parts are changed already, and gives its replacement.
    sign: The sign of the whole expression, 1 or -1.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, TypeAlias

from torch import Tensor

from lucidtorch.base.checks import Within, checked
from lucidtorch.base.errors import ObjectiveError
from lucidtorch.base.notation import ATOM, NEGATION, OPERATORS, PRODUCT, SUM, format_operation
from lucidtorch.base.surroundings import pinned
from lucidtorch.objectives.arguments import Images, frozen_operand
from lucidtorch.objectives.selection import only_image

Activations: TypeAlias = Mapping[str, Tensor]  # address to `[B, C, H, W]` or `[B, C]`; "input" is the image
Memory: TypeAlias = dict[str, Tensor]  # what one term keeps from update to update
Method: TypeAlias = "Callable[[Any, Operand], Objective]"


class Trace(dict[Hashable, Tensor]):
    """The values of all parts of one evaluation, `[B]` each, so that a part that occurs twice is computed once."""

    def __init__(self, step: int | None = None, memories: dict[Hashable, Memory] | None = None) -> None:
        super().__init__()
        self.step = step  # how many updates were made before; None after all of them, as on a finished picture
        self.memories = {} if memories is None else memories  # what the terms keep from update to update


def _methods(sign: str) -> tuple[Method, Method]:
    """The methods of an operator, with the objective before it and with the objective after it."""
    return lambda own, other: _operation(own, sign, other), lambda own, other: _operation(other, sign, own)


@dataclass(frozen=True, repr=False)
class Objective(ABC):
    """What to maximize: an expression that is called on activations and gives one value per image.

    Objectives are values: immutable, hashable, picklable, compared by value. `+ - * / **` and the sign make new ones,
    with numbers on either side. Printing one gives the text that `lucidtorch.parse` reads back.

    Args:
        parts: The objectives and numbers that it joins, in the order of the text.
    """

    parts: tuple[Operand, ...] = field(default=(), kw_only=True)
    binding: ClassVar[int] = ATOM  # how tightly the outermost operator binds

    def evaluate(self, activations: Activations, trace: Trace) -> Tensor:
        """Compute the value of each image, `[B]`, once in a trace."""
        if self not in trace:
            trace[self] = self.compute(activations, trace)
        return trace[self]

    @abstractmethod
    def compute(self, activations: Activations, trace: Trace) -> Tensor:
        """Compute the value of each image, `[B]`, by the rule of this kind of expression."""

    def part_values(self, activations: Activations, trace: Trace) -> list[Any]:
        """Evaluate the parts; a number is its own value."""
        return [part.evaluate(activations, trace) if isinstance(part, Objective) else part for part in self.parts]

    @property
    def own_layers(self) -> tuple[str, ...]:
        """The layers that this node itself reads, without its parts."""
        return ()

    @property
    def own_images(self) -> Images:
        """How many images this node itself requires, without its parts."""
        return Images()

    @property
    def layers(self) -> tuple[str, ...]:
        """Every address that must be captured, in the order of the text, each once."""
        return tuple(dict.fromkeys(layer for node in self.walk() for layer in node.own_layers))

    @property
    def images(self) -> Images:
        """How many images the whole expression requires."""
        return functools.reduce(Images.also, (node.own_images for node in self.walk()))

    @property
    def batch(self) -> int | None:
        """The number of images it describes, or None where any number will do."""
        return self.images.number

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The parts without the numbers among them."""
        return tuple(part for part in self.parts if isinstance(part, Objective))

    def walk(self) -> Iterator[Objective]:
        """Go through this expression and all its parts, in the order of the text."""
        yield self
        for part in self.objectives:
            yield from part.walk()

    def mapped(self, change: Callable[[Objective], Objective]) -> Objective:
        """Make a new expression by changing its nodes, the innermost first."""
        parts = tuple(part.mapped(change) if isinstance(part, Objective) else part for part in self.parts)
        return change(self if parts == self.parts else replace(self, parts=parts))

    def terms(self, sign: int = 1) -> Iterator[tuple[int, Objective]]:
        """Go through what arithmetic joins: the terms, `each`, `mean` and the like, each with its sign."""
        yield sign, self

    @checked
    def on(self, image: Annotated[int, Within(0), ObjectiveError]) -> Objective:
        """Keep this objective for one image of the batch and give the others 0.

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
    """Parts joined from left to right: a chain of `+` and `-`, one `*`, `/` or `**`, or one part with a minus."""

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
        return only_image(inner.evaluate(activations, trace), self.image)

    def __repr__(self) -> str:
        (inner,) = self.objectives
        return f"{inner!r}.on({self.image})" if inner.binding == ATOM else f"({inner!r}).on({self.image})"


def _operation(left: object, sign: str, right: object) -> Any:
    """Join two operands; a long sum stays one flat value."""
    if not isinstance(left, Objective | int | float) or not isinstance(right, Objective | int | float):
        return NotImplemented
    if isinstance(left, Operation) and left.binding == OPERATORS[sign].binding == SUM:
        return Operation((*left.signs, sign), parts=(*left.parts, frozen_operand(right)))
    return Operation(("", sign), parts=(frozen_operand(left), frozen_operand(right)))
