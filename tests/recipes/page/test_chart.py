"""Charts on the page of a run: small pictures to move about in, and what stands there where no script runs."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from html_pages import CHROMIUM, CHROMIUM_OPTIONS
from PIL import Image
from run_pages import EVIL, SMALL, figure, published, recipe, story, with_pictures

from lucidtorch.base.errors import BadInputError, ImageError
from lucidtorch.models.model import Model
from lucidtorch.recipes.page.layout import blocks
from lucidtorch.recipes.page.publishing import publish
from lucidtorch.recipes.runs.exhibit import run_html
from lucidtorch.recipes.story import Chart, Figure, Section, View

SHEET = "maps/thumbnails #1.png"
MIDDLE = 2  # the picture in the middle of both arrangements


def chart(thumbnails: str = SHEET) -> Chart:
    places = ((0.0, 0.0), (1.0, 0.0), (0.5, 0.5), (0.0, 1.0), (1.0, 1.0))
    views = (View("free", places, 0.05), View(EVIL, places, 0.3, packed=True))
    names = ("one", EVIL, "the middle", "four", "five")
    return Chart(thumbnails, 3, 20, 10, names, (0, 1, 1, 0, -1), ("cats", EVIL), ("#ff0000", "#00ff00"), views)


def charted(thumbnails: str = SHEET) -> Figure:
    return figure("all of them", chart=chart(thumbnails), legend=(("cats", "#ff0000"), (EVIL, "#00ff00")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "maps").mkdir()
    Image.new("RGB", (60, 20), (9, 90, 200)).save(tmp_path / SHEET)
    return with_pictures(tmp_path)


def data_of(page: Path) -> dict[str, object]:
    found = re.search(r'<script type="application/json">(.*?)</script>', page.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    read: dict[str, object] = json.loads(found[1])
    return read


def test_the_page_holds_what_the_script_reads_and_no_text_is_markup(folder: Path, demo: Model) -> None:
    page = published(story(Section("Map", (), (charted(),))), demo, folder)
    data = data_of(folder / "index.html")
    assert data["names"] == list(chart().names)
    assert data["thumbnails"] == "maps/thumbnails%20%231.png"
    assert data["views"] == [
        {"name": one.name, "places": [list(place) for place in one.places], "side": one.side, "packed": one.packed}
        for one in chart().views
    ]
    assert "<script>alert" not in (folder / "index.html").read_text(encoding="utf-8")
    assert [one["value"] for one in page.all("option")] == ["0", "1", "-2", "0", "1"]
    assert page.all("canvas")[0]["aria-label"].startswith("What all of them shows")
    assert page.all("canvas")[0]["tabindex"] == "0"


def test_where_no_script_runs_the_picture_of_them_all_stands_there(folder: Path, demo: Model) -> None:
    page = published(story(Section("Map", (), (charted(),))), demo, folder)
    assert "hidden" in page.all("div", class_="live")[0]
    assert [one["src"] for one in page.all("img", alt="all") if "src" in one] == ["pictures/a%20%231%40100%25.png"]
    assert not page.all("a", class_="zoom")
    shown = run_html(folder, recipe(), story(Section("Map", (), (charted(),))))
    assert "data:image/png" in shown
    assert shown.count("&#9679;") == 2


def test_data_json_tells_the_places(folder: Path, demo: Model) -> None:
    published(story(Section("Map", (), (charted(), figure()))), demo, folder)
    data = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    first, second = data["sections"][0]["figures"]
    assert first["chart"]["views"][0]["places"][MIDDLE] == [0.5, 0.5]
    assert first["chart"]["thumbnails"] == SHEET
    assert first["legend"] == [["cats", "#ff0000"], [EVIL, "#00ff00"]]
    assert (second["chart"], second["legend"]) == (None, [])


def test_only_pages_with_a_chart_have_its_script(folder: Path, demo: Model) -> None:
    published(story(Section("Map", (), (charted(),))), demo, folder)
    assert "touch-action" in (folder / "index.html").read_text(encoding="utf-8")
    published(story(Section("Map", (), (figure(),))), demo, folder)
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert "touch-action" not in text
    assert "pointermove" not in text


def test_a_legend_stands_under_any_picture(folder: Path, demo: Model) -> None:
    for others in (0, 6):
        shown = figure(legend=(("cats", "#ff0000"), ("dogs", "#0000ff")))
        page = published(story(Section("Dots", (), (shown, *[figure()] * others))), demo, folder)
        assert [one["style"] for one in page.all("span", class_="spot")] == [
            "background: #ff0000",
            "background: #0000ff",
        ]
        assert "dogs" in page.text


def test_a_chart_is_a_block_of_its_own() -> None:
    found = blocks(Section("Map", (), (charted(), figure(whole=True), figure())), {SMALL: (64, 48)})
    assert [one.kind for one in found] == ["chart", "whole", "few"]


@pytest.mark.parametrize(("file", "error"), [("absent.png", ImageError), ("../a.png", BadInputError)])
def test_thumbnails_that_cannot_be_shown_are_refused_first(folder: Path, demo: Model, file: str, error: type) -> None:
    with pytest.raises(error, match=re.escape(file)):
        publish(story(Section("Map", (), (charted(file),))), recipe(), demo, folder)
    assert not (folder / "index.html").exists()


LOOKED_AT = """
<script>
addEventListener("load", () => setTimeout(() => {
  const said = document.documentElement.dataset;
  const ground = document.querySelector(".chart .ground");
  const canvas = ground.querySelector("canvas");
  const peek = ground.querySelector(".peek");
  const box = canvas.getBoundingClientRect();
  const point = (x, y) => {
    const place = { clientX: box.left + box.width * x, clientY: box.top + box.height * y, bubbles: true };
    canvas.dispatchEvent(new PointerEvent("pointermove", place));
    return peek.hidden ? "nothing" : peek.querySelector("p").textContent;
  };
  const press = (key) => canvas.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  said.alive = !document.querySelector(".chart .live").hidden;
  said.still = getComputedStyle(document.querySelector(".chart .still")).display;
  said.middle = point(0.5, 0.5);
  said.edge = point(0.5, 0.05);
  for (let times = 0; times < 30; times += 1) press("ArrowRight");
  for (let times = 0; times < 30; times += 1) press("ArrowDown");
  said.moved = point(0.5, 0.5);
  press("0");
  for (let times = 0; times < 9; times += 1) press("+");
  said.near = point(0.5, 0.5);
  const groups = document.querySelector(".groups");
  groups.value = "0";
  groups.dispatchEvent(new Event("change"));
  said.other = point(0.5, 0.5);
  document.querySelector(".dots").click();
  said.dots = document.querySelector(".dots").getAttribute("aria-pressed");
  said.aside = document.documentElement.scrollWidth - innerWidth;
}, 500));
</script>
"""


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("width", [500, 1300])
def test_a_browser_moves_about_in_it(folder: Path, demo: Model, width: int) -> None:
    page = publish(story(Section("Map", (), (charted(),))), recipe(), demo, folder)
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("</body>", f"{LOOKED_AT}</body>"), encoding="utf-8")
    options = (*CHROMIUM_OPTIONS, f"--user-data-dir={folder / 'profile'}", f"--window-size={width},900")
    wait = ("--virtual-time-budget=5000", "--dump-dom")
    command = [str(CHROMIUM), *options, *wait, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    assert "CONSOLE" not in done.stderr
    found = re.search(r"<html [^>]*>", done.stdout)
    assert found is not None
    said = dict(re.findall(r'data-([\w-]+)="([^"]*)"', found[0]))
    assert (said["alive"], said["still"]) == ("true", "none")
    assert "the middle" in said["middle"]
    assert said["edge"] == "nothing"
    assert "five" in said["moved"]  # the lower right corner, where moving ends
    assert "the middle" in said["near"]
    assert said["other"] == "nothing"  # the middle is of another class than the chosen
    assert said["dots"] == "true"
    assert int(said["aside"]) <= 0
