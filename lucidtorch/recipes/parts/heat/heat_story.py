"""What is told of heat maps: how they are read, what not to conclude, and each picture under its maps."""

from __future__ import annotations

from collections.abc import Sequence

from lucidtorch.analysis.overlays import heat_legend
from lucidtorch.recipes.parts.heat.heat_maps import Ways
from lucidtorch.recipes.parts.heat.heat_matrix import Matrix
from lucidtorch.recipes.parts.heat.heat_targets import Explained
from lucidtorch.recipes.parts.heat.heat_words import COARSE, HOW, OF_ALL, OF_OCCLUSION, SCALES
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.story import Figure, Section, Story

LEGEND = "legend.png"


def told(desk: Desk, title: str | None, explained: Sequence[Explained], ways: Ways) -> Story:
    """Make the heat maps of pictures, and tell of them."""
    found: list[Matrix] = []
    with desk.onlooker.counting("pictures", len(explained)) as show:
        for number, one in enumerate(explained, 1):
            found.append(Matrix.of(desk, number, one, ways))
            show(number)
    facts = {
        "layers": list(ways.layers),
        "methods": list(ways.methods),
        "occlusion": {"patch": ways.patch.side, "stride": ways.patch.stride, "fill": list(ways.patch.fill)},
        "pictures": [one.facts() for one in found],
    }
    sections = (_legend(desk, ways), *(one.section() for one in found))
    return Story(title or f"Heat maps of {ways.network.name}", _lead(len(found), ways), sections, found[0].whole, facts)


def _lead(count: int, ways: Ways) -> tuple[str, str]:
    pictures = "this picture" if count == 1 else f"these {count} pictures"
    warnings = [OF_ALL, *([COARSE] if ways.layers else []), *([OF_OCCLUSION] if ways.occludes else [])]
    return (
        f"Where in {pictures} lies what the network `{ways.network.name}` goes by? Each heat map shows it for one "
        "class, or whatever else is explained: the lighter the colour, the more the place speaks for it, by the method "
        "at the head of the column.",
        " ".join(warnings),
    )


def _legend(desk: Desk, ways: Ways) -> Section:
    strip = Figure(
        desk.write(LEGEND, heat_legend()),
        "from no heat to the most of its map, over middle grey",
        "A strip of colours from black over violet, red and yellow to white",
    )
    layers = "each layer" if len(ways.layers) > 1 else "".join(ways.layers)
    words = {"layers": layers, "patch": ways.patch.side, "stride": ways.patch.stride}
    ways_text = tuple(HOW[method].format(**words) for method in ways.methods)
    return Section("How to read the maps", (*ways_text, SCALES), (strip,))
