"""The pages of a gallery: that they are whole, safe, readable and small."""

from __future__ import annotations

import json
import math
import re
import subprocess
import tempfile
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from html_pages import CHROMIUM, CHROMIUM_OPTIONS, Page, contrast, themes
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lucidtorch.base.errors import BadInputError, ImageError, OutputError
from lucidtorch.galleries.site import LayerPage, Picture, Site, Unit, publish

EVIL = "<script>alert('x')</script> & \"quoted\""
MINUS = "\N{MINUS SIGN}"


def picture(**changes: object) -> Picture:
    recipe = "recipe: render\nseed: 3\n"
    plain = Picture("channel", "tiles/a #1@100%.png", "channel('conv1', 0)", 3, 2.5, (0.0, 1.0, 2.5), False, recipe)
    return replace(plain, **changes)


def units(count: int, **changes: object) -> tuple[Unit, ...]:
    return tuple(Unit(index, None, (picture(**changes),)) for index in range(count))


def layer(address: str, of: tuple[Unit, ...]) -> LayerPage:
    return LayerPage(address, "Conv2d", (len(of), 8, 8), "5 x 5 px", of)


def site(*layers: LayerPage) -> Site:
    return Site("A gallery", "demo", {"steps": "256"}, layers)


def with_pictures(folder: Path) -> Path:
    (folder / "tiles").mkdir(parents=True)
    Image.new("RGB", (30, 20), (200, 40, 90)).save(folder / "tiles" / "a #1@100%.png")
    Image.new("L", (16, 16), 90).save(folder / "tiles" / "b.png")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return with_pictures(tmp_path)


def rich_site() -> Site:
    """Several layers, variants, labels, dead units, texts that would be markup, and addresses unfit as file names."""
    several = (
        picture(note=EVIL, objective=EVIL, recipe=EVIL, steps=256),
        picture(variant="diversity", file="tiles/b.png"),
        picture(variant="diversity", dead=True, score=None, curve=(), recipe=""),
    )
    first = (Unit(0, EVIL, several), Unit(4, "stripes", (picture(dead=True),)), Unit(9, None, ()))
    bare = LayerPage("blocks.0/attn@1", "", None, "", units(2))
    layers = (layer("conv1", first), bare, LayerPage(EVIL, EVIL, (3,), EVIL, ()))
    return Site(EVIL, EVIL, {EVIL: EVIL}, layers)


def test_every_link_leads_somewhere_and_no_text_is_markup(folder: Path) -> None:
    assert publish(rich_site(), folder) == folder / "index.html"
    known = {path.resolve(): Page(path) for path in folder.rglob("*.html")}
    for path, found in known.items():
        assert [script["src"].lstrip("./") for script in found.all("script")] == ["assets/gallery.js"]
        assert EVIL in found.text
        assert len(set(found.values("id"))) == len(found.values("id"))
        for address in found.values("href", "src"):
            target = urlsplit(address)
            assert (target.scheme, target.netloc) == ("", "")
            there = (path.parent / unquote(target.path)).resolve() if target.path else path
            assert there.is_file(), (path, address)
            assert not target.fragment or target.fragment in known[there].values("id"), (path, address)


def test_every_page_can_be_reached_from_the_index_and_nothing_from_elsewhere(folder: Path) -> None:
    publish(site(layer("conv1", units(40)), layer("b", units(3))), folder)
    seen: set[Path] = set()
    open_ones = [folder / "index.html"]
    while open_ones:
        path = open_ones.pop().resolve()
        if path in seen or path.suffix != ".html":
            continue
        seen.add(path)
        open_ones += [path.parent / unquote(urlsplit(link).path) for link in Page(path).links("a") if link[0] != "#"]
    assert seen == {path.resolve() for path in folder.rglob("*.html")}
    assert len(seen) == 1 + 2 + 43
    for path in [*seen, *(folder / "assets").iterdir()]:
        assert not re.search(r"https?:|[\"'(]//|@import|\bfetch\(", path.read_text(encoding="utf-8")), path


