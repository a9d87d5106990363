"""The page of a run in a browser: without a message, without a side scroll, and with its large view."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from html_pages import CHROMIUM, CHROMIUM_OPTIONS
from run_pages import recipe, rich_story, with_pictures

from lucidtorch.models.model import Model
from lucidtorch.recipes.page.publishing import publish

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]

LOOKED_AT = """
<script>
addEventListener("load", () => {
  const html = document.documentElement;
  html.dataset.aside = html.scrollWidth - innerWidth;
  document.querySelectorAll("a.zoom")[1].click();
  const zoom = document.getElementById("zoom");
  zoom.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
  html.dataset.place = zoom.querySelector(".place").textContent;
  html.dataset.seed = zoom.querySelector(".known").textContent.includes("4611686018427387904");
  document.getElementById("theme").click();
  html.dataset.chosen = html.dataset.theme;
});
</script>
"""


def opened(page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(CHROMIUM), *CHROMIUM_OPTIONS, f"--user-data-dir={page.parent / 'profile'}", *options, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)


@pytest.fixture
def page(tmp_path: Path, demo: Model) -> Path:
    (tmp_path / "run").mkdir()
    return publish(rich_story(), recipe(), demo, with_pictures(tmp_path / "run"))


@pytest.mark.parametrize("width", [500, 1300])
def test_the_page_opens_and_shows_a_picture_large(page: Path, width: int) -> None:
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("</body>", f"{LOOKED_AT}</body>"), encoding="utf-8")
    done = opened(page, "--dump-dom", f"--window-size={width},900")
    assert "CONSOLE" not in done.stderr
    html = re.search(r"<html [^>]*>", done.stdout)
    assert html is not None
    said = dict(re.findall(r'([\w-]+)="([^"]*)"', html[0]))
    assert said["class"] == "js"
    assert int(said["data-aside"]) <= 0
    assert re.fullmatch(r"3 of \d+", said["data-place"])
    assert said["data-theme"] in ("dark", "light")
    assert re.search(r'<dialog id="zoom"[^>]* open', done.stdout)


def test_the_page_goes_on_paper(page: Path) -> None:
    paper = page.with_name("page.pdf")
    done = opened(page, f"--print-to-pdf={paper}")
    assert "CONSOLE" not in done.stderr
    assert paper.read_bytes().startswith(b"%PDF")
