"""The page of a run and its data: whole, safe, readable, light, and the same for the same run."""

from __future__ import annotations

import itertools
import json
import math
import re
from dataclasses import asdict
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from html_pages import Page, contrast, themes
from run_pages import (
    EVIL,
    RISING,
    SMALL,
    WIDE,
    figure,
    matrix,
    published,
    recipe,
    rich_story,
    rows_of,
    story,
    with_pictures,
)
from run_pages import alts as alts_of

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError, ImageError, OutputError
from lucidtorch.models.model import Model
from lucidtorch.recipes.page.publishing import publish
from lucidtorch.recipes.recipe_text import recipe_text
from lucidtorch.recipes.story import Figure, Section, Story, Table

MINUS = "\N{MINUS SIGN}"
KEYS = ["format", "version", "recipe_id", "recipe", "title", "lead", "sections", "main", "facts"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return with_pictures(tmp_path)


def check_links(page: Page, folder: Path) -> None:
    for address in page.values("href", "src"):
        target = urlsplit(address)
        if target.scheme == "data":
            continue
        assert (target.scheme, target.netloc) == ("", "")
        assert not target.path or (folder / unquote(target.path)).is_file(), address
        assert not target.fragment or target.fragment in page.values("id"), address


def test_every_link_leads_somewhere_and_no_text_is_markup(folder: Path, demo: Model) -> None:
    page = published(rich_story(), demo, folder)
    check_links(page, folder)
    assert page.text.count("alert('x')") > 12
    assert "<script>alert" not in (folder / "index.html").read_text(encoding="utf-8")
    assert [script for script in page.all("script") if script] == []  # the one script stands in the page
    assert len(set(page.values("id"))) == len(page.values("id"))
    text = re.sub(r"data:image/svg[^\"]*", "", (folder / "index.html").read_text(encoding="utf-8"))
    assert not re.search(r"https?:|[\"'(]//|@import|\bfetch\(", text)


def test_a_real_run_is_told_whole(demo: Model, tmp_path: Path) -> None:
    goal = "conv1_1:1 - 0.5 * total_variation()"
    run = lt.recipes.render(demo, objective=goal, images=2, size=24, steps=3, snapshots=(1,), output=tmp_path / "run")
    page = Page(run.index)
    check_links(page, run.folder)
    assert {"recipe.yaml", "data.json", "provenance.json"} <= set(page.links("a"))
    assert {unquote(one["src"]) for one in page.all("img") if "src" in one} == {one.file for one in run.figures}
    assert page.text.count("total_variation()") >= 4  # the objective and the curve of each picture


def test_the_same_run_gives_the_same_bytes(tmp_path: Path, demo: Model) -> None:
    written = []
    for name in ("one", "two"):
        place = with_pictures(tmp_path / name)
        publish(rich_story(), recipe(output=str(place)), demo, place)
        files = [(place / file).read_bytes() for file in ("index.html", "data.json")]
        assert not any(str(tmp_path).encode() in content for content in files)
        written.append(files)
    assert written[0] == written[1]


def test_rows_and_columns_are_a_table_with_names(folder: Path, demo: Model) -> None:
    page = published(story(matrix(3, 3)), demo, folder)
    head, *rows = rows_of(page, "matrix")
    assert [found for tag, found in head if tag == "th"] == [{"scope": "col"}] * 3
    assert [alts_of(row) for row in rows] == [[f"What cell {row}-{at} shows" for at in range(3)] for row in range(3)]
    assert [[found["scope"] for tag, found in row if tag == "th"] for row in rows] == [["row"]] * 3
    assert all(name in page.text for name in ("row 2", "column 2"))
    bare = published(story(matrix(3, 3, named=False)), demo, folder)
    assert [alts_of(row) for row in rows_of(bare, "matrix")] == [alts_of(row) for row in rows]
    assert not bare.all("th")


def test_many_pairs_stand_in_parts_beside_each_other_each_with_its_head(folder: Path, demo: Model) -> None:
    page = published(story(matrix(16, 2)), demo, folder)
    parts = page.all("table", class_="matrix")
    assert len(parts) == 2
    assert len(page.all("th", scope="col")) == 2 * len(parts)
    assert [one["alt"] for one in page.all("img")][:-1] == [
        f"What cell {row}-{at} shows" for row in range(16) for at in (0, 1)
    ]
    assert len(published(story(matrix(16, 16)), demo, folder).all("table", class_="matrix")) == 1


def test_short_last_rows_are_filled_and_close_cells_keep_their_words(folder: Path, demo: Model) -> None:
    cells = tuple(figure(f"cell {at}", objective=f"goal {at}", seed=at) for at in range(20))
    page = published(story(Section("Grid", (), cells, 12)), demo, folder)
    assert [len([tag for tag, _ in row if tag == "td"]) for row in rows_of(page, "matrix")] == [12, 12]
    assert len(page.all("figcaption", class_="unseen")) == 20
    assert "goal 19" in page.text


def test_each_term_has_a_line_with_its_name(folder: Path, demo: Model) -> None:
    terms = {"one": RISING, "two": RISING[::-1], "far": tuple(9000 + value for value in RISING)}
    shown = figure(curve=RISING, terms=terms, steps=10, score=1.0)
    page = published(story(Section("Pictures", (), (shown,))), demo, folder)
    assert sorted(line["class"] for line in page.all("polyline")) == [f"line line-{at}" for at in range(4)]
    assert len(page.all("svg", class_="curve")) == 2
    for name in ("objective", *terms):
        assert f"{name} " in page.text
    assert f"9000 {chr(0x2192)} 9010" in page.text
    alone = published(story(Section("Pictures", (), (figure(curve=RISING, steps=10),))), demo, folder)
    assert (len(alone.all("polyline")), alone.all("ul", class_="legend")) == (1, [])


def test_dead_pictures_are_marked_wherever_they_stand(folder: Path, demo: Model) -> None:
    dead = figure(dead=True, note="No start reaches it.")
    for columns in (None, 2, 12):
        for others in (0, 12):
            figures = (dead, *[figure()] * others)
            page = published(story(Section("Pictures", (), figures, columns)), demo, folder)
            assert len(page.all("figure", class_="dead")) == len(page.all("span", class_="word")) == 1
            assert [one["alt"] for one in page.all("img") if "dead" in one["alt"]] == [
                "What a picture shows: dead, nothing to see"
            ]
            assert "No start reaches it." in page.text


def test_small_pictures_are_shown_crisp_and_large_ones_as_they_are(folder: Path, demo: Model) -> None:
    whole = figure("sheet", file=WIDE, whole=True)
    page = published(story(Section("Pictures", (), (whole, *[figure()] * 9))), demo, folder)
    images = [one for one in page.all("img") if "src" in one]
    assert [one.get("class", "") for one in images] == ["", *["crisp"] * 9]
    assert {(one["width"], one["height"]) for one in images} == {("1400", "20"), ("64", "48")}
    assert page.all("figure", class_="sheet")[0]["style"] == "--width: 1400px"
    assert page.all("div", class_="wall")[0]["style"] == "--tile: 192px"


def test_tables_say_numbers_as_readers_expect_them(folder: Path, demo: Model) -> None:
    rows = (("first", figure("in a cell"), -12, -0.123456, None), ("second-rate", None, 7, math.inf, "a-b"))
    table = Table(("name", "picture", "count", "share", "rest"), rows, "Of `conv1_1` only")
    page = published(story(Section("Numbers", table=table)), demo, folder)
    _, first, second = rows_of(page, "numbers")
    assert alts_of(first) == ["What in a cell shows"]
    assert [found.get("scope") for tag, found in second if tag == "th"] == ["row"]
    for word in (f"{MINUS}12", f"{MINUS}0.1235", "\N{EN DASH}", "second-rate", "a-b"):
        assert word in page.text
    assert "<code>conv1_1</code> only" in (folder / "index.html").read_text(encoding="utf-8")


def test_films_play_and_pictures_lead_to_their_files(folder: Path, demo: Model) -> None:
    page = published(rich_story(), demo, folder)
    [film] = page.all("video")
    assert {"controls", "muted", "loop", "playsinline"} < set(film)
    assert (film["src"], film["aria-label"]) == ("film.mp4", EVIL)
    images = [one["src"] for one in page.all("img") if "src" in one]
    assert images.count("film.gif") == 1
    assert page.links("a", class_="zoom") == images


def test_the_page_says_how_it_was_made(folder: Path, demo: Model) -> None:
    made = recipe(size=48, steps=77, lr=0.125, threads=3, device="cpu")
    page = published(rich_story(), demo, folder, made)
    assert recipe_text(made) in page.text
    facts = ["48 \N{MULTIPLICATION SIGN} 48", "77 steps of adam, lr 0.125", "cpu, float32, 3 threads, batches of 8"]
    facts += ["torch 9.8.7", "f00d" * 16, "demo", "lucidtorch run recipe.yaml", "lucidtorch rerun 'pictures/a #1@100%"]
    assert [fact for fact in facts if fact not in page.text] == []
    assert len(page.all("button", class_="copy")) == 3


def test_page_and_data_carry_the_id_of_the_recipe(folder: Path, demo: Model) -> None:
    made = recipe()
    page = published(rich_story(), demo, folder, made)
    assert [one["content"] for one in page.all("meta", name="lucidtorch-recipe")] == [made.id]
    assert f'<code class="id">{made.id}</code>' in (folder / "index.html").read_text(encoding="utf-8")
    assert json.loads((folder / "data.json").read_text(encoding="utf-8"))["recipe_id"] == made.id


def test_the_data_say_everything_again(folder: Path, demo: Model) -> None:
    of = rich_story()
    publish(of, recipe(), demo, folder)
    data = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    assert list(data) == KEYS
    assert (data["format"], data["version"], data["recipe"]) == ("lucidtorch-run", 1, recipe().to_dict())
    told = {name: value for name, value in data.items() if name not in KEYS[:4]}
    assert told == json.loads(json.dumps(asdict(of)))
    lost = figure(score=math.nan, curve=(1.0, math.inf, None), terms={"a": (math.nan, 2.0)})
    publish(story(Section("One", (), (lost,)), facts={"deep": [{"x": -math.inf}]}), recipe(), demo, folder)
    data = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    [shown] = data["sections"][0]["figures"]
    assert (shown["score"], shown["curve"], shown["terms"]) == (None, [1.0, None, None], {"a": [None, 2.0]})
    assert data["facts"] == {"deep": [{"x": None}]}


def test_headings_go_down_one_level_at_a_time_and_every_picture_has_words(folder: Path, demo: Model) -> None:
    page = published(rich_story(), demo, folder)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert all(one["alt"] for one in page.all("img") if "src" in one)
    assert all(one["aria-label"] for one in page.all("svg", role="img"))


def test_a_page_of_hundreds_of_pictures_stays_light(folder: Path, demo: Model) -> None:
    curve = tuple(math.sin(step) for step in range(64))
    units = [figure(f"conv1_1:{at}", objective=f"channel('conv1_1', {at})", seed=at, curve=curve) for at in range(512)]
    whole = figure("sheet", file=WIDE, whole=True)
    page = published(story(Section("conv1_1", (), (whole, *units))), demo, folder)
    assert (folder / "index.html").stat().st_size < 1_000_000
    assert [one.get("loading") for one in page.all("img") if "src" in one] == [None, *["lazy"] * 512]
    assert len(page.all("details", class_="fold")) == 1
    assert len(page.all("svg", class_="spark")) == 512
    assert not page.all("text")
    few = published(story(Section("conv1_1", (), (whole, *units[:20]))), demo, folder)
    assert not few.all("details", class_="fold")
    assert few.all("text")


def test_the_page_is_written_last(folder: Path, demo: Model) -> None:
    (folder / "data.json").mkdir()
    with pytest.raises(OutputError, match=r"data\.json"):
        publish(rich_story(), recipe(), demo, folder)
    assert not (folder / "index.html").exists()


def _told(file: str, place: str) -> Story:
    bad: Figure = figure(file=file)
    if place == "main":
        return story(Section("Pictures", (), (figure(),)), main=file)
    table = Table(("picture",), ((bad,),)) if place == "table" else None
    return story(Section("Pictures", (), () if table else (bad,), table=table))


@pytest.mark.parametrize("place", ["figure", "table", "main"])
@pytest.mark.parametrize(
    ("file", "error", "words"),
    [(file, BadInputError, "not in the folder of the run") for file in ("", "/a.png", "../a.png", "a\\b", "C:/a")]
    + [(file, ImageError, file) for file in ("absent.png", "broken.png", "absent.mp4")],
)
def test_pictures_that_cannot_be_shown_are_refused_first(
    folder: Path, demo: Model, file: str, error: type, words: str, place: str
) -> None:
    (folder / "broken.png").write_bytes(b"no picture")
    with pytest.raises(error, match=words):
        publish(_told(file, place), recipe(), demo, folder)
    assert not (folder / "index.html").exists()
    assert not (folder / "data.json").exists()


def test_an_empty_story_is_told_too(folder: Path, demo: Model) -> None:
    page = published(story(), demo, folder)
    assert "no pictures" in page.text
    assert f"lucidtorch rerun '{SMALL}'" in page.text


def test_lines_of_plots_stand_out_from_their_ground_in_every_theme(folder: Path, demo: Model) -> None:
    publish(rich_story(), recipe(), demo, folder)
    found = themes((folder / "index.html").read_text(encoding="utf-8"))
    assert len(found) == 3
    for colours in found:
        for name in (f"term-{at}" for at in range(1, 7)):
            assert contrast(colours[name], colours["ground"]) >= 4.5, name
