"""What a recipe gives back: its folder, its pictures, and what a notebook shows of it."""

from __future__ import annotations

import base64
import html
import io
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import lucidtorch as lt
from lucidtorch.base.errors import OutputError
from lucidtorch.models.model import Model
from lucidtorch.recipes import Run
from lucidtorch.recipes.recipe_text import recipe_text
from lucidtorch.recipes.runs.exhibit import LARGEST, MOST_BYTES
from lucidtorch.recipes.story import Figure, Section, Story, Table
from lucidtorch.rendering.showing import MOST_PICTURES, MOST_PIXELS

SETTINGS: dict[str, Any] = {"layers": "conv1_1", "units": "0-2", "size": 24, "steps": 2, "progress": False}
SOURCE = re.compile(r'alt="([^"]*)"[^>]* src="data:image/(\w+);base64,([^"]+)"')


@pytest.fixture(scope="module")
def run(demo: Model, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return lt.recipes.layer_sheet(demo, output=tmp_path_factory.mktemp("run") / "out", **SETTINGS)


def embedded(text: str) -> dict[str, bytes]:
    """The pictures that HTML holds, by what stands for them."""
    return {html.unescape(alt): base64.b64decode(data) for alt, _, data in SOURCE.findall(text)}


def told(run: Run, folder: Path, sections: Sequence[Section], **more: Any) -> Run:
    """The run with another folder and another story."""
    figures = [one for section in sections for one in section.figures]
    story = Story("A title", ("Some words.",), tuple(sections), more.get("main", figures[0].file if figures else ""))
    return replace(run, folder=folder, story=story)


def noise(folder: Path, name: str, width: int, height: int, mode: str = "RGB") -> Figure:
    dice = np.random.Generator(np.random.PCG64(len(name)))
    values = dice.integers(0, 256, (height, width, len(mode)), np.uint8)
    Image.fromarray(values[..., 0] if mode == "L" else values).save(folder / name)
    return Figure(name, f"caption of {name}", name)


def test_it_knows_its_folder_and_its_pictures(run: Run) -> None:
    assert run.index.is_file()
    assert [one.file for one in run.figures][1:] == [f"pictures/conv1_1/{unit:05d}.png" for unit in range(3)]
    assert all((run.folder / one.file).is_file() for one in run.figures)
    assert repr(run) == f"<Run of layer_sheet: 4 pictures in {run.folder}>"


def test_a_notebook_shows_every_picture_and_the_recipe(run: Run) -> None:
    text = run._repr_html_()
    assert embedded(text) == {one.alt: (run.folder / one.file).read_bytes() for one in run.figures}
    assert f"<h3>{html.escape(run.story.title)}</h3>" in text
    assert all(html.escape(paragraph) in text for paragraph in run.story.lead)
    assert all(html.escape(one.caption) in text for one in run.figures)
    assert f"score {run.figures[1].score:.4g}" in text
    assert html.escape(recipe_text(run.recipe)) in text
    assert run.recipe.id in text
    assert "The page: <code" in text
    assert str(run.index) in text
    assert not re.search(r"<script|<style|<link|(src|href)=\"(?!data:)", text)
    assert run._repr_png_() == (run.folder / run.story.main).read_bytes()


def test_sheets_alone_where_there_are_many_pictures(run: Run, tmp_path: Path) -> None:
    sheet = replace(noise(tmp_path, "sheet.png", 30, 30), whole=True)
    units = [noise(tmp_path, f"{number}.png", 4, 4) for number in range(MOST_PICTURES)]
    text = told(run, tmp_path, [Section("Units", figures=(sheet, *units))])._repr_html_()
    assert list(embedded(text)) == ["sheet.png"]
    assert f"{MOST_PICTURES} more on the page: " in text
    alone = told(run, tmp_path, [Section("Units", figures=(*units, replace(sheet, whole=False)))])._repr_html_()
    assert list(embedded(alone)) == [one.alt for one in units]
    assert "1 more on the page: " in alone


def test_large_pictures_are_made_smaller_and_their_bytes_are_bounded(run: Run, tmp_path: Path) -> None:
    wide = noise(tmp_path, "wide.png", 2400, 1200)
    clear = noise(tmp_path, "clear.png", 1600, 1600, "RGBA")
    found = embedded(told(run, tmp_path, [Section("Large", figures=(wide, clear))])._repr_html_())
    with Image.open(io.BytesIO(found["wide.png"])) as picture:
        assert (picture.format, picture.width) == ("JPEG", 2 * picture.height)
        assert 0.99 * LARGEST < picture.width * picture.height <= LARGEST
    with Image.open(io.BytesIO(found["clear.png"])) as picture:
        assert (picture.format, picture.mode) == ("PNG", "RGBA")
        assert picture.width * picture.height <= LARGEST
    many = [noise(tmp_path, f"{number}.png", 900, 900) for number in range(5)]
    text = told(run, tmp_path, [Section("Many", figures=tuple(many))])._repr_html_()
    assert 0 < len(embedded(text)) < len(many)
    assert len(text) < MOST_BYTES * 4 / 3 + 20_000
    main = told(run, tmp_path, [Section("Large", figures=(wide,))])._repr_png_()
    assert main is not None
    with Image.open(io.BytesIO(main)) as picture:
        assert picture.format == "PNG"
        assert 0.99 * MOST_PIXELS < picture.width * picture.height <= MOST_PIXELS


def test_rows_that_mean_something_stay_rows(run: Run, tmp_path: Path) -> None:
    figures = tuple(noise(tmp_path, f"{number}.png", 4, 4) for number in range(4))
    section = Section("Grid", figures=figures, columns=2, row_names=("up", "down"), column_names=("left", "right"))
    text = told(run, tmp_path, [section])._repr_html_()
    assert "grid-template-columns:repeat(3,max-content)" in text
    cells = re.findall(r'<div>(up|down|left|right|)</div>|alt="(\d).png"', text)
    assert ["".join(one) for one in cells if any(one)] == ["left", "right", "up", "0", "1", "down", "2", "3"]
    plain = told(run, tmp_path, [replace(section, row_names=(), column_names=())])._repr_html_()
    assert "grid-template-columns:repeat(2,max-content)" in plain


def test_tables_hold_numbers_texts_and_pictures(run: Run, tmp_path: Path) -> None:
    small = noise(tmp_path, "0.png", 4, 4)
    table = Table(("group", "strength"), ((small, 0.123456), ("b", None), (3, "c")), "Strengths")
    text = told(run, tmp_path, [Section("Groups", table=table)], main="0.png")._repr_html_()
    assert list(embedded(text)) == ["0.png"]
    assert "<caption>Strengths</caption><tr><th>group</th><th>strength</th></tr>" in text
    assert "<td>0.1235</td></tr><tr><td>b</td><td></td></tr><tr><td>3</td><td>c</td></tr>" in text


def test_pictures_in_tables_are_small_and_few(run: Run, tmp_path: Path) -> None:
    large = noise(tmp_path, "large.png", 400, 200)
    more = [noise(tmp_path, f"{number}.png", 4, 4) for number in range(MOST_PICTURES)]
    table = Table(("unit",), tuple((one,) for one in (large, *more)))
    text = told(run, tmp_path, [Section("Groups", figures=(large,), table=table)])._repr_html_()
    first, second, *others = [base64.b64decode(data) for _, _, data in SOURCE.findall(text)]
    assert first == (tmp_path / "large.png").read_bytes()
    with Image.open(io.BytesIO(second)) as picture:
        assert picture.width * picture.height <= 72 * 72
    assert len(others) == MOST_PICTURES - 1
    assert f"<td>caption of {MOST_PICTURES - 1}.png</td>" in text
    assert "The page: " in text


def test_a_picture_that_is_shown_often_counts_as_often(run: Run, tmp_path: Path) -> None:
    wide = noise(tmp_path, "wide.png", 900, 900)
    assert len((tmp_path / "wide.png").read_bytes()) < MOST_BYTES < 3 * len((tmp_path / "wide.png").read_bytes())
    text = told(run, tmp_path, [Section("Thrice", figures=(wide, wide, wide))])._repr_html_()
    assert embedded(text) == {}


def test_movies_are_named_and_gifs_are_shown(run: Run, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"a movie")
    frames = [Image.new("L", (8, 8), value) for value in (0, 255)]
    frames[0].save(tmp_path / "film.gif", save_all=True, append_images=frames[1:])
    figures = (Figure("film.mp4", "the film", "mp4"), Figure("film.gif", "the film", "gif"))
    text = told(run, tmp_path, [Section("Film", figures=figures)])._repr_html_()
    assert embedded(text) == {"gif": (tmp_path / "film.gif").read_bytes()}
    assert "1 more on the page: " in text


def test_dead_units_and_notes_are_said(run: Run, tmp_path: Path) -> None:
    figure = replace(noise(tmp_path, "0.png", 4, 4), dead=True, note="Stopped <early>.")
    text = told(run, tmp_path, [Section("Dead", figures=(figure,))])._repr_html_()
    assert "<strong>dead unit</strong>" in text
    assert "Stopped &lt;early&gt;." in text


def test_nothing_is_written_unescaped(run: Run, tmp_path: Path) -> None:
    bad = '<script>"x"</script>'
    figure = replace(noise(tmp_path, "0.png", 4, 4), caption=bad, alt=bad)
    section = Section(bad, (bad,), (figure,), 1, (bad,), (bad,), Table((bad,), ((bad,),), bad))
    story = Story(bad, (bad,), (section,), "0.png")
    text = replace(run, folder=tmp_path, story=story)._repr_html_()
    assert "<script>" not in text
    assert text.count(html.escape(bad)) == 11


def test_a_run_whose_files_are_gone_still_shows_itself(run: Run, tmp_path: Path) -> None:
    gone = replace(run, folder=tmp_path / "gone")
    assert embedded(gone._repr_html_()) == {}
    assert "4 more on the page: " in gone._repr_html_()
    assert gone._repr_png_() is None
    with pytest.raises(OutputError, match="is gone; run the recipe again"):
        gone.save(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_saving_copies_all_of_it(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    for place in (tmp_path / "a" / "b", tmp_path / "empty", Path("here")):
        assert run.save(str(place)) == place / "index.html"
        files = [path.relative_to(run.folder) for path in run.folder.rglob("*") if path.is_file()]
        assert len(files) == len([path for path in place.rglob("*") if path.is_file()])
        assert all((place / file).read_bytes() == (run.folder / file).read_bytes() for file in files)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "empty", "here"]


def test_saving_overwrites_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "full", tmp_path / "file", run.folder):
        with pytest.raises(OutputError, match="there already"):
            run.save(place)
    with pytest.raises(OutputError, match="Cannot write"):
        run.save(tmp_path / "file" / "below")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "full", "x"]


def test_a_run_without_a_place_is_gone_when_the_program_ends(tmp_path: Path) -> None:
    code = (
        "import os, lucidtorch as lt\n"
        "run = lt.recipes.layer_sheet('demo', layers='conv1_1', units='0', size=16, steps=1)\n"
        "child = os.fork()\n"
        "if child == 0: raise SystemExit\n"
        "os.waitpid(child, 0)\n"
        "print(run.folder); print(run.index.is_file())\n"
        f"print(run.save({str(tmp_path / 'kept')!r}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    folder, there, kept = done.stdout.split()
    assert there == "True"
    assert not Path(folder).exists()
    assert not Path(folder).parent.exists()
    assert Path(kept).is_file()
    assert Path(kept).parent.stat().st_mode & 0o777 == (tmp_path / "kept" / "pictures").stat().st_mode & 0o777
