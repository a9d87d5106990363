"""The pictures that a recipe looks at: one, several, or all of a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from lucidtorch.base.errors import BadInputError
from lucidtorch.datasets import drawings
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model
from lucidtorch.recipes import looked_at
from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.inputs import Drawing
from lucidtorch.recipes.looked_at import LookedAt, PictureFields, look_at, plain_stem
from lucidtorch.recipes.recipe import Recipe
from lucidtorch.recipes.runs.stage import Stage


def look(model: Model, base: Path, sides: tuple[int, int] | None = (24, 32), **fields: Any) -> LookedAt:
    return look_at(Stage.of(Recipe(recipe="any"), model, base), PictureFields(**fields), sides)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of two pictures and a text, and a subfolder that is not looked into."""
    folder = tmp_path / "photos"
    (folder / "deeper").mkdir(parents=True)
    Image.new("RGB", (64, 48), (255, 0, 0)).save(folder / "red.PNG")
    Image.new("RGB", (48, 48), (0, 0, 255)).save(folder / "blue.png")
    Image.new("L", (48, 48), 9).save(folder / "deeper" / "black.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_a_folder_is_looked_through_in_the_order_of_its_names(demo: Model, photos: Path) -> None:
    found = look(demo, photos.parent, images="photos")
    assert found.names == ("blue", "red")
    assert found.pixels.shape == (2, 3, 24, 32)
    assert torch.allclose(found.pixels[0], torch.tensor([0.0, 0.0, 1.0])[:, None, None].expand(3, 24, 32))
    assert torch.allclose(found.pixels[1], torch.tensor([1.0, 0.0, 0.0])[:, None, None].expand(3, 24, 32))
    assert [name.partition("-")[0] for name in found.fields["images"]] == ["inputs/blue", "inputs/red"]
    assert found.files == {
        name: (photos / source).read_bytes()
        for name, source in zip(found.fields["images"], ("blue.png", "red.PNG"), strict=True)
    }


def test_the_kept_copies_are_named_and_read_as_the_pictures_were(demo: Model, photos: Path, tmp_path: Path) -> None:
    first = look(demo, photos.parent, images="photos")
    (tmp_path / "run" / "inputs").mkdir(parents=True)
    for name, data in first.files.items():
        (tmp_path / "run" / name).write_bytes(data)
    again = look(demo, tmp_path / "run", images=first.fields["images"])
    assert (again.names, again.fields, again.files) == (first.names, first.fields, first.files)
    assert torch.equal(again.pixels, first.pixels)


def test_files_drawings_and_pixels_stand_side_by_side(demo: Model, photos: Path) -> None:
    pixels = torch.rand(3, 24, 32, generator=torch.Generator().manual_seed(0))
    star: dict[str, Any] = {"drawing": "star", "number": 2}
    found = look(demo, photos.parent, images=["photos/red.PNG", star, {"drawing": "star"}, pixels])
    assert found.names == ("red", "star 2", "star", "picture 4")
    assert torch.equal(found.pixels[3], pixels)
    classes = drawings("test").classes
    place = classes.index("star") + 2 * len(classes)
    assert torch.equal(found.pixels[1], drawings("test", length=place + 1, size=(24, 32))[place][0])
    assert found.fields["images"][1:3] == (Drawing(**star), Drawing(drawing="star"))
    assert len(found.files) == 2


def test_names_that_are_alike_are_told_apart_by_their_numbers(demo: Model, photos: Path) -> None:
    twice = ["photos/red.PNG", "photos/blue.png", "photos/red.PNG"]
    assert look(demo, photos.parent, images=twice).names == ("red (1)", "blue", "red (3)")


def test_one_picture_stays_one(demo: Model, photos: Path) -> None:
    found = look(demo, photos.parent, image="photos/blue.png")
    assert found.names == ("blue",)
    assert list(found.fields) == ["image"]
    assert found.fields["image"].startswith("inputs/blue-")


def test_without_a_size_it_is_that_of_the_network_or_of_the_pixels(demo: Model, photos: Path) -> None:
    assert look(demo, photos.parent, None, image="photos/red.PNG").pixels.shape == (1, 3, 96, 96)
    assert look(demo, photos.parent, None, image=torch.zeros(3, 20, 30)).pixels.shape == (1, 3, 20, 30)
    grey = load_model("digits", weights="random", device="cpu")
    assert look(grey, photos.parent, None, image="photos/red.PNG").pixels.shape == (1, 1, 32, 32)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"images": "photos/red.PNG"}, "images: There is no folder"),
        ({"images": "nowhere"}, "images: There is no folder"),
        ({"images": "empty"}, "images: .* holds 0 pictures"),
        ({"images": ["photos/red.PNG", "photos/notes.txt"]}, r"images\[1\]: .*notes\.txt"),
        ({"images": ["photos/red.PNG", "none.png"]}, r"images\[1\]: .*none\.png"),
        ({"images": [{"drawing": "star"}, {"drawing": "sta"}]}, r"images\[1\]: .*'sta'.*star"),
        ({"images": ["photos/red.PNG", torch.zeros(3, 24, 30)]}, r"images\[1\]: It is 24 x 30, and 24 x 32"),
        ({"image": torch.zeros(2, 24, 32)}, "image: .*2"),
    ],
)
def test_what_is_no_picture_is_refused_by_its_place(
    demo: Model, photos: Path, fields: dict[str, Any], said: str
) -> None:
    (photos.parent / "empty").mkdir()
    with pytest.raises(BadInputError, match=said):
        look(demo, photos.parent, **fields)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "image: Pictures are looked at here"),
        ({"image": "red.png", "images": "photos"}, "images: Write `image` or `images`"),
    ],
)
def test_pictures_are_named_in_one_way(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        PictureFields(**fields)


def test_a_folder_of_more_pictures_than_a_run_looks_at_is_refused(
    demo: Model, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looked_at, "MOST", 1)
    with pytest.raises(FieldError, match="holds 2 pictures; a run looks at 1 to 1"):
        look(demo, photos.parent, images=str(photos))


@pytest.mark.parametrize(
    ("path", "stem"),
    [
        ("photos/red.png", "red"),
        ("inputs/red-0123abcd.png", "red"),
        ("photos/red-0123abcd.png", "red-0123abcd"),
        ("inputs/red-blue.png", "red-blue"),
        ("inputs/two-words-0123abcd.png", "two-words"),
    ],
)
def test_a_copy_is_named_as_the_picture_was(path: str, stem: str) -> None:
    assert plain_stem(path) == stem
