"""Pictures of single units: what they maximize, where they start, and how a page speaks of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lucidtorch.base.defaults import key_text
from lucidtorch.galleries.plan import class_names
from lucidtorch.models.model import Model
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.term import Term
from lucidtorch.objectives.units import channel
from lucidtorch.recipes.runs.planning import Shot
from lucidtorch.recipes.runs.stage import Stage


def unit_seed(stage: Stage, layer: str, unit: int, copy: int = 0) -> int:
    """Give a unit's picture the seed that it has in every kind of recipe."""
    return stage.seed(layer, unit, "channel", copy)


def unit_shot(stage: Stage, layer: str, unit: int, file: str) -> Shot:
    """Plan the picture that excites a unit most."""
    return Shot(file, channel(layer, unit), unit_seed(stage, layer, unit))


def unit_name(network: Model, layer: str, unit: int) -> str:
    """Write a unit as captions do."""
    names = class_names(network, layer)
    return f"{layer}:{unit}" if names is None else f"{layer}:{unit} {names[unit]}"


def numbers_text(numbers: Sequence[int]) -> str:
    """Write numbers as short as the field ``units`` takes them."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def counted(count: int, noun: str) -> str:
    """Write how many there are of something."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def objective_seed(stage: Stage, objective: Objective, copy: int = 0) -> int:
    """Give the picture of an objective its seed: that of the unit where it speaks of one and of nothing else."""
    unit = unit_of(objective)
    return stage.seed(key_text(objective), copy) if unit is None else unit_seed(stage, *unit, copy)


def objective_name(network: Model, objective: Objective) -> str:
    """Write an objective as captions do."""
    unit = unit_of(objective)
    return repr(objective) if unit is None else unit_name(network, *unit)


def unit_of(objective: Objective) -> tuple[str, int] | None:
    """Find the unit that an objective speaks of."""
    if not isinstance(objective, Term) or objective.name != "channel":
        return None
    arguments: dict[str, Any] = dict(objective.arguments)
    return (arguments["layer"], arguments["index"]) if isinstance(arguments["index"], int) else None
