from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from small_networks import Overflowing, as_model, mixing
from torch import nn
from torch.utils.data import TensorDataset
from torchvision.datasets import FakeData, ImageFolder

from lucidtorch.base.errors import BadInputError, ImageError
from lucidtorch.base.images import photo_bytes
from lucidtorch.datasets import digits, drawings, folder, lines, scan
from lucidtorch.scanning.source import fitted

COUNT = 6


@pytest.fixture(scope="module")
def model():
    return as_model(mixing())


@pytest.fixture
def photos(tmp_path):
    """A folder of two classes with three images each, 20 x 30."""
    place = tmp_path / "photos"
    drawings("test", length=102, size=(20, 30)).save(tmp_path / "all")
    for name in sorted(path.name for path in (tmp_path / "all").iterdir())[:3]:
        (place / name).mkdir(parents=True)
        for path in (tmp_path / "all" / name).iterdir():
            path.rename(place / name / path.name)
    return place


def scanned(model, data, tmp_path, **settings):
    return scan(model, data, tmp_path / "scan", **settings)


def test_every_form_of_the_same_images_gives_the_same(model, tmp_path):
    images = drawings("test", length=COUNT, size=16)
    bytes_ = (images.batch(range(COUNT))[0] * 255).round().to(torch.uint8)
    floats = bytes_.float() / 255
    pillows = [Image.fromarray(image.permute(1, 2, 0).numpy()) for image in bytes_]
    for number, picture in enumerate(pillows):
        picture.save(tmp_path / f"{number}.png")
    forms = {
        "tensor": floats,
        "array": floats.numpy(),
        "bytes": bytes_,
        "list": list(floats),
        "pillow": pillows,
        "paths": [tmp_path / f"{number}.png" for number in range(COUNT)],
        "dataset": TensorDataset(floats),
        "pairs": [(image, np.int64(3)) for image in floats],
    }
    for name, data in forms.items():
        found = scan(model, data, tmp_path / name, layers=["4"], ranked=COUNT)
        assert [one.image for one in found["4"].top(0)] == [one.image for one in expected(model, floats)]
        assert [one.value for one in found["4"].top(0)] == [one.value for one in expected(model, floats)]
        assert found["4"].top(0)[0].label == (3 if name == "pairs" else None)
        assert found["4"].classes(0).tolist() == ([0, 0, 0, COUNT] if name == "pairs" else [])


def expected(model, images):
    values = model.activations(images, "4")["4"][:, 0].flatten(1).max(1).values
    order = torch.argsort(values, descending=True, stable=True).tolist()
    return [type("Row", (), {"image": image, "value": float(values[image])}) for image in order]


def test_the_sets_that_ship_and_those_of_torchvision_are_data(photos, tmp_path):
    model = as_model(nn.Sequential(nn.Conv2d(1, 2, 3)), channels=1)
    sets = {"drawings": drawings("test", length=5), "digits": digits("test"), "lines": lines("test", length=5)}
    sets |= {"folder": folder(photos), "torchvision": ImageFolder(photos), "fake": FakeData(5, (3, 20, 20), 4)}
    for name, data in sets.items():
        found = scan(model, data, tmp_path / name)
        assert found.done == found.images == len(data)
        assert found.class_counts.sum() == len(data)
        assert not found.skipped
    assert np.array_equal(scan(model, sets["folder"], tmp_path / "folder").class_counts, [2, 2, 2])
    alone = scan(model, folder(next(photos.iterdir())), tmp_path / "alone")
    assert (alone.classes, len(alone.class_counts), alone["0"].top(0)[0].label) == ((), 0, None)


@pytest.mark.parametrize("sides", [(16, 16), (10, 30), (31, 17), (64, 96)])
def test_images_are_cut_and_scaled_as_photographs_are(photos, sides):
    path = next(photos.rglob("*.png"))
    ours = fitted(path, 3, sides)
    assert ours.shape == (3, *sides)
    assert ours.dtype == torch.float32
    assert np.abs(ours.numpy() * 255 - photo_bytes(path, sides)).max() < 1.5  # it rounds between its two passes


def test_colours_become_grey_and_grey_colours():
    image = torch.rand(3, 5, 4, generator=torch.Generator().manual_seed(2))
    grey = fitted(image, 1, (5, 4))
    assert torch.allclose(grey[0], 0.299 * image[0] + 0.587 * image[1] + 0.114 * image[2], atol=1e-6)
    assert torch.equal(fitted(grey, 3, (5, 4)), grey.repeat(3, 1, 1))
    assert torch.equal(fitted(grey[0], 1, (5, 4)), grey)


