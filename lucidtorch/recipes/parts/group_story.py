"""What is told of neuron groups: overlays, the picture of each group, and how much each says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lucidtorch.analysis.factors import Groups
from lucidtorch.analysis.overlays import framed, group_colours, group_overlay
from lucidtorch.base.images import GAP, GAP_VALUE, on_grey, sheet, visible
from lucidtorch.galleries.plan import slug
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.planning import Shot
from lucidtorch.recipes.story import Cell, Figure, Section, Story, Table

TOP = 5  # channels of a group that a page names
FULL = 0.5  # of a layer's strongest value: what an overlay of all groups shows in the full colour
COLOURS = (1, 3)


@dataclass(frozen=True)
class Found:
    """The groups of a layer, and what shows them.

    Args:
        layer: Its address.
        groups: The groups.
        shots: The pictures of those that are not empty, in their order.
        rectified: Whether the layer had values below zero, which were left out.
    """

    layer: str
    groups: Groups
    shots: tuple[Shot, ...]
    rectified: bool

    @property
    def colours(self) -> Tensor:
        """`[G, 3]`: of the groups that are not empty."""
        return group_colours(self.groups.count)

    @property
    def maps(self) -> Tensor:
        """`[N, G, h, w]`: where the groups are that are not empty."""
        return self.groups.maps[:, : self.groups.count]


def told(desk: Desk, network: str, title: str | None, pictures: Tensor, found: Sequence[Found]) -> Story:
    """Tell of the groups of layers."""
    grounds = torch.stack([visible(one) for one in pictures])
    sections = [_looked_at(desk, grounds)]
    cards = []
    for one in found:
        overlays = [
            group_overlay(ground, maps, one.colours, FULL * float(one.maps.max()))
            for ground, maps in zip(grounds, one.maps, strict=True)
        ]
        cards.append(_card(desk, one, torch.stack(overlays)))
        sections += [_overview(desk, one, overlays, cards[-1]), _groups(desk, one, grounds)]
    names = ", ".join(one.layer for one in found)
    count, shared = len(pictures), "" if len(pictures) == 1 else f" and shared by all {len(pictures)}"
    lead = (
        f"Units of {names} of {network} that are active at the same places form a group. Each group has a colour. The "
        "overlay shows where in the picture it is: the stronger, the fuller the colour. The picture in a frame of that "
        "colour shows what the units of the group look for together.",
        f"The groups are found in {'this picture' if count == 1 else 'these pictures'}{shared}, by non-negative matrix "
        "factorization: another picture, or another number of groups, gives other groups. A unit can be part of "
        "several. The colours mean nothing beyond the layer: the same colour in two layers is no sign of kinship.",
    )
    facts = {"layers": {one.layer: _facts(one) for one in found}}
    return Story(title or f"Neuron groups of {names} of {network}", lead, tuple(sections), cards[0], facts)


def _looked_at(desk: Desk, grounds: Tensor) -> Section:
    """The pictures as the network saw them."""
    files = [desk.write(f"image-{number}.png", one) for number, one in enumerate(grounds, 1)]
    figures = tuple(
        Figure(file, f"image {number}" if len(files) > 1 else "the image", f"Image {number} that was looked at")
        for number, file in enumerate(files, 1)
    )
    return Section("What was looked at", figures=figures)


def _card(desk: Desk, found: Found, overlays: Tensor) -> str:
    """One picture of a layer: its overlays, and its groups beside them."""
    tiles = desk.stacked(one.file for one in found.shots)
    if tiles.shape[1] not in COLOURS:
        tiles = on_grey(tiles)  # of see-through pictures, the last channel is opacity
    right = sheet(framed(tiles, found.colours), None if len(tiles) > 4 else len(tiles))
    left = sheet(overlays)
    width = max(1, round(left.shape[-1] * right.shape[-2] / left.shape[-2]))
    left = F.interpolate(left[None], (right.shape[-2], width), mode="bilinear", antialias=True)[0].clamp(0, 1)
    gap = torch.full((len(right), right.shape[-2], GAP), GAP_VALUE)
    return desk.write(f"groups-{slug(found.layer)}.png", torch.cat([left, gap, right], 2))


def _overview(desk: Desk, found: Found, overlays: Sequence[Tensor], card: str) -> Section:
    files = [desk.write(f"overlay-{slug(found.layer)}-{at}.png", one) for at, one in enumerate(overlays, 1)]
    whole = Figure(
        card, f"{found.layer}: where its groups are, and what they look for", f"The groups of {found.layer}", whole=True
    )
    own = tuple(
        Figure(file, f"image {at}" if len(files) > 1 else "the overlay", f"All groups of {found.layer} on image {at}")
        for at, file in enumerate(files, 1)
    )
    return Section(found.layer, text=(_said(found),), figures=(whole, *own))


def _said(found: Found) -> str:
    groups = found.groups
    images, asked, height, width = groups.maps.shape
    rest = "came to rest" if groups.converged else "was stopped, as `max_iter` says,"
    parts = [
        f"{images * height * width} positions of {groups.directions.shape[1]} units. {groups.count} groups account for "
        f"{1 - groups.error**2:.0%} of the activations (of the sum of their squares). The search {rest} after "
        f"{groups.iterations} iterations."
    ]
    if not groups.converged:
        parts.append("More iterations may still change the groups.")
    if groups.count < asked:
        parts.append(f"{asked - groups.count} of the {asked} groups that were asked for are empty and not shown.")
    if found.rectified:
        parts.append("The layer has values below zero too; they were taken as zero, as a ReLU would.")
    return " ".join(parts)


def _groups(desk: Desk, found: Found, grounds: Tensor) -> Section:
    numbers = range(1, found.groups.count + 1)
    pictures = [
        desk.figure(
            shot.file, f"group {number}", shot.objective, alt=f"What group {number} of {found.layer} looks for together"
        )
        for number, shot in zip(numbers, found.shots, strict=True)
    ]
    maps = [[_map(desk, found, ground, image, number) for number in numbers] for image, ground in enumerate(grounds)]
    where = [f"image {image}" for image in range(1, len(maps) + 1)] if len(maps) > 1 else ["where it is"]
    shares = found.groups.totals.tolist()
    return Section(
        f"{found.layer}, group by group",
        text=(
            "In the maps each group is drawn against its own strongest place, so that faint groups are seen too; the "
            "table says how strong each is.",
        ),
        figures=(*pictures, *(one for row in maps for one in row)),
        columns=len(numbers),
        row_names=("what it looks for", *where),
        column_names=tuple(f"group {number}, {shares[number - 1]:.0%}" for number in numbers),
        table=_table(found, pictures, maps),
    )


def _map(desk: Desk, found: Found, ground: Tensor, image: int, number: int) -> Figure:
    own = slice(number - 1, number)
    shown = group_overlay(ground, found.maps[image, own], found.colours[own], float(found.maps[:, own].max()))
    file = desk.write(f"maps/{slug(found.layer)}/image-{image + 1}-group-{number:03d}.png", shown)
    return Figure(file, f"group {number}", f"Where group {number} of {found.layer} is in image {image + 1}")


def _table(found: Found, pictures: Sequence[Figure], maps: Sequence[Sequence[Figure]]) -> Table:
    images = [f"share in image {at}" for at in range(1, len(maps) + 1)] if len(maps) > 1 else []
    totals, shares = found.groups.totals.tolist(), found.groups.shares.tolist()
    rows: list[tuple[Cell, ...]] = []
    for at, picture in enumerate(pictures):
        by_image = [f"{one[at]:.1%}" for one in shares] if images else []
        rows.append((picture.caption, picture, maps[0][at], f"{totals[at]:.1%}", *by_image, _channels_text(found, at)))
    head = ("group", "picture", "where", "share", *images, "strongest units (weight)")
    caption = (
        "The share is the part of all that the groups say together. The weights of a group are those of its direction, "
        "of length 1."
    )
    return Table(head, tuple(rows), caption)


def _channels_text(found: Found, group: int) -> str:
    return ", ".join(f"{unit} ({weight:.2f})" for unit, weight in _strongest(found, group))


def _strongest(found: Found, group: int) -> list[tuple[int, float]]:
    weights, units = torch.sort(found.groups.directions[group], descending=True, stable=True)
    pairs = zip(units.tolist(), weights.tolist(), strict=True)
    return [(unit, weight) for unit, weight in pairs if weight > 0][:TOP]


def _facts(found: Found) -> dict[str, Any]:
    groups = found.groups
    totals, shares = groups.totals.tolist(), groups.shares.T.tolist()
    return {
        "error": groups.error,
        "iterations": groups.iterations,
        "converged": groups.converged,
        "rectified": found.rectified,
        "empty": groups.maps.shape[1] - groups.count,
        "groups": [
            {"share": totals[at], "images": shares[at], "units": [list(one) for one in _strongest(found, at)]}
            for at in range(groups.count)
        ],
    }
