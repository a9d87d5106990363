"""Images as tensors and files: their layout, PNG and the recipe inside, clips, and photographs."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from lucidtorch.base.errors import ImageError, RecipeError
from lucidtorch.base.images import (
    dead_mark,
    encode_png,
    photo,
    read_png_text,
    resized,
    sheet,
    shown_frames,
    shrunk,
    strip,
    to_bytes,
    visible,
)


@pytest.mark.parametrize("channels", [1, 3])
@given(data=st.data())
def test_pictures_survive_as_png(channels: int, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    numbers = data.draw(hnp.arrays("uint8", (channels, 5, 4)))
    text = data.draw(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=50))
    path = tmp_path_factory.mktemp("pictures") / "x.png"
    path.write_bytes(encode_png(torch.tensor(numbers) / 255, text))
    found = torch.tensor(photo(path).numpy())
    assert np.array_equal((found * 255).round().to(torch.uint8).numpy(), numbers)
    assert read_png_text(path) == text
    assert encode_png(torch.tensor(numbers) / 255, text) == path.read_bytes()


def test_rounding_is_to_the_nearest_of_256() -> None:
    values = torch.tensor([-1.0, 0.0, 0.49 / 255, 0.51 / 255, 0.5, 254.6 / 255, 1.0, 3.0])
    assert to_bytes(values).tolist() == [0, 0, 0, 1, 128, 255, 255, 255]


@pytest.mark.parametrize(("count", "shape"), [(1, (4, 5)), (2, (4, 12)), (3, (10, 12)), (4, (10, 12)), (5, (10, 19))])
def test_a_sheet_is_about_square_with_gaps(count: int, shape: tuple[int, int]) -> None:
    images = torch.rand(count, 3, 4, 5)
    found = sheet(images)
    assert found.shape == (3, *shape)
    across = {1: 1, 2: 2, 3: 2, 4: 2, 5: 3}[count]
    for place in range(count):
        row, column = place // across * 6, place % across * 7
        assert torch.equal(found[:, row : row + 4, column : column + 5], images[place])


HUES = {  # red first, then evenly round the circle
    2: [(1, 0, 0), (0, 1, 1)],
    4: [(1, 0, 0), (0.5, 1, 0), (0, 1, 1), (0.5, 0, 1)],
    6: [(1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1)],
}


@pytest.mark.parametrize("channels", HUES)
def test_other_numbers_of_channels_are_shown_in_hues(channels: int) -> None:
    image = torch.rand(channels, 4, 5, dtype=torch.float64)
    found = visible(image)
    assert found.shape == (3, 4, 5)
    for primary in range(3):
        weights = [hue[primary] for hue in HUES[channels]]
        expected = sum(weight * plane for weight, plane in zip(weights, image, strict=True)) / sum(weights)
        assert torch.allclose(found[primary], expected)


@pytest.mark.parametrize("channels", [1, 3])
def test_grey_and_rgb_are_shown_as_they_are(channels: int) -> None:
    image = torch.rand(channels, 4, 5)
    assert torch.equal(visible(image), image)


@given(st.integers(1, 40), st.floats(0, 1))
def test_equal_channels_are_shown_as_grey_of_their_value(channels: int, value: float) -> None:
    found = visible(torch.full((channels, 2, 3), value, dtype=torch.float64))
    assert torch.allclose(found, torch.tensor(value, dtype=torch.float64))


@given(hnp.arrays("float32", st.tuples(st.integers(1, 30), st.just(2), st.just(2)), elements=st.floats(0, 1, width=32)))
def test_what_is_shown_stays_in_range(numbers: np.ndarray) -> None:
    found = visible(torch.tensor(numbers))
    assert found.dtype == torch.float32
    assert found.min() >= -1e-6
    assert found.max() <= 1 + 1e-6


@pytest.mark.parametrize("channels", [2, 4, 7, 24])
def test_each_channel_is_seen(channels: int) -> None:
    alone = [visible(torch.eye(channels)[channel].view(-1, 1, 1)).flatten() for channel in range(channels)]
    for one in range(channels):
        assert all(not torch.allclose(alone[one], alone[other]) for other in range(one))


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 9, 5), (3, 1, 1), (3, 4, 8, 8)])
def test_the_mark_of_a_dead_unit_is_grey(shape: tuple[int, ...]) -> None:
    mark = dead_mark(torch.rand(shape))
    assert mark.shape == shape
    assert mark.min() >= 0.3
    assert mark.max() <= 0.5


def test_pictures_of_other_programs_carry_no_recipe(tmp_path: Path) -> None:
    Image.new("RGB", (3, 3)).save(tmp_path / "plain.png")
    Image.new("RGB", (3, 3)).save(tmp_path / "photo.jpg")
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "cut.png").write_bytes(encode_png(torch.rand(3, 9, 9), "recipe")[:60])
    for name in ("plain.png", "photo.jpg", "text.png", "cut.png", "missing.png"):
        with pytest.raises(RecipeError, match=name):
            read_png_text(tmp_path / name)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "CMYK"])
def test_images_of_any_mode_are_read(mode: str, tmp_path: Path) -> None:
    suffix = "tif" if mode == "CMYK" else "png"
    Image.new("RGB", (5, 3), (255, 255, 255)).convert(mode).save(tmp_path / f"x.{suffix}")
    found = torch.tensor(photo(tmp_path / f"x.{suffix}").numpy())
    assert found.shape == (1 if mode in ("L", "1") else 3, 3, 5)
    assert found.min() == 1


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_text("hello")
    for path in (tmp_path / "x.png", tmp_path / "missing.png", tmp_path):
        with pytest.raises(ImageError):
            photo(path)


@pytest.mark.parametrize(("shape", "side", "wanted"), [((3, 40, 20), 10, (10, 5)), ((2, 1, 8, 30), 15, (4, 15))])
def test_large_images_are_made_smaller_in_their_own_proportions(
    shape: tuple[int, ...], side: int, wanted: tuple[int, int]
) -> None:
    assert tuple(shrunk(torch.full(shape, 0.25), side).shape) == (*shape[:-2], *wanted)
    torch.testing.assert_close(shrunk(torch.full(shape, 0.25), side), torch.full((*shape[:-2], *wanted), 0.25))


def test_small_images_stay_as_they_are() -> None:
    image = torch.rand(3, 8, 5, generator=torch.Generator().manual_seed(0))
    assert shrunk(image, 8) is image
    assert resized(image, (8, 5)) is image


@pytest.mark.parametrize(
    ("count", "places"),
    [(1, (0,)), (3, (0, 1, 2)), (8, tuple(range(8))), (15, (0, 2, 4, 6, 8, 10, 12, 14)), (9, (0, 1, 2, 3, 5, 6, 7, 8))],
)
def test_frames_are_chosen_evenly(count: int, places: tuple[int, ...]) -> None:
    assert shown_frames(count) == places


@given(st.integers(1, 500))
def test_the_first_and_the_last_frame_are_always_shown(count: int) -> None:
    places = shown_frames(count)
    assert len(places) == min(count, 8)
    assert (places[0], places[-1]) == (0, count - 1)
    gaps = {later - earlier for earlier, later in itertools.pairwise(places)}
    assert max(gaps, default=1) - min(gaps, default=1) <= 1
    assert min(gaps, default=1) >= 1


@pytest.mark.parametrize(("frames", "shown"), [(1, [0]), (3, [0, 1, 2]), (22, [0, 3, 6, 9, 12, 15, 18, 21])])
def test_frames_stand_side_by_side(frames: int, shown: list[int]) -> None:
    clip = torch.rand(2, frames, 4, 5)
    found = strip(clip)
    assert found.shape == (2, 4, 7 * len(shown) - 2)
    for place, frame in enumerate(shown):
        assert torch.equal(found[:, :, 7 * place : 7 * place + 5], clip[:, frame])