def test_corrupt_images_are_skipped_and_listed(model, photos, tmp_path):
    paths = sorted(photos.rglob("*.png"))
    paths[0].write_bytes(b"")
    paths[3].write_bytes(paths[3].read_bytes()[:200])
    for name, data in (("folder", folder(photos)), ("torchvision", ImageFolder(photos)), ("paths", paths)):
        found = scan(model, data, tmp_path / name, batch=2, chunk=3)
        assert [one.image for one in found.skipped] == [0, 3]
        names = [path.relative_to(photos).as_posix() for path in paths]
        assert [one.name for one in found.skipped] == [names[0], names[3]]
        assert all(one.reason for one in found.skipped)
        assert found.done == 6
        assert {one.image for one in found["0"].top(0)} == {1, 2, 4, 5}
        assert found["0"].moments.count[0] == 4 * 16 * 16


def test_a_skipped_image_changes_nothing_of_the_others(model, tmp_path):
    images = list(torch.rand(9, 3, 16, 16, generator=torch.Generator().manual_seed(4)))
    broken = [*images[:4], torch.full((3, 16, 16), torch.nan), *images[4:]]
    clean = scan(model, images, tmp_path / "clean", samples=0)
    found = scan(model, broken, tmp_path / "broken", samples=0)
    assert [(one.image, one.name) for one in found.skipped] == [(4, "image 4")]
    for layer in clean.layers:
        ours, theirs = clean[layer].stats.arrays(), found[layer].stats.arrays()
        ours["top.images"] += ours["top.images"] >= 4
        ours["bottom.images"] += ours["bottom.images"] >= 4
        assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_images_with_activations_that_are_not_finite_are_skipped(tmp_path):
    data = torch.rand(8, 3, 16, 16, generator=torch.Generator().manual_seed(4)) * 0.5
    data[[2, 5]] += 0.5
    for batch in (1, 3, 8):
        found = scan(as_model(Overflowing(0.5)), data, tmp_path / str(batch), layers=["a", "c"], batch=batch)
        assert [one.image for one in found.skipped] == [2, 5]
        assert "'c'" in found.skipped[0].reason
        assert {one.image for one in found["a"].top(1)} == {0, 1, 3, 4, 6, 7}
        assert np.isfinite(found["c"].moments.mean).all()


def test_where_no_image_can_be_used_the_scan_says_so(model, tmp_path):
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"nothing")
    with pytest.raises(ImageError, match="Not one of 2 images"):
        scan(model, folder(tmp_path), tmp_path / "scan")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data": []}, "no image"),
        ({"data": "photos"}, "datasets.folder"),
        ({"data": torch.tensor(3)}, "has a length"),
        ({"data": ["nowhere.png", "nothing.png"]}, "Not one of the images that data names is a file"),
        ({"data": ["."]}, "Not one of the images that data names is a file"),
        ({"data": np.array(["nowhere.png"])}, "Not one of the images that data names is a file"),
        ({"data": iter([torch.rand(3, 16, 16)])}, "has a length"),
        ({"data": [3]}, "but 3 was given"),
        ({"data": torch.rand(4, 5, 16, 16)}, "3 channels"),
        ({"data": np.zeros((4, 16, 16, 3), dtype=np.uint8)}, "3 channels"),
        ({"data": torch.randn(4, 3, 16, 16)}, "leave normalization"),
        ({"layers": ["conv"]}, "no layer 'conv'"),
        ({"layers": []}, "no layer to scan"),
        ({"layers": ["input"]}, "input"),
        ({"top": 0}, "top="),
        ({"bottom": -1}, "bottom="),
        ({"batch": 2.5}, "batch="),
        ({"chunk": 0}, "chunk="),
        ({"bins": 3}, "bins="),
        ({"samples": True}, "samples="),
        ({"ranked": "all"}, "ranked="),
        ({"seed": -1}, "seed="),
    ],
)
def test_wrong_input_is_refused_before_any_work(model, tmp_path, change, said):
    arguments = {"data": torch.rand(4, 3, 16, 16), "folder": tmp_path / "scan"} | change
    with pytest.raises(BadInputError, match=said):
        scan(model, **arguments)
    assert not (tmp_path / "scan").exists()


def test_a_place_that_cannot_be_written_to_is_refused(model, tmp_path):
    (tmp_path / "scan").write_text("a file")
    with pytest.raises(BadInputError, match="is a file"):
        scan(model, torch.rand(4, 3, 16, 16), tmp_path / "scan", report=lambda done, total: pytest.fail("worked"))


def test_clips_are_refused(tmp_path):
    model = as_model(nn.Sequential(nn.Conv3d(3, 2, 1)), size=(4, 8, 8))
    with pytest.raises(BadInputError, match="clips"):
        scan(model, torch.rand(4, 3, 8, 8), tmp_path / "scan")


def test_the_network_and_the_random_state_are_left_as_they_were(tmp_path, fingerprint):
    net = mixing().train()
    model = as_model(net)
    data = torch.rand(10, 3, 16, 16)
    before = fingerprint(net)
    scan(model, data, tmp_path / "scan", batch=3, chunk=4)
    assert fingerprint(net) == before

    def fail(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan(model, data, tmp_path / "again", batch=3, chunk=4, report=fail)
    assert fingerprint(net) == before
