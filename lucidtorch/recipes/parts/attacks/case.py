"""Attacking one picture, and writing what it looks like on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lucidtorch.base.images import visible
from lucidtorch.galleries.plan import slug
from lucidtorch.recipes.parts.attacks.aim import Moment, look
from lucidtorch.recipes.parts.attacks.attack import Attack
from lucidtorch.recipes.parts.attacks.outcome import Look, Outcome
from lucidtorch.recipes.parts.attacks.terms import Terms
from lucidtorch.recipes.runs.desk import Desk

SHOWN_AS_THEY_ARE = (1, 3)  # numbers of channels of which a file holds just what the network sees
GREY = 0.5


@dataclass(frozen=True, eq=False)
class Case:
    """A picture and the answer of it that is attacked.

    Args:
        name: The picture's.
        head: The address of the head.
        classes: The short names of its classes.
        attack: The attack.
    """

    name: str
    head: str
    classes: Sequence[str]
    attack: Attack


def attacked(desk: Desk, terms: Terms, case: Case) -> Outcome:
    """Attack a picture, and write what it looks like on the way."""
    attack = case.attack
    moments = list(attack.iterated(terms.reach))
    names = ["clean", *["start"] * terms.noisy, *map(str, range(1, terms.reach.steps + 1))]
    before = len(names) - terms.reach.steps  # states before the first iteration
    hits = [place for place, one in enumerate(moments) if attack.aim.reached(one.answer)]
    first = max(0, hits[0] - before + 1) if hits else None
    shown = {*range(before), *(before - 1 + one for one in _spread(terms.reach.steps, terms.rows)), *hits[:1]}
    looks = [
        _written(desk, terms, case, name, one) if place in shown else _look(case, name, one)
        for place, (name, one) in enumerate(zip(names, moments, strict=True))
    ]
    return Outcome(
        case.name,
        case.head,
        case.classes,
        attack.aim.label,
        tuple(looks),
        _written(desk, terms, case, "FGSM", attack.single(terms.reach.epsilon)),
        _saved(desk, case, looks[-1].picture),
        first,
        all(torch.equal(one.image, attack.clean) for one in moments[before:]),
        None if terms.largest is None else attack.smallest_iterated(terms.reach, terms.largest),
        None if terms.largest is None else attack.smallest_single(terms.largest),
    )


def amplified(image: Tensor, clean: Tensor, epsilon: float) -> Tensor:
    """Draw a change around grey: no change is middle grey, and a change by epsilon black or white."""
    return (GREY + (image - clean) / (2 * epsilon)).clamp(0, 1)


def _written(desk: Desk, terms: Terms, case: Case, name: str, moment: Moment) -> Look:
    folder = f"maps/{slug(case.head)}/{slug(case.name)}"
    mark = f"{int(name):04d}" if name.isdecimal() else name
    change = amplified(moment.image, case.attack.clean, terms.reach.epsilon)
    picture = desk.write(f"{folder}/picture-{mark}.png", visible(moment.image))
    return _look(case, name, moment, picture, desk.write(f"{folder}/change-{mark}.png", visible(change)))


def _look(case: Case, name: str, moment: Moment, picture: str = "", change: str = "") -> Look:
    aim = case.attack.aim
    return Look(
        name,
        moment.answer,
        moment.probability(moment.answer),
        moment.probability(aim.label),
        moment.loss(aim.label),
        None if aim.target is None else moment.probability(aim.target),
        aim.reached(moment.answer),
        picture,
        change,
    )


def _saved(desk: Desk, case: Case, file: str) -> Look | None:
    """Ask the network about the picture in a file, whose 8 bits may have lost what was changed."""
    attack = case.attack
    if len(attack.clean) not in SHOWN_AS_THEY_ARE:
        return None
    return _look(case, "saved", look(attack.model, attack.head, desk.pixels(file)), file)


def _spread(steps: int, rows: int) -> list[int]:
    """Choose iterations, evenly, with the last among them."""
    count = min(steps, rows)
    return [-(-steps * one // count) for one in range(1, count + 1)]
