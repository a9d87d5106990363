"""The words that say how a render steps: optimizers, step-size schedules, and when an image has converged."""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor
from torch.optim import SGD, AdamW

from lucidtorch.base.checks import check_number
from lucidtorch.base.errors import BadInputError, suggestion
from lucidtorch.base.notation import format_call
from lucidtorch.base.parsing import Vocabulary, parse_text
from lucidtorch.base.shown import shown

NO_ARGUMENTS = "()"
FUSED_DEVICES = ("cpu", "cuda")
WIDEST = 16  # the most float32 numbers that a CPU computes at once; what is left over at the end rounds otherwise


class Rule:
    """A word such as ``adam(beta1=0.5)``; without arguments it is its name alone.

    Write one as a frozen dataclass in lower case that checks its own arguments.
    """

    def __repr__(self) -> str:
        text = format_call(type(self).__name__, inspect.signature(type(self)), vars(self))
        return text.removesuffix(NO_ARGUMENTS)


OneRule = TypeVar("OneRule", bound=Rule)


def parse_rule(text: object, what: str, words: Mapping[str, type[OneRule]]) -> OneRule:
    """Read a rule from its text, without running any Python."""
    known = ", ".join(words)
    if not isinstance(text, str):
        raise BadInputError(f"{what} is a text, one of {known}, but {shown(text)} was given.")
    name = text.strip()
    if name.isidentifier() and name not in words:
        raise BadInputError(f"{what} is one of {known}, but {shown(text)} was given. {suggestion(name, words)}")
    call = f"{name}{NO_ARGUMENTS}" if name.isidentifier() else name
    found = parse_text(call, Vocabulary(what=what, names=words, operators=frozenset()))
    for word in words.values():
        if isinstance(found, word):
            return found
    raise BadInputError(f"{what} is one of {known}, but {shown(text)} was given.")


def _check_decay(value: float, what: str, reason: str) -> None:
    """Make sure that a share that is kept at each step is from 0 to below 1."""
    check_number(value, what, low=0, high=1)
    if value == 1:
        raise BadInputError(f"{what} is below 1: with 1 {reason}.")


class Optimizer(Rule, ABC):
    """How a gradient becomes an update. Each number's update depends on that number's own gradients alone."""

    @abstractmethod
    def build(self, parameters: Iterable[Tensor], lr: float) -> torch.optim.Optimizer:
        """Make the optimizer of PyTorch."""


@dataclass(frozen=True, repr=False)
class adam(Optimizer):  # noqa: N801  # a word of the notation
    """Steps of about `lr` in every number where its gradients agree, and of less where they do not.

    A smaller `beta1` follows a picture that takes shape more quickly, so that the same score takes fewer steps; a
    weight decay lets fade what the objective does not renew, which keeps colours from the bounds.

    Formula: m = mean of the gradients with weights beta1 ** age, v = mean of their squares with beta2 ** age, both
        without the bias of their start; x' = x * (1 - lr * weight_decay) - lr * m / (sqrt(v) + eps).
    Source: Kingma and Ba 2015, Adam; Loshchilov and Hutter 2019, AdamW (the decay).
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        for name in ("beta1", "beta2"):
            _check_decay(getattr(self, name), f"adam({name}=)", "nothing new would count")
        check_number(self.eps, "adam(eps=)", low=0)
        check_number(self.weight_decay, "adam(weight_decay=)", low=0)

    def build(self, parameters: Iterable[Tensor], lr: float) -> torch.optim.Optimizer:
        numbers = list(parameters)
        return AdamW(
            numbers,
            lr=lr,
            betas=(float(self.beta1), float(self.beta2)),
            eps=self.eps,
            weight_decay=self.weight_decay,
            fused=can_fuse(numbers),
        )


def can_fuse(parameters: Sequence[Tensor]) -> bool:
    """Say whether all arithmetic of an update may be one pass over the numbers.

    On a CPU that pass rounds the last few numbers of a tensor otherwise, those that do not fill a register: where a
    row, an image, could end among them, its numbers would depend on how many rows stand beside it.
    """
    return all(
        one.dtype == torch.float32
        and one.device.type in FUSED_DEVICES
        and (one.device.type != "cpu" or (one.is_contiguous() and one[:1].numel() % WIDEST == 0))
        for one in parameters
    )


@dataclass(frozen=True, repr=False)
class sgd(Optimizer):  # noqa: N801  # a word of the notation
    """Steps along the gradient, as long as it is.

    Formula: m' = momentum * m + gradient; x' = x - lr * m'.
    """

    momentum: float = 0.0

    def __post_init__(self) -> None:
        _check_decay(self.momentum, "sgd(momentum=)", "no step would ever end")

    def build(self, parameters: Iterable[Tensor], lr: float) -> torch.optim.Optimizer:
        return SGD(parameters, lr=lr, momentum=self.momentum)


OPTIMIZERS = {word.__name__: word for word in (adam, sgd)}


def parse_optimizer(text: object) -> Optimizer:
    """Read an optimizer from its text."""
    return parse_rule(text, "optimizer", OPTIMIZERS)


class StepSizes(Rule, ABC):
    """How the step size goes over the updates: a pure function of an update's number and of how many there will be."""

    @abstractmethod
    def share(self, number: int, steps: int) -> float:
        """Say which share of `lr` an update goes; updates are counted from 1."""


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


STEP_SIZES = {word.__name__: word for word in (constant, cosine, trapezoid)}


def parse_step_sizes(text: object) -> StepSizes:
    """Read a step-size schedule from its text."""
    return parse_rule(text, "lr_schedule", STEP_SIZES)


@dataclass(frozen=True, repr=False)
class plateau(Rule):  # noqa: N801  # a word of the notation
    """When an image has converged: its smoothed score rose by no more than a share over the last `patience` updates.

    The smoothed score is the mean of an image's own values, those of its last steps counting most, so that no further
    forward pass is needed. The share is of all that it has risen so far: adding to an objective or multiplying it
    changes nothing. An image converges at once if its score has not risen at all for so long.

    Formula: s_n = sum of smoothing ** (n - k) * value_k over the same without values; converged after update n, once
        n > patience, if s_n - s_(n - patience) <= rise * (max_k s_k - s_1).
    Source: early stopping as in Prechelt 1998, with a share instead of a number.
    """

    patience: int = 64
    rise: float = 0.02
    smoothing: float = 0.95

    def __post_init__(self) -> None:
        check_number(self.patience, "plateau(patience=)", low=1, whole=True)
        check_number(self.rise, "plateau(rise=)", low=0, high=1)
        _check_decay(self.smoothing, "plateau(smoothing=)", "no new value would count")


STOPS = {plateau.__name__: plateau}


def parse_plateau(text: object) -> plateau | None:
    """Read when images have converged from its text; never where that is empty."""
    return None if text == "" else parse_rule(text, "stop", STOPS)


class Plateaus:
    """Follows the scores of the images of one render, each on its own."""

    def __init__(self, rule: plateau, batch: int) -> None:
        self.rule = rule
        self.converged: dict[int, int] = {}  # the last update of an image, by its place in the batch
        self._mean = torch.zeros(batch, dtype=torch.float64)
        self._weight = 0.0
        self._smoothed: list[Tensor] = []  # the last `patience` ones and the one before them
        self._first = self._best = self._mean

    def note(self, step: int, values: Tensor) -> list[int]:
        """Take the values of an update, and say which images have just converged."""
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
        found = [place for place in torch.nonzero(flat).flatten().tolist() if place not in self.converged]
        self.converged |= dict.fromkeys(found, step)
        return found
