"""Optimizers: by which rule a gradient becomes an update."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import SGD, AdamW

from lucidtorch.base.checks import check_number
from lucidtorch.base.errors import BadInputError
from lucidtorch.rendering.rule import Rule, parse_rule

FUSED_DEVICES = ("cpu", "cuda")
WIDEST = 16  # the most float32 numbers that a CPU computes at once; what is left over at the end rounds otherwise


class Optimizer(Rule, ABC):
    """A rule of updates. Each number's update depends on that number's own gradients alone."""

    @abstractmethod
    def build(self, parameters: Iterable[Tensor], lr: float) -> torch.optim.Optimizer:
        """Begin to optimize."""


@dataclass(frozen=True, repr=False)
class adam(Optimizer):  # noqa: N801  # a word of the notation
    """Steps of about `lr` in every number where its gradients agree, and of less where they do not.

    A smaller `beta1` follows a picture that takes shape more quickly, so that the same score takes fewer steps; a
    weight decay lets fade what the objective does not renew, which keeps colours from the bounds.

    Formula: m = mean of the gradients with weights beta1 ** age, v = mean of their squares with beta2 ** age, both
        without the bias of their start; x' = x * (1 - lr * weight_decay) - lr * m / (sqrt(v) + eps).
    Source: Kingma and Ba 2015, Adam; Loshchilov and Hutter 2019, AdamW (the decay).

    Args:
        beta1: How long gradients are remembered, from 0 to below 1.
        beta2: How long their squares are, from 0 to below 1.
        eps: What keeps the step of a number without gradients finite, from 0.
        weight_decay: The share, times the step size, that fades at every step, from 0.

    Raises:
        BadInputError: A number does not fit.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        for name in ("beta1", "beta2"):
            check_number(getattr(self, name), f"adam({name}=)", low=0, high=1)
            if getattr(self, name) == 1:
                raise BadInputError(f"adam({name}=) is below 1: with 1 nothing new would count.")
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


@dataclass(frozen=True, repr=False)
class sgd(Optimizer):  # noqa: N801  # a word of the notation
    """Steps along the gradient, as long as it is.

    Formula: m' = momentum * m + gradient; x' = x - lr * m'.

    Args:
        momentum: The share of the last step that is kept, from 0 to below 1.

    Raises:
        BadInputError: The momentum does not fit.
    """

    momentum: float = 0.0

    def __post_init__(self) -> None:
        check_number(self.momentum, "sgd(momentum=)", low=0, high=1)
        if self.momentum == 1:
            raise BadInputError("sgd(momentum=) is below 1: with 1 no step would ever end.")

    def build(self, parameters: Iterable[Tensor], lr: float) -> torch.optim.Optimizer:
        return SGD(parameters, lr=lr, momentum=self.momentum)


WORDS = {word.__name__: word for word in (adam, sgd)}


def parse_optimizer(text: object) -> Optimizer:
    """Read an optimizer from its text."""
    return parse_rule(text, "optimizer", WORDS)


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
