"""Uniform distributions of arguments: over a range, or over a list of numbers."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, TypeAlias

import torch
from torch import Generator, Tensor

from lucidtorch.base.checks import NotNegative, Within, check_fields, check_number
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.notation import Word, format_value, freeze
from lucidtorch.base.shown import shown
from lucidtorch.transforms.transform import uniform

MOST = 10_000  # numbers in a group


class Group(Word, ABC):
    """Several numbers of a list, written as one call."""

    @property
    @abstractmethod
    def numbers(self) -> tuple[float, ...]:
        """The numbers, in order."""


Numbers: TypeAlias = float | Sequence[float | Group]


@dataclass(frozen=True, repr=False)
class span(Group):  # noqa: N801  # a word of the notation
    """Evenly spaced numbers from one to another, both included, for the list of a transform.

    Formula: low, low + step, low + 2 step, ... up to high.
    Source: the lists of angles in Lucid's pipelines.

    Args:
        low: The first number.
        high: The largest number.
        step: The distance between two numbers.
    """

    low: float
    high: float
    step: NotNegative = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low > self.high or not self.step or (self.high - self.low) / self.step > MOST:
            raise BadInputError(f"span(low, high, step) takes low <= high and at most {MOST} steps, not {shown(self)}.")

    @property
    def numbers(self) -> tuple[float, ...]:
        """The numbers, in order."""
        count = math.floor((self.high - self.low) / self.step + 1e-9) + 1
        return tuple(self.low + place * self.step for place in range(count))


@dataclass(frozen=True, repr=False)
class powers(Group):  # noqa: N801  # a word of the notation
    """The powers of a number, for the list of a transform.

    Formula: base ** n for n = low, low + 1, ... high.
    Source: the lists of factors in Lucid's pipelines for atlas icons.

    Args:
        base: The number, positive.
        low: The first exponent.
        high: The last exponent.
    """

    base: NotNegative
    low: Annotated[int, Within(-MOST, MOST)]
    high: Annotated[int, Within(-MOST, MOST)]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.base == 0 or self.low > self.high:
            raise BadInputError(f"powers(base, low, high) takes 0 < base and low <= high, not {shown(self)}.")

    @property
    def numbers(self) -> tuple[float, ...]:
        """The numbers, in order."""
        return tuple(float(self.base) ** exponent for exponent in range(self.low, self.high + 1))


@dataclass(frozen=True, repr=False)
class Ranged:
    """A transform with one uniform random number per image, from a range or a list.

    Args:
        low: The smallest number; or a list of numbers, `span(...)` and `powers(...)`, where repetitions count.
        high: The largest number; None with a list.
    """

    low: Numbers
    high: float | None = None
    neutral: ClassVar[float] = 0.0  # the value of the identity
    least: ClassVar[float] = -math.inf
    most: ClassVar[float] = math.inf

    def __post_init__(self) -> None:
        check_fields(self)
        object.__setattr__(self, "low", freeze(self.low))
        what = f"{type(self).__name__}(low, high)"
        for value in self.choices if self.high is None else (self.low, self.high):
            check_number(value, what, low=self.least, high=self.most)
        if self.high is not None and self.low > self.high:  # type: ignore[operator]  # they are numbers
            raise BadInputError(f"{what} takes low <= high, but {self.low} and {self.high} were given.")

    @property
    def choices(self) -> tuple[float, ...]:
        """The numbers of the list with groups expanded; empty for a range."""
        if self.high is not None:
            return ()
        if not isinstance(self.low, tuple) or not self.low:
            name = type(self).__name__
            raise BadInputError(
                f"{name} takes two numbers, {name}(low, high), or a list of them, not {shown(self.low)}."
            )
        return tuple(number for one in self.low for number in (one.numbers if isinstance(one, Group) else (one,)))

    @property
    def largest(self) -> float:
        """The largest number that can be drawn."""
        return max(self.choices) if self.high is None else self.high

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        """Draw the deviation of each image's number from the neutral one."""
        shares = uniform(generators, 1)
        if self.high is None:
            choices = torch.tensor(self.choices, dtype=torch.float64)
            return choices[(shares * len(choices)).long()] - self.neutral
        drawn: Tensor = self.low + shares * (self.high - self.low)  # type: ignore[operator]  # they are numbers
        return drawn - self.neutral

    def __repr__(self) -> str:
        ends = (self.low,) if self.high is None else (self.low, self.high)
        return f"{type(self).__name__}({', '.join(map(format_value, ends))})"
