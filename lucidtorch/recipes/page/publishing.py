"""Writing what a run tells: `index.html` and `data.json`."""

from __future__ import annotations

import dataclasses
import re
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2

from lucidtorch.base.errors import ImageError
from lucidtorch.galleries.curve import OBJECTIVE, Curve, number_text, panels
from lucidtorch.galleries.look import asset_text, check_inside, page_environment, picture_sizes
from lucidtorch.models.model import Model
from lucidtorch.recipes.page.data import run_data
from lucidtorch.recipes.page.layout import FOLDED, ROOM, Sizes, blocks, shown_width
from lucidtorch.recipes.page.making import commands, made_by
from lucidtorch.recipes.recipe import Recipe
from lucidtorch.recipes.recipe_text import recipe_text
from lucidtorch.recipes.story import Cell, Chart, Figure, Story
from lucidtorch.runs.folder import write_file

TEMPLATES = Path(__file__).with_name("templates")
STYLES, SCRIPTS = ("look.css", "run.css"), ("look.js", "run.js")
CHART_STYLES, CHART_SCRIPTS = ("chart.css",), ("chart.js",)  # of pages that have a chart
FILMS = (".mp4",)  # what no picture library reads
LIGHT = 100  # pictures beyond which their curves are drawn without axes, so that the page stays light
CODE = re.compile("`([^`]+)`")


def publish(story: Story, recipe: Recipe, model: Model, folder: Path) -> Path:
    """Write the page of a run and its data; the page opens from ``file://`` in any browser, without a server.

    The page holds its own stylesheet and scripts, and reads well without the latter. Words between backticks in the
    paragraphs and notes of the story are set as code. The same run gives the same bytes, and the page is written last.
    """
    charts = [one.chart for one in story.figures if one.chart is not None]
    beside = [one.beside.file for one in story.figures if one.beside is not None and one.beside.file]
    shown = (*(one.file for one in _pictured(story)), *(one.thumbnails for one in charts), *beside)
    files = [*dict.fromkeys((*shown, story.main))]
    check_inside(files, "the folder of the run")
    sizes = _sizes(files, folder)
    environment = _environment(sizes)
    page = environment.get_template("run.html").render(
        story=story,
        recipe=recipe,
        laid_out=[blocks(section, sizes) for section in story.sections],
        light=len(story.figures) > LIGHT,
        made_by=made_by(recipe, model),
        commands=commands(story.main),
        recipe_text=recipe_text(recipe),
        style=asset_text((*STYLES, *(CHART_STYLES if charts else ())), TEMPLATES),
        script=asset_text((*SCRIPTS, *(CHART_SCRIPTS if charts else ())), TEMPLATES),
    )
    write_file(folder, "data.json", run_data(story, recipe))
    write_file(folder, "index.html", page)
    return folder / "index.html"


def _pictured(story: Story) -> Iterator[Figure]:
    """All pictures, those in tables too."""
    yield from story.figures
    tables = (section.table for section in story.sections if section.table is not None)
    yield from (cell for table in tables for row in table.rows for cell in row if isinstance(cell, Figure))


def _sizes(files: list[str], folder: Path) -> Sizes:
    for file in files:
        if _is_film(file) and not (folder / file).is_file():
            raise ImageError(f"The film {folder / file} is missing; write it before the page.")
    return picture_sizes((file for file in files if not _is_film(file)), folder)


def _environment(sizes: Sizes) -> jinja2.Environment:
    environment = page_environment(TEMPLATES)
    environment.filters |= {"prose": CODE.split, "cell": _cell_text, "panels": _panels, "size": sizes.__getitem__}
    environment.filters |= {"chart_data": _chart_data}
    environment.tests |= {"film": _is_film, "figure": lambda value: isinstance(value, Figure)}
    environment.tests |= {"numeric": lambda value: isinstance(value, int | float)}
    environment.globals |= {"room": ROOM, "most_rows": FOLDED, "shown_width": shown_width}
    return environment


def _is_film(file: str) -> bool:
    return file.lower().endswith(FILMS)


def _cell_text(value: Cell) -> str:
    if value is None:
        return "\N{EN DASH}"
    if isinstance(value, float):
        return number_text(value)
    return str(value).replace("-", "\N{MINUS SIGN}") if isinstance(value, int) else str(value)


def _chart_data(chart: Chart) -> dict[str, Any]:
    """What the script of a chart reads."""
    return dataclasses.asdict(chart) | {"thumbnails": urllib.parse.quote(chart.thumbnails)}


def _panels(figure: Figure) -> list[Curve]:
    return panels({OBJECTIVE: figure.curve, **figure.terms}, figure.steps)
