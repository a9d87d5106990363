"""What a gallery shows of each unit: a word for what is usual, or an objective with a place for the unit."""

from __future__ import annotations

from lucidtorch.base.errors import BadInputError
from lucidtorch.base.registry import CALL
from lucidtorch.base.shown import shown
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.term import DEFINITIONS
from lucidtorch.objectives.text import parse, vocabulary

VARIANTS = ("channel", "negative", "diversity")
LAYER, UNIT = "{layer}", "{unit}"  # what a template is filled with


def check_variant(variant: str) -> None:
    """Refuse what says nothing about a unit."""
    if variant not in VARIANTS and not is_template(variant):
        raise BadInputError(
            f"The variants are {', '.join(VARIANTS)}, or an objective with places for what it is of, such as "
            f"neuron({LAYER}, {UNIT}), but {shown(variant)} was given."
        )


def is_template(variant: str) -> bool:
    """Say whether a variant is an objective with a place for the unit."""
    return isinstance(variant, str) and UNIT in variant


def check_words(template: str) -> None:
    """Refuse a template of a file from elsewhere whose words would have to be imported."""
    for name in CALL.findall(template):
        if name not in vocabulary().names:
            DEFINITIONS.find(name)


def filled(template: str, layer: str, unit: int) -> Objective:
    """Write a layer and a unit into a template."""
    goal = parse(template.replace(LAYER, repr(layer)).replace(UNIT, str(unit)))
    if goal.batch is not None:
        raise BadInputError(
            f"A gallery makes one picture of each unit, but {shown(template)} speaks of {goal.batch} images; use the "
            f"variant diversity, or render it."
        )
    return goal
