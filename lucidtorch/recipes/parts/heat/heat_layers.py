"""From which layer heat maps are read."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from lucidtorch.models.backward import backward
from lucidtorch.models.layers.table import LayerRecord
from lucidtorch.models.model import Model
from lucidtorch.models.running.address import Address
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.references import INPUT
from lucidtorch.recipes.blame import FieldError, Key
from lucidtorch.recipes.recipe import Layers
from lucidtorch.recipes.runs.stage import Stage

SEVERAL = 2  # channels, at least, of a layer that is read where none is named
MAP_AXES = 3  # of a layer's shape `(C, h, w)`
# What only thins out or passes on what the layer before it says, and what is a name for its last part.
PASSING = (
    nn.Sequential,
    nn.Identity,
    *(nn.Dropout, nn.Dropout2d),
    *(nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d),
)


def heat_layers(stage: Stage, given: Layers | None, goals: Sequence[Objective], picture: Tensor) -> tuple[str, ...]:
    """Choose the layers that heat maps are read from, or check those that a recipe names."""
    if given is None:
        return (_deepest(stage.network, goals, picture),)
    layers = stage.layers(given)
    table = stage.network.layers
    last = max(table.order(layer) for goal in goals for layer in _own(goal))
    for layer in layers:
        key: Key = ("layers",) if isinstance(given, str) else ("layers", given.index(layer))
        refusal = _refusal(table[layer], table.resolve(layer))
        if refusal is not None:
            raise FieldError(key, f"{layer!r} {refusal}.")
        if table.order(layer) > last:
            raise FieldError(key, f"{layer!r} stands behind all that is explained; name a layer before it.")
    return layers


def _own(goal: Objective) -> list[str]:
    return [layer for layer in goal.layers if layer != INPUT]


def _refusal(record: LayerRecord, address: Address) -> str | None:
    """Why no map can be read off a layer."""
    if record.shape is None or len(record.shape) != MAP_AXES or record.shape[1] * record.shape[2] == 1:
        return "has no places, and a heat map is of places; name a layer with rows and columns"
    if address.parts or address.view:
        return (
            "is only a part of what a module gives, and gradients are read off the whole; name a whole layer, or write "
            "methods: [occlusion]"
        )
    return None


def _deepest(network: Model, goals: Sequence[Objective], picture: Tensor) -> str:
    table = network.layers
    first = min(table.order(layer) for goal in goals for layer in _own(goal))
    known = [
        layer
        for layer, record in table.items()
        if _refusal(record, table.resolve(layer)) is None
        and record.refused is None
        and table.order(layer) < first
        and not isinstance(network.module.get_submodule(table.resolve(layer).module), PASSING)
    ]
    if not known:
        raise FieldError(
            ("layers",),
            "No layer with places stands before what is explained; write methods: [occlusion], which needs none.",
        )
    reach = _reach(network, goals, picture, known)
    return max(known, key=lambda layer: (min(reach[layer], SEVERAL), table.order(layer)))


def _reach(network: Model, goals: Sequence[Objective], picture: Tensor, layers: Sequence[str]) -> dict[str, int]:
    """On how many channels of each layer every goal depends."""
    backs = [backward(network, picture[None], goal, goal.layers, layers) for goal in goals]
    return {layer: min(int(back.gradients[layer].flatten(2).any(2).sum()) for back in backs) for layer in layers}
