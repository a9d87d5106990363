"""Objectives: what a picture shall show, as expressions that combine by arithmetic and print as they are typed."""

from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.heads import head
from lucidtorch.objectives.images import diversity, each, interpolate, negative
from lucidtorch.objectives.picture import L1, L2, total_variation
from lucidtorch.objectives.term import objective, unit_objective
from lucidtorch.objectives.text import parse
from lucidtorch.objectives.tokens import token
from lucidtorch.objectives.trace import Activations
from lucidtorch.objectives.units import channel, deepdream, direction, logit, neuron

__all__ = [
    "L1",
    "L2",
    "Activations",
    "Objective",
    "channel",
    "deepdream",
    "direction",
    "diversity",
    "each",
    "head",
    "interpolate",
    "logit",
    "negative",
    "neuron",
    "objective",
    "parse",
    "token",
    "total_variation",
    "unit_objective",
]
