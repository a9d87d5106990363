"""The table of all attacked pictures: what was enough, and how little of it."""

from __future__ import annotations

from collections.abc import Sequence

from lucidtorch.analysis.adversarial_steps import Smallest
from lucidtorch.recipes.parts.attacks.attack import FIRST_TRIED
from lucidtorch.recipes.parts.attacks.outcome import Outcome
from lucidtorch.recipes.parts.attacks.terms import Terms, levels
from lucidtorch.recipes.parts.unit_pictures import counted
from lucidtorch.recipes.story import Cell, Section, Table


def summary(terms: Terms, outcomes: Sequence[Outcome], *, several: bool) -> Section:
    """Lay out one row for each attacked answer."""
    head = (
        "picture",
        "clean",
        "changed",
        *(("head",) if several else ()),
        *(("real label",) if terms.given else ()),
        "clean answer",
        "its probability",
        "changed answer",
        "its probability",
        "iterations needed",
        "as saved",
        *(("smallest epsilon, iterated", "smallest epsilon, FGSM") if terms.largest is not None else ()),
    )
    rows = tuple(_row(terms, one, several=several) for one in outcomes)
    text = (_count(terms, outcomes), *((_how_searched(terms, terms.largest),) if terms.largest is not None else ()))
    return Section("All pictures", text=text, table=Table(head, rows))


def _count(terms: Terms, outcomes: Sequence[Outcome]) -> str:
    done = sum(one.last.reached for one in outcomes)
    wish = f"become {terms.target}" if terms.target else "changed"
    return (
        f"With epsilon = {levels(terms.reach.epsilon)} and {counted(terms.reach.steps, 'iteration')}, the answer has "
        f"{wish} in {done} of {counted(len(outcomes), 'case')}. As saved is the answer to the changed picture as it is "
        "read back from its file, which rounds to 1/255."
    )


def _how_searched(terms: Terms, largest: float) -> str:
    wish = terms.target if terms.target else f"another than the {terms.label}"
    return (
        f"The smallest epsilon is searched up to {levels(largest)}: from {levels(FIRST_TRIED)} on it is doubled until "
        f"the answer is {wish} at one of the iterations, and the last gap is halved four times. All smaller values "
        "that were tried were too little. A smaller one that was not tried may do, for more is not always worse. It "
        "is of exact values: changes below 0.5/255 are lost in a file of 8 bits."
    )


def _row(terms: Terms, one: Outcome, *, several: bool) -> tuple[Cell, ...]:
    smallest = (one.smallest, one.smallest_single)
    return (
        one.name,
        one.picture(one.clean),
        one.picture(one.last),
        *((one.head,) if several else ()),
        *((one.classes[one.label],) if terms.given else ()),
        one.classes[one.clean.answer],
        f"{one.clean.probability:.1%}",
        one.classes[one.last.answer],
        f"{one.last.probability:.1%}",
        f"none of {terms.reach.steps}" if one.first is None else str(one.first),
        _as_saved(one),
        *((_smallest(terms.largest, found) for found in smallest) if terms.largest is not None else ()),
    )


def _as_saved(one: Outcome) -> str | None:
    if one.saved is None:
        return None
    undone = one.last.reached and not one.saved.reached
    return f"{one.classes[one.saved.answer]}{' (undone by rounding)' * undone}"


def _smallest(largest: float, found: Smallest | None) -> str:
    return f"not found up to {levels(largest)}" if found is None else levels(found.enough)
