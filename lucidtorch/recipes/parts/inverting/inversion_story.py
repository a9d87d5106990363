"""What is told of inversions: the original beside what each layer made of it, and how far the two are apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from lucidtorch.base.images import sheet, visible
from lucidtorch.models.model import Model
from lucidtorch.recipes.parts.inverting.errors import Errors, error_chart, flat_error
from lucidtorch.recipes.parts.inverting.loss import InversionLoss
from lucidtorch.recipes.parts.unit_pictures import counted
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.story import Cell, Figure, Section, Story, Table

SHEET, CHART = "sheet.png", "errors.png"
MEASURED = (1, 3)  # numbers of channels of which a file holds just what the network saw
MOST_COLUMNS = 8  # pictures in a row that keep their words
MOST_NAMED = 6  # pictures with a column of their own in the table
DIGITS = 6


@dataclass(frozen=True)
class Inversions:
    """Pictures, and what layers made of them.

    Args:
        network: The network.
        loss: What was made small.
        names: The names of the pictures.
        pictures: `[N, C, H, W]` in [0, 1].
        files: For each layer, in order of depth, the files of its inversions.
    """

    network: Model
    loss: InversionLoss
    names: tuple[str, ...]
    pictures: Tensor
    files: Mapping[str, tuple[str, ...]]

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers in order of depth."""
        return tuple(self.files)

    def tell(self, desk: Desk) -> Story:
        """Measure, and put together what the page says."""
        originals = [desk.write(f"original-{place}.png", one) for place, one in enumerate(self.pictures, 1)]
        found = self._measured(desk)
        main = desk.write(SHEET, self._sheet(desk))
        sections = [*self._side_by_side(desk, originals, found)]
        if found:
            sections.append(self._numbers(desk, found))
        if found and len(self.layers) > 1:
            sections.append(self._elsewhere(found))
        said = (
            f"What {counted(len(self.layers), 'layer')} of {self.network.name} still know{'s' * self._one} of a picture"
        )
        facts = {"loss": self.loss.text, "errors": self._facts(found)}
        return Story(desk.recipe.title or said, self._lead(found), tuple(sections), main, facts)

    @property
    def _one(self) -> bool:
        return len(self.layers) == 1

    def _measured(self, desk: Desk) -> dict[str, list[Errors]]:
        """The errors of each layer's inversions; nothing where files do not show all that the network saw."""
        if self.pictures.shape[1] not in MEASURED:
            return {}
        return {
            layer: [
                Errors.of(self.network, self.layers, desk.pixels(file), original)
                for file, original in zip(files, self.pictures, strict=True)
            ]
            for layer, files in self.files.items()
        }

    def _sheet(self, desk: Desk) -> Tensor:
        """All pictures: a row each, the original first."""
        cells = []
        for place, original in enumerate(self.pictures):
            cells += [visible(original), *(desk.pixels(files[place]) for files in self.files.values())]
        return sheet(torch.stack(cells), 1 + len(self.layers))

    def _side_by_side(
        self, desk: Desk, originals: Sequence[str], found: Mapping[str, Sequence[Errors]]
    ) -> list[Section]:
        rows = [self._row(desk, place, original, found) for place, original in enumerate(originals)]
        columns = 1 + len(self.layers)
        text = (
            "From left to right: the original, and what was made of it again from deeper and deeper layers. A picture "
            "opens large when it is chosen; its curves are behind its name.",
        )
        if columns > MOST_COLUMNS:
            return [Section(name, text, tuple(row)) for name, row in zip(self.names, rows, strict=True)]
        figures = tuple(one for row in rows for one in row)
        return [Section("Side by side", text, figures, columns, self.names, ("original", *self.layers))]

    def _row(self, desk: Desk, place: int, original: str, found: Mapping[str, Sequence[Errors]]) -> list[Figure]:
        name, picture = self.names[place], self.pictures[place]
        row = [Figure(original, "original", f"The original: {name}")]
        for layer, files in self.files.items():
            note = _said(found[layer][place], layer) if found else ""
            alt = f"{name}, made again from {layer}"
            goal = self.loss.objective(layer, picture)
            row.append(replace(desk.figure(files[place], layer, goal, alt=alt, note=note), score=None))
        return row

    def _lead(self, found: Mapping[str, Sequence[Errors]]) -> tuple[str, ...]:
        what = "a layer says" if self._one else "layers say"
        first = (
            f"{counted(len(self.names), 'picture')}, shown to {self.network.name}. Each was then made "
            f"again from what {what} of it, and from nothing else: noise was changed step by step until the layer "
            "answered as it does to the original. What comes back is what the layer still knows; what comes back "
            "otherwise, elsewhere, or not at all, is what it does not tell apart.",
            f"What was made small: `{self.loss.text}`. The first part is the squared distance in the layer, as a share "
            "of the squared size of the original's activations: 0 where the layer cannot tell the two apart, 1 for a "
            f"silent layer. {self._regularizers()} The method is that of Mahendran and Vedaldi (2015).",
        )
        if not found:
            return (*first, "No errors are given: files do not hold all channels of these pictures as they are.")
        return (*first, self._growth(found))

    def _regularizers(self) -> str:
        if not self.loss.alpha_weight and not self.loss.tv_weight:
            return "Nothing keeps the picture natural: what the layer does not fix is noise."
        return (
            "The rest keeps the picture off black and white, and smooth: where the layer fixes nothing, it decides "
            "what is seen, so smooth parts are no proof that the layer knew of smoothness."
        )

    def _growth(self, found: Mapping[str, Sequence[Errors]]) -> str:
        means = {layer: _mean([one.image for one in errors]) for layer, errors in found.items()}
        flat = _mean([flat_error(one) for one in self.pictures])
        yardstick = f"an even picture in the original's mean colour would be off by {_share(flat)}."
        falls = [(before, after) for before, after in pairwise(means) if means[after] <= means[before]]
        if self._one:
            return f"The pixels are off by {_share(next(iter(means.values())))}; {yardstick}"
        ends = f"from {_share(means[self.layers[0]])} for {self.layers[0]} to {_share(means[self.layers[-1]])} for "
        if not falls:
            return (
                f"The mean error of the pixels grows from layer to layer, {ends}{self.layers[-1]}; {yardstick} The "
                "deeper a layer, the less it says of where and in which colour things are."
            )
        where = ", ".join(f"{before} to {after}" for before, after in falls)
        return f"The mean error of the pixels goes {ends}{self.layers[-1]}; it does not grow from {where}; {yardstick}"

    def _numbers(self, desk: Desk, found: Mapping[str, Sequence[Errors]]) -> Section:
        values = self.network.activations(self.pictures[:1], self.layers)
        head = ["layer", "numbers in it", "feature error, %", "image error, %"]
        several = 1 < len(self.names) <= MOST_NAMED
        head += [f"image error, {name}" for name in self.names] if several else []
        rows: list[tuple[Cell, ...]] = []
        for layer, errors in found.items():
            own = [100 * one.image for one in errors] if several else []
            feature = _mean([one.layers[layer] for one in errors])
            shown = [100 * feature, 100 * _mean([one.image for one in errors]), *own]
            rows.append((layer, values[layer].numel(), *(_rounded(one, 3) for one in shown)))
        text = (
            f"All errors are of the pictures as they stand in their files, in steps of 1/255; a picture has "
            f"{self.loss.numbers} numbers. Feature error: the share that was made small, in the layer itself. Image "
            "error: the mean absolute difference of all pixels and colours from the original, of the whole range.",
        )
        caption = "What was lost from layer to layer" + (", mean over the pictures" if len(self.names) > 1 else "")
        table = Table(tuple(head), tuple(rows), caption)
        figures = () if self._one else (self._chart(desk, found),)
        return Section("In numbers", text, figures, table=table)

    def _chart(self, desk: Desk, found: Mapping[str, Sequence[Errors]]) -> Figure:
        """The image error over depth."""
        means = [100 * _mean([one.image for one in errors]) for errors in found.values()]
        file = desk.write(CHART, error_chart({layer: [one.image for one in own] for layer, own in found.items()}))
        alt = f"A chart of the image error by depth, from {means[0]:.3g} % to {means[-1]:.3g} %"
        return Figure(file, "How far the pictures are from the originals, from layer to layer", alt, whole=True)

    def _elsewhere(self, found: Mapping[str, Sequence[Errors]]) -> Section:
        text = (
            "What was made from one layer, seen by the others: feature errors in per cent. To the left of the layer "
            "itself stands what it does not fix; to its right, what small remains of its own error come to further on.",
        )
        rows: tuple[tuple[Cell, ...], ...] = tuple(
            (layer, *(_rounded(100 * _mean([one.layers[other] for one in errors]), 3) for other in self.layers))
            for layer, errors in found.items()
        )
        return Section("Seen by the other layers", text, table=Table(("made from", *self.layers), rows))

    def _facts(self, found: Mapping[str, Sequence[Errors]]) -> dict[str, Any]:
        return {
            layer: {
                name: {
                    "image": _rounded(one.image, DIGITS),
                    "layers": {other: _rounded(value, DIGITS) for other, value in one.layers.items()},
                }
                for name, one in zip(self.names, errors, strict=True)
            }
            for layer, errors in found.items()
        }


def _said(errors: Errors, layer: str) -> str:
    return f"feature error {_share(errors.layers[layer])}, image error {_share(errors.image)}"


def _share(value: float) -> str:
    return f"{100 * value:.3g}\N{NO-BREAK SPACE}%" if math.isfinite(value) else "infinite"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")
