"""Names of classes in an attack: how the recipe's labels become numbers, and numbers become short names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from lucidtorch.models.model import Model
from lucidtorch.models.sources.labels import find_label, short_label
from lucidtorch.recipes.blame import FieldError, blamed

Label: TypeAlias = int | str

FEWEST = 2  # classes of which one can be told from another


def chosen_heads(model: Model, head: str | None) -> dict[str, tuple[str, ...]]:
    """Choose the layers whose answers are attacked."""
    known = model.heads
    if head is None and not known:
        raise FieldError(
            ("head",), f"{model.name} does not say which layer is its answer; name the layer with a value per class."
        )
    found = {}
    for address in known if head is None else (head,):
        with blamed("head"):
            model.layers.resolve(address)
        record = model.layers[address]
        if record.shape is None or len(record.shape) != 1 or record.shape[0] < FEWEST:
            raise FieldError(("head",), f"{address!r} of {model.name} has no value for each of two classes or more.")
        found[address] = model.classes_of(address)
    return found


def label_number(model: Model, head: str, names: Sequence[str], label: Label, *key: str | int) -> int:
    """Find the number of a class of a head."""
    owner = f"{head} of {model.name}"
    with blamed(*key):
        return find_label(label, names or None, model.layers[head].channels, owner)


def short_names(names: Sequence[str], count: int) -> tuple[str, ...]:
    """Shorten the names of classes to the first of several between commas."""
    if not names:
        return tuple(f"class {number}" for number in range(count))
    short = [short_label(name) for name in names]
    return tuple(f"{one} ({number})" if short.count(one) > 1 else one for number, one in enumerate(short))