def test_every_picture_has_words_and_its_size_and_grids_load_lazily(folder: Path) -> None:
    publish(rich_site(), folder)
    images = [(path, image) for path in folder.rglob("*.html") for image in Page(path).all("img")]
    assert len(images) > 8
    for path, image in images:
        assert image["alt"]
        assert (image["width"], image["height"]) == (("16", "16") if "b.png" in image["src"] else ("30", "20"))
        assert path.name.startswith("unit") or image["loading"] == "lazy"


def test_the_same_site_gives_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        place = with_pictures(tmp_path / name)
        publish(rich_site(), place)
        files = {path.relative_to(place): path.read_bytes() for path in place.rglob("*") if path.is_file()}
        publish(rich_site(), place)
        assert files == {path.relative_to(place): path.read_bytes() for path in place.rglob("*") if path.is_file()}
        assert not any(str(tmp_path).encode() in content for content in files.values())
        written.append(files)
    assert written[0] == written[1]


def test_dead_units_are_marked_and_stand_for_a_layer_only_without_live_ones(folder: Path) -> None:
    living, dead = picture(), picture(dead=True)
    publish(site(layer("conv1", (Unit(0, None, (living,)), Unit(1, None, (dead, living))))), folder)
    grid = Page(folder / "layers/conv1/index.html")
    assert grid.links("a", class_="dead") == ["unit-1.html"]
    assert "dead" in next(image for image in grid.all("img") if "unit 1" in image["alt"])["alt"]
    assert len(grid.all("span", class_="word")) == 1
    assert "1 dead" in grid.text
    assert Page(folder / "index.html").links("a", class_="tile") == ["layers/conv1/unit-0.html"]
    assert len(Page(folder / "layers/conv1/unit-1.html").all("article", class_="dead")) == 1
    assert "Dead." in Page(folder / "layers/conv1/unit-1.html").text
    assert "dead" not in Page(folder / "layers/conv1/unit-0.html").text.lower()
    publish(site(layer("conv1", units(2, dead=True))), folder)
    assert len(Page(folder / "index.html").all("a", class_="dead")) == 2
    assert "no layers" in Page(publish(site(), folder)).text


def test_large_layers_are_turned_page_by_page_and_unit_by_unit(folder: Path) -> None:
    publish(site(layer("conv1", units(1030))), folder)
    grids = [Page(folder / "layers/conv1" / name) for name in ("index.html", "page-2.html", "page-3.html")]
    listed = [grid.links("a", class_="tile") for grid in grids]
    assert [len(tiles) for tiles in listed] == [512, 512, 6]
    assert [*chain(*listed)] == [f"unit-{index}.html" for index in range(1030)]
    assert [grid.links("link", rel="prev") for grid in grids] == [[], ["index.html"], ["page-2.html"]]
    assert [grid.links("link", rel="next") for grid in grids] == [["page-2.html"], ["page-3.html"], []]
    assert Page(folder / "layers/conv1/unit-700.html").links("link", rel="up") == ["page-2.html#unit-700"]
    for at, beside in ((0, [1]), (700, [699, 701]), (1029, [1028])):
        turns = Page(folder / f"layers/conv1/unit-{at}.html").links("a", class_="turn")
        assert turns == [f"unit-{index}.html" for index in beside]


def test_a_unit_shows_all_that_is_known_of_its_pictures(folder: Path) -> None:
    second = picture(variant="negative", note="taken before the ReLU: conv3_1", score=-1.25e-5)
    unit = Unit(7, "stripes", (picture(), second, picture(variant="diversity"), picture(variant="diversity", seed=4)))
    publish(site(layer("conv1", (unit,))), folder)
    found = Page(folder / "layers/conv1/unit-7.html")
    titles = ["Unit 7", "stripes", "channel", "negative", "diversity 1 of 2", "diversity 2 of 2"]
    facts = [
        "channel('conv1', 0)",
        f"{MINUS}1.25e{MINUS}5",
        "30 \N{MULTIPLICATION SIGN} 20",
        second.note,
        second.recipe,
    ]
    assert [word for word in titles + facts if word not in found.text] == []
    assert len(found.all("button", class_="copy")) == 4


