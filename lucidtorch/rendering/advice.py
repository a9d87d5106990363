"""Warnings before a render: what works, and yet does not show what was meant."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from lucidtorch.base.errors import LucidtorchWarning
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.images import Each
from lucidtorch.objectives.matching import diversity
from lucidtorch.objectives.term import Term
from lucidtorch.rendering.networks import Networks


def advise(objective: Objective, networks: Networks, batch: int) -> None:
    """Warn of what will come out otherwise than somebody may think."""
    names = {node.name for node in objective.walk() if isinstance(node, Term)}
    if batch == 1 and diversity.__name__ in names:
        message = "diversity compares the images of a batch, and there is one: its value is 0. Write batch=4."
        warnings.warn(message, LucidtorchWarning, stacklevel=6)
    groups = [part for node in objective.walk() if isinstance(node, Each) for part in node.objectives]
    for layer in dict.fromkeys(layer for group in (objective, *groups) for layer in _minimized(group)):
        _warn_of_floor(layer, networks)


def _minimized(objective: Objective) -> list[str]:
    """The layers of units that an expression only ever makes small."""
    units = list(_signed_units(objective))
    return [layer for _, unit in units for layer in unit.own_layers] if all(sign < 0 for sign, _ in units) else []


def _signed_units(objective: Objective, sign: int = 1) -> Iterator[tuple[int, Term]]:
    for own, part in objective.terms(sign):
        if isinstance(part, Term):
            if part.definition.unit:
                yield own, part
            continue
        for child in part.objectives:
            yield from _signed_units(child, own)


def _warn_of_floor(layer: str, networks: Networks) -> None:
    before = networks.before(layer)
    if before is not None:
        message = (
            f"{layer!r} is behind a ReLU and cannot go below zero; for a negative write {before!r}, which feeds it."
        )
        warnings.warn(message, LucidtorchWarning, stacklevel=7)
