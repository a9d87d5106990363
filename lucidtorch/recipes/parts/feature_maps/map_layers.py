"""The layers whose maps are shown when nobody names any."""

from __future__ import annotations

from collections.abc import Sequence

from lucidtorch.models.layers.dry_run import TRACED_RELUS
from lucidtorch.models.model import Model, default_layers

MOST_LAYERS = 32
ENOUGH = 0.5  # ReLUs for each convolution or linear layer, from which on they stand for these


def usual_layers(model: Model) -> tuple[str, ...]:
    """Choose the layers of a network that say most about sparsity: its ReLUs, and what it answers with."""
    table = model.layers
    weighted = default_layers(model, None)
    relus = [name for name, record in table.items() if record.kind in TRACED_RELUS and record.channels]
    found = relus if relus and len(relus) >= ENOUGH * len(weighted) else list(weighted)
    names = {address: alias for alias, address in table.aliases.items()}
    heads = {table[head].address: head for head in model.heads}
    inner = [names.get(one, one) for one in found if one not in heads]
    return default_layers(model, [*evenly(inner, MOST_LAYERS - min(len(heads), MOST_LAYERS - 1)), *heads.values()])


def evenly(names: Sequence[str], most: int) -> list[str]:
    """Take some of many, evenly, with the first and the last."""
    if len(names) <= most:
        return list(names)
    return [names[round(place * (len(names) - 1) / max(1, most - 1))] for place in range(most)]
