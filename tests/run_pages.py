"""Runs as their pages tell them, made by hand: pictures that mean nothing, and stories around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from html_pages import Page
from PIL import Image

from lucidtorch.models.model import Model
from lucidtorch.recipes.kinds.render import Render
from lucidtorch.recipes.page.publishing import publish
from lucidtorch.recipes.recipe import MadeWith, Recipe
from lucidtorch.recipes.recipe_text import recipe_text
from lucidtorch.recipes.story import Figure, Section, Story, Table

EVIL = "<script>alert('x')</script> & \"quoted\""
SMALL, WIDE = "pictures/a #1@100%.png", "wide.png"
SMALL_SIZE, WIDE_SIZE = (64, 48), (1400, 20)
RISING = tuple(float(step) for step in range(11))


def with_pictures(folder: Path) -> Path:
    (folder / "pictures").mkdir(parents=True)
    Image.new("RGB", SMALL_SIZE, (200, 40, 90)).save(folder / SMALL)
    Image.new("L", WIDE_SIZE, 90).save(folder / WIDE)
    Image.new("RGB", (16, 16)).save(folder / "film.gif")
    (folder / "film.mp4").write_bytes(b"a film")
    (folder / "provenance.json").write_text("{}", encoding="utf-8")
    (folder / "recipe.yaml").write_text(recipe_text(recipe()), encoding="utf-8")
    return folder


def recipe(**fields: object) -> Recipe:
    made_with = MadeWith(versions={"torch": "9.8.7"}, files={"weights": "f00d" * 16})
    return Render.model_validate({"model": "demo", "objective": "conv1_1:0", "made_with": made_with} | fields)


def figure(caption: str = "a picture", **changes: object) -> Figure:
    return replace(Figure(SMALL, caption, f"What {caption} shows"), **changes)


def story(*sections: Section, **changes: object) -> Story:
    return replace(Story("A run", ("What is seen.",), sections, SMALL), **changes)


def matrix(rows: int, columns: int, *, named: bool = True) -> Section:
    figures = tuple(figure(f"cell {row}-{column}", score=0.5) for row in range(rows) for column in range(columns))
    row_names = tuple(f"row {row}" for row in range(rows)) if named else ()
    column_names = tuple(f"column {column}" for column in range(columns)) if named else ()
    return Section("Pairs", (), figures, columns, row_names, column_names)


def rich_story() -> Story:
    """A story with a piece of each sort, in which every text would be markup."""
    known = figure(
        EVIL, alt=EVIL, objective=EVIL, seed=2**62, score=-1.25e-5, curve=RISING, terms={EVIL: RISING}, note=EVIL
    )
    dead = figure("dead one", dead=True, seed=3, score=0.0)
    table = Table((EVIL, "picture"), ((EVIL, figure("in a cell")), (-3, None), (0.25, EVIL)), EVIL)
    films = (figure("film", file="film.gif"), figure("other film", file="film.mp4", alt=EVIL))
    sections = (
        Section(EVIL, (EVIL,), (known, dead), table=table),
        Section("Sheet", (), (figure(EVIL, file=WIDE, whole=True), *[known, dead] * 4)),
        Section("Rows", (), (known, dead, known), 2, (EVIL, "b"), (EVIL, "d")),
        Section("Close", (), (known, dead) * 9, 9),
        Section("Films", (), films),
    )
    return Story(EVIL, (EVIL,), sections, SMALL, {"found": EVIL})


def published(of: Story, model: Model, folder: Path, made: Recipe | None = None) -> Page:
    return Page(publish(of, made or recipe(), model, folder))


def rows_of(page: Page, table: str) -> list[list[tuple[str, dict[str, str]]]]:
    """The elements of each row of the first table of a class, from its head to its last row."""
    start = next(at for at, (tag, found) in enumerate(page.elements) if tag == "table" and table in found["class"])
    rows: list[list[tuple[str, dict[str, str]]]] = []
    for tag, found in page.elements[start + 1 :]:
        if tag in ("table", "section"):
            break
        if tag == "tr":
            rows.append([])
        elif rows:
            rows[-1].append((tag, found))
    return rows


def alts(row: Sequence[tuple[str, dict[str, str]]]) -> list[str]:
    return [found["alt"] for tag, found in row if tag == "img"]
