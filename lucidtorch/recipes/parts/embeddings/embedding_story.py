"""What is told of maps of data: one to move about in, pictures of each, and how far they can be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from lucidtorch.analysis.overlays import group_colours
from lucidtorch.galleries.plan import slug
from lucidtorch.recipes.parts.embeddings.features import Seen, columns_of
from lucidtorch.recipes.parts.embeddings.layouts import LaidOut, Method
from lucidtorch.recipes.parts.embeddings.map_pictures import dot_map, hexadecimal, image_grid, image_map, pale
from lucidtorch.recipes.parts.mosaic import tiled
from lucidtorch.recipes.parts.unit_pictures import counted
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.story import Chart, Figure, Section, Story, Table, View

THUMBNAILS = "maps/thumbnails.png"
LEGIBLE = 20  # classes whose colours a legend tells
DISTINCT = 36  # colours, beyond which they come again
ALL = 0.9995  # of the variance, rounded
SIDE = 0.75  # of an image on a chart, as a share of the room that each has
CAUTION = {
    "tsne": (
        "t-SNE keeps neighbours together: images that stand close are alike to the layer. It keeps little else. The "
        "distance between two groups means nothing, nor does the size or the density of a group, nor which way up the "
        "map is. With another seed or perplexity the groups lie elsewhere, and a low perplexity finds groups even in "
        "noise. Believe a group that stays in several maps, and look at the numbers below."
    ),
    "umap": (
        "UMAP keeps neighbours together: images that stand close are alike to the layer. Distances between groups say "
        "little, and the size or the density of a group nothing, so what lies far from all others is drawn closer. "
        "With another seed, or other neighbours, the groups lie elsewhere. Believe a group that stays in several maps, "
        "and look at the numbers below."
    ),
    "pca": (
        "This is the flat shadow of the layer's numbers in which the images differ most (the first two principal "
        "components). Distances are true, but for all that lies across the shadow: images that stand close may be far "
        "apart in the directions that are not shown, so look at the share of the variance below."
    ),
}


@dataclass(frozen=True)
class About:
    """What the maps of a run have in common.

    Args:
        network: What the network is called.
        title: The heading of the page; one that names the layers where None.
        pool: ``mean`` or ``flat``.
        method: How the maps were made.
    """

    network: str
    title: str | None
    pool: str
    method: Method


def told(desk: Desk, about: About, seen: Seen, maps: Sequence[LaidOut]) -> Story:
    """Tell of the maps of layers."""
    names = _listed([one.layer for one in maps])
    colours = pale(group_colours(len(seen.classes)))
    legend = tuple((seen.classes[one], hexadecimal(colours[one])) for one in seen.shown_classes)
    legend = legend if len(legend) <= LEGIBLE else ()
    pictures = [_pictures(desk, one, seen, colours, legend) for one in maps]
    first = pictures[0][0]
    chart = Figure(
        first.file,
        f"{counted(len(seen.names), 'image')} at their places.",
        f"The map of {maps[0].layer}: {counted(len(seen.names), 'image')}, those that it sees alike close together",
        whole=True,
        legend=legend,
        chart=_chart(desk, about, seen, maps, colours),
    )
    sections = [Section("Look around", (_how_to_look(len(maps)),), (chart,))]
    sections += [Section(one.layer, _said(one, about), own) for one, own in zip(maps, pictures, strict=True)]
    sections.append(Section("How far to believe the maps", _measures(maps[0], seen), table=_table(maps, about)))
    title = about.title or f"{about.method.title} of {names} of {about.network}"
    return Story(title, _lead(about, seen, maps), tuple(sections), first.file, _facts(seen, maps, about))


def _lead(about: About, seen: Seen, maps: Sequence[LaidOut]) -> tuple[str, ...]:
    count, names = len(seen.names), _listed([one.layer for one in maps])
    see = "sees" if len(maps) == 1 else "see"
    of = "" if count == seen.total else f", spread evenly over all {seen.total}"
    vector = "the mean of each unit over its positions" if about.pool == "mean" else "every unit at every position"
    lead = [
        f"{counted(count, 'image')}{of}, as {names} of {about.network} {see} them: "
        f"each image stands where {about.method.title} puts its activations ({vector}). Images that a layer can hardly "
        "tell apart are neighbours.",
        CAUTION[about.method.name],
    ]
    if seen.skipped:
        lead.append(
            f"{counted(len(seen.skipped), 'image')} could not be used, and are left out; the first: "
            f"{seen.skipped[0].name} ({seen.skipped[0].reason})."
        )
    return tuple(lead)


def _how_to_look(layers: int) -> str:
    other = ", or another layer," if layers > 1 else ""
    return (
        "Click on the map, or tap it, then drag it and turn the wheel or pinch; with the keyboard, the arrows move "
        "it, + and \N{MINUS SIGN} zoom, and 0 shows the whole. As you come closer, images grow more slowly than the "
        f"map, so that those that lie over each other come apart. Choose the grid{other} above the map: there every "
        "image has moved to a free cell close by, so that all of them are seen. Neighbours are mostly kept; the empty "
        "room between groups is lost."
    )


def _pictures(
    desk: Desk, found: LaidOut, seen: Seen, colours: Tensor, legend: tuple[tuple[str, str], ...]
) -> tuple[Figure, ...]:
    """The still pictures of a layer's map."""
    name, count = slug(found.layer), counted(len(seen.names), "image")
    picture, hidden = image_map(seen.thumbs, found.places)
    note = f"{counted(hidden, 'image')} that would cover others left out; the grid shows them too." if hidden else ""
    figures = [
        Figure(
            desk.write(f"map-{name}.png", picture),
            "at their places",
            f"{count} at their places on the map of {found.layer}",
            note=note,
        ),
        Figure(
            desk.write(f"grid-{name}.png", image_grid(seen.thumbs, found.cells)),
            "on a grid",
            f"{count} on a grid, as near to their places on the map of {found.layer} as can be",
        ),
    ]
    if seen.shown_classes:
        figures.append(
            Figure(
                desk.write(f"classes-{name}.png", dot_map(found.places, _colour_of(seen, colours))),
                "a dot for each image, in the colour of its class",
                f"{count} as dots at their places, in the colours of their classes",
                note="" if legend else _many(len(seen.shown_classes)),
                legend=legend,
            )
        )
    return tuple(figures)


