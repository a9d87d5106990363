from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtorch import datasets
from lucidtorch.base.errors import BadInputError, SizeError
from lucidtorch.datasets.shapes import SHAPE_OF
from lucidtorch.datasets.textures import TEXTURE_OF
from lucidtorch.models.networks.labels import DRAWINGS, SHAPES, TEXTURES

FLAT = 0.02  # standard deviation below which a drawing shows nothing


def test_there_are_enough_classes_and_each_has_one_drawing_function():
    assert len(DRAWINGS) == len(set(DRAWINGS)) >= 40
    assert set(TEXTURE_OF) == set(TEXTURES)
    assert set(SHAPE_OF) == set(SHAPES)
    assert set(DRAWINGS) == set(TEXTURES) | set(SHAPES)


@pytest.mark.parametrize("label", range(len(DRAWINGS)))
def test_every_class_draws_something_in_range(label):
    data = datasets.drawings("test", seed=3)
    for index in (label, label + len(DRAWINGS)):
        image, drawn = data[index]
        assert drawn == label
        assert image.dtype == torch.float32
        assert image.shape == (3, 64, 64)
        assert float(image.min()) >= 0
        assert float(image.max()) <= 1
        assert float(image.std()) > FLAT


@pytest.mark.parametrize("label", range(len(DRAWINGS)))
def test_two_drawings_of_a_class_differ(label):
    data = datasets.drawings()
    first, second = data[label][0], data[label + len(DRAWINGS)][0]
    assert float((first - second).abs().mean()) > FLAT


@settings(max_examples=25, deadline=None)
@given(index=st.integers(0, 49_999), seed=st.integers(0, 2**40), split=st.sampled_from(["train", "test"]))
def test_a_drawing_depends_on_seed_split_and_number_alone(index, seed, split):
    long, short = (datasets.drawings(split, length=length, seed=seed) for length in (50_000, index + 1))
    state = np.random.get_state()[1].copy(), torch.get_rng_state()
    first = long[index][0]
    long[(index + 7) % 50_000]
    again = short[-1][0]
    assert torch.equal(first, again)
    assert np.array_equal(state[0], np.random.get_state()[1])
    assert torch.equal(state[1], torch.get_rng_state())


def test_the_splits_and_the_seeds_share_no_drawing():
    kinds = [datasets.drawings(split, length=153, seed=seed) for split in ("train", "test") for seed in (0, 1)]
    seen = {image.numpy().tobytes() for data in kinds for image, _ in data}
    assert len(seen) == 4 * 153


def test_a_batch_is_the_images_one_by_one():
    data = datasets.drawings("test", length=60, size=(40, 56))
    images, labels = data.batch([5, 59, 0])
    assert images.shape == (3, 3, 40, 56)
    assert labels.tolist() == [5, 59 - 51, 0]
    for place, index in enumerate([5, 59, 0]):
        assert torch.equal(images[place], data[index][0])


@pytest.mark.parametrize("size", [16, 33, (20, 71), 128])
def test_any_size_can_be_drawn(size):
    height, width = (size, size) if isinstance(size, int) else size
    data = datasets.drawings(length=len(DRAWINGS), size=size, seed=9)
    for image, _ in data:
        assert image.shape == (3, height, width)
        assert bool(torch.isfinite(image).all())


def test_numbers_count_from_both_ends_and_stop_there():
    data = datasets.drawings("test", length=4)
    assert len(data) == 4
    assert torch.equal(data[-1][0], data[3][0])
    assert len(list(data)) == 4
    for index in (4, -5):
        with pytest.raises(IndexError, match="from 0 to 3"):
            data[index]


def test_defaults_have_every_class_equally_often():
    train, test = datasets.drawings(), datasets.drawings("test")
    assert len(train) % len(DRAWINGS) == len(test) % len(DRAWINGS) == 0
    assert len(test) >= 2000
    assert train.classes == test.classes == DRAWINGS


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"split": "validation"}, BadInputError, "'train' or 'test'"),
        ({"length": 0}, BadInputError, "but 0 was given"),
        ({"length": 2.5}, BadInputError, "2.5"),
        ({"size": 8}, SizeError, "at least 16"),
        ({"size": (64, 0)}, SizeError, "64 x 0"),
        ({"seed": -1}, BadInputError, "-1"),
    ],
)
def test_bad_arguments_are_refused(arguments, error, said):
    with pytest.raises(error, match=said):
        datasets.drawings(**arguments)
