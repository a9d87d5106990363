"""What arithmetic on objectives does with an operand, be it a number or an objective."""

from __future__ import annotations

from typing import Protocol, TypeAlias

import torch
from torch import Tensor

from lucidtorch.objectives.trace import Activations, Trace

Number: TypeAlias = int | float
SUM, PRODUCT, NEGATION, POWER, ATOM = 1, 2, 3, 4, 5  # how tightly each form binds; `**` binds most


class Part(Protocol):
    """What an operand that is no number can do."""

    @property
    def binding(self) -> int:
        """How tightly its outermost operator binds."""

    def evaluate(self, activations: Activations, trace: Trace) -> Tensor:
        """Compute the value of each image.

        Args:
            activations: Address to activations.
            trace: Takes the value of every part that is met.

        Returns:
            `[B]`.
        """


def value_of(operand: Part | Number, activations: Activations, trace: Trace) -> Tensor | Number:
    """Evaluate a part of an expression.

    Args:
        operand: An objective or a number.
        activations: Address to activations.
        trace: Takes the value of every term that is met.

    Returns:
        `[B]`, or the number itself.
    """
    return operand if isinstance(operand, int | float) else operand.evaluate(activations, trace)


def as_tensor(value: Tensor | Number) -> Tensor:
    """Give a value the type that evaluation promises.

    Args:
        value: A tensor, or a number.

    Returns:
        The tensor.
    """
    return value if isinstance(value, Tensor) else torch.tensor(value)


def format_operand(operand: Part | Number, binding: int, *, first: bool = False) -> str:
    """Write a part of an expression, in parentheses where it would be read otherwise.

    Args:
        operand: An objective or a number.
        binding: How tightly it must bind to stand there bare.
        first: Whether a sign may stand there.

    Returns:
        Its text.
    """
    text = repr(operand)
    own = ATOM if isinstance(operand, int | float) else operand.binding
    signed = text.startswith("-")
    return f"({text})" if own < binding or (signed and not first) else text
