"""Timing several things against each other: short rounds in shuffled order within one process."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping

LEAST_ROUNDS = 3

Variant = Callable[[], float]


def paired(variants: Mapping[str, Variant], rounds: int, budget: float) -> dict[str, list[float]]:
    """Run all variants in each of several rounds, each round in an order of its own.

    Args:
        variants: By name, what does a little work and says what it cost.
        rounds: How many; one more in front only warms up.
        budget: CPU seconds of this process after which no further round starts, if there are a few already.

    Returns:
        The costs by name, one for each round.
    """
    began = time.process_time()
    costs: dict[str, list[float]] = {name: [] for name in variants}
    shuffled = random.Random(0)
    for number in range(-1, rounds):
        if number >= LEAST_ROUNDS and time.process_time() - began > budget:
            break
        for name in shuffled.sample(list(variants), len(variants)):
            cost = variants[name]()
            if number >= 0:
                costs[name].append(cost)
    return costs


def ratios(above: list[float], below: list[float]) -> list[float]:
    """Divide what was measured in the same rounds."""
    return [one / other for one, other in zip(above, below, strict=True)]


def timed(work: Callable[[], object], steps: int, pictures: int) -> Variant:
    """Make a variant of a step: the CPU seconds of one picture's step.

    Args:
        work: Makes one step of all pictures.
        steps: How many are made in one round.
        pictures: How many it makes at once.

    Returns:
        What makes the steps and says what one picture's step cost.
    """

    def measured() -> float:
        began = time.process_time()
        for _ in range(steps):
            work()
        return (time.process_time() - began) / (steps * pictures)

    return measured
