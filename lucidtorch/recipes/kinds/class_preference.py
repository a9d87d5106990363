"""Which classes the units of each layer prefer, and which they leave alone."""

from __future__ import annotations

from dataclasses import asdict
from typing import ClassVar, Literal

from pydantic import Field

from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.functions import RecipeFunction
from lucidtorch.recipes.parts.scanned.looked_through import check_depth, has_classes, left_out, scanned_layers
from lucidtorch.recipes.parts.scanned.preference import preferences
from lucidtorch.recipes.parts.scanned.preference_layer import layer_section
from lucidtorch.recipes.parts.scanned.preference_story import preference_facts, summary
from lucidtorch.recipes.parts.unit_pictures import counted
from lucidtorch.recipes.recipe import Layers
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.kind import LookingKind
from lucidtorch.recipes.runs.planning import Plan
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Story
from lucidtorch.recipes.supply import DataFields, Supply
from lucidtorch.scanning.result import Scan


class ClassPreference(DataFields, LookingKind):
    """The classes that the units of layers prefer.

    Attributes:
        layers: Their addresses.
        ranked: How many images of each unit are counted.
        shown: How many of the most and of the least preferred classes are told of.
    """

    summary: ClassVar[str] = "The classes that each layer's units prefer most and least, with the network's accuracy."

    recipe: Literal["class_preference"] = "class_preference"
    layers: Layers | None = Field(
        default=None, description="The address of a layer, or several; every convolution and linear layer if absent."
    )
    ranked: int = Field(
        default=9, ge=1, le=10_000, description="How many of the images that excite a unit most are counted by class."
    )
    shown: int = Field(default=5, ge=1, le=100, description="How many of the most, and of the least preferred classes.")

    def plan(self, stage: Stage) -> Plan:
        supply = Supply.of(stage, self)
        layers = scanned_layers(stage, supply, self.layers)
        check_depth(supply, layers, "ranked", self.ranked)
        if not has_classes(supply):
            raise FieldError(
                ("data",) if self.data is not None else ("scan",),
                "These images have no classes; give a folder with a subfolder for each class, or {drawings: test}.",
            )

        def tell(desk: Desk) -> Story:
            scan = supply.scanned(desk, layers, top=self.ranked, ranked=self.ranked)
            found = {layer: preferences(scan, layer, self.ranked) for layer in layers}
            with desk.onlooker.counting("layers", len(layers)) as show:
                sections = []
                for done, (layer, own) in enumerate(found.items(), 1):
                    sections.append(layer_section(desk, scan, supply.source, layer, own, self.shown, self.ranked))
                    show(done)
            overall = summary(scan, found, self.shown, self.ranked)
            title = self.title or f"Classes that layers of {stage.network.name} prefer"
            facts = {
                "ranked": self.ranked,
                "images": scan.images,
                "skipped": [asdict(one) for one in scan.skipped],
                "layers": {layer: preference_facts(own) for layer, own in found.items()},
            }
            whole = (overall, *sections, *left_out(scan))
            return Story(title, self._lead(stage, scan), whole, sections[0].figures[0].file, facts)

        return Plan((), tell, {"layers": layers, **supply.fields}, sums=supply.sums)

    def _lead(self, stage: Stage, scan: Scan) -> tuple[str, ...]:
        classes = int((scan.class_counts > 0).sum())
        looked_at = counted(scan.images - len(scan.skipped), "image")
        return (
            f"{looked_at} of {classes} classes went through {stage.network.name}. Of every layer, the page tells which "
            "classes the images are of that excite its units most: those that come up more often than by chance, and "
            "those that come up least.",
            "A layer that prefers a class need not tell it from others: early layers prefer classes for their colours, "
            "edges and contrast. That a class is least preferred does not mean that the network does not know it; the "
            "accuracy says how well it does.",
        )


class_preference = RecipeFunction(ClassPreference)
