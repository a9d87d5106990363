"""Right answers counted by class, sizes other than the network's, and opening the images of a scan again."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from coloured_data import CLASSES, Coloured, colour_network

from lucidtorch.base.errors import BadInputError
from lucidtorch.datasets import drawings, folder, lines, load_scan, scan
from lucidtorch.datasets.ruled import head_labels
from lucidtorch.models.loading import load_model
from lucidtorch.models.networks.lines import HEADS
from lucidtorch.scanning.answers import right_answers

COUNT = 40


class Killed(BaseException):
    """What stops a run wherever it is."""


@pytest.fixture(scope="module")
def line_model():
    return load_model("lines", weights="random", device="cpu")


@pytest.fixture(scope="module")
def line_data():
    return lines("test", length=COUNT)


def test_an_image_is_right_where_every_head_says_what_it_should(line_model, line_data, tmp_path):
    answers = right_answers(line_model, line_data.classes)
    found = scan(line_model, line_data, tmp_path, layers=["colour"], answers=answers, batch=8)
    images, labels = line_data.batch(range(COUNT))
    given = line_model.activations(images, list(HEADS))
    right = np.ones(COUNT, dtype=bool)
    for place, head in enumerate(HEADS):
        said = given[head].argmax(1).tolist()
        right &= [said[at] == head_labels(int(label))[place] for at, label in enumerate(labels)]
    for label in range(len(line_data.classes)):
        own = right[(labels == label).numpy()]
        expected = None if not len(own) else pytest.approx(own.mean())
        assert found.accuracy(label) == expected
    assert found.right.sum() == right.sum()


def test_each_head_is_right_about_its_own_classes(line_model, tmp_path):
    for head, names in HEADS.items():
        data = lines("test", length=COUNT, head=head)
        answers = right_answers(line_model, data.classes)
        assert list(answers) == [head]
        found = scan(line_model, data, tmp_path / head, layers=["trunk.conv1"], answers=answers)
        images, labels = data.batch(range(COUNT))
        said = line_model.activations(images, head)[head].argmax(1)
        right = [int(((said == labels) & (labels == label)).sum()) for label in range(len(names))]
        assert found.right.tolist() == right
        assert found.class_counts.tolist() == [int((labels == label).sum()) for label in range(len(names))]


@pytest.mark.parametrize("moment", [1, 3, 5])
def test_a_broken_pass_counts_every_answer_once(line_model, line_data, tmp_path, moment):
    settings = {"layers": ["angle"], "answers": right_answers(line_model, line_data.classes), "batch": 4, "chunk": 8}
    whole = scan(line_model, line_data, tmp_path / "whole", **settings)
    calls = []

    def dying(done, total):
        calls.append(done)
        if len(calls) == moment:
            raise Killed

    with pytest.raises(Killed):
        scan(line_model, line_data, tmp_path / "broken", report=dying, **settings)
    again = scan(line_model, line_data, tmp_path / "broken", **settings)
    assert np.array_equal(again.right, whole.right)
    assert np.array_equal(load_scan(tmp_path / "broken").right, whole.right)


def test_accuracy_is_none_where_nobody_knows_what_is_right(tmp_path):
    model, data = colour_network(), Coloured(counts=(3, 6, 0, 4))
    found = scan(model, data, tmp_path / "known", layers=["0"], answers=right_answers(model, CLASSES))
    assert found.accuracy(0) == 1.0
    assert found.accuracy(1) == pytest.approx(5 / 6)
    assert [found.accuracy(label) for label in (2, 3, 4, -1)] == [None] * 4  # no image; no such class of the network
    assert found.answers == {"logits": [0, 1, 2, -1]}
    unknown = scan(model, data, tmp_path / "unknown", layers=["0"])
    assert [unknown.accuracy(label) for label in range(4)] == [None] * 4
    assert unknown.right.sum() == 0


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"logits": [0, 1]}, "2 answers for the 4 classes"),
        ({"logits": [0, 1, 2, 3]}, "numbers of its units, or -1"),
        ({"0": [0, 1, 2, -1]}, "numbers of its units"),
        ({"fc": [0, 1, 2, -1]}, "no layer 'fc'"),
    ],
)
def test_answers_that_are_none_are_refused(tmp_path, answers, said):
    with pytest.raises(BadInputError, match=said):
        scan(colour_network(), Coloured(), tmp_path / "scan", answers=answers)
    assert not (tmp_path / "scan").exists()


def test_another_scan_is_made_where_other_answers_are_right(tmp_path):
    model, data = colour_network(), Coloured()
    scan(model, data, tmp_path / "scan", layers=["0"], answers={"logits": [0, 1, 2, -1]})
    found = scan(model, data, tmp_path / "scan", layers=["0"], answers={"logits": [0, 1, -1, -1]})
    assert found.answers == {"logits": [0, 1, -1, -1]}
    assert load_scan(found.moved).answers == {"logits": [0, 1, 2, -1]}


def test_images_of_any_size_are_looked_at_in_the_size_that_is_asked_for(demo, tmp_path):
    data = drawings("test", length=6, size=(48, 64))
    found = scan(demo, data, tmp_path / "wide", layers=["relu1_1"], size=(48, 64))
    values = demo.activations(data.batch(range(6))[0], "relu1_1")["relu1_1"][:, 3].flatten(1)
    best = found["relu1_1"].top(3)
    assert found.sides == (48, 64)
    assert [one.value for one in best] == sorted(values.max(1).values.tolist(), reverse=True)
    assert found["relu1_1"].shape[1:] == (24, 32)
    assert all(one.box.bottom <= 48 and one.box.right <= 64 for one in best)
    assert scan(demo, data, tmp_path / "wide", layers=["relu1_1"]).moved is not None


def test_the_images_of_a_scan_are_opened_again_as_the_network_saw_them(demo, tmp_path):
    drawings("test", length=51, size=(40, 60)).save(tmp_path / "photos")
    for number, data in enumerate((drawings("test", length=5, seed=2), folder(tmp_path / "photos"))):
        scan(demo, data, tmp_path / str(number), layers=["conv1_1"], size=32)
        source = load_scan(tmp_path / str(number)).open()
        assert len(source) == len(data)
        assert source.read(4).pixels.shape == (3, 32, 32)
        best = load_scan(tmp_path / str(number))["conv1_1"].top(2)[0]
        seen = demo.activations(source.read(best.image).pixels[None], "conv1_1")["conv1_1"][0, 2]
        assert float(seen[best.row, best.column]) == pytest.approx(best.value, rel=1e-5)


def test_other_images_than_those_of_the_scan_are_refused(demo, tmp_path):
    data = torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    found = scan(demo, data, tmp_path / "array", layers=["conv1_1"], size=32)
    assert len(found.open(data)) == 5
    for other in (data[:4], data.flip(0)):
        with pytest.raises(BadInputError, match="are others than those of the scan"):
            found.open(other)
    with pytest.raises(BadInputError, match="those of a program; give `data`"):
        found.open()
    drawings("test", length=51, size=(40, 60)).save(tmp_path / "photos")
    found = scan(demo, folder(tmp_path / "photos"), tmp_path / "folder", layers=["conv1_1"], size=32)
    next((tmp_path / "photos").rglob("*.png")).unlink()
    with pytest.raises(BadInputError, match="are others than those of the scan"):
        load_scan(tmp_path / "folder").open()
