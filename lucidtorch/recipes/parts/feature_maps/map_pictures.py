"""What is told of the activations on one picture: the maps of each layer, and the values of those without places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from lucidtorch.analysis.overlays import Tones
from lucidtorch.galleries.curve import number_text
from lucidtorch.galleries.plan import slug
from lucidtorch.recipes.parts.feature_maps.depth import DASH, TIMES
from lucidtorch.recipes.parts.feature_maps.mosaics import Scale, bars, columns_of, mosaic
from lucidtorch.recipes.parts.feature_maps.seen import LayerSeen
from lucidtorch.recipes.parts.feature_maps.sparsity import LEADERS, Measures
from lucidtorch.recipes.parts.unit_pictures import counted
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.story import Figure

MOST_STARTS = 16  # rows whose first unit a caption names
TONES = {
    ("heat", False): "Black is zero; violet, red and yellow are more and more, up to white.",
    ("heat", True): "Black is zero, orange above it and blue below; the lighter, the farther.",
    ("grey", False): "Black is zero, white the most.",
    ("grey", True): "Middle grey is zero; lighter is above it, darker below.",
}


@dataclass(frozen=True)
class Hanging:
    """How maps are shown.

    Args:
        scale: Whether each is drawn against its own largest value or the layer's.
        tones: What numbers are drawn in.
        most: How many units of a layer are shown at most.
        whole: Whether each layer's picture is as wide as the page.
    """

    scale: Scale
    tones: Tones
    most: int
    whole: bool

    def figure(self, desk: Desk, layer: LayerSeen, values: Tensor, number: int, name: str) -> Figure:
        """Show a layer on the picture that was measured last."""
        file = f"maps/picture-{number:04d}/{slug(layer.layer)}.png"
        here = layer.found[-1]
        if layer.is_dense:
            flat = values.flatten()
            alt = f"The values of {layer.layer} on {name} as bars"
            return self._figure(
                desk.write(file, bars(flat)), layer, counted(len(flat), "value"), alt, _highest(layer, here)
            )
        maps = values[: self.most]
        count, height, width = maps.shape
        columns = columns_of(count, height, width)
        alt = f"{counted(count, 'map')} of {layer.layer} on {name}"
        note = f"{_places(count, columns, layer.shape[0])} {self._scaled(here)}"
        text = f"{counted(count, 'map')} of {height}{TIMES}{width}"
        return self._figure(desk.write(file, mosaic(maps, self.scale, self.tones)), layer, text, alt, note)

    def _figure(self, file: str, layer: LayerSeen, text: str, alt: str, note: str) -> Figure:
        return Figure(file, f"{layer.layer}: {layer.kind}, {text}", alt, note=note, whole=self.whole)

    def _scaled(self, here: Measures) -> str:
        against = "each map against its own largest" if self.scale == "unit" else "all maps against the largest of them"
        low, high = _short(here.low), _short(here.high)
        return f"Drawn: {against}; the values of the layer go from {low} to {high}. {TONES[self.tones, here.low < 0]}"


def _places(count: int, columns: int, all_units: int) -> str:
    starts = list(range(0, count, columns))
    parts = [f"Units 0{DASH}{count - 1} from left to right, {columns} in a row" if count > 1 else "Unit 0"]
    if 1 < len(starts) <= MOST_STARTS and columns > 1:
        parts.append(f"; the rows begin with {', '.join(map(str, starts))}")
    if count < all_units:
        parts.append(f"; the other {all_units - count} are not shown, as `most` says")
    return "".join((*parts, "."))


def _highest(layer: LayerSeen, here: Measures) -> str:
    values, units = here.unit_means.sort(descending=True, stable=True)
    pairs: Sequence[tuple[int, float]] = list(zip(units.tolist(), values.tolist(), strict=True))[:LEADERS]
    said = ", ".join(f"{layer.called(unit)} ({_short(value)})" for unit, value in pairs)
    return f"A bar for each unit, from 0 on the left, upwards or downwards from zero. Highest: {said}."


def _short(value: float) -> str:
    return number_text(value, 3)
