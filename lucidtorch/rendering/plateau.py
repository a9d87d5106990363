"""A plateau: an image whose score has ceased to rise rests, and the others go on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lucidtorch.base.checks import check_number
from lucidtorch.base.errors import BadInputError
from lucidtorch.rendering.rule import Rule, parse_rule


@dataclass(frozen=True, repr=False)
class plateau(Rule):  # noqa: N801  # a word of the notation
    """When an image has had enough updates: its smoothed score rose by no more than a share over the last ones.

    The smoothed score is the mean of an image's own values, those of its last steps counting most, so that nothing
    has to be looked at for it. The share is of all that it has risen so far: adding to an objective or multiplying it
    changes nothing. An image rests at once if it has not risen at all for so long.

    Formula: s_n = sum of smoothing ** (n - k) * value_k over the same without values; rest after update n, once
        n > patience, if s_n - s_(n - patience) <= rise * (max_k s_k - s_1).
    Source: early stopping as in Prechelt 1998, with a share instead of a number.

    Args:
        patience: Over how many updates, from 1.
        rise: The share, from 0 to 1.
        smoothing: How long values are remembered, from 0 (not at all) to below 1.

    Raises:
        BadInputError: A number does not fit.
    """

    patience: int = 64
    rise: float = 0.02
    smoothing: float = 0.95

    def __post_init__(self) -> None:
        check_number(self.patience, "plateau(patience=)", low=1, whole=True)
        check_number(self.rise, "plateau(rise=)", low=0, high=1)
        check_number(self.smoothing, "plateau(smoothing=)", low=0, high=1)
        if self.smoothing == 1:
            raise BadInputError("plateau(smoothing=) is below 1: with 1 no new value would count.")


WORDS = {plateau.__name__: plateau}


def parse_plateau(text: object) -> plateau | None:
    """Read when images rest from its text."""
    return None if text == "" else parse_rule(text, "stop", WORDS)


class Plateaus:
    """Follows the scores of the images of one render, each on its own.

    Args:
        rule: When an image rests.
        batch: The number of images.
    """

    def __init__(self, rule: plateau, batch: int) -> None:
        self.rule = rule
        self.rests: dict[int, int] = {}  # after how many updates an image rests, by its place
        self._mean = torch.zeros(batch, dtype=torch.float64)
        self._weight = 0.0
        self._smoothed: list[Tensor] = []  # the last `patience` ones and the one before them
        self._first = self._best = self._mean

    def note(self, step: int, values: Tensor) -> list[int]:
        """Take the values of an update."""
        keep, patience = self.rule.smoothing, self.rule.patience
        self._mean = torch.lerp(values.detach().double().cpu(), self._mean, keep)
        self._weight = 1 + keep * (self._weight - 1)
        smoothed = self._mean / self._weight
        if step == 1:
            self._first = self._best = smoothed
        self._best = torch.maximum(self._best, smoothed)
        self._smoothed = [*self._smoothed[-patience:], smoothed]
        if step <= patience:
            return []
        flat = smoothed - self._smoothed[0] <= self.rule.rise * (self._best - self._first)
        found = [place for place in torch.nonzero(flat).flatten().tolist() if place not in self.rests]
        self.rests |= dict.fromkeys(found, step)
        return found
