"""What is told of attacked pictures: a table of all, and of each its way iteration by iteration."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from lucidtorch.base.images import sheet
from lucidtorch.galleries.plan import slug
from lucidtorch.recipes.parts.attacks.attack_summary import summary
from lucidtorch.recipes.parts.attacks.case import Case, attacked
from lucidtorch.recipes.parts.attacks.outcome import Look, Outcome
from lucidtorch.recipes.parts.attacks.terms import Terms, levels
from lucidtorch.recipes.parts.unit_pictures import counted
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.story import Cell, Figure, Section, Story, Table

MOST_ON_A_SHEET = 24


def told(desk: Desk, network: str, title: str | None, terms: Terms, cases: Iterable[Case], total: int) -> Story:
    """Attack pictures one by one, and tell of it."""
    outcomes = []
    with desk.onlooker.counting("pictures", total) as show:
        for done, case in enumerate(cases, 1):
            outcomes.append(attacked(desk, terms, case))
            show(done)
    heads = tuple(dict.fromkeys(one.head for one in outcomes))
    sheets = [_sheet(desk, terms, head, [one for one in outcomes if one.head == head], heads) for head in heads]
    several = len(outcomes) > len(heads)
    sections = (
        summary(terms, outcomes, several=len(heads) > 1),
        *([_side_by_side(sheets)] if several else []),
        *(_section(terms, one, several=len(heads) > 1) for one in outcomes),
    )
    facts = {
        "epsilon": terms.reach.epsilon,
        "step_size": terms.reach.step_size,
        "classes": {one.head: list(one.classes) for one in outcomes},
        "pictures": [one.facts for one in outcomes],
    }
    return Story(title or f"Adversarial pictures for {network}", _lead(network, terms), sections, sheets[0].file, facts)


def _lead(network: str, terms: Terms) -> tuple[str, ...]:
    reach, label = terms.reach, terms.label
    direction = f"lowers the loss of {terms.target}" if terms.target else f"raises the loss of the {label}"
    aim = f"becomes {terms.target}" if terms.target else f"is no longer the {label}"
    start = " The iterations start at a random place within that distance." if terms.noisy else ""
    return (
        f"Every pixel of a picture is changed by at most epsilon = {levels(reach.epsilon)} of the range from black to "
        f"white, so that the answer of {network} {aim}. Each of {counted(reach.steps, 'iteration')} moves all pixels "
        f"by {levels(reach.step_size)} in the direction that {direction} (the cross entropy), and brings them back to "
        f"within epsilon and to what a picture can hold: the basic iterative method.{start} FGSM, the fast gradient "
        "sign method, makes one such step of the whole epsilon from the clean picture.",
        "The attack knows the network's weights, and is made for one picture: that a tiny change is enough says how "
        "near the border between two answers lies in the worst direction, not how the network does on noise or blur. "
        "That nothing was found does not prove that there is nothing. The drawn change shows how the pixels moved, not "
        "what the network looks at.",
    )


def _side_by_side(sheets: Sequence[Figure]) -> Section:
    text = "In threes: the clean picture, the change around grey, and the changed picture after the last iteration."
    return Section("Side by side", text=(text,), figures=tuple(sheets))


def _sheet(desk: Desk, terms: Terms, head: str, outcomes: Sequence[Outcome], heads: Sequence[str]) -> Figure:
    shown = outcomes[:MOST_ON_A_SHEET]
    files = [file for one in shown for file in (one.clean.picture, one.last.change, one.last.picture)]
    columns = 3 * max(1, round(math.sqrt(len(shown) / 3)))
    file = desk.write(f"sheet-{slug(head)}.png", sheet(desk.stacked(files), columns))
    names = f"{', '.join(one.name for one in shown)}{' and others' if len(outcomes) > len(shown) else ''}"
    caption = f"{f'{head}: ' if len(heads) > 1 else ''}{names}; changes are drawn {terms.times} as large."
    return Figure(file, caption, f"Clean, change and changed of {names}", whole=True)


def _section(terms: Terms, one: Outcome, *, several: bool) -> Section:
    clean, last = one.clean, one.last
    figures = (
        Figure(clean.picture, f"clean: {one.says(clean)}", f"{one.name} as it is"),
        Figure(last.change, f"the change, {terms.times} as large, around grey", f"What was changed in {one.name}"),
        Figure(last.picture, f"changed: {one.says(last)}", f"{one.name} after the last iteration"),
    )
    heading = f"{one.name}, {one.head}" if several else one.name
    return Section(heading, text=(_said(terms, one),), figures=figures, table=_table(terms, one))


def _said(terms: Terms, one: Outcome) -> str:
    label, wanted = one.classes[one.label], terms.target if terms.target else "another answer"
    parts = [f"Clean, the network says {one.says(one.clean)}."]
    if terms.given:
        parts = [f"The real label is {label}; clean, the network says {one.says(one.clean)}."]
    if one.clean.reached:
        parts.append("So the answer was what the attack wants before anything was changed.")
    elif one.first == 0:
        parts.append(f"The random start was enough to reach {wanted}.")
    elif one.first is None:
        parts.append(f"No iteration reached {wanted}.")
    else:
        parts.append(f"Iteration {one.first} was the first to reach {wanted}.")
    if one.still:
        parts.append("The gradient is zero everywhere, for the network is too sure: no pixel moved.")
    parts.append(f"After the last it says {one.says(one.last)}, and after FGSM {one.says(one.single)}.")
    if one.saved is not None and one.saved.reached != one.last.reached:
        parts.append(f"Read back from its file, rounded to 8 bits, the changed picture is {one.says(one.saved)}.")
    return " ".join(parts)


def _table(terms: Terms, one: Outcome) -> Table:
    label = terms.label
    odds = ("predicted label", "probability", f"probability of {label}", "loss")
    target = (f"probability of {terms.target}",) if terms.target else ()
    shown = [look for look in one.looks if look.picture]
    left_out = len(one.looks) - len(shown)
    caption = f"The loss is the cross entropy of the {label}; changes are drawn {terms.times} as large, around grey."
    if left_out:
        caption += f" {left_out} more iterations are in `data.json`."
    rows = tuple(_row(one, look) for look in (*shown, one.single))
    return Table(("iteration", "picture", "change", label, *odds, *target), rows, caption)


def _row(one: Outcome, look: Look) -> tuple[Cell, ...]:
    target = () if look.of_target is None else (f"{look.of_target:.1%}",)
    return (
        {"clean": "0 (clean)", "start": "0 (random start)"}.get(look.name, look.name),
        one.picture(look),
        Figure(look.change, f"{one.name}, change: {look.name}", f"What was changed in {one.name}: {look.name}"),
        one.classes[one.label],
        one.classes[look.answer],
        f"{look.probability:.1%}",
        f"{look.of_label:.1%}",
        float(f"{look.loss:.4g}"),
        *target,
    )
