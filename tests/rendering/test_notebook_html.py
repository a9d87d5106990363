"""What a notebook shows of a render: pictures with what they are, small enough to be kept, and nothing unescaped."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from small_networks import as_model, mixing

import lucidtorch as lt
from lucidtorch.models.model import Model
from lucidtorch.rendering.loop import Stop
from lucidtorch.rendering.showing import MOST_PICTURES, MOST_PIXELS, code_html, fitting_sheet, picture_html

SOURCE = re.compile(r'src="data:image/(\w+);base64,([^"]+)"')
VOID = {"img"}


@pytest.fixture(scope="module")
def model() -> Model:
    """A small network."""
    return as_model(mixing())


def rendered(model: Model, goal: str = "4:0", **more: Any) -> lt.Rendering:
    settings = {"param": lt.param.image(16), "steps": 2, "transforms": "identity()", "progress": False}
    return lt.render(model, goal, **(settings | more))


def pictures(text: str) -> list[Image.Image]:
    return [Image.open(io.BytesIO(base64.b64decode(data))) for _, data in SOURCE.findall(text)]


class Reader(HTMLParser):
    """Collects the words of HTML, and sees to it that every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.open: list[str] = []
        self.names: set[str] = set()
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.names.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def words(text: str) -> list[str]:
    return Reader(text).words


def test_one_picture_with_its_objective_and_score(model: Model) -> None:
    found = rendered(model, seed=7)
    text = found._repr_html_()
    score, start = float(found.values[0]), float(found.history["objective"][0, 0])
    assert words(text) == [
        "channel('4', 0)",
        f"{model.name} · 16 x 16 · 2 steps · seed 7",
        f"score {score:.4g}, from {start:.4g}",
    ]
    (picture,) = pictures(text)
    assert base64.b64decode(SOURCE.findall(text)[0][1])[:8] == b"\x89PNG\r\n\x1a\n"
    pixels = (found.images[0].double() * 255).round().permute(1, 2, 0).numpy()
    assert np.array_equal(np.array(picture), pixels)


def test_every_picture_says_what_it_alone_is_asked_for(model: Model) -> None:
    found = rendered(model, "4:[2, 0, 1]")
    said = words(found._repr_html_())
    assert said[0] == "channel('4', [2, 0, 1])"
    assert said[1].endswith("seeds 0 to 2")
    assert said[2::2] == [f"channel('4', {unit})" for unit in (2, 0, 1)]
    assert [one.rsplit(", ", 1)[1] for one in said[3::2]] == ["seed 0", "seed 1", "seed 2"]


def test_pictures_of_one_objective_are_numbered(model: Model) -> None:
    found = rendered(model, param=lt.param.image(16, batch=2), seed=[5, 3], snapshots=(1, 2))
    said = words(found._repr_html_())
    assert said[1] == f"{model.name} · 16 x 16 · 2 steps · snapshots after 1, 2 steps"
    assert said[2::2] == ["picture 0", "picture 1"]
    assert [one.rsplit(", ", 1)[1] for one in said[3::2]] == ["seed 5", "seed 3"]
    assert len(pictures(found._repr_html_())) == 2


def test_a_picture_saved_from_the_notebook_can_be_made_again(model: Model, tmp_path: Path) -> None:
    found = rendered(model, "4:[2, 0]")
    data = base64.b64decode(SOURCE.findall(found._repr_html_())[1][1])
    (tmp_path / "x.png").write_bytes(data)
    assert data == found.png([1])
    again = lt.recipes.rerun(tmp_path / "x.png", tmp_path / "y.png", model=model)
    assert torch.equal(again.images, found.images)
    assert (tmp_path / "y.png").read_bytes() == data


def test_dead_and_stopped_and_interrupted_are_said(model: Model) -> None:
    found = rendered(model, param=lt.param.image(16, batch=3))
    stop = Stop(2, 2, "4")
    marked = replace(found, dead=(False, True, False), stopped={2: stop}, interrupted=True)
    text = marked._repr_html_()
    assert "interrupted" in words(text)[1]
    assert [bool(re.search("dead unit", one)) for one in text.split("<figure")[1:]] == [False, True, False]
    assert str(stop) in words(text)
    crossed = np.array(pictures(text)[1])
    assert set(np.unique(crossed)) == {round(255 * 0.35), round(255 * 0.5)}


@pytest.mark.parametrize(("size", "shown", "sharp"), [(16, 32, True), (127, 254, True), (128, 128, False)])
def test_small_pictures_are_enlarged_with_sharp_pixels(size: int, shown: int, sharp: bool, model: Model) -> None:
    text = rendered(model, param=lt.param.image(size), steps=1)._repr_html_()
    assert f'width="{shown}"' in text
    assert ("image-rendering:pixelated" in text) is sharp


