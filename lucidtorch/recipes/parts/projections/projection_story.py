"""What is told of signals that were sent back down: rows of pictures in a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lucidtorch.base.images import dead_mark, sheet, visible
from lucidtorch.galleries.curve import number_text
from lucidtorch.galleries.plan import slug
from lucidtorch.recipes.parts.projections.projection_pictures import LEAST, enlarged, framed_box, in_cell, signed
from lucidtorch.recipes.parts.projections.projection_words import NAMES
from lucidtorch.recipes.parts.projections.projector import Projection, Projector, Subject
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.story import Figure, Section
from lucidtorch.scanning.patches import cut


@dataclass(frozen=True, eq=False)
class Line:
    """A unit in an image, and how its row on the page is called.

    Args:
        name: Of the row.
        number: Of the image, for the names of files.
        subject: The unit and its image.
    """

    name: str
    number: int
    subject: Subject


@dataclass(frozen=True, eq=False)
class Matrix:
    """Rows that stand together.

    Args:
        heading: Their heading.
        file: The picture that shows them all.
        lines: The rows.
        text: What there is to say of them.
        placed: Whether the whole image stands before what the unit sees of it, where that is not the same.
    """

    heading: str
    file: str
    lines: tuple[Line, ...]
    text: tuple[str, ...] = ()
    placed: bool = False


def matrix_section(desk: Desk, projector: Projector, matrix: Matrix) -> tuple[Section, list[dict[str, Any]]]:
    """Send the signals of a matrix down, write the pictures, and describe them."""
    if not matrix.lines:
        file = desk.write(matrix.file, dead_mark(torch.zeros(1, LEAST, LEAST)))
        nothing = Figure(file, matrix.heading, f"Nothing of {matrix.heading}", dead=True)
        return Section(matrix.heading, matrix.text, (nothing,)), []
    partial = not all(_sees_all(line.subject) for line in matrix.lines)
    placed = matrix.placed and partial
    found = projector([line.subject for line in matrix.lines])
    words = {"placed": placed, "whole": projector.whole}
    rows = [_row(desk, line, one, **words) for line, one in zip(matrix.lines, found, strict=True)]
    columns = len(rows[0].figures)
    desk.write(matrix.file, sheet(_cells(rows), columns))
    heads = ("in the image",) if placed else ()
    heads = (*heads, "what the unit sees" if partial else "the image", *(NAMES[way] for way in projector.ways))
    figures = tuple(figure for row in rows for figure in row.figures)
    names = tuple(line.name for line in matrix.lines)
    return Section(matrix.heading, matrix.text, figures, columns, names, heads), [row.facts for row in rows]


@dataclass(frozen=True)
class _Row:
    """What a row of a matrix consists of."""

    figures: list[Figure]
    cells: list[Tensor]
    facts: dict[str, Any]


def _row(desk: Desk, line: Line, projection: Projection, *, placed: bool, whole: bool) -> _Row:
    subject = line.subject
    name = f"{subject.layer}:{subject.unit}"
    row = _Row([], [], _facts(subject))

    def show(word: str, picture: Tensor, caption: str, alt: str) -> None:
        file = f"maps/{slug(subject.layer)}/{subject.unit:05d}-{line.number:04d}-{word}.png"
        row.cells.append(picture)
        row.figures.append(Figure(desk.write(file, picture), caption, alt))

    if placed:
        where = framed_box(subject.pixels, subject.box)
        box = subject.box
        size = f"{box.bottom - box.top} \N{MULTIPLICATION SIGN} {box.right - box.left} pixels"
        show("place", where, size, f"{subject.image} with a frame around what {name} sees")
    seen = enlarged(cut(visible(subject.pixels), subject.window))
    show(
        "image",
        seen,
        f"{'highest ' * whole}activation {number_text(subject.value, 3)}",
        f"What {name} sees of {subject.image}",
    )
    for way, signal in projection.signals.items():
        picture, scale = signed(signal)
        caption = f"\N{PLUS-MINUS SIGN}{number_text(scale, 2)}" if scale else "nothing arrives"
        shown = enlarged(cut(visible(picture), subject.window))
        show(way, shown, caption, f"{NAMES[way]} of {name} in {subject.image}")
        row.facts["ways"][way] = {"scale": scale, "inside": projection.inside[way]}
    return row


def _cells(rows: Sequence[_Row]) -> Tensor:
    """All pictures of a matrix in cells of one size."""
    cells = [cell for row in rows for cell in row.cells]
    height, width = (max(cell.shape[axis] for cell in cells) for axis in (1, 2))
    return torch.stack([in_cell(cell, height, width) for cell in cells])


def _facts(subject: Subject) -> dict[str, Any]:
    return {
        "image": subject.image,
        "layer": subject.layer,
        "unit": subject.unit,
        "activation": subject.value,
        "row": subject.row,
        "column": subject.column,
        "box": list(subject.box),
        "ways": {},
    }


def _sees_all(subject: Subject) -> bool:
    return subject.window == (0, 0, *subject.pixels.shape[1:])
