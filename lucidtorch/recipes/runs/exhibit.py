"""A run as a notebook shows it: what its page tells, in one piece that holds its pictures and is not too large."""

from __future__ import annotations

import html
import io
import math
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from PIL import Image

from lucidtorch.galleries.beside import Beside
from lucidtorch.recipes.recipe import Recipe
from lucidtorch.recipes.recipe_text import recipe_text
from lucidtorch.recipes.story import Cell, Figure, Section, Story, Table
from lucidtorch.rendering.showing import MOST_PICTURES, code_html, figure_html, picture_html, quiet_html, row_html

STRIPS_BYTES = 2_000_000  # of all strips of real images together
STRIP = 480  # CSS pixels of such a strip, and of the caption that it is a part of
MOST_BYTES = 6_000_000  # of all pictures together; as text they are a third larger
LARGEST = 1_000_000  # pixels of one picture; a larger one, such as the sheet of a whole layer, is made smaller
THUMBNAIL = 72  # pixels on a side, about, of a picture in a table
WHOLE = 640  # CSS pixels that stand for the caption of a sheet
QUALITY = 90  # of the JPEG that it becomes, unless it is see-through
STILL = (".png", ".jpg", ".jpeg")
SHOWN = (*STILL, ".gif")

Embedded: TypeAlias = Mapping[str, bytes]


def run_html(folder: Path, recipe: Recipe, story: Story) -> str:
    """Write what a run tells as HTML that needs no other file."""
    shown, thumbnails = embedded(folder, story), _thumbnails(folder, story)
    strips = _strips(folder, [one for one in story.figures if one.file in shown])
    parts = [f"<h3>{html.escape(story.title)}</h3>", *_paragraphs(story.lead)]
    parts += [_section(one, shown, strips, thumbnails) for one in story.sections]
    left = len({one.file for one in story.figures}) - len(shown)
    more = f"{left} more on the page: " if left else "The page: "
    parts.append(f'<p style="margin-top:12px">{more}{code_html(str(folder / "index.html"))}</p>')
    text = f'<pre style="overflow-x:auto">{html.escape(recipe_text(recipe))}</pre>'
    parts.append(f"<details><summary>Recipe {quiet_html(recipe.id)}</summary>{text}</details>")
    return f"<section>{''.join(parts)}</section>"


def embedded(folder: Path, story: Story) -> Embedded:
    """Choose the pictures that a notebook holds, and make the largest of them smaller."""
    every = {one.file: one for one in story.figures}
    figures = [one for file, one in every.items() if (folder / file).suffix in SHOWN and (folder / file).is_file()]
    times = Counter(one.file for one in story.figures)
    found = _within(folder, figures, times) if len(figures) <= MOST_PICTURES else {}
    if len(found) == len(figures):
        return found
    sheets = [one for one in figures if one.whole]
    return _within(folder, (sheets or figures)[:MOST_PICTURES], times)


def fitted(path: Path, pixels: int, kind: str) -> bytes:
    """Read a picture, and make it smaller where it is larger than it may be."""
    data = path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # a sheet of this very run
        with Image.open(io.BytesIO(data)) as picture:
            shrink = math.sqrt(pixels / (picture.width * picture.height))
            if shrink >= 1 or path.suffix not in STILL:
                return data
            size = [max(1, math.floor(side * shrink)) for side in picture.size]
            small = picture.resize((size[0], size[1]), Image.Resampling.BOX)
    stream = io.BytesIO()
    small.save(stream, format="png" if "A" in small.mode else kind, quality=QUALITY)
    return stream.getvalue()


def _within(folder: Path, figures: Iterable[Figure], times: Mapping[str, int]) -> dict[str, bytes]:
    """As many pictures as there is room for, each so many times as it is shown."""
    found: dict[str, bytes] = {}
    room = MOST_BYTES
    for one in figures:
        data = fitted(folder / one.file, LARGEST, "jpeg")
        if len(data) * times[one.file] <= room:
            found[one.file] = data
            room -= len(data) * times[one.file]
    return found


def _thumbnails(folder: Path, story: Story) -> Embedded:
    """The pictures that stand in tables, very small."""
    rows = [row for one in story.sections if one.table is not None for row in one.table.rows]
    files = dict.fromkeys(cell.file for row in rows for cell in row if isinstance(cell, Figure))
    there = [file for file in files if (folder / file).suffix in STILL and (folder / file).is_file()]
    return {file: fitted(folder / file, THUMBNAIL * THUMBNAIL, "png") for file in there[:MOST_PICTURES]}


