"""Heat maps of one picture: computed, and measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from lucidtorch.analysis.heatmaps import grad_cam, grad_cam_plus_plus, layer_cam, occlusion_maps, upscaled
from lucidtorch.models.backward import backward
from lucidtorch.models.model import Model
from lucidtorch.objectives.algebra import Objective
from lucidtorch.recipes.parts.heat.heat_targets import Explained

OCCLUSION = "occlusion"
CAMS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "grad_cam": grad_cam,
    "grad_cam_plus_plus": grad_cam_plus_plus,
    "layer_cam": layer_cam,
}
TITLES = {"grad_cam": "Grad-CAM", "grad_cam_plus_plus": "Grad-CAM++", "layer_cam": "Layer-CAM", OCCLUSION: "occlusion"}
QUARTER = 4

Place: TypeAlias = tuple[int, str | None, str]
"""What a map is of: the number of the target, the layer (None for occlusion), and the method."""


@dataclass(frozen=True)
class Patch:
    """What slides over the picture.

    Args:
        side: Its side in pixels.
        stride: How many pixels lie from one place to the next.
        fill: Its colour, one number per channel in [0, 1].
    """

    side: int
    stride: int
    fill: tuple[float, ...]


@dataclass(frozen=True)
class Ways:
    """How heat maps are made.

    Args:
        network: The network.
        layers: Where class activation maps are read from.
        methods: The names of the methods, in the order of the columns.
        patch: What slides over the picture.
        batch: How many images are computed together.
    """

    network: Model
    layers: tuple[str, ...]
    methods: tuple[str, ...]
    patch: Patch
    batch: int

    @property
    def occludes(self) -> bool:
        """Whether occlusion is among the methods."""
        return OCCLUSION in self.methods

    def place(self, target: int, layer: str | None, method: str) -> Place:
        """Say which map stands in a cell: that of occlusion, which reads no layer, in the rows of all layers."""
        return target, (layer if method in CAMS else None), method


@dataclass(frozen=True, eq=False)
class Heat:
    """A heat map.

    Args:
        values: `[h, w]`, as large as the layer's map; of occlusion as large as the picture.
        spread: `[H, W]`: the same over the picture.
        drop: Of occlusion, by how much the worst patch lowers the score.
    """

    values: Tensor
    spread: Tensor
    drop: float | None = None

    @property
    def largest(self) -> float:
        """Its largest value."""
        return float(self.values.max())

    @property
    def shows(self) -> bool:
        """Whether it is anywhere above 0."""
        return self.largest > 0

    @property
    def peak(self) -> tuple[int, int] | None:
        """Column and row of the pixel in the middle of its strongest place; None where it is nowhere above 0."""
        if not self.shows:
            return None
        top = self.values == self.values.max()
        row, column = divmod(int(top.flatten().int().argmax()), self.values.shape[1])
        across, down = (int(line.int().cumprod(0).sum()) for line in (top[row, column:], top[row:, column]))
        height, width = (whole / own for whole, own in zip(self.spread.shape, self.values.shape, strict=True))
        return int((column + across / 2) * width), int((row + down / 2) * height)

    @property
    def top_quarter(self) -> float | None:
        """How much of the heat lies in the hottest quarter of the pixels: 0.25 is even; None where there is none."""
        heat = torch.sort(self.spread.clamp(min=0).flatten(), descending=True).values
        return float(heat[: max(1, len(heat) // QUARTER)].sum() / heat.sum()) if self.shows else None


def heats_of(one: Explained, ways: Ways) -> dict[Place, Heat]:
    """Compute all heat maps of a picture."""
    cams = [method for method in ways.methods if method in CAMS]
    found = {}
    for number, target in enumerate(one.targets if cams else ()):
        for (layer, method), heat in _cams(ways, one.pixels, target.goal, cams).items():
            found[number, layer, method] = heat
    if OCCLUSION in ways.methods:
        for number, heat in enumerate(_occluded(ways, one)):
            found[number, None, OCCLUSION] = heat
    return found


def scores_of(network: Model, images: Tensor, goals: Sequence[Objective]) -> Tensor:
    """Evaluate objectives on clean images, on each as if it were alone."""
    seen = network.activations(images, list(dict.fromkeys(layer for goal in goals for layer in goal.layers)))
    return torch.stack([torch.cat([goal(_only(seen, at)) for goal in goals]) for at in range(len(images))])


def _only(seen: Mapping[str, Tensor], image: int) -> dict[str, Tensor]:
    return {layer: values[image : image + 1] for layer, values in seen.items()}


def _cams(ways: Ways, picture: Tensor, goal: Objective, methods: Sequence[str]) -> dict[tuple[str | None, str], Heat]:
    back = backward(ways.network, picture[None], goal, goal.layers, ways.layers)
    found: dict[tuple[str | None, str], Heat] = {}
    for layer in ways.layers:
        activations, gradients = (one[layer].cpu().double() for one in (back.activations, back.gradients))
        for method in methods:
            values = CAMS[method](activations, gradients)
            found[layer, method] = Heat(values[0], upscaled(values, (picture.shape[1], picture.shape[2]))[0])
    return found


def _occluded(ways: Ways, one: Explained) -> list[Heat]:
    found = occlusion_maps(
        lambda images: scores_of(ways.network, images, [target.goal for target in one.targets]),
        one.pixels,
        patch=ways.patch.side,
        stride=ways.patch.stride,
        fill=ways.patch.fill,
        batch=ways.batch if ways.network.takes_batches else 1,
    )
    return [Heat(own, own, float(drops.max())) for own, drops in zip(found.maps, found.drops, strict=True)]
