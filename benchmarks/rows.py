"""What one line of the measured table is, and how it is summed up."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field

LEAST_FOR_QUARTILES = 2


@dataclass(frozen=True)
class Row:
    """One measured figure, with every value behind it.

    Attributes:
        name: Of the row, by which `--only` picks it: `GROUP/CASE`.
        what: What was measured, in a few words.
        goal: What is to be reached, as it is printed; empty where nothing is.
        values: The raw figures: one paired ratio per round or unit, or one measurement each.
        unit: Of the values: `x` for ratios.
        met: Whether the goal is met by the median; None where there is no goal, or no figure.
        note: What a reader must know to read the figure.
        skipped: Why there are no values; empty where there are.
    """

    name: str
    what: str
    goal: str
    values: list[float] = field(default_factory=list)
    unit: str = "x"
    met: bool | None = None
    note: str = ""
    skipped: str = ""

    @property
    def median(self) -> float:
        """The middle of the values; no number where there are none."""
        return statistics.median(self.values) if self.values else math.nan

    @property
    def quartiles(self) -> tuple[float, float]:
        """What a quarter of the values lie below, and what a quarter lie above."""
        if len(self.values) < LEAST_FOR_QUARTILES:
            return self.median, self.median
        low, _, high = statistics.quantiles(self.values, n=4, method="inclusive")
        return low, high


def at_most(limit: float, values: list[float]) -> bool | None:
    """Say whether the median of values stays below a limit; None where there are no values."""
    return statistics.median(values) <= limit if values else None


def at_least(limit: float, values: list[float]) -> bool | None:
    """Say whether the median of values reaches a limit; None where there are no values."""
    return statistics.median(values) >= limit if values else None
