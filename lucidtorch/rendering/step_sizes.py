"""Step-size schedules: which share of `lr` an update goes, by its number."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from lucidtorch.base.checks import check_number
from lucidtorch.base.errors import BadInputError
from lucidtorch.rendering.rule import Rule, parse_rule


class StepSizes(Rule, ABC):
    """How the step size goes over the updates: a pure function of an update's number and of how many there will be."""

    @abstractmethod
    def share(self, number: int, steps: int) -> float:
        """Say how far an update goes."""


@dataclass(frozen=True, repr=False)
class constant(StepSizes):  # noqa: N801  # a word of the notation
    """Every update goes equally far.

    Formula: 1.
    """

    def share(self, number: int, steps: int) -> float:
        return 1.0


@dataclass(frozen=True, repr=False)
class cosine(StepSizes):  # noqa: N801  # a word of the notation
    """The step size falls along half a cosine from the first update on.

    Formula: (1 + cos(pi * (number - 1) / steps)) / 2.
    Source: Loshchilov and Hutter 2017, SGDR (one period).
    """

    def share(self, number: int, steps: int) -> float:
        return (1 + math.cos(math.pi * (number - 1) / steps)) / 2


@dataclass(frozen=True, repr=False)
class trapezoid(StepSizes):  # noqa: N801  # a word of the notation
    """The step size rises evenly, holds, and falls evenly: long steps while the picture grows, short ones to clean it.

    With ``trapezoid(warmup=0, cooldown=1)`` it falls evenly from the first update on.

    Formula: min(1, number / (warmup * steps), (steps - number + 1) / (cooldown * steps)).
    Source: Zhai et al. 2022, Scaling Vision Transformers (constant with cooldown).

    Args:
        warmup: The share of the updates over which it rises, from 0.
        cooldown: The share of the updates over which it falls, from 0; together with the other at most 1.

    Raises:
        BadInputError: A share is no number from 0 to 1, or both together are above 1.
    """

    warmup: float = 0.1
    cooldown: float = 0.3

    def __post_init__(self) -> None:
        check_number(self.warmup, "trapezoid(warmup=)", low=0, high=1)
        check_number(self.cooldown, "trapezoid(cooldown=)", low=0, high=1)
        if self.warmup + self.cooldown > 1:
            raise BadInputError(
                f"trapezoid(warmup=, cooldown=) are shares of the steps, together at most 1, but {self.warmup:g} and "
                f"{self.cooldown:g} were given."
            )

    def share(self, number: int, steps: int) -> float:
        rising = number / (self.warmup * steps) if self.warmup else 1.0
        falling = (steps - number + 1) / (self.cooldown * steps) if self.cooldown else 1.0
        return min(1.0, rising, falling)


WORDS = {word.__name__: word for word in (constant, cosine, trapezoid)}


def parse_step_sizes(text: object) -> StepSizes:
    """Read a step-size schedule from its text."""
    return parse_rule(text, "lr_schedule", WORDS)