LONG = ["x" * 300, "x" * 299, "\N{SNOWMAN}" * 300]
ADDRESSES = ["a/b", "a.b", "A.B", "a@b", "a b", "a-b", "..", ".", "", "aux", "NUL.x", "a:c*?", *LONG]


def test_every_address_gets_a_file_name_of_its_own_that_any_system_takes(folder: Path) -> None:
    publish(site(*(layer(address, units(1)) for address in ADDRESSES)), folder)
    names = [path.name for path in (folder / "layers").iterdir()]
    assert len({name.lower() for name in names}) == len(ADDRESSES)
    for name in names:
        assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,110}", name)
        assert name.split(".")[0].lower() not in {"aux", "nul", "con", "prn", "com1", "lpt1"}
        assert not name.endswith(".")


def test_the_data_file_says_everything_again(folder: Path) -> None:
    for content, text in ((rich_site(), EVIL), (site(layer("conv1", units(1))), "A gallery")):
        publish(content, folder)
        data = json.loads((folder / "data.json").read_text(encoding="utf-8"))
        assert (data.pop("format"), data.pop("version"), data["title"]) == ("lucidtorch-gallery", 1, text)
        assert data == json.loads(json.dumps(asdict(content)))
    publish(site(layer("conv1", units(1, curve=(0.1, math.nan, -math.inf), score=math.nan))), folder)
    [shown] = json.loads((folder / "data.json").read_text(encoding="utf-8"))["layers"][0]["units"][0]["pictures"]
    assert (shown["curve"], shown["score"]) == ([0.1, None, None], None)


def test_the_search_data_names_pages_and_pictures_that_exist(folder: Path) -> None:
    publish(rich_site(), folder)
    text = (folder / "assets" / "search.js").read_text(encoding="utf-8")
    found = json.loads(text.removeprefix("window.lucidtorchUnits = ").removesuffix(";\n"))
    assert [address for address, _, _ in found] == ["conv1", "blocks.0/attn@1", EVIL]
    for _, name, of in found:
        for index, _, _, file in of:
            assert (folder / "layers" / name / f"unit-{index}.html").is_file()
            assert not file or (folder / unquote(file)).is_file()
    assert [unit[:3] for unit in found[0][2]] == [[0, EVIL, 0], [4, "stripes", 1], [9, "", 0]]
    assert "search.js" not in (folder / "index.html").read_text(encoding="utf-8")  # loaded on demand


def drawn(found: Page) -> list[tuple[float, float]]:
    [line] = found.all("polyline")
    return [tuple(map(float, point.split(","))) for point in line["points"].split()]


def axis(path: Path, *, rows: bool) -> list[tuple[float, float]]:
    """The place and the number of each tick of an axis."""
    tick = rf'<text x="([-\d.]+)" y="([-\d.]+)" text-anchor="\w+">([{MINUS}\d.e]+)<'
    found = [[float(text.replace(MINUS, "-")) for text in texts] for texts in re.findall(tick, path.read_text("utf-8"))]
    return [(y - 4 if rows else x, number) for x, y, number in found if (x < 0) == rows]


def test_the_curve_can_be_read_off_its_axes(folder: Path) -> None:
    values = tuple(40 * (1 - math.exp(-step / 15)) - 3 for step in range(65))
    publish(site(layer("conv1", (Unit(0, None, (picture(curve=values, steps=640),)),))), folder)
    path = folder / "layers" / "conv1" / "unit-0.html"
    points, rows, columns = drawn(Page(path)), axis(path, rows=True), axis(path, rows=False)
    assert [number for _, number in rows] == [0, 10, 20, 30]
    assert [number for _, number in columns] == [0, 200, 400, 600]
    (y0, v0), (y1, v1) = rows[0], rows[-1]
    (x0, s0), (x1, s1) = columns[0], columns[1]
    for place, ((x, y), value) in enumerate(zip(points, values, strict=True)):
        assert v0 + (y - y0) * (v1 - v0) / (y1 - y0) == pytest.approx(value, abs=0.1)
        assert s0 + (x - x0) * (s1 - s0) / (x1 - x0) == pytest.approx(10 * place, abs=1)


