"""The heat maps of one picture: a row for everything that is explained, a column for each method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lucidtorch.analysis.overlays import heat_overlay
from lucidtorch.base.arrays import Array
from lucidtorch.base.images import sheet, visible
from lucidtorch.galleries.curve import number_text
from lucidtorch.galleries.plan import slug
from lucidtorch.models.model import Model
from lucidtorch.recipes.parts.heat.heat_classes import class_name
from lucidtorch.recipes.parts.heat.heat_maps import TITLES, Heat, Place, Ways, heats_of, scores_of
from lucidtorch.recipes.parts.heat.heat_targets import Explained
from lucidtorch.recipes.parts.heat.heat_words import MEASURED
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.story import Cell, Figure, Section, Table
from lucidtorch.runs.folder import write_file

BEST = 3  # classes of each head that a page names
DIGITS = 3
ARRAYS = ".npy"


@dataclass(frozen=True, eq=False)
class Matrix:
    """The maps of one picture, written down.

    Args:
        ways: How they were made.
        one: The picture, and what is explained of it.
        scores: Of each target.
        heats: The maps.
        files: Their files without ending.
        ground: The file of the picture.
        whole: The file that shows all maps.
    """

    ways: Ways
    one: Explained
    scores: tuple[float, ...]
    heats: Mapping[Place, Heat]
    files: Mapping[Place, str]
    ground: str
    whole: str

    @classmethod
    def of(cls, desk: Desk, number: int, one: Explained, ways: Ways) -> Matrix:
        """Make the maps of a picture, and write them."""
        scores = scores_of(ways.network, one.pixels[None], [target.goal for target in one.targets])[0].tolist()
        heats, ground = heats_of(one, ways), visible(one.pixels)
        overlays = {place: heat_overlay(ground, heat.spread) for place, heat in heats.items()}
        files = {place: f"maps/{number}/{_file(place)}" for place in heats}
        for place, heat in heats.items():
            desk.write(f"{files[place]}.png", overlays[place])
            write_file(desk.folder, f"{files[place]}{ARRAYS}", Array.of(heat.values).file_bytes())
        tiles = [
            picture
            for target, layer in _rows(one, ways)
            for picture in (
                ground.expand(3, -1, -1),
                *(overlays[ways.place(target, layer, method)] for method in ways.methods),
            )
        ]
        whole = desk.write(f"sheet-{number}.png", sheet(torch.stack(tiles), len(ways.methods) + 1))
        return cls(ways, one, tuple(scores), heats, files, desk.write(f"image-{number}.png", ground), whole)

    @property
    def rows(self) -> list[tuple[int, str | None]]:
        """Each row's target, by its number, and layer."""
        return _rows(self.one, self.ways)

    def section(self) -> Section:
        """The matrix of the picture, and its table."""
        figures = [figure for row in self.rows for figure in (self._picture(), *self._maps(*row))]
        return Section(
            self.one.name,
            (*self._said(), f"All of this as one picture: `{self.whole}`."),
            tuple(figures),
            len(self.ways.methods) + 1,
            tuple(self._row_name(*row) for row in self.rows),
            ("the picture", *(TITLES[method] for method in self.ways.methods)),
            self._table(),
        )

    def facts(self) -> dict[str, Any]:
        """What `data.json` says of the picture."""
        answers = {head: _ranked(self.ways.network, head, found) for head, found in self.one.answers.items()}
        return {
            "name": self.one.name,
            "answers": answers,
            "targets": [self._target_facts(number) for number in range(len(self.one.targets))],
        }

    def _target_facts(self, number: int) -> dict[str, Any]:
        target = self.one.targets[number]
        maps = [
            {
                "method": place[2],
                "layer": place[1],
                "file": f"{self.files[place]}{ARRAYS}",
                "peak": heat.peak,
                "largest": heat.largest,
                "top_quarter": heat.top_quarter,
                "drop": heat.drop,
            }
            for place, heat in self.heats.items()
            if place[0] == number
        ]
        return {
            "name": target.name,
            "objective": target.text,
            "probability": target.probability(self.one.answers),
            "score": self.scores[number],
            "maps": maps,
        }

    def _said(self) -> list[str]:
        """What the network says of the picture, head by head."""
        answers = [(head, _ranked(self.ways.network, head, found)) for head, found in self.one.answers.items()]
        texts = [(head, ", ".join(f"{name} {_percent(likely)}" for name, likely in best)) for head, best in answers]
        said = [text if len(texts) == 1 else f"{head}: {text}" for head, text in texts]
        return [f"The network says: {'; '.join(said)}."] if said else []

    def _picture(self) -> Figure:
        return Figure(self.ground, self.one.name, f"{self.one.name}, as the network sees it")

    def _maps(self, target: int, layer: str | None) -> list[Figure]:
        name = self.one.targets[target].name
        found = []
        for method in self.ways.methods:
            place = self.ways.place(target, layer, method)
            alt = f"{TITLES[method]} of {name} on {self.one.name}"
            found.append(Figure(f"{self.files[place]}.png", _caption(self.heats[place]), alt))
        return found

    def _row_name(self, target: int, layer: str | None) -> str:
        found = self.one.targets[target]
        likely = found.probability(self.one.answers)
        name = found.name if likely is None else f"{found.name}, {_percent(likely)}"
        return f"{name} ({layer})" if len(self.ways.layers) > 1 else name

    def _table(self) -> Table:
        heads = ("explained", "layer", "probability", "score", *(TITLES[one] for one in self.ways.methods))
        return Table(heads, tuple(self._line(*row) for row in self.rows), MEASURED)

    def _line(self, target: int, layer: str | None) -> tuple[Cell, ...]:
        found = self.one.targets[target]
        likely = found.probability(self.one.answers)
        name = found.name if found.name == found.text else f"{found.name}: {found.text}"
        maps = [self.heats[self.ways.place(target, layer, method)] for method in self.ways.methods]
        return name, layer, None if likely is None else _percent(likely), self.scores[target], *map(_measured, maps)


def _rows(one: Explained, ways: Ways) -> list[tuple[int, str | None]]:
    return [(target, layer) for target in range(len(one.targets)) for layer in ways.layers or (None,)]


def _file(place: Place) -> str:
    target, layer, method = place
    return "-".join([str(target + 1), *([] if layer is None else [slug(layer)]), method])


def _caption(heat: Heat) -> str:
    if not heat.shows:
        return "nowhere above zero"
    if heat.drop is not None:
        return f"a square lowers the score by up to {number_text(heat.drop, DIGITS)}"
    column, row = heat.peak or (0, 0)
    return f"strongest at {column}, {row}"


def _measured(heat: Heat) -> str | None:
    if heat.peak is None or heat.top_quarter is None:
        return None
    return f"{heat.peak[0]}, {heat.peak[1]}; {_percent(heat.top_quarter)}"


def _ranked(network: Model, head: str, found: Tensor) -> list[tuple[str, float]]:
    best = torch.sort(found, descending=True, stable=True)
    pairs = zip(best.indices[:BEST].tolist(), best.values[:BEST].tolist(), strict=True)
    return [(class_name(network, head, number), likely) for number, likely in pairs]


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 or share == 0 else f"{share:.2%}" if share >= 0.0001 else "below 0.01%"
