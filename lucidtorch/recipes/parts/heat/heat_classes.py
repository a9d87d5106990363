"""The classes that heat maps explain: of chosen heads, by name, by number, or the network's own answers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lucidtorch.base.errors import UnknownLabelError, suggestion
from lucidtorch.models.layers.directory import LOGITS
from lucidtorch.models.model import Model
from lucidtorch.models.sources.labels import find_label, short_label
from lucidtorch.objectives.units import logit
from lucidtorch.recipes.blame import FieldError, blamed
from lucidtorch.recipes.parts.heat.heat_targets import Answers, Target


def chosen_heads(network: Model, given: Sequence[str] | None) -> tuple[str, ...]:
    """Say which heads are explained."""
    if not network.heads:
        raise FieldError(
            ("objective",),
            f"{network.name} has no layer that is known to say a class, so an objective is needed; write for example "
            f"objective: LAYER:UNIT.",
        )
    for place, head in enumerate(given or ()):
        if head not in network.heads:
            known = suggestion(head, network.heads)
            raise FieldError(("heads", place), f"{network.name} has no head {head!r}. {known}")
    return tuple(head for head in network.heads if given is None or head in given)


def answers_of(network: Model, heads: Sequence[str], picture: Tensor) -> Answers:
    """Ask a network which classes it takes a picture for."""
    found = network.activations(picture[None], list(heads)) if heads else {}
    return {head: torch.softmax(found[head][0].cpu().double(), 0) for head in heads}


def class_target(network: Model, head: str, number: int) -> Target:
    """Explain a class by its score before the softmax."""
    goal = logit(number) if head == LOGITS else logit(number, head)
    name = class_name(network, head, number)
    return Target(f"{head}: {name}" if len(network.heads) > 1 else name, repr(goal), goal, head, number)


def class_name(network: Model, head: str, number: int) -> str:
    """Say what a class is called."""
    names = network.heads[head]
    return short_label(names[number]) if names else f"class {number}"


def best_classes(network: Model, answers: Answers, count: int) -> tuple[Target, ...]:
    """Take the classes that a network itself finds most likely."""
    best = {head: torch.sort(one, descending=True, stable=True).indices[:count] for head, one in answers.items()}
    return tuple(class_target(network, head, int(number)) for head, found in best.items() for number in found)


def named_classes(network: Model, heads: Sequence[str], classes: Sequence[str | int]) -> tuple[Target, ...]:
    """Find classes by name or number: a name in every head that has it, a number in every head."""
    found: list[Target] = []
    for place, given in enumerate(classes):
        with blamed("classes", place):
            found += _named(network, heads, given)
    return tuple(dict.fromkeys(found))


def _named(network: Model, heads: Sequence[str], given: str | int) -> list[Target]:
    found, refusals = [], []
    for head in heads:
        known = network.heads[head]
        whole = network.name if len(network.heads) == 1 else f"{network.name}'s head {head!r}"
        try:
            number = find_label(given, list(known) or None, network.layers[head].channels, whole)
        except UnknownLabelError as error:
            refusals.append(error)
        else:
            found.append(class_target(network, head, number))
    if not found:
        raise UnknownLabelError(" ".join(dict.fromkeys(map(str, refusals))))
    return found
