"""How a render steps: how often, how far, and by which rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lucidtorch.base.checks import is_number, is_whole
from lucidtorch.base.defaults import record_text, today_text
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.records import MOST_STEPS, Settings
from lucidtorch.base.shown import shown
from lucidtorch.rendering.optimizers import parse_optimizer
from lucidtorch.rendering.plateau import Plateaus, parse_plateau
from lucidtorch.rendering.step_sizes import parse_step_sizes


@dataclass(frozen=True)
class Schedule:
    """The steps of a render.

    Args:
        steps: The exact number of updates; fewer of an image that rests, where `stop` says when one does.
        lr: The step size, or where it changes, the largest.
        optimizer: ``adam`` or ``sgd``, with arguments or without: ``adam(beta1=0.5, weight_decay=0.03)``.
        snapshots: After how many updates a picture is kept.
        lr_schedule: How the step size goes over the updates: ``constant``, ``cosine`` or ``trapezoid``.
        stop: When an image rests: ``plateau``, with arguments or without; never where empty.
        planned: Over how many updates the step size and what else changes with time are spread; `steps` where None. It
            is more than that in a render that was interrupted, and is made again as far as it came.

    Raises:
        BadInputError: A number does not fit, or there is no such rule.
    """

    steps: int = 512
    lr: float = 0.05
    optimizer: str = "adam"
    snapshots: Sequence[int] = ()
    lr_schedule: str = "constant"
    stop: str = ""
    planned: int | None = None

    def __post_init__(self) -> None:
        if not is_whole(self.steps) or not 1 <= self.steps <= MOST_STEPS:
            raise BadInputError(f"steps is a whole number from 1 to {MOST_STEPS}, but {shown(self.steps)} was given.")
        if not is_number(self.lr) or self.lr <= 0:
            raise BadInputError(f"lr is a positive number, but {shown(self.lr)} was given.")
        if self.planned is not None and (not is_whole(self.planned) or self.planned < self.steps):
            raise BadInputError(f"planned is a whole number from {self.steps}, but {shown(self.planned)} was given.")
        rules = parse_optimizer(self.optimizer), parse_step_sizes(self.lr_schedule), parse_plateau(self.stop)
        for name, rule in zip(("optimizer", "lr_schedule", "stop"), rules, strict=True):
            object.__setattr__(self, name, "" if rule is None else today_text(rule))
        if not isinstance(self.snapshots, Sequence) or isinstance(self.snapshots, str):
            given = repr(self.snapshots)
            raise BadInputError(f"snapshots are several numbers of steps, such as (64, 256), but {given} was given.")
        for snapshot in self.snapshots:
            if not is_whole(snapshot) or not 1 <= snapshot <= self.steps:
                raise BadInputError(
                    f"A snapshot is taken after 1 to {self.steps} steps, but {shown(snapshot)} was given."
                )

    @property
    def horizon(self) -> int:
        """Over how many updates what changes with time is spread."""
        return self.steps if self.planned is None else self.planned

    def rates(self) -> list[float]:
        """List the step size of every update."""
        sizes = parse_step_sizes(self.lr_schedule)
        return [float(self.lr) * sizes.share(number, self.horizon) for number in range(1, self.steps + 1)]

    def build_optimizer(self, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
        """Begin to optimize."""
        return parse_optimizer(self.optimizer).build(parameters, self.lr)

    def plateaus(self, batch: int) -> Plateaus | None:
        """Begin to follow the scores of images."""
        rule = parse_plateau(self.stop)
        return None if rule is None else Plateaus(rule, batch)

    def rules(self) -> dict[str, str]:
        """Write the rules in their canonical texts."""
        stop = parse_plateau(self.stop)
        return {
            "optimizer": record_text(parse_optimizer(self.optimizer)),
            "lr_schedule": record_text(parse_step_sizes(self.lr_schedule)),
            "stop": "" if stop is None else record_text(stop),
        }

    def settings(self) -> Settings:
        """Write down how a render steps."""
        return {
            "steps": self.steps,
            "snapshots": list(self.snapshots),
            "lr": float(self.lr),
            **self.rules(),
            "planned": self.planned,
        }
