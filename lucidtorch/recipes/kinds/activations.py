"""The feature maps of layers on given pictures, and how sparse each layer is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from lucidtorch.analysis.overlays import Tones
from lucidtorch.base.errors import RenderError
from lucidtorch.base.images import visible
from lucidtorch.base.sizes import size_text
from lucidtorch.models.model import Model
from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.functions import RecipeFunction
from lucidtorch.recipes.looked_at import LookedAt, PictureFields, see
from lucidtorch.recipes.parts.feature_maps.depth import depth_section
from lucidtorch.recipes.parts.feature_maps.map_layers import usual_layers
from lucidtorch.recipes.parts.feature_maps.map_pictures import Hanging
from lucidtorch.recipes.parts.feature_maps.mosaics import Scale
from lucidtorch.recipes.parts.feature_maps.seen import LayerSeen
from lucidtorch.recipes.parts.feature_maps.sparsity import measured
from lucidtorch.recipes.parts.unit_pictures import counted
from lucidtorch.recipes.recipe import Layers
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.kind import LookingKind
from lucidtorch.recipes.runs.planning import Plan
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Figure, Section, Story

DENSE, MAPS = 1, 3  # the axes of what a layer gives for one picture
SHOWN_LARGE = 3  # pictures up to which each layer is shown as wide as the page


class Activations(PictureFields, LookingKind):
    """Feature maps of given pictures.

    Attributes:
        layers: The addresses of the layers; the ReLUs and the heads, or convolutions and linear layers, where None.
        scale: Whether each map is drawn against its own largest value or against the layer's.
        colours: What numbers are drawn in.
        most: How many units of each layer are shown at most.
    """

    summary: ClassVar[str] = "The feature maps of each layer on given pictures, and how sparse the layers are."
    packages: ClassVar[tuple[str, ...]] = ("pillow",)

    recipe: Literal["activations"] = "activations"
    layers: Layers | None = Field(
        default=None,
        description="The address of a layer, or several; if absent the ReLUs (where the network has hardly any, the "
        "convolutions and linear layers) and the heads, 32 at most.",
    )
    scale: Scale = Field(
        default="unit", description="unit draws each map against its own largest value, layer all against the layer's."
    )
    colours: Tones = Field(default="heat", description="What numbers are drawn in: heat (colours) or grey.")
    most: int = Field(default=256, ge=1, le=65536, description="How many maps of each layer are shown at most.")

    def plan(self, stage: Stage) -> Plan:
        layers = usual_layers(stage.network) if self.layers is None else stage.layers(self.layers)
        if not layers:
            raise FieldError(("layers",), f"{stage.network.name} has no layer of a usual kind; name layers.")
        pictures = see(stage, self)
        shapes = {layer: _shape(stage.network, layer, pictures.pixels.shape[2:]) for layer in layers}
        fields = {"layers": layers, **pictures.fields}

        def tell(desk: Desk) -> Story:
            seen = [LayerSeen.of(stage.network, layer, shape) for layer, shape in shapes.items()]
            return self._story(desk, stage.network, pictures, seen)

        return Plan((), tell, fields, pictures.files)

    def _story(self, desk: Desk, model: Model, pictures: LookedAt, layers: Sequence[LayerSeen]) -> Story:
        count = len(pictures.names)
        hanging = Hanging(self.scale, self.colours, self.most, count <= SHOWN_LARGE)
        grounds, sections = [], []
        with desk.onlooker.counting("pictures", count) as show:
            for number, (name, image) in enumerate(zip(pictures.names, pictures.pixels, strict=True), 1):
                found = model.activations(image[None], [one.layer for one in layers])
                grounds.append(_ground(desk, image, number, name))
                figures = [_shown(desk, hanging, one, found[one.layer][0], number, name) for one in layers]
                heading = f"The maps of {name}" if count > 1 else "The maps, layer by layer"
                sections.append(Section(heading, _how_to_read(hanging), tuple(figures)))
                show(number)
        first = Section("What was looked at", figures=tuple(grounds))
        facts = {"pictures": list(pictures.names), "layers": {one.layer: one.facts for one in layers}}
        return Story(
            self.title or f"Activations of {model.name}: {_named(pictures)}",
            _lead(model, pictures, len(layers)),
            (first, depth_section(desk, layers), *sections),
            sections[0].figures[0].file,
            facts,
        )


def _shape(model: Model, layer: str, sides: Sequence[int]) -> tuple[int, ...]:
    """Find what a layer gives at the size of the pictures, and refuse what is neither maps nor plain values."""
    table = model.layers_at(sides)
    if layer not in table:
        why = table.broken or "the layer does not fire"
        raise FieldError(("size",), f"{model.name} does not reach {layer!r} at {size_text(tuple(sides))} pixels: {why}")
    shape = table[layer].shape or ()
    if len(shape) not in (DENSE, MAPS):
        raise FieldError(("layers",), f"{layer!r} gives {size_text(shape)}, and maps or plain values are shown here.")
    return shape


def _shown(desk: Desk, hanging: Hanging, layer: LayerSeen, values: Tensor, number: int, name: str) -> Figure:
    """Measure a layer on one picture, and show it."""
    found = values.cpu().float()
    if not bool(torch.isfinite(found).all()):
        raise RenderError(f"{layer.layer!r} has values on {name} that are not finite, so nothing can be drawn of it.")
    layer.found.append(measured(found))
    return hanging.figure(desk, layer, found, number, name)


def _ground(desk: Desk, image: Tensor, number: int, name: str) -> Figure:
    file = desk.write(f"image-{number}.png", visible(image))
    return Figure(file, name, f"{name}, as the network saw it")


def _named(pictures: LookedAt) -> str:
    names = pictures.names
    return names[0] if len(names) == 1 else counted(len(names), "picture")


def _how_to_read(hanging: Hanging) -> tuple[str, ...]:
    large = "" if hanging.whole else " A click shows a layer large."
    return (
        f"Each small map is one unit, laid out as the picture is: where it is bright, the unit answers there.{large}",
    )


def _lead(model: Model, pictures: LookedAt, layers: int) -> tuple[str, ...]:
    return (
        f"{_named(pictures)} as {counted(layers, 'layer')} of {model.name} see it: for every unit, how strongly it "
        "answers at each place. Early layers keep the outlines of the picture; deeper ones have fewer places, and "
        "more and more units that stay at zero.",
        "A map says where a unit answers here, and not what it looks for: for that, look at many pictures, or at the "
        "picture that drives it most. A unit that is silent here may well speak on another picture.",
    )


activations = RecipeFunction(Activations)
