"""How a render steps: how often, how far, and by which rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from lucidtorch.base.checks import is_number, is_whole
from lucidtorch.base.errors import BadInputError

OPTIMIZERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}


@dataclass(frozen=True)
class Schedule:
    """The steps of a render.

    Args:
        steps: The exact number of updates.
        lr: The step size.
        optimizer: ``adam`` or ``sgd``.
        snapshots: After how many updates a picture is kept.

    Raises:
        BadInputError: A number does not fit, or there is no such optimizer.
    """

    steps: int = 512
    lr: float = 0.05
    optimizer: str = "adam"
    snapshots: Sequence[int] = ()

    def __post_init__(self) -> None:
        if not is_whole(self.steps) or self.steps < 1:
            raise BadInputError(f"steps is a whole number from 1, but {self.steps!r} was given.")
        if not is_number(self.lr) or self.lr <= 0:
            raise BadInputError(f"lr is a positive number, but {self.lr!r} was given.")
        if self.optimizer not in tuple(OPTIMIZERS):
            raise BadInputError(f"The optimizer is one of {', '.join(OPTIMIZERS)}, but {self.optimizer!r} was given.")
        if not isinstance(self.snapshots, Sequence) or isinstance(self.snapshots, str):
            given = repr(self.snapshots)
            raise BadInputError(f"snapshots are several numbers of steps, such as (64, 256), but {given} was given.")
        for snapshot in self.snapshots:
            if not is_whole(snapshot) or not 1 <= snapshot <= self.steps:
                raise BadInputError(f"A snapshot is taken after 1 to {self.steps} steps, but {snapshot!r} was given.")
