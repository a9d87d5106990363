from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lucidtorch.base.arrays import Array
from lucidtorch.base.errors import BadInputError
from lucidtorch.models.inputs.convention import InputConvention
from lucidtorch.models.inputs.mean_image import read_mean, resized_mean

PIXELS = np.arange(3 * 5 * 7, dtype=np.float32).reshape(3, 5, 7)
BYTES = (0.0, 255.0)


def saved(folder: Path, numbers: np.ndarray, suffix: str = ".npy") -> Path:
    path = folder / f"mean{suffix}"
    if suffix == ".npy":
        np.save(path, numbers)
    else:
        torch.save(torch.from_numpy(np.ascontiguousarray(numbers)), path)
    return path


@pytest.mark.parametrize("suffix", [".npy", ".pth", ".pt"])
@pytest.mark.parametrize("numbers", [PIXELS, PIXELS.transpose(1, 2, 0), PIXELS[None], PIXELS.astype(np.float64)])
def test_every_usual_arrangement_is_read(tmp_path: Path, numbers: np.ndarray, suffix: str) -> None:
    found = read_mean(saved(tmp_path, numbers, suffix), 3, BYTES, "bgr")
    assert found == Array.of(PIXELS)


def test_a_plane_is_for_all_channels_and_a_row_is_one_number_for_each(tmp_path: Path) -> None:
    assert np.array_equal(read_mean(saved(tmp_path, PIXELS[1]), 3, BYTES, "rgb").numpy(), np.stack([PIXELS[1]] * 3))
    path = saved(tmp_path, np.array([104.0, 117.0, 123.0]))
    said = InputConvention().overridden(mean=path, value_range=BYTES)
    assert (said.mean, said.mean_image, said.stated) == ((104.0, 117.0, 123.0), None, True)


def test_a_mean_of_clips_keeps_its_frames(tmp_path: Path) -> None:
    cube = np.random.default_rng(0).random((3, 4, 5, 7)).astype(np.float32)
    said = InputConvention(size=(4, 5, 7)).overridden(mean=str(saved(tmp_path, cube)))
    assert said.mean_image == Array.of(cube)
    with pytest.raises(BadInputError, match=r"A mean image is \[C, H, W\]"):
        InputConvention().overridden(mean=saved(tmp_path, cube))


def test_the_mean_of_a_convention_with_an_image_is_its_colour(tmp_path: Path) -> None:
    said = InputConvention().overridden(mean=saved(tmp_path, PIXELS), value_range=BYTES)
    assert said.mean_image == Array.of(PIXELS)
    assert said.mean == pytest.approx([17, 52, 87])


@pytest.mark.parametrize(("order", "colour"), [("rgb", (-1.0, 0.0, 1.0)), ("bgr", (1.0, 0.0, -1.0))])
def test_a_picture_is_stretched_and_brought_into_the_networks_order(
    tmp_path: Path, order: str, colour: tuple[float, ...]
) -> None:
    Image.new("RGB", (6, 4), (0, 128, 255)).save(tmp_path / "mean.png")
    found = read_mean(tmp_path / "mean.png", 3, (-1.0, 1.0), order).numpy()
    assert found.shape == (3, 4, 6)
    np.testing.assert_allclose(found[:, 2, 3], colour, atol=0.005)


def test_a_grey_picture_is_for_all_channels_and_a_coloured_one_for_three(tmp_path: Path) -> None:
    Image.new("L", (9, 9), 51).save(tmp_path / "grey.png")
    np.testing.assert_allclose(read_mean(tmp_path / "grey.png", 4, (0.0, 1.0), "rgb").numpy(), np.full((4, 9, 9), 0.2))
    Image.new("RGB", (9, 9)).save(tmp_path / "mean.png")
    with pytest.raises(BadInputError, match="a picture of 3 channels for images of 4"):
        read_mean(tmp_path / "mean.png", 4, (0.0, 1.0), "rgb")


def test_resizing_is_bilinear_and_broadcasts_over_frames() -> None:
    mean = Array.of([[[0.0, 1.0], [2.0, 3.0]]])
    assert resized_mean(mean, (2, 2)).tolist() == [[[[0, 1], [2, 3]]]]
    rows = [0, 0.25, 0.75, 1]  # half-pixel centres
    expected = [[2 * row + column for column in rows] for row in rows]
    np.testing.assert_allclose(resized_mean(mean, (4, 4))[0, 0].numpy(), expected)
    assert resized_mean(mean, (1, 1)).tolist() == [[[[1.5]]]]
    assert resized_mean(mean, (5, 4, 4)).shape == (1, 1, 1, 4, 4)
    cube = Array.of([[[[0.0]], [[1.0]]]])
    assert resized_mean(cube, (2, 1, 1)).flatten().tolist() == [0, 1]
    assert resized_mean(cube, (4, 3, 3))[0, 0, :, 1, 2].tolist() == pytest.approx(rows)


def test_what_is_no_mean_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mean.txt").write_text("0.5")
    (tmp_path / "broken.npy").write_bytes(b"nothing")
    (tmp_path / "broken.pth").write_bytes(b"nothing")
    np.save(tmp_path / "code.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.save(tmp_path / "nan.npy", np.full((3, 2, 2), np.nan))
    np.save(tmp_path / "other.npy", np.zeros((2, 5, 5)))
    torch.save({"mean": torch.zeros(3)}, tmp_path / "mapping.pth")
    for name, message in (
        ("mean.txt", "is none of .npy, .pth, .pt, .png, .jpg, .jpeg. Give"),
        ("broken.npy", "holds no plain numbers"),
        ("broken.pth", "holds no plain numbers"),
        ("code.npy", "holds no plain numbers"),
        ("nan.npy", "inf or nan"),
        ("other.npy", r"of shape \[2, 5, 5\] for images of 3 channels. Give"),
        ("mapping.pth", "holds a dict, not one tensor"),
    ):
        with pytest.raises(BadInputError, match=message):
            read_mean(tmp_path / name, 3, BYTES, "rgb")
