"""What a network sees in a picture, place by place: at each position of a layer, the picture of what it says there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from lucidtorch.base.defaults import record_text
from lucidtorch.base.sizes import short_size, size_pair
from lucidtorch.galleries.plan import slug
from lucidtorch.galleries.task import Craft, Piece, Task
from lucidtorch.objectives.directions import direction
from lucidtorch.param.images import image
from lucidtorch.param.param import Param
from lucidtorch.recipes.blame import FieldError, blamed
from lucidtorch.recipes.functions import RecipeFunction
from lucidtorch.recipes.inputs import ImageField, kept_image, read_image
from lucidtorch.recipes.parts.grids.grid_cells import GridCells
from lucidtorch.recipes.parts.grids.grid_story import SEEN, Grid, told
from lucidtorch.recipes.parts.sharing import with_shared
from lucidtorch.recipes.parts.unit_pictures import unit_shot
from lucidtorch.recipes.recipe import Layers, SizeField
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.kind import RenderingKind
from lucidtorch.recipes.runs.planning import Plan
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Story

CELL = 48  # pixels on a side of a cell's picture where nobody says
MAP_AXES = 4  # `[B, C, h, w]`
SHARING = 4  # cells of a batch that one row of a shared grid spans
COARSER = (2, 4, 8)

Group = Annotated[int, Field(ge=1, le=256)]


class ActivationGrid(RenderingKind):
    """Grids of what layers say of a picture.

    Attributes:
        layers: Their addresses.
        image: The picture.
        image_size: The size at which the network looks at it.
        size: The size at which a cell is rendered.
        show: What a cell shows.
        group: How many neighbouring positions on each side make one cell.
        trim: How many pixels are left out at each edge of a cell.
        cossim_pow: How purely a cell's picture shows its direction.
        shared: Whether neighbouring cells share coarse parts.
        scale_by_length: Whether a cell is the smaller the less the layer says there.
        batch: How many cells are computed together.
    """

    summary: ClassVar[str] = "What a network sees at each place of a picture: at each position of a layer a picture."

    recipe: Literal["activation_grid"] = "activation_grid"
    layers: Layers = Field(description="The address of a layer with positions, or several; behind a ReLU if possible.")
    image: ImageField = Field(description="The picture that is looked at: a path, or {drawing: star}.")
    image_size: SizeField | None = Field(
        default=None, description="Pixels on a side, or [height, width], of what is looked at; the network's if absent."
    )
    show: Literal["direction", "channel", "both"] = Field(
        default="direction",
        description="In each cell: all that the layer says there, its most active channel, or both.",
    )
    group: Group | Annotated[tuple[Group, ...], Field(min_length=1)] = Field(
        default=1, description="Neighbouring positions on each side that make one cell; one number, or one per layer."
    )
    size: SizeField | None = Field(
        default=None, description="Pixels on a side of a cell as it is rendered; 48 if absent."
    )
    trim: int = Field(default=2, ge=0, le=1024, description="Pixels left out at each edge of a cell where it is shown.")
    cossim_pow: float = Field(
        default=1.0, ge=0, le=16, description="How purely a cell shows its direction: the power of the cosine."
    )
    shared: bool = Field(
        default=True, description="Whether neighbouring cells share coarse parts: clearer, and sooner."
    )
    scale_by_length: bool = Field(
        default=False, description="Whether a cell is shown the smaller, the less the layer says there."
    )
    batch: int = Field(default=64, ge=1, le=4096, description="How many cells are computed together.")

    def plan(self, stage: Stage) -> Plan:
        layers = stage.layers(self.layers)
        param = stage.craft.param or image(CELL, channels=stage.network.convention.channels)
        self._check_trim(param)
        picture = self._picture(stage)
        cells = [self._cells(stage, layer, picture) for layer in layers]
        craft = replace(stage.craft, param=param)
        several = replace(craft, param=with_shared(param, self._shared_grids())) if self.shared else craft
        grids = [grid for one in cells for grid in self._grids(stage, one, craft, several)]
        with blamed("image"):
            name, files = kept_image(self.image, stage.base)
        fields = {
            "param": record_text(param),
            "layers": layers,
            "group": tuple(one.group for one in cells),
            "image": name,
            "image_size": short_size(tuple(picture.shape[1:])),
        }

        def tell(desk: Desk) -> Story:
            seen = desk.write(SEEN, picture)
            return told(desk, stage.network.name, self.title, seen, grids, self.trim, scaled=self.scale_by_length)

        return Plan(tuple(task for grid in grids for task in grid.tasks), tell, fields, files)

    def _check_trim(self, param: Param) -> None:
        if 2 * self.trim >= min(param.size):
            raise FieldError(
                ("trim",),
                f"Cells of {min(param.size)} pixels have no middle left when {self.trim} are cut at each edge.",
            )

    def _picture(self, stage: Stage) -> Tensor:
        convention = stage.network.convention
        with blamed("image_size"):
            size = size_pair(convention.size if self.image_size is None else self.image_size)
        with blamed("image"):
            found = read_image(self.image, size, convention.channels, stage.base)
        return torch.tensor(found.numpy(), dtype=torch.float32)

    def _cells(self, stage: Stage, layer: str, picture: Tensor) -> GridCells:
        names = [self.layers] if isinstance(self.layers, str) else list(self.layers)
        place = names.index(layer)
        with blamed("image_size"):
            values = stage.network.activations(picture[None], layer)[layer].cpu().float()
        if values.ndim != MAP_AXES:
            raise FieldError(
                ("layers",) if isinstance(self.layers, str) else ("layers", place),
                f"{layer!r} has no positions, so there is no grid of it; name a layer that says where.",
            )
        several = isinstance(self.group, tuple)
        if isinstance(self.group, tuple) and len(self.group) != len(names):
            raise FieldError(
                ("group",), f"It has {len(self.group)} numbers for {len(names)} layers; give one, or one per layer."
            )
        group = self.group[place] if isinstance(self.group, tuple) else self.group
        if group > max(values.shape[2:]):
            raise FieldError(
                ("group", place) if several else ("group",),
                f"{layer!r} has {values.shape[2]} x {values.shape[3]} positions for this picture, so {group} on a side "
                f"cannot make one cell; write less.",
            )
        return GridCells.of(layer, values[0], group)

    def _shared_grids(self) -> list[tuple[int, int]]:
        return [(max(1, self.batch // SHARING), coarser) for coarser in COARSER]

    def _grids(self, stage: Stage, cells: GridCells, craft: Craft, several: Craft) -> list[Grid]:
        made = []
        if self.show != "channel":
            made.append(self._of_directions(stage, cells, several))
        if self.show != "direction":
            made.append(_of_channels(stage, cells, craft))
        return made

    def _of_directions(self, stage: Stage, cells: GridCells, craft: Craft) -> Grid:
        name = slug(cells.layer)
        size = min(self.batch, len(cells.places))
        starts = range(0, len(cells.walk), size)
        tasks = tuple(
            self._task(stage, cells, f"{name}-direction-{number:05d}", cells.walk[start : start + size], size, craft)
            for number, start in enumerate(starts)
        )
        return Grid(cells, "direction", {place: _file(cells, *place) for place in cells.places}, tasks)

    def _task(
        self, stage: Stage, cells: GridCells, name: str, own: Sequence[tuple[int, int]], size: int, craft: Craft
    ) -> Task:
        padded = [*own, *[own[-1]] * (size - len(own))]
        vectors = torch.stack([cells.vector(*place) for place in padded])
        goal = direction(cells.layer, vectors, cossim_pow=self.cossim_pow)
        start = stage.seed(cells.layer, "direction")
        seeds = tuple(stage.seed(*place, start=start) for place in padded)
        pieces = tuple(Piece(_file(cells, *place), (number,)) for number, place in enumerate(own))
        return Task(name, goal, seeds, pieces, craft)


def _of_channels(stage: Stage, cells: GridCells, craft: Craft) -> Grid:
    """The grid of most active channels; one that is so in several cells is rendered once."""
    folder = f"pictures/{slug(cells.layer)}"
    channels = cells.channels()
    files = {place: f"{folder}/channel-{int(channels[place]):05d}.png" for place in cells.places}
    units = sorted({int(unit) for unit in channels.flatten()})
    shots = [unit_shot(stage, cells.layer, unit, f"{folder}/channel-{unit:05d}.png") for unit in units]
    return Grid(cells, "channel", files, stage.tasks(f"{slug(cells.layer)}-channel", shots, craft=craft))


def _file(cells: GridCells, row: int, column: int) -> str:
    return f"pictures/{slug(cells.layer)}/row-{row:03d}-column-{column:03d}.png"


activation_grid = RecipeFunction(ActivationGrid)
