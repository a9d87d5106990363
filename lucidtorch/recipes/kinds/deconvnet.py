"""What units answer to in images: their signal sent back down to the pixels, in four ways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator
from torch import Tensor

from lucidtorch.galleries.plan import slug
from lucidtorch.models.model import Model
from lucidtorch.recipes.blame import FieldError, blamed
from lucidtorch.recipes.functions import RecipeFunction
from lucidtorch.recipes.looked_at import AnyPictures, LookedAt, see
from lucidtorch.recipes.parts.projections.projection_story import Line, Matrix, matrix_section
from lucidtorch.recipes.parts.projections.projection_words import about_ways, lead
from lucidtorch.recipes.parts.projections.projector import RULES, Projector, Way
from lucidtorch.recipes.parts.projections.subjects import in_data, in_image, strongest_in_data
from lucidtorch.recipes.parts.scanned.looked_through import check_depth, left_out, scanned_layers
from lucidtorch.recipes.parts.unit_pictures import unit_name
from lucidtorch.recipes.recipe import Layers, Units
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.kind import LookingKind
from lucidtorch.recipes.runs.planning import Plan
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Section, Story
from lucidtorch.recipes.supply import AnyData, Supply
from lucidtorch.scanning.layer_scan import WITH_PLACES
from lucidtorch.scanning.result import Scan
from lucidtorch.scanning.source import Source

STRONGEST = "strongest"


class Deconvnet(AnyPictures, AnyData, LookingKind):
    """Signals of units, sent back down to the pixels of images.

    Attributes:
        layers: Their addresses.
        units: Which units of each.
        count: How many of the strongest, where nobody names units.
        ways: How signals are sent down.
        place: Whether the strongest place alone goes down, or the whole channel.
        top: How many images of the data are shown of each unit.
    """

    summary: ClassVar[str] = (
        "What units answer to in images: deconvnet, guided backpropagation and gradient, side by side."
    )

    recipe: Literal["deconvnet"] = "deconvnet"
    layers: Layers = Field(description="The address of a layer, or several.")
    units: Units = Field(
        default=STRONGEST, description="strongest, all, a text such as 0-63,70, or numbers; of each layer."
    )
    count: int = Field(default=1, ge=1, le=64, description="How many of the strongest units of a layer are shown.")
    ways: Annotated[tuple[Way, ...], Field(min_length=1)] = Field(
        default=tuple(RULES),
        description="How signals go down: deconvnet, deconvnet_without_switches, guided, saliency.",
    )
    place: Literal["strongest", "all"] = Field(
        default="strongest", description="What goes down: the place where a unit is strongest, or its whole channel."
    )
    top: int = Field(default=9, ge=1, le=100, description="How many images of the data are shown of each unit.")

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        pictures = self.image is not None or self.images is not None
        if pictures and (self.data is not None or self.scan is not None):
            raise FieldError(
                ("data",) if self.data is not None else ("scan",),
                "Write pictures, or data of which the images that excite a unit most are taken; not both.",
            )
        if not pictures and self.data is None and self.scan is None:
            raise FieldError(
                ("image",), "Name a picture, or `data` of which the images that excite a unit most are taken."
            )
        if len(set(self.ways)) < len(self.ways):
            raise FieldError(("ways",), f"Name each way once; {', '.join(self.ways)} was given.")
        return self

    def plan(self, stage: Stage) -> Plan:
        return self._of_data(stage) if self.data is not None or self.scan is not None else self._of_pictures(stage)

    def _of_pictures(self, stage: Stage) -> Plan:
        seen = see(stage, self)
        layers = self._checked(stage, seen.pixels)
        units = [(layer, unit) for layer in layers for unit in self._units(stage, layer) or ()]

        def tell(desk: Desk) -> Story:
            matrices = (
                self._by_unit(stage.network, seen, units) if units else self._by_image(stage.network, seen, layers)
            )
            return self._told(stage, desk, layers, matrices, len(units) or len(seen.names))

        return Plan((), tell, {"layers": layers, **seen.fields}, seen.files)

    def _of_data(self, stage: Stage) -> Plan:
        supply = Supply.of(stage, self)
        layers = scanned_layers(stage, supply, self.layers)
        check_depth(supply, layers, "top", self.top)
        named = {layer: self._units(stage, layer) for layer in layers}

        def tell(desk: Desk) -> Story:
            scan = supply.scanned(desk, layers, top=self.top)
            units = {layer: named[layer] or strongest_in_data(scan[layer], self.count) for layer in layers}
            pairs = [(layer, unit) for layer in layers for unit in units[layer]]
            matrices = self._of_patches(stage.network, supply.source, scan, pairs)
            return self._told(stage, desk, layers, matrices, len(pairs), left_out(scan))

        return Plan((), tell, {"layers": layers, **supply.fields}, sums=supply.sums)

    @property
    def _whole(self) -> bool:
        return self.place == "all"

    def _units(self, stage: Stage, layer: str) -> tuple[int, ...] | None:
        """The units that are named; None where the strongest are looked for."""
        return None if self.units == STRONGEST else stage.units(layer, self.units)

    def _checked(self, stage: Stage, pixels: Tensor) -> tuple[str, ...]:
        """The layers, each of which has units at this size of the pictures."""
        layers = stage.layers(self.layers)
        with blamed("size"):
            table = stage.network.layers_at(tuple(pixels.shape[2:]))
            shapes = {layer: table[layer].shape or () for layer in layers}
        for layer, shape in shapes.items():
            if len(shape) not in (1, WITH_PLACES):
                said = (
                    f"The layers here are [B, C, H, W] or [B, C], but {layer!r} gives {shape} per image; name others."
                )
                raise FieldError(("layers",), said)
        return layers

    def _by_image(self, network: Model, seen: LookedAt, layers: Sequence[str]) -> Iterator[Matrix]:
        """The strongest units of all layers in one picture after the other."""
        for number, (name, pixels) in enumerate(zip(seen.names, seen.pixels, strict=True), 1):
            lines = tuple(
                Line(unit_name(network, layer, one.unit), number, one)
                for layer in layers
                for one in in_image(network, name, pixels, layer, None, self.count, whole=self._whole)
            )
            yield Matrix(name, f"sheet-{number:04d}.png", lines, placed=True)

    def _by_unit(self, network: Model, seen: LookedAt, units: Sequence[tuple[str, int]]) -> Iterator[Matrix]:
        """One unit after the other in all pictures."""
        for layer, unit in units:
            lines = tuple(
                Line(name, number, one)
                for number, (name, pixels) in enumerate(zip(seen.names, seen.pixels, strict=True), 1)
                for one in in_image(network, name, pixels, layer, (unit,), 1, whole=self._whole)
            )
            yield Matrix(unit_name(network, layer, unit), _sheet(layer, unit), lines, placed=True)

    def _of_patches(
        self, network: Model, source: Source, scan: Scan, units: Sequence[tuple[str, int]]
    ) -> Iterator[Matrix]:
        """One unit after the other in the images that excite it most."""
        for layer, unit in units:
            found = in_data(source, scan[layer], unit, self.top, whole=self._whole)
            lines = tuple(Line(one.image, number, one) for number, one in enumerate(found, 1))
            text = () if lines else ("No image moves this unit.",)
            yield Matrix(unit_name(network, layer, unit), _sheet(layer, unit), lines, text)

    def _told(
        self,
        stage: Stage,
        desk: Desk,
        layers: Sequence[str],
        matrices: Iterable[Matrix],
        count: int,
        after: tuple[Section, ...] = (),
    ) -> Story:
        projector = Projector(stage.network, self.ways, self._whole, self.batch)
        sections, facts, main = [], [], ""
        with desk.onlooker.counting("sections", count) as show:
            for number, matrix in enumerate(matrices, 1):
                section, rows = matrix_section(desk, projector, matrix)
                sections.append(section)
                facts.extend(rows)
                main = main or matrix.file
                show(number)
        name = stage.network.name
        words = lead(name, layers, whole=self._whole, patches=self.image is None and self.images is None)
        told = {"layers": projector.facts(), "rows": facts}
        sections += [about_ways(projector), *after]
        return Story(
            self.title or f"Back to the pixels from {', '.join(layers)} of {name}", words, tuple(sections), main, told
        )


def _sheet(layer: str, unit: int) -> str:
    return f"sheet-{slug(layer)}-{unit:05d}.png"


deconvnet = RecipeFunction(Deconvnet)
