from __future__ import annotations

import os

import numpy as np
import pytest
import torch
from torchvision.datasets import MNIST

from lucidtorch.base.errors import BadInputError, ImageError
from lucidtorch.datasets import digits, drawings, folder, lines
from lucidtorch.datasets.named import find_data, name_of, open_data

SIZE = (24, 32)


def same(ours, theirs):
    """Two sets give the same images and classes."""
    assert len(ours) == len(theirs)
    for number in range(min(3, len(ours))):
        (image, label), (other, own) = ours[number], theirs[number]
        assert label == own
        assert torch.equal(image, other)
    assert ours.classes == theirs.classes


@pytest.fixture
def photos(tmp_path):
    drawings("test", length=102, size=SIZE).save(tmp_path / "all")
    return tmp_path / "all"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ({"drawings": "test", "length": 5, "seed": 3}, lambda: drawings("test", length=5, size=SIZE, seed=3)),
        ({"drawings": "train", "length": 4, "size": 20}, lambda: drawings("train", length=4, size=20)),
        ({"digits": "test"}, lambda: digits("test", size=SIZE)),
        ({"digits": "train", "size": [16, 18]}, lambda: digits("train", size=(16, 18))),
        ({"lines": "test", "length": 6}, lambda: lines("test", length=6, size=SIZE)),
        ({"lines": "test", "length": 6, "head": "colour"}, lambda: lines("test", length=6, size=SIZE, head="colour")),
    ],
)
def test_what_ships_is_opened_by_its_name_and_says_it_again(name, expected):
    found = open_data(name, size=SIZE)
    same(found, expected())
    same(open_data(name_of(found), size=(99, 99)), found)  # the name says the size too


def test_a_folder_is_a_path_or_a_mapping_and_starts_where_it_is_told(photos, tmp_path):
    for name in (str(photos), "all", {"folder": "all"}):
        found = open_data(name, size=SIZE, base=tmp_path)
        same(found, folder(photos))
        assert name_of(found) == str(photos.resolve())
    small = open_data({"folder": "all", "size": [20, 16]}, size=SIZE, base=tmp_path)
    same(small, folder(photos, size=(20, 16)))
    assert name_of(small) == {"folder": str(photos.resolve()), "size": [20, 16]}
    same(open_data(name_of(small), size=SIZE), small)


def test_a_folder_is_named_by_a_whole_path_wherever_it_was_opened(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert name_of(folder("all")) == os.path.realpath("all")
    monkeypatch.setenv("HOME", str(tmp_path))
    same(open_data("~/all", size=SIZE, base=tmp_path / "elsewhere"), folder(photos))


def test_an_array_is_read_from_its_file(tmp_path):
    values = np.random.default_rng(0).random((4, 3, 8, 9), dtype=np.float32)
    np.save(tmp_path / "images.npy", values)
    assert np.array_equal(open_data("images.npy", size=SIZE, base=tmp_path), values)
    np.save(tmp_path / "flat.npy", values[0])
    with pytest.raises(ImageError, match=r"holds \[3, 8, 9\]"):
        open_data("flat.npy", size=SIZE, base=tmp_path)
    (tmp_path / "text.npy").write_text("no array")
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    for name in ("text.npy", "objects.npy", "none.npy"):
        with pytest.raises(ImageError, match="no array that can be read"):
            open_data(name, size=SIZE, base=tmp_path)


def idx(values: np.ndarray) -> bytes:
    """An array of bytes as the files of MNIST hold it."""
    return bytes([0, 0, 8, values.ndim]) + np.array(values.shape, dtype=">u4").tobytes() + values.tobytes()


def test_datasets_of_torchvision_are_opened_by_their_names(photos, tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
    for part in ("train", "t10k"):
        (raw / f"{part}-images-idx3-ubyte").write_bytes(idx(images))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(idx(np.arange(5, dtype=np.uint8)))
    name = {"torchvision": "MNIST", "root": ".", "train": False}
    found = open_data(name, size=SIZE, base=tmp_path)
    assert isinstance(found, MNIST)
    assert (len(found), found[3][1], found.train) == (5, 3, False)
    assert np.array_equal(np.array(found[3][0]), images[3])
    pictures = open_data({"torchvision": "ImageFolder", "root": "all"}, size=SIZE, base=tmp_path)
    assert tuple(pictures.classes) == folder(photos).classes
    assert name_of(found) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ({}, "named by one of drawings, digits.*nothing"),
        ({"length": 3}, "named by one of.*length"),
        ({"drawings": "test", "digits": "test"}, "named by one of"),
        ({"drawings": "tst"}, "test"),
        ({"drawings": "test", "head": "colour"}, "drawings has no 'head'"),
        ({"digits": "test", "length": 3}, "digits has no 'length'"),
        ({"lines": "test", "head": "color"}, "colour"),
        ({"folder": "none"}, "no folder"),
        ({"folder": ".", "length": 3}, "folder has no 'length'"),
        ("none", "no folder"),
        ({"torchvision": "CIFAR11", "root": "."}, "no dataset 'CIFAR11'.*CIFAR10"),
        ({"torchvision": "CIFAR10"}, "root"),
        ({"torchvision": "CIFAR10", "root": "none"}, "does not open CIFAR10"),
        ({"torchvision": "CIFAR10", "root": ".", "split": "test"}, "does not open CIFAR10"),
    ],
)
def test_what_is_no_data_is_refused(tmp_path, name, said):
    with pytest.raises(BadInputError, match=said):
        open_data(name, size=SIZE, base=tmp_path)


def test_what_only_a_program_has_is_nameless(photos):
    for data in ([torch.zeros(3, 8, 8)], np.zeros((2, 3, 8, 8)), open_data(str(photos), size=SIZE).files):
        assert name_of(data) is None


def test_paths_of_images_are_data_in_their_order(photos, tmp_path):
    files = sorted(photos.rglob("*.png"))[:4]
    name = [str(one.relative_to(tmp_path)) for one in reversed(files)]
    found = open_data(name, size=SIZE, base=tmp_path)
    assert found == [str(one) for one in reversed(files)]
    assert name_of(found) == [os.path.realpath(one) for one in reversed(files)]


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", ["nowhere.png", "x" * 5000]])
def test_names_of_nothing_are_told_in_one_line(name, tmp_path):
    with pytest.raises(BadInputError):
        open_data(find_data(name, None, tmp_path), size=SIZE, base=tmp_path)