def test_see_through_pictures_lie_on_a_chequered_ground(model: Model) -> None:
    found = rendered(model, param=lt.param.image(16, alpha=True), transforms=None)
    assert "repeating-conic-gradient" in found._repr_html_()
    assert pictures(found._repr_html_())[0].mode == "RGBA"
    assert "repeating-conic-gradient" not in rendered(model)._repr_html_()


def test_nothing_is_written_unescaped(model: Model) -> None:
    found = rendered(model)
    bad = "<script>alert('x')</script>\"><b onclick=x>"
    recipe = {**found.recipe, "objective": bad, "model_name": bad}
    text = replace(found, recipe=recipe, objective=bad)._repr_html_()
    assert Reader(text).names <= {"div", "figure", "figcaption", "img", "code", "span"}
    assert bad in words(text)[0]


def test_long_objectives_are_cut() -> None:
    assert words(code_html("x" * 10_000)) == ["x" * 299 + "…"]


def test_too_many_pictures_become_a_sheet(model: Model) -> None:
    count = MOST_PICTURES + 1
    found = rendered(model, "4:0", param=lt.param.image(8, batch=count), steps=1)
    text = found._repr_html_()
    (picture,) = pictures(text)
    assert picture.size == (9 * 8 + 8 * 2, 8 * 8 + 7 * 2)
    low, high = float(found.values.min()), float(found.values.max())
    assert words(text)[-1] == f"{count} pictures row by row · scores {low:.4g} to {high:.4g}"
    assert found._repr_png_() == found.png()


def test_a_batch_of_five_hundred_stays_small(model: Model) -> None:
    noise = torch.rand(512, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    first = rendered(model, param=lt.param.image(16, batch=2))
    large = replace(
        first,
        images=noise,
        values=torch.arange(512.0),
        dead=(True, *(False,) * 511),
        recipe={**first.recipe, "batch": 512, "seed": list(range(512))},
        history={"objective": torch.zeros(512, 2)},
    )
    text, data = large._repr_html_(), large._repr_png_()
    assert len(text) < 4 * MOST_PIXELS * 1.1  # three bytes a pixel at most, a third more as text
    assert len(data) < 3 * MOST_PIXELS * 1.1
    assert len(pictures(text)) == 1
    assert "dead units: 0 " in words(text)[-1]
    assert "shown smaller" in words(text)[-1]


@pytest.mark.parametrize("batch", [1, 2])
def test_clips_are_rows_of_frames(batch: int) -> None:
    body = torch.nn.Sequential(torch.nn.Conv3d(3, 4, 3, padding=1), torch.nn.ReLU())
    model = lt.load_model(body, mean=0.0, std=1.0, size=(5, 12, 10), channels=3)
    found = lt.render(
        model, "0:1", param=lt.param.image((5, 12, 10), batch=batch), transforms="identity()", steps=1, progress=False
    )
    text = found._repr_html_()
    assert [one.size for one in pictures(text)] == [(5 * 10 + 4 * 2, 12)] * batch
    assert words(text)[1].startswith(f"{model.name} · 5 x 12 x 10 · ")


@pytest.mark.parametrize("shape", [(1, 3, 7, 9), (4, 1, 40, 60), (9, 4, 33, 17)])
def test_a_fitting_sheet_is_no_larger_than_it_may_be(shape: tuple[int, ...]) -> None:
    images = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    count, channels, height, width = shape
    whole = fitting_sheet(images, count * height * width)
    assert torch.equal(whole[:, :height, :width], images[0])
    small = fitting_sheet(images, count * (height // 2) * (width // 2) + 4 * count)
    assert small.shape[0] == channels
    assert small.shape[1] < whole.shape[1]
    assert torch.allclose(small[:, 0, 0], images[0, :, :3, :3].flatten(1).mean(1), atol=0.35)


def test_area_means_stay(model: Model) -> None:
    images = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    small = fitting_sheet(images, 16 * 16)
    assert torch.allclose(small, images[0].unflatten(1, (16, 2)).unflatten(3, (16, 2)).mean((2, 4)))


def test_a_picture_holds_itself() -> None:
    stream = io.BytesIO()
    Image.new("RGB", (300, 40)).save(stream, "jpeg")
    text = picture_html(stream.getvalue(), 'a "b" <c>')
    assert 'alt="a &quot;b&quot; &lt;c&gt;"' in text
    assert SOURCE.findall(text) == [("jpeg", base64.b64encode(stream.getvalue()).decode())]
