from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import TypeAdapter, ValidationError

from lucidtorch.base.arrays import Array
from lucidtorch.base.errors import BadInputError, ImageError
from lucidtorch.datasets import digits, drawings, lines
from lucidtorch.datasets.ruled import CLASSES
from lucidtorch.recipes.inputs import Drawing, ImageField, kept_image, read_image

FIELD = TypeAdapter(ImageField, config={"arbitrary_types_allowed": True})


def written(path: Path, size: tuple[int, int] = (6, 4), mode: str = "RGB") -> Path:
    """A picture file whose left half is black and whose right half is white."""
    pixels = np.zeros(size, dtype=np.uint8)
    pixels[:, size[1] // 2 :] = 255
    Image.fromarray(pixels).convert(mode).save(path)
    return path


def test_a_file_is_read_at_the_size_that_is_asked_for(tmp_path: Path) -> None:
    written(tmp_path / "half.png")
    found = read_image("half.png", (6, 4), 3, tmp_path).numpy()
    assert found.shape == (3, 6, 4)
    assert (found[:, :, :2] == 0).all()
    assert (found[:, :, 2:] == 1).all()
    assert read_image("half.png", (3, 8), 3, tmp_path).shape == (3, 3, 8)


def test_a_path_may_be_absolute_and_a_home_that_is_not_there_is_no_crash(tmp_path: Path) -> None:
    path = written(tmp_path / "half.png")
    assert read_image(str(path), (6, 4), 3, Path("elsewhere")).shape == (3, 6, 4)
    with pytest.raises(ImageError, match="cannot be read"):
        read_image("~nobody-of-that-name/half.png", (6, 4), 3, tmp_path)


def test_colours_become_grey_and_grey_becomes_colours(tmp_path: Path) -> None:
    colours = torch.rand(3, 4, 5, generator=torch.Generator().manual_seed(0))
    grey = read_image(Array.of(colours), (4, 5), 1, tmp_path).numpy()
    np.testing.assert_allclose(
        grey,
        (colours.double() * torch.tensor((0.299, 0.587, 0.114))[:, None, None]).sum(0, keepdim=True).numpy(),
        atol=1e-6,
    )
    written(tmp_path / "grey.png", mode="L")
    back = read_image("grey.png", (6, 4), 3, tmp_path).numpy()
    assert back.shape == (3, 6, 4)
    assert (back[0] == back[2]).all()


@pytest.mark.parametrize("number", [0, 2])
def test_drawing_n_of_a_class_is_the_nth_of_that_class(number: int, tmp_path: Path) -> None:
    every = drawings("test", size=(20, 24))
    stars = [place for place in range(3 * len(every.classes)) if every[place][1] == every.classes.index("star")]
    found = read_image(Drawing(drawing="star", number=number), (20, 24), 3, tmp_path)
    np.testing.assert_array_equal(found.numpy(), np.asarray(every[stars[number]][0], dtype=np.float32))


def test_digits_and_lines_are_found_by_what_they_are(tmp_path: Path) -> None:
    found = read_image(Drawing(digit=7, number=1), (20, 24), 1, tmp_path)
    every = digits("test", size=(20, 24))
    own = [image for image, label in every if label == 7]
    np.testing.assert_array_equal(found.numpy(), np.asarray(own[1]))
    red = read_image(Drawing(line="red long"), (32, 32), 3, tmp_path).numpy()
    image, label = next(one for one in lines("test", size=32) if {"long", "red"} <= set(CLASSES[one[1]].split()))
    np.testing.assert_array_equal(red, np.asarray(image), err_msg=CLASSES[label])
    assert [Drawing(digit=7, number=1).name, Drawing(line="red long").name] == ["digit 7 1", "red long line"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Drawing(digit=7, number=500), "500 was asked for, but .* pictures are a digit 7"),
        (Drawing(line="wide"), "0 pictures are a wide line, from 0 on. They are named by words such as"),
    ],
)
def test_a_digit_or_line_that_is_not_there_is_refused(value: Drawing, words: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=words):
        read_image(value, (20, 20), 3, tmp_path)


def test_the_field_takes_a_path_a_mapping_and_pixels() -> None:
    assert FIELD.validate_python(Path("a") / "b.png") == str(Path("a") / "b.png")
    assert FIELD.validate_python({"drawing": "star"}) == Drawing(drawing="star", number=0)
    pixels = np.zeros((3, 2, 2))
    assert FIELD.validate_python(pixels) == Array.of(pixels)
    assert FIELD.validate_python(torch.zeros(3, 2, 2)) == Array.of(pixels)


@pytest.mark.parametrize(
    "value",
    [
        {"drawing": "star", "digit": 3},
        {"digit": 10},
        {"drawing": "star", "numbr": 1},
        {"number": 1},
        {"drawing": "star", "number": -1},
        3,
    ],
)
def test_the_field_refuses_other_things(value: object) -> None:
    with pytest.raises(ValidationError):
        FIELD.validate_python(value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("none.png", "cannot be read"),
        ("", "is no path"),
        ("a\0b", "is no path"),
        ("text.png", "cannot be read as an image"),
        (Drawing(drawing="sta"), "Did you mean 'star'"),
        (Array.of(np.zeros((2, 2))), r"\[2, 2\]"),
        (Array.of(np.zeros((1, 3, 2, 2))), r"\[1, 3, 2, 2\]"),
        (Array.of(np.zeros((2, 4, 4))), "takes images \\[C, H, W\\] of 3 channels, but one of shape \\[2, 4, 4\\]"),
        (Array.of(np.full((3, 2, 2), 255.0)), "divide by 255"),
        ("none.npy", "cannot be read"),
    ],
)
def test_what_is_no_picture_is_refused_in_plain_words(value: str | Drawing | Array, words: str, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(BadInputError, match=words):
        read_image(value, (4, 4), 3, tmp_path)


def test_a_run_keeps_a_copy_under_a_name_that_stays(tmp_path: Path) -> None:
    path = written(tmp_path / "my photo ö.png")
    name, files = kept_image(path.name, tmp_path)
    assert name.startswith("inputs/my_photo__-")
    assert name.endswith(".png")
    assert files == {name: path.read_bytes()}
    run = tmp_path / "run"
    (run / "inputs").mkdir(parents=True)
    (run / name).write_bytes(files[name])
    assert kept_image(name, run) == (name, files)


def test_pixels_are_kept_as_an_array_that_is_read_back(tmp_path: Path) -> None:
    pixels = Array.of(np.random.default_rng(0).random((3, 6, 4)))
    name, files = kept_image(pixels, tmp_path)
    (tmp_path / "inputs").mkdir()
    (tmp_path / name).write_bytes(files[name])
    assert read_image(name, (9, 9), 3, tmp_path) == pixels
    assert kept_image(name, tmp_path) == (name, files)


def test_a_drawing_needs_no_copy(tmp_path: Path) -> None:
    assert kept_image(Drawing(drawing="star"), tmp_path) == (Drawing(drawing="star"), {})


def test_a_file_that_is_gone_is_refused_when_it_is_to_be_kept(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="cannot be read"):
        kept_image("none.png", tmp_path)
    with pytest.raises(ImageError, match="cannot be read"):
        kept_image(".", tmp_path)
