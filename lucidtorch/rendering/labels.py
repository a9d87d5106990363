"""What stands with the pictures of a render in a notebook: what they were asked for, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from lucidtorch.base.errors import LucidtorchError
from lucidtorch.base.records import Settings
from lucidtorch.objectives.images import single
from lucidtorch.objectives.text import parse
from lucidtorch.rendering.guard import Stop
from lucidtorch.rendering.showing import code_html, quiet_html

DEAD = "dead unit: it is zero, and nothing in the picture moves it"


def heading(recipe: Settings, size: Sequence[int], steps: int, remarks: Sequence[str]) -> str:
    """Say what pictures are of and how they were made."""
    facts = [recipe["model_name"], " x ".join(map(str, size)), f"{steps} steps", _seeds(recipe["seed"]), *remarks]
    words = quiet_html(" · ".join(one for one in facts if one))
    return f'<div>{code_html(recipe["objective"])}</div><div style="font-size:.9em;margin-bottom:8px">{words}</div>'


@dataclass(frozen=True)
class Label:
    """What stands with one picture.

    Args:
        alt: What it shows, for those who cannot see it.
        lines: HTML, one line each.
    """

    alt: str
    lines: tuple[str, ...]


def labels(
    recipe: Settings, values: Tensor, history: Tensor, dead: Sequence[bool], stopped: Mapping[int, Stop]
) -> list[Label]:
    """Say of each picture what it is asked for, its score, and whether it is one at all."""
    several = len(dead) > 1
    found = []
    for place, (own, seed) in enumerate(zip(own_texts(recipe), recipe["seed"], strict=True)):
        name = f"picture {place}" if several else ""
        facts = [f"score {float(values[place]):.4g}"]
        facts += [f"from {float(history[place, 0]):.4g}"] if history.shape[1] else []
        facts += [f"seed {seed}"] if several else []
        lines = [name if own is None else code_html(own), quiet_html(", ".join(facts))]
        lines += [f"<strong>{DEAD}</strong>"] if dead[place] else []
        lines += [quiet_html(str(stopped[place]))] if place in stopped else []
        alt = ": ".join(one for one in (name, own or recipe["objective"]) if one)
        found.append(Label(alt, tuple(line for line in lines if line)))
    return found


def summary(values: Tensor, dead: Sequence[bool], stopped: Mapping[int, Stop], *, smaller: bool) -> str:
    """Say what came of pictures that are too many, or too large, to be shown one by one."""
    low, high = float(values.min()), float(values.max())
    count = len(values)
    facts = [f"score {low:.4g}" if count == 1 else f"{count} pictures row by row · scores {low:.4g} to {high:.4g}"]
    marked = [str(place) for place, one in enumerate(dead) if one]
    facts += [f"dead units: {', '.join(marked)}"] if marked else []
    facts += [f"stopped: {', '.join(map(str, stopped))}"] if stopped else []
    facts += ["shown smaller than they are; `save` writes them whole"] if smaller else []
    return f'<div style="font-size:.9em;margin-top:4px">{quiet_html(" · ".join(facts))}</div>'


def own_texts(recipe: Settings) -> list[str | None]:
    """Say of each image of a batch what it alone is asked for."""
    text, count = recipe["objective"], recipe["batch"]
    try:
        whole = parse(text)
        own = [repr(single(whole, place)) for place in range(count)]
    except LucidtorchError:
        return [None] * count
    return [None if one == text else one for one in own]


def _seeds(seeds: Sequence[int]) -> str:
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    in_a_row = list(seeds) == list(range(seeds[0], seeds[0] + len(seeds)))
    return f"seeds {seeds[0]} to {seeds[-1]}" if in_a_row else ""
