"""What a run tells: pictures in sections, with words and tables between them; its page and its data say the same.

Words between backticks in leads, texts, notes and captions of tables are code: the page sets them so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from lucidtorch.galleries.beside import Beside


@dataclass(frozen=True)
class View:
    """An arrangement of the small pictures of a chart.

    Args:
        name: What it is called, such as ``conv3_2 by t-SNE``.
        places: For each picture, where its middle is: x from 0 to 1, and y downwards in the same unit.
        side: How wide a picture is in that unit where the whole arrangement is seen.
        packed: Whether it fills a grid of such pictures, so that none lies over another however close one looks.
    """

    name: str
    places: tuple[tuple[float, float], ...]
    side: float
    packed: bool = False


@dataclass(frozen=True)
class Chart:
    """Many small pictures at places, which the page lets one move about in and look at closely.

    Args:
        thumbnails: The file of the sheet that holds them, row by row and without gaps.
        columns: How many stand in a row of it.
        width: Of each, in pixels.
        height: Of each, in pixels.
        names: What each is called.
        groups: For each, the number of its group; -1 for none.
        group_names: The names of the groups; empty where there are none.
        colours: The colour of each group, such as ``#f0b860``.
        views: The arrangements; the first is seen first.
    """

    thumbnails: str
    columns: int
    width: int
    height: int
    names: tuple[str, ...]
    groups: tuple[int, ...]
    group_names: tuple[str, ...]
    colours: tuple[str, ...]
    views: tuple[View, ...]


@dataclass(frozen=True)
class Figure:
    """A picture, or a movie, with what there is to know about it.

    Args:
        file: Its path in the run's folder, with ``/``.
        caption: A short name under it, such as ``conv5_1:303``.
        alt: What it shows, for those who cannot see it.
        objective: The text of what it maximizes, or empty.
        seed: Its seed, or None where it has none of its own.
        score: The objective of the finished picture, or None.
        curve: The objective over the steps, in equal strides; empty where there is none.
        terms: The same for each part of the objective, by its text; empty where there is only one.
        steps: The number of steps that the curves span, or None.
        dead: Whether it is of a dead unit, and shows nothing.
        note: What a reader should know, or empty.
        whole: Whether it is shown as wide as the page, as sheets are; in a table, in its own size instead of small.
        legend: What its colours mean: pairs of a name and a colour such as ``#f0b860``.
        chart: What the page shows in its place where scripts run, or None; it is then as wide as the page.
        beside: What real images say of the unit that it is a picture of, where a scan was named; None otherwise.
    """

    file: str
    caption: str
    alt: str
    objective: str = ""
    seed: int | None = None
    score: float | None = None
    curve: Sequence[float | None] = ()
    terms: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    steps: int | None = None
    dead: bool = False
    note: str = ""
    whole: bool = False
    legend: tuple[tuple[str, str], ...] = ()
    chart: Chart | None = None
    beside: Beside | None = None


Cell: TypeAlias = str | float | int | Figure | None


@dataclass(frozen=True)
class Table:
    """A table.

    Args:
        head: The names of the columns.
        rows: The rows; a cell is a text, a number or a small picture.
        caption: What it shows.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the page under a heading of its own.

    Args:
        heading: Its heading.
        text: Paragraphs before the pictures.
        figures: The pictures, in order.
        columns: How many pictures stand in a row, where the rows mean something; as many as fit where None.
        row_names: What each row is, where `columns` is given; empty for none.
        column_names: What each column is, where `columns` is given; empty for none.
        table: A table behind the pictures, or None.
    """

    heading: str
    text: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    columns: int | None = None
    row_names: tuple[str, ...] = ()
    column_names: tuple[str, ...] = ()
    table: Table | None = None


@dataclass(frozen=True)
class Story:
    """All that a run tells.

    Args:
        title: The heading of the page.
        lead: Paragraphs under it: what is seen and how to read it.
        sections: Its parts.
        main: The file of the picture that stands for the whole run, a PNG.
        facts: What else was found, as plain numbers, texts, lists and mappings for ``data.json``.
    """

    title: str
    lead: tuple[str, ...]
    sections: tuple[Section, ...]
    main: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All pictures, in order."""
        return tuple(figure for section in self.sections for figure in section.figures)
