"""The one unit that a picture is of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lucidtorch.base.notation import NEGATION, POWER, SUM
from lucidtorch.models.model import Model
from lucidtorch.objectives.algebra import Objective, Operation
from lucidtorch.objectives.term import Term

NUMBERS = {"channel": "index", "neuron": "index", "logit": "label"}  # the terms of one unit, and what says which


@dataclass(frozen=True)
class Aim:
    """A unit that a picture drives up, or down.

    Args:
        layer: The address of its layer.
        unit: Its number.
        down: Whether the picture makes it small.
    """

    layer: str
    unit: int
    down: bool


def aim_of(objective: Objective, model: Model) -> Aim | None:
    """Find the unit that an objective of one image is about.

    It is about one if it has one term that is a channel, a neuron or a logit, and otherwise subtracts only what speaks
    of no unit, such as diversity or a penalty.
    """
    signed = list(objective.terms())
    own = [(sign, part) for sign, part in signed if isinstance(part, Term) and part.name in NUMBERS]
    rest = [(sign, part) for sign, part in signed if not (isinstance(part, Term) and part.name in NUMBERS)]
    beside_the_point = all(sign < 0 and not _speaks_of_units(part) for sign, part in rest)
    if len(own) != 1 or not beside_the_point or any(map(_bends, objective.walk())):
        return None
    sign, term = own[0]
    arguments: dict[str, Any] = dict(term.arguments)
    layer, number = arguments["layer"], arguments[NUMBERS[term.name]]
    if not isinstance(layer, str) or not isinstance(number, int | str):
        return None
    return Aim(layer, model.label_index(number) if isinstance(number, str) else number, sign < 0)


def _speaks_of_units(part: Objective) -> bool:
    return any(isinstance(node, Term) and node.definition.unit for node in part.walk())


def _bends(node: Objective) -> bool:
    """Whether a node does more than to stretch an objective: a power, a product of two, a number divided by one."""
    if not isinstance(node, Operation) or node.binding in (SUM, NEGATION):
        return False
    left, right = (isinstance(part, Objective) for part in node.parts)
    return node.binding == POWER or (right and (left or node.signs[1] == "/"))
