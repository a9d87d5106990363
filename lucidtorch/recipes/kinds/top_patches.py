"""What real images excite each unit most, cut down to what the unit sees."""

from __future__ import annotations

import itertools
from dataclasses import asdict
from typing import Any, ClassVar, Literal

from pydantic import Field

from lucidtorch.recipes.functions import RecipeFunction
from lucidtorch.recipes.parts.scanned.best_patches import BestPatches
from lucidtorch.recipes.parts.scanned.looked_through import check_depth, left_out, scanned_layers
from lucidtorch.recipes.parts.scanned.patch_story import patch_section
from lucidtorch.recipes.parts.scanned.preference import preferences
from lucidtorch.recipes.parts.scanned.preference_story import preference_facts, summary
from lucidtorch.recipes.parts.unit_pictures import counted
from lucidtorch.recipes.recipe import Layers, Units
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.kind import LookingKind
from lucidtorch.recipes.runs.planning import Plan
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Section, Story
from lucidtorch.recipes.supply import DataFields, Supply
from lucidtorch.scanning.result import Scan

PREFERRED = 5  # classes of a layer that it prefers most, and least


class TopPatches(DataFields, LookingKind):
    """The patches of real images that excite units most.

    Attributes:
        layers: Their addresses.
        units: Which units of each are shown.
        top: How many patches of each unit.
        bottom: How many of the images that excite it least.
        context: Whether the whole image stands under each patch.
    """

    summary: ClassVar[str] = "The patches of real images that excite each unit most, with activations and classes."

    recipe: Literal["top_patches"] = "top_patches"
    layers: Layers | None = Field(
        default=None, description="The address of a layer, or several; every convolution and linear layer if absent."
    )
    units: Units = Field(default="0-9", description="all, a text such as 0-63,70, or numbers.")
    top: int = Field(default=9, ge=1, le=100, description="How many patches of each unit are shown.")
    bottom: int = Field(default=0, ge=0, le=100, description="How many of the images that excite it least, likewise.")
    context: bool = Field(
        default=True, description="Whether the whole image stands under each patch, with a frame around the patch."
    )

    def plan(self, stage: Stage) -> Plan:
        supply = Supply.of(stage, self)
        layers = scanned_layers(stage, supply, self.layers)
        check_depth(supply, layers, "top", self.top)
        check_depth(supply, layers, "bottom", self.bottom)
        units = {layer: stage.units(layer, self.units) for layer in layers}

        def tell(desk: Desk) -> Story:
            scan = supply.scanned(desk, layers, top=self.top, bottom=self.bottom, ranked=self.top)
            own = [BestPatches(scan, supply.source, layer, units[layer], self.top, self.bottom) for layer in layers]
            sections = self._sections(desk, stage, own)
            preferred = _preferred(scan, layers, self.top)
            endings = (summary(scan, preferred, PREFERRED, self.top),) if preferred else ()
            title = self.title or f"What excites units of {stage.network.name}"
            facts = {**_facts(scan, own), "preference": {one: preference_facts(of) for one, of in preferred.items()}}
            lead, main = self._lead(stage, scan), sections[0].figures[0].file
            return Story(title, lead, (*sections, *endings, *left_out(scan)), main, facts)

        return Plan((), tell, {"layers": layers, **supply.fields}, sums=supply.sums)

    def _sections(self, desk: Desk, stage: Stage, own: list[BestPatches]) -> tuple[Section, ...]:
        total = sum(len(one.units) for one in own)
        with desk.onlooker.counting("units", total) as show:
            done = itertools.count(1)
            return tuple(
                patch_section(desk, stage.network, one, lambda: show(next(done)), context=self.context) for one in own
            )

    def _lead(self, stage: Stage, scan: Scan) -> tuple[str, ...]:
        looked_at = counted(scan.images - len(scan.skipped), "image")
        patches = "patch that excites" if self.top == 1 else f"{self.top} patches that excite"
        framed = " Under it stands the whole image, with a frame around the patch." if self.context else ""
        return (
            f"{looked_at} went through {stage.network.name}. For each unit, the {patches} it most: the part of an "
            "image that the unit sees where it is most active, one of each image. Grey is what lies beyond the image's "
            f"border.{framed}",
            "A unit often answers to a pattern that its patches have in common, not to the things in them. Its few "
            "best images do not say how it answers to the others, nor to what this data does not hold.",
            "Activation is the unit's highest in all images, that of its first patch; above 0 lies that part of its "
            f"values at all places of all images.{self._words(scan)}",
        )

    def _words(self, scan: Scan) -> str:
        """What else there is to say of the columns and rows of the tables."""
        least = " Rows of the least hold a unit's lowest activation, and the images of its lowest ones."
        classes = (
            " Behind each class stands how many of the patches are of it, and how often the network is right about all "
            "its images; purity is the share of the commonest class."
        )
        return least * bool(self.bottom) + classes * bool(scan.class_counts.sum())


def _preferred(scan: Scan, layers: tuple[str, ...], ranked: int) -> dict[str, Any]:
    return {layer: preferences(scan, layer, ranked) for layer in layers} if scan.class_counts.sum() else {}


def _facts(scan: Scan, own: list[BestPatches]) -> dict[str, Any]:
    skipped = [asdict(one) for one in scan.skipped]
    return {"images": scan.images, "skipped": skipped, "layers": {one.layer: one.facts() for one in own}}


top_patches = RecipeFunction(TopPatches)
