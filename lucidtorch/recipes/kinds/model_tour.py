"""One unit of each layer, in the order of the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from lucidtorch.base.images import sheet
from lucidtorch.galleries.plan import slug
from lucidtorch.models.layers.table import LayerRecord
from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.functions import RecipeFunction
from lucidtorch.recipes.parts.unit_pictures import counted, unit_name, unit_shot
from lucidtorch.recipes.recipe import Layers, Unit
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.kind import RenderingKind
from lucidtorch.recipes.runs.planning import Plan, Shot
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Figure, Section, Story, Table

SIDES = 2  # height and width


class ModelTour(RenderingKind):
    """A walk through a network, one unit per layer.

    Attributes:
        layers: The addresses of the layers; every convolution and linear layer where None.
        unit: The unit of every layer, or one per layer.
        columns: How many stand in a row of the sheet; about a square where None.
    """

    summary: ClassVar[str] = "One unit of each layer in order: how what units look for grows with depth."

    recipe: Literal["model_tour"] = "model_tour"
    layers: Layers | None = Field(
        default=None, description="The layers to visit; every convolution and linear layer if absent."
    )
    unit: Unit | tuple[Unit, ...] = Field(
        default=0, description="One number for all layers, or a list with one for each of layers."
    )
    columns: int | None = Field(
        default=None, ge=1, le=1024, description="How many stand in a row; about a square if absent."
    )

    def plan(self, stage: Stage) -> Plan:
        layers, units = self._stops(stage)
        shots = [
            unit_shot(stage, layer, unit, f"pictures/{place:03d}-{slug(layer)}-{unit:05d}.png")
            for place, (layer, unit) in enumerate(zip(layers, units, strict=True))
        ]
        tasks = [task for layer, shot in zip(layers, shots, strict=True) for task in stage.tasks(slug(layer), [shot])]

        def tell(desk: Desk) -> Story:
            return self._story(desk, stage, layers, units, shots)

        unit = self.unit if isinstance(self.unit, int) else units
        return Plan(tuple(tasks), tell, {"layers": layers, "unit": unit})

    def _stops(self, stage: Stage) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """The layers in the order of the network, and the unit of each."""
        found = stage.layers(self.layers)
        if self.layers is None:
            names = {address: alias for alias, address in stage.table.aliases.items()}
            found = tuple(names.get(layer, layer) for layer in found)  # as the literature calls them
        named = found if self.layers is None else [self.layers] if isinstance(self.layers, str) else self.layers
        if isinstance(self.unit, int):
            wanted = dict.fromkeys(found, self.unit)
        elif len(self.unit) != len(named):
            text = f"there are {counted(len(named), 'layer')}, but {counted(len(self.unit), 'unit')}"
            raise FieldError(("unit",), f"{text}; write one number for all layers, or one for each.")
        elif len(set(named)) < len(named):
            raise FieldError(
                ("layers",), "a layer is named twice, and it is not clear which unit it gets; name it once."
            )
        else:
            wanted = dict(zip(named, self.unit, strict=True))
        for layer in found:
            self._check(stage, layer, wanted[layer], list(named).index(layer))
        return found, tuple(wanted[layer] for layer in found)

    def _check(self, stage: Stage, layer: str, unit: int, place: int) -> None:
        count = stage.table[layer].channels or 0
        if unit < count:
            return
        key = ("unit",) if isinstance(self.unit, int) else ("unit", place)
        advice = "; write one unit for each layer" if isinstance(self.unit, int) else ""
        raise FieldError(key, f"{layer!r} has {count} channels, 0 to {count - 1}, but {unit} was given{advice}.")

    def _story(
        self, desk: Desk, stage: Stage, layers: Sequence[str], units: Sequence[int], shots: Sequence[Shot]
    ) -> Story:
        names = [unit_name(stage.network, layer, unit) for layer, unit in zip(layers, units, strict=True)]
        file = desk.write("tour.png", sheet(desk.stacked(one.file for one in shots), self.columns))
        way = f"{names[0]} to {names[-1]}" if len(names) > 1 else names[0]
        whole = Figure(
            file, f"{way}, from left to right and from top to bottom", f"One unit of each layer, {way}", whole=True
        )
        shown = [desk.figure(one.file, name, one.objective) for one, name in zip(shots, names, strict=True)]
        count = f"{counted(len(layers), 'layer')} of {stage.network.name}"
        lead = (
            f"One unit of each of {count}, in the order in which the network computes them. Each picture was changed "
            f"step by step until its unit was as active as it would get on average over all places.",
            "A unit sees only a window of the picture, and the window grows with depth (see the table): where it is "
            "small, the picture is a texture of colours and edges that repeats; where it is large, there can be parts "
            "and things. One unit is an example of its layer and does not stand for all of it.",
        )
        table = Table(("layer", "unit", "kind", "gives", "one value sees"), _rows(stage, layers, units), _said(stage))
        sections = (
            Section("All layers in order", figures=(whole,), table=table),
            Section("Each unit", figures=(*shown,)),
        )
        title = self.title or f"A tour of {stage.network.name}: one unit of each of {counted(len(layers), 'layer')}"
        return Story(title, lead, sections, file, {"layers": list(layers), "units": list(units)})


def _rows(stage: Stage, layers: Sequence[str], units: Sequence[int]) -> tuple[tuple[str | int, ...], ...]:
    records = [stage.table[layer] for layer in layers]
    return tuple(
        (layer, unit, record.kind, _across(record.shape or ()), _seen(record))
        for layer, unit, record in zip(layers, units, records, strict=True)
    )


def _said(stage: Stage) -> str:
    size = _across(stage.table.size)
    return f"The layers for a picture of {size} pixels: channels x height x width, and the window of one value."


def _seen(record: LayerRecord) -> str:
    if record.receptive_field is None:
        return "the whole picture"
    size = record.receptive_field.size
    return f"{_across((size,) * SIDES if isinstance(size, int) else size)} pixels"


def _across(sides: Sequence[int]) -> str:
    return " x ".join(map(str, sides))


model_tour = RecipeFunction(ModelTour)
