from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from lucidtorch import datasets
from lucidtorch.base.errors import ImageError, OutputError, SizeError
from lucidtorch.base.images import encode_png

HALF_A_LEVEL = 0.5 / 255 + 1e-6


def test_saved_drawings_open_again_as_any_folder_does(tmp_path):
    data = datasets.drawings("test", length=102, size=24)
    again = datasets.folder(data.save(tmp_path / "drawn"))
    assert len(again) == len(data)
    assert again.classes == tuple(sorted(data.classes))
    found = {}
    for path, label in again.files:
        assert path.parent.name == again.classes[label]
        found[int(path.stem)] = len(found)
    for index, (image, label) in enumerate(data):
        opened, number = again[found[index]]
        assert again.classes[number] == data.classes[label]
        assert float((opened - image).abs().max()) <= HALF_A_LEVEL


def test_digits_are_saved_in_grey_and_open_in_three_channels(tmp_path):
    data = datasets.digits("test")
    path = tmp_path / "7.png"
    path.write_bytes(encode_png(data[0][0]))
    with Image.open(path) as opened:
        assert opened.mode == "L"
    image, label = datasets.folder(tmp_path)[0]
    assert image.shape == (3, 32, 32)
    assert label == 0
    assert float((image - data[0][0]).abs().max()) <= HALF_A_LEVEL


def test_images_without_subfolders_form_one_class(tmp_path):
    for name in ("b.png", "a.PNG", "c.jpg"):
        Image.new("RGB", (20, 30), "red").save(tmp_path / name, format="PNG")
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "empty").mkdir()
    data = datasets.folder(tmp_path)
    assert data.classes == ("",)
    assert [path.name for path, _ in data.files] == ["a.PNG", "b.png", "c.jpg"]
    assert data[0][0].shape == (3, 30, 20)


def test_a_size_covers_and_cuts_around_the_middle(tmp_path):
    values = np.zeros((40, 80, 3), dtype=np.uint8)
    values[:, 20:60] = 255
    Image.fromarray(values).save(tmp_path / "wide.png")
    image, _ = datasets.folder(tmp_path, size=20)[0]
    assert image.shape == (3, 20, 20)
    assert float(image[:, :, 1:-1].min()) > 0.98
    assert datasets.folder(tmp_path, size=(16, 32))[0][0].shape == (3, 16, 32)


def test_a_picture_lies_as_its_camera_says(tmp_path):
    picture = Image.new("RGB", (40, 20))
    turned = Image.Exif()
    turned[0x0112] = 6
    picture.save(tmp_path / "turned.jpg", exif=turned)
    assert datasets.folder(tmp_path)[0][0].shape == (3, 40, 20)


def test_what_is_no_folder_of_images_is_refused(tmp_path):
    with pytest.raises(ImageError, match="no folder"):
        datasets.folder(tmp_path / "nowhere")
    with pytest.raises(ImageError, match="holds no images"):
        datasets.folder(tmp_path)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(ImageError, match=r"broken\.png cannot be read"):
        datasets.folder(tmp_path)[0]
    with pytest.raises(SizeError):
        datasets.folder(tmp_path, size=3)


def test_saving_onto_a_file_is_refused(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError):
        datasets.drawings(length=1).save(tmp_path / "taken")


def test_a_torch_loader_takes_any_collection():
    loader = torch.utils.data.DataLoader(datasets.drawings(length=6, size=16), batch_size=4)
    shapes = [(tuple(images.shape), labels.tolist()) for images, labels in loader]
    assert shapes == [((4, 3, 16, 16), [0, 1, 2, 3]), ((2, 3, 16, 16), [4, 5])]
