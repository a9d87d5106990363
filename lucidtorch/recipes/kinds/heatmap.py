"""Where in pictures lies what a network goes by: class activation maps and occlusion, side by side."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from lucidtorch.base.defaults import is_earlier, record_text
from lucidtorch.base.records import LARGEST_SIDE
from lucidtorch.base.sizes import PLANE, size_text
from lucidtorch.recipes.blame import FieldError, Key
from lucidtorch.recipes.functions import RecipeFunction
from lucidtorch.recipes.looked_at import LookedAt, PictureFields, see
from lucidtorch.recipes.parts.heat.heat_classes import answers_of, best_classes, chosen_heads, named_classes
from lucidtorch.recipes.parts.heat.heat_layers import heat_layers
from lucidtorch.recipes.parts.heat.heat_maps import CAMS, OCCLUSION, Patch, Ways
from lucidtorch.recipes.parts.heat.heat_story import told
from lucidtorch.recipes.parts.heat.heat_targets import Explained, Target, asked_targets
from lucidtorch.recipes.recipe import Layers
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.kind import LookingKind
from lucidtorch.recipes.runs.planning import Plan
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Story

MOST = 64  # things that are explained of a picture
PATCHES = 7  # this many patches side by side are about as long as the shorter side of a picture

Method: TypeAlias = Literal["grad_cam", "grad_cam_plus_plus", "layer_cam", "occlusion"]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
ClassField: TypeAlias = str | Annotated[int, Field(ge=0)]


class Heatmap(PictureFields, LookingKind):
    """Heat maps of pictures.

    Attributes:
        methods: How they are made.
        layers: From which layers class activation maps are read.
        objective: What is explained.
        objectives: Or several things.
        classes: Or classes, by name or number.
        best: Or how many of the network's own answers.
        heads: Of which heads the classes are.
        patch: The side of the square that hides a part of a picture, in pixels.
        stride: How many pixels it moves on each time.
        fill: Its colour.
    """

    summary: ClassVar[str] = (
        "Where in pictures lies what speaks for a class: Grad-CAM, Grad-CAM++, Layer-CAM, occlusion."
    )

    recipe: Literal["heatmap"] = "heatmap"
    methods: Annotated[tuple[Method, ...], Field(min_length=1)] = Field(
        default=("grad_cam", "grad_cam_plus_plus", "layer_cam", "occlusion"),
        description="grad_cam, grad_cam_plus_plus, layer_cam and occlusion, or some of them.",
    )
    layers: Layers | None = Field(
        default=None,
        description="Where class activation maps are read; the deepest layer with places before what is explained.",
    )
    objective: str | None = Field(default=None, description="What is explained, such as conv3_1:5; classes if absent.")
    objectives: Annotated[tuple[str, ...], Field(min_length=1, max_length=MOST)] | None = Field(
        default=None, description="Or several things that are explained."
    )
    classes: Annotated[tuple[ClassField, ...], Field(min_length=1, max_length=MOST)] | None = Field(
        default=None, description="Or classes, by name or number."
    )
    best: int | None = Field(
        default=None, ge=1, le=MOST, description="Or how many of the network's own answers, of each head; 1 if absent."
    )
    heads: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(
        default=None, description="Of which heads the classes are; all if absent."
    )
    patch: int | None = Field(
        default=None,
        ge=1,
        le=LARGEST_SIDE,
        description="The side of the square that hides; a seventh of the picture's.",
    )
    stride: int | None = Field(
        default=None, ge=1, le=LARGEST_SIDE, description="How far the square moves on; half its side if absent."
    )
    fill: Share | Annotated[tuple[Share, ...], Field(min_length=1)] | None = Field(
        default=None, description="Its colour in [0, 1], one number or one per channel; the network's mean colour."
    )

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        asked = [name for name in ("objective", "objectives", "classes", "best") if getattr(self, name) is not None]
        if len(asked) > 1:
            raise FieldError((asked[1],), f"Write {' or '.join(asked)}; one of them says what is explained.")
        if self.heads is not None and asked and asked[0].startswith("objective"):
            raise FieldError(("heads",), "An objective names its layers itself; write heads with classes or best.")
        if len(set(self.methods)) < len(self.methods):
            raise FieldError(("methods",), f"Each method stands once, but {', '.join(self.methods)} was given.")
        if OCCLUSION not in self.methods:
            for name in ("patch", "stride", "fill"):
                if getattr(self, name) is not None:
                    raise FieldError((name,), "It is of occlusion, which is not among the methods; leave it out.")
        return self

    def plan(self, stage: Stage) -> Plan:
        seen = self._seen(stage)
        sides = (seen.pixels.shape[2], seen.pixels.shape[3])
        explained, fields = self._explained(stage, seen, sides)
        cams = any(method in CAMS for method in self.methods)
        if not cams and self.layers is not None:
            raise FieldError(("layers",), "Occlusion reads no layer; leave it out, or name other methods too.")
        goals = [target.goal for target in explained[0].targets]
        layers = heat_layers(stage, self.layers, goals, explained[0].pixels) if cams else ()
        ways = Ways(stage.network, layers, self.methods, self._patch(stage, sides), self.batch)
        fields |= {"layers": layers or None, **self._patch_fields(ways.patch), **seen.fields}

        def tell(desk: Desk) -> Story:
            return told(desk, self.title, explained, ways)

        return Plan((), tell, fields, seen.files)

    def _seen(self, stage: Stage) -> LookedAt:
        network = stage.network
        if network.convention.dims != PLANE:
            raise FieldError(("model",), f"{network.name} takes clips or volumes, and heat maps are of pictures.")
        seen = see(stage, self)
        refusal = network.refusal(seen.pixels.shape[2:])
        if refusal is not None:
            size = size_text(seen.pixels.shape[2:])
            raise FieldError(("size",), f"{network.name} does not take pictures of {size} pixels ({refusal}).")
        return seen

    def _explained(
        self, stage: Stage, seen: LookedAt, sides: tuple[int, int]
    ) -> tuple[tuple[Explained, ...], dict[str, Any]]:
        """What is explained of each picture, and what the fields that say so came to."""
        asked = self._asked(stage, sides)
        fields = {} if is_earlier() else self._written(stage)
        heads: tuple[str, ...] = () if asked else chosen_heads(stage.network, self.heads)
        if not asked:
            fields["heads"] = heads
            asked = named_classes(stage.network, heads, self.classes or ())
        if not asked:
            fields["best"] = self.best or 1
        found = []
        for name, pixels in zip(seen.names, seen.pixels, strict=True):
            answers = answers_of(stage.network, heads, pixels)
            targets = asked or best_classes(stage.network, answers, fields["best"])
            found.append(Explained(name, pixels, answers, targets))
        return tuple(found), fields

    def _written(self, stage: Stage) -> dict[str, Any]:
        """The objectives with every argument."""
        if self.objective is not None:
            return {"objective": record_text(stage.objective(self.objective, "objective"))}
        texts = [stage.objective(one, "objectives", at) for at, one in enumerate(self.objectives or ())]
        return {"objectives": tuple(map(record_text, texts))} if texts else {}

    def _asked(self, stage: Stage, sides: tuple[int, int]) -> tuple[Target, ...]:
        texts: list[tuple[str, Key]] = [(one, ("objectives", at)) for at, one in enumerate(self.objectives or ())]
        if self.objective is not None:
            texts = [(self.objective, ("objective",))]
        return asked_targets(stage, texts, sides)

    def _patch(self, stage: Stage, sides: tuple[int, int]) -> Patch:
        convention = stage.network.convention
        side = max(1, min(sides) // PATCHES) if self.patch is None else self.patch
        stride = max(1, side // 2) if self.stride is None else self.stride
        fill = convention.mean_colour if self.fill is None else self.fill
        colour = fill if isinstance(fill, tuple) else (fill,) * convention.channels
        if side > min(sides):
            raise FieldError(("patch",), f"{side} pixels do not fit into a side of {min(sides)}; write a smaller one.")
        if stride > side:
            raise FieldError(
                ("stride",), f"Steps of {stride} leave pixels between squares of {side}; write at most {side}."
            )
        if len(colour) != convention.channels:
            raise FieldError(
                ("fill",), f"A colour here has {convention.channels} numbers, but {len(colour)} were given."
            )
        return Patch(side, stride, colour)

    def _patch_fields(self, patch: Patch) -> dict[str, Any]:
        if OCCLUSION not in self.methods:
            return {}
        return {"patch": patch.side, "stride": patch.stride, "fill": patch.fill}


heatmap = RecipeFunction(Heatmap)