def _strips(folder: Path, figures: Iterable[Figure]) -> Embedded:
    """The real images beside pictures, by the file of the picture, as far as there is room for them."""
    found: dict[str, bytes] = {}
    room = STRIPS_BYTES
    for one in figures:
        beside = one.beside
        path = None if beside is None or not beside.file or beside.again else folder / beside.file
        if path is not None and path.is_file() and path.stat().st_size <= room:
            found[one.file] = path.read_bytes()
            room -= len(found[one.file])
    return found


def _section(section: Section, shown: Embedded, strips: Embedded, thumbnails: Embedded) -> str:
    figures = [one for one in section.figures if one.file in shown]
    table = "" if section.table is None else _table(section.table, thumbnails)
    if section.figures and not figures and not section.text and not table:
        return ""
    whole = section.columns is not None and len(figures) == len(section.figures)
    elements = [_figure(one, shown, strips) for one in figures]
    pictures = _grid(section, elements) if whole else row_html(elements) if elements else ""
    return "".join([f"<h4>{html.escape(section.heading)}</h4>", *_paragraphs(section.text), pictures, table])


def _grid(section: Section, elements: Sequence[str]) -> str:
    """Pictures in rows that mean something."""
    across = section.columns or 1
    cells = [_name(one) for one in ("", *section.column_names)[0 if section.row_names else 1 :]]
    cells = cells if section.column_names else []
    for place, element in enumerate(elements):
        row, column = divmod(place, across)
        if column == 0 and section.row_names:
            cells.append(_name(section.row_names[row]))
        cells.append(element)
    columns = across + bool(section.row_names)
    style = f"display:grid;grid-template-columns:repeat({columns},max-content);gap:8px;align-items:center"
    return f'<div style="overflow-x:auto"><div style="{style}">{"".join(cells)}</div></div>'


def _name(text: str) -> str:
    return f"<div>{html.escape(text)}</div>"


def _figure(figure: Figure, shown: Embedded, strips: Embedded) -> str:
    lines = [html.escape(figure.caption)]
    lines += [] if figure.score is None else [quiet_html(f"score {figure.score:.4g}")]
    lines += ["<strong>dead unit</strong>"] if figure.dead else []
    lines += [quiet_html(figure.note)] if figure.note else []
    lines += [_meaning(figure.legend)] if figure.legend else []
    lines += [] if figure.beside is None else _beside(figure.beside, strips.get(figure.file))
    data, alt = shown[figure.file], figure.alt
    if figure.whole:
        return f'<div style="flex-basis:100%">{figure_html(data, alt, lines, narrowest=WHOLE)}</div>'
    if figure.file in strips:
        return figure_html(data, alt, lines, narrowest=STRIP)
    return figure_html(data, alt, lines)


def _beside(beside: Beside, strip: bytes | None) -> list[str]:
    """The lines on the real images beside a picture."""
    said = [quiet_html(beside.note)] if beside.note else []
    return said if strip is None else [html.escape(beside.title), picture_html(strip, beside.title, width=STRIP), *said]


def _meaning(legend: Sequence[tuple[str, str]]) -> str:
    """What colours mean, each as a spot before its name."""
    return " ".join(f'<span style="color:{colour}">&#9679;</span>&nbsp;{html.escape(name)}' for name, colour in legend)


def _table(table: Table, thumbnails: Embedded) -> str:
    head = "".join(f"<th>{html.escape(one)}</th>" for one in table.head)
    rows = "".join(f"<tr>{''.join(f'<td>{_cell(one, thumbnails)}</td>' for one in row)}</tr>" for row in table.rows)
    caption = f"<caption>{html.escape(table.caption)}</caption>" if table.caption else ""
    return f'<div style="overflow-x:auto"><table>{caption}<tr>{head}</tr>{rows}</table></div>'


def _cell(cell: Cell, thumbnails: Embedded) -> str:
    if isinstance(cell, Figure):
        data = thumbnails.get(cell.file)
        return html.escape(cell.caption) if data is None else picture_html(data, cell.alt, width=THUMBNAIL)
    return "" if cell is None else html.escape(f"{cell:.4g}" if isinstance(cell, float) else str(cell))


def _paragraphs(texts: Iterable[str]) -> list[str]:
    return [f"<p>{html.escape(one)}</p>" for one in texts]
