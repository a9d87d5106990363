"""What arithmetic on objectives does with an operand, be it a number or an objective."""

from __future__ import annotations

import sys
from typing import Any, Protocol, TypeAlias

import torch
from torch import Tensor

from lucidtorch.base.errors import BadInputError
from lucidtorch.base.notation import freeze
from lucidtorch.objectives.trace import Activations, Trace

Number: TypeAlias = int | float
EXACT = 2**53  # whole numbers up to here are exact in float64
SUM, PRODUCT, NEGATION, POWER, ATOM = 1, 2, 3, 4, 5  # how tightly each form binds; `**` binds most


class Part(Protocol):
    """What an operand that is no number can do."""

    @property
    def binding(self) -> int:
        """How tightly its outermost operator binds."""

    def evaluate(self, activations: Activations, trace: Trace) -> Tensor:
        """Compute the value of each image."""


def value_of(operand: Part | Number, activations: Activations, trace: Trace) -> Tensor | Number:
    """Evaluate a part of an expression."""
    return operand if isinstance(operand, int | float) else operand.evaluate(activations, trace)


def as_tensor(value: Tensor | Number) -> Tensor:
    """Give a value the type that evaluation promises."""
    return value if isinstance(value, Tensor) else torch.tensor(value)


def frozen_operand(value: Any) -> Any:
    """Take an operand into an expression."""
    plain = freeze(value)
    if isinstance(plain, bool):
        return int(plain)
    if isinstance(plain, int) and abs(plain) > EXACT:
        try:
            return float(plain)
        except OverflowError as error:
            raise BadInputError(
                f"A number up to {sys.float_info.max:.1e} is needed, but a larger one was given."
            ) from error
    return plain


def format_operand(operand: Part | Number, binding: int, *, first: bool = False) -> str:
    """Write a part of an expression, in parentheses where it would be read otherwise."""
    text = repr(operand)
    own = ATOM if isinstance(operand, int | float) else operand.binding
    signed = text.startswith("-")
    return f"({text})" if own < binding or (signed and not first) else text
