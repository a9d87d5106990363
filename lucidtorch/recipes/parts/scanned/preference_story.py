"""What a page tells of the classes that layers prefer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lucidtorch.recipes.parts.scanned.preference import Preference, accuracy_text, ends
from lucidtorch.recipes.story import Section, Table
from lucidtorch.scanning.result import Scan

WIDTH, HEIGHT = 1000, 150  # pixels of a picture of bars
GROUND, BAR, MOST, LEAST, CHANCE = (
    (0.96, 0.96, 0.95),
    (0.62, 0.67, 0.73),
    (0.12, 0.45, 0.62),
    (0.80, 0.42, 0.25),
    (0.15, 0.15, 0.17),
)
CLASS_GAP = 1  # pixel between bars that are wide enough
WIDE = 4


def summary(scan: Scan, found: Mapping[str, tuple[Preference, ...]], shown: int, ranked: int) -> Section:
    """Tell of the most and the least preferred classes of all layers in one table."""
    rows = []
    for layer, own in found.items():
        most, least = ends(own, shown)
        rows.append((layer, _listed(most), _listed(least[::-1])))
    count = max((len(ends(own, shown)[0]) for own in found.values()), default=0)
    caption = "Behind each class its preference, and in parentheses how often the network is right about it."
    table = Table(
        ("layer", f"{count} most preferred classes", "least preferred, the least first"), tuple(rows), caption
    )
    return Section("Classes that each layer prefers", explained(scan, ranked), table=table)


def explained(scan: Scan, ranked: int) -> tuple[str, ...]:
    """Say what the preference of a class is."""
    best = "image that excites" if ranked == 1 else f"{ranked} images that excite"
    said = (
        f"Over all units of the layer, the {best} a unit most {'is' if ranked == 1 else 'are'} counted by class. "
        "The preference of a class is its count divided by what chance would give: the "
        "number of all counted images times the class's share of the data. 1 is chance, 3 is three times as many, 0 is "
        "none. Of equal classes the one with the lower number stands first."
    )
    return (said, *missing_answers(scan))


def missing_answers(scan: Scan) -> tuple[str, ...]:
    """Say why classes have no accuracy."""
    looked_at = [label for label, count in enumerate(scan.class_counts) if count]
    unknown = [label for label in looked_at if scan.accuracy(label) is None]
    if not unknown:
        heads = len(scan.answers)
        many = f" An image counts as right where all {heads} heads of the network are right." if heads > 1 else ""
        return (f"Accuracy: for which part of a class's images the network's answer is right.{many}",) * bool(heads)
    if len(unknown) == len(looked_at):
        return ("A dash stands for the accuracy: no class of the network has the name of a class of the data.",)
    return ("A dash stands for the accuracy where no class of the network, or more than one, has the class's name.",)


def bars(found: Sequence[Preference], shown: int) -> Tensor:
    """Draw the preferences of all classes, the most preferred at the left, with a line where chance is."""
    ratios = [one.ratio for one in found]
    step = max(1, WIDTH // len(found))
    gap = CLASS_GAP if step >= WIDE else 0
    peak = max(*ratios, 1.0)
    picture = _colour(GROUND).expand(-1, HEIGHT, step * len(found)).clone()
    most, least = ends(tuple(found), shown)
    for place, ratio in enumerate(ratios):
        colour = MOST if place < len(most) else LEAST if place >= len(found) - len(least) else BAR
        high = round(ratio / peak * (HEIGHT - 2))
        picture[:, HEIGHT - high :, place * step : (place + 1) * step - gap] = _colour(colour)
    line = HEIGHT - 1 - round(1 / peak * (HEIGHT - 2))
    picture[:, line] = _colour(CHANCE)[:, :, 0]
    return picture


def ratio_text(ratio: float) -> str:
    """Write a preference."""
    return f"\N{MULTIPLICATION SIGN}{ratio:.1f}"


def preference_facts(found: Sequence[Preference]) -> list[dict[str, Any]]:
    """Say the preferences of a layer as plain data."""
    return [
        {
            "label": one.label,
            "class": one.name,
            "count": one.count,
            "chance": one.chance,
            "preference": one.ratio,
            "accuracy": one.accuracy,
        }
        for one in found
    ]


def _listed(found: Sequence[Preference]) -> str:
    space = "\N{NO-BREAK SPACE}"
    return ", ".join(f"{one.name}{space}{ratio_text(one.ratio)}{space}({accuracy_text(one.accuracy)})" for one in found)


def _colour(colour: tuple[float, float, float]) -> Tensor:
    return torch.tensor(colour)[:, None, None]
