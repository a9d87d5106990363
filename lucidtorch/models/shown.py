"""The layers of a network that are looked at when nobody names any."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from lucidtorch.models.layers.table import LayerLike
from lucidtorch.models.model import Model

SHOWN = (nn.Conv2d, nn.Conv3d, nn.Linear)


def shown_layers(model: Model, layers: Sequence[LayerLike] | None) -> tuple[str, ...]:
    """Find the layers that are looked at, in the order of the network."""
    table = model.layers
    if layers is None:
        return tuple(name for name, record in table.items() if record.channels and _is_shown(model, name))
    names = [layer if isinstance(layer, str) else table.directory.name_of(layer) for layer in layers]
    for name in names:
        table.resolve(name)
    return tuple(sorted(dict.fromkeys(names), key=table.order))


def _is_shown(model: Model, layer: str) -> bool:
    return isinstance(model.module.get_submodule(model.layers.resolve(layer).module), SHOWN)