def _many(classes: int) -> str:
    """What to know of the colours of so many classes that no legend can tell them."""
    again = "some colours stand for several of them" if classes > DISTINCT else "some colours are hard to tell apart"
    return f"{classes} classes, so that {again}: point at a dot above to read its class, or choose one class there."


def _colour_of(seen: Seen, colours: Tensor) -> Tensor:
    """`[N, 3]`: the colour of each image's class, grey for none."""
    grey = torch.full((1, 3), 0.5)
    return torch.cat([colours, grey])[seen.labels]  # the label -1 takes the last


def _chart(desk: Desk, about: About, seen: Seen, maps: Sequence[LaidOut], colours: Tensor) -> Chart:
    count, columns = len(seen.names), columns_of(len(seen.names))
    high, wide = seen.thumbs.shape[2:]
    lacking = -count % columns
    sheet = tiled(torch.cat([seen.thumbs, seen.thumbs[:1].expand(lacking, -1, -1, -1) * 0]), columns)
    views = []
    for one in maps:
        grid = (one.cells + 0.5) / columns * torch.tensor([1.0, high / wide])
        views += [
            View(f"{one.layer} by {about.method.title}", _pairs(one.places), round(SIDE / columns, 5)),
            View(f"{one.layer} on a grid", _pairs(grid), 1 / columns, packed=True),
        ]
    return Chart(
        desk.write(THUMBNAILS, sheet),
        columns,
        wide,
        high,
        seen.names,
        tuple(seen.labels.tolist()),
        seen.classes,
        tuple(hexadecimal(one) for one in colours),
        tuple(views),
    )


def _pairs(places: Tensor) -> tuple[tuple[float, float], ...]:
    return tuple((round(x, 5), round(y, 5)) for x, y in places.double().tolist())


def _said(found: LaidOut, about: About) -> tuple[str, ...]:
    """The numbers of a layer's map in a sentence."""
    text = f"Each image is {found.length} numbers here"
    dimensions = min(found.embedding.dimensions, found.length)
    if about.method.name != "pca" and found.embedding.kept < ALL:
        text += f"; {dimensions} principal components of them, which hold {_percent(found.embedding.kept)} of their "
        text += "variance, were laid out"
    elif about.method.name == "pca":
        text += f"; the two that are shown hold {_percent(found.embedding.kept)} of their variance"
    return (f"{text}.",)


def _measures(found: LaidOut, seen: Seen) -> tuple[str, ...]:
    near = found.neighbours
    nearest = f"the {near} images nearest to each" if near > 1 else "the image nearest to each"
    texts = [
        f"Trustworthiness asks of {nearest} on the map whether they are also nearest to it in the layer itself, before "
        "anything was laid flat: 1 where all are, about 0.5 where the map says nothing. Below 0.9, take neighbours on "
        "the map with care."
    ]
    if found.pure is not None:
        texts.append(
            f"Of one class: the share of {nearest} that are of its own class, on the map and in the layer itself, and "
            "what it would be if images lay anywhere. It says how far the layer keeps these classes apart. Where the "
            "map has much more than the layer, it makes the classes look better kept apart than they are."
        )
    elif seen.shown_classes:
        texts.append("There are too few images of classes, or only one class, to say how far classes stand apart.")
    return tuple(texts)


def _table(maps: Sequence[LaidOut], about: About) -> Table:
    head = ["layer", "numbers per image", "variance kept", "trustworthiness"]
    rows: list[list[str | float | int | None]] = [
        [one.layer, one.length, _percent(one.embedding.kept), round(one.trust, 4)] for one in maps
    ]
    if about.method.name == "tsne":
        head.append("divergence left")
        rows = [[*row, _rounded(one.embedding.loss)] for row, one in zip(rows, maps, strict=True)]
    if maps[0].pure is not None:
        head += ["of one class, on the map", "in the layer", "by chance"]
        shares = [(one.pure, one.pure_before, one.chance) for one in maps]
        rows = [[*row, *map(_percent, own)] for row, own in zip(rows, shares, strict=True)]
    return Table(tuple(head), tuple(tuple(row) for row in rows))


def _facts(seen: Seen, maps: Sequence[LaidOut], about: About) -> dict[str, Any]:
    return {
        "images": len(seen.names),
        "of": seen.total,
        "skipped": [asdict(one) for one in seen.skipped],
        "method": about.method.name,
        "neighbours": maps[0].neighbours,
        "maps": {
            one.layer: {
                "numbers": one.length,
                "components": one.embedding.dimensions,
                "variance_kept": one.embedding.kept,
                "divergence": one.embedding.loss,
                "trustworthiness": one.trust,
                "class_share_on_map": one.pure,
                "class_share_in_layer": one.pure_before,
                "class_share_by_chance": one.chance,
                "cells": one.cells.tolist(),
            }
            for one in maps
        },
    }


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _percent(value: float | None) -> str | None:
    return None if value is None else f"{100 * value:.1f} %"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