def test_long_curves_are_thinned_and_short_ones_are_left_out(folder: Path) -> None:
    publish(site(layer("conv1", units(1, curve=tuple(float(step) for step in range(5000))))), folder)
    found = Page(folder / "layers/conv1/unit-0.html")
    assert (len(drawn(found)), drawn(found)[0][0], drawn(found)[-1][0]) == (128, 0, 210)
    assert "first step" in found.text
    for curve in ((), (1.0,), (math.nan, 2.0, math.inf)):
        publish(site(layer("conv1", units(1, curve=curve))), folder)
        assert not Page(folder / "layers/conv1/unit-0.html").all("polyline")


@settings(max_examples=12, deadline=None)
@given(st.lists(st.lists(st.floats(), min_size=2, max_size=5), min_size=40, max_size=40))
def test_any_curve_stays_inside_its_box(curves: list[list[float]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = with_pictures(Path(name))
        of = tuple(Unit(index, None, (picture(curve=tuple(curve)),)) for index, curve in enumerate(curves))
        publish(site(layer("conv1", of)), folder)
        for found in (Page(folder / f"layers/conv1/unit-{index}.html") for index in range(len(curves))):
            assert all(0 <= x <= 210 and 0 <= y <= 92 for x, y in (drawn(found) if found.all("polyline") else []))


@pytest.mark.parametrize(
    ("file", "error", "words"),
    [(file, BadInputError, "not in the gallery") for file in ("", "/a.png", "../a.png", "b/../a.png", "a\\b", "C:/a")]
    + [(file, ImageError, file) for file in ("tiles/absent.png", "tiles/broken.png")],
)
def test_pictures_that_cannot_be_shown_are_refused_first(folder: Path, file: str, error: type, words: str) -> None:
    (folder / "tiles" / "broken.png").write_bytes(b"no picture")
    with pytest.raises(error, match=words):
        publish(site(layer("conv1", units(1, file=file))), folder)
    assert [path.name for path in folder.iterdir()] == ["tiles"]


def test_units_listed_twice_and_folders_in_the_way_are_refused(folder: Path) -> None:
    with pytest.raises(BadInputError, match="unit 0 of conv1 twice"):
        publish(site(layer("conv1", units(1) * 2)), folder)
    (folder / "assets").write_text("in the way", encoding="utf-8")
    with pytest.raises(OutputError, match="assets"):
        publish(site(layer("conv1", units(1))), folder)


def test_words_stand_out_from_their_ground_in_every_theme(folder: Path) -> None:
    publish(site(), folder)
    found = themes((folder / "assets" / "gallery.css").read_text(encoding="utf-8"))
    assert len(found) == 3
    for colours in found:
        pairs = [(ink, ground) for ink in ("text", "quiet", "accent") for ground in ("ground", "raised", "sunk")]
        for ink, ground in [*pairs, ("on-accent", "accent")]:
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)


@pytest.mark.slow
@pytest.mark.parametrize("layers", [1, 1000])
def test_the_index_of_fifty_thousand_units_stays_small(layers: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = with_pictures(Path(name))
        of = units(50_000 // layers, curve=(), recipe="")
        index = publish(site(*(layer(f"blocks.{at}.mlp.act", of) for at in range(layers))), folder)
        assert index.stat().st_size < 1_000_000
        assert sum(1 for _ in folder.glob("layers/*/unit-*.html")) == 50_000
        assert max(path.stat().st_size for path in folder.glob("layers/*/*.html")) < 500_000


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("name", ["index.html", "layers/conv1/index.html", "layers/conv1/unit-0.html"])
def test_pages_open_from_a_file_without_a_console_message(folder: Path, name: str) -> None:
    publish(rich_site(), folder)
    options = [*CHROMIUM_OPTIONS, f"--user-data-dir={folder / 'profile'}", "--dump-dom"]
    command = [str(CHROMIUM), *options, (folder / name).as_uri()]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "CONSOLE" not in run.stderr
    assert re.search(r'<html [^>]*class="js"', run.stdout)
