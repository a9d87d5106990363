from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lucidtorch import datasets
from lucidtorch.base.errors import BadInputError
from lucidtorch.datasets.ruled import head_labels
from lucidtorch.models.networks.lines import ANGLES, COLOURS, HEADS, LENGTHS, WIDTHS

DATA = datasets.lines("test", length=400, seed=5)


@given(label=st.integers(0, 287))
def test_a_class_and_its_four_parts_say_the_same(label):
    parts = head_labels(label)
    words = [values[part] for values, part in zip(HEADS.values(), parts, strict=True)]
    assert DATA.classes[label] == " ".join(words)
    assert len(DATA.classes) == math.prod(len(values) for values in HEADS.values())


@pytest.mark.parametrize("colour", ["red", "green", "blue", "white", "black"])
def test_a_line_has_its_colour(colour):
    wanted = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "white": (1, 1, 1), "black": (0, 0, 0)}[colour]
    for image, label in DATA:
        if COLOURS[head_labels(label)[3]] == colour and WIDTHS[head_labels(label)[1]] == "thick":
            distance = (image - torch.tensor(wanted)[:, None, None]).abs().amax(0)
            assert float(distance.min()) < 0.4
            assert float((distance < 0.5).float().mean()) > 0.01


def test_a_line_lies_at_its_angle_and_is_as_long_as_it_says():
    """The ink's own axis and extent, from its second moments, against the classes."""
    checked = 0
    for image, label in DATA:
        length, width, angle, colour = head_labels(label)
        if COLOURS[colour] not in ("white", "black") or WIDTHS[width] == "thin":
            continue
        ink = (image.mean(0) - 0.5).abs() > 0.3
        y, x = torch.nonzero(ink).double().T
        centred = torch.stack([x - x.mean(), y.mean() - y])  # y grows upwards here
        values, vectors = torch.linalg.eigh(centred @ centred.T / len(x))
        seen = math.degrees(math.atan2(float(vectors[1, 1]), float(vectors[0, 1]))) % 180
        away = abs((seen - 45 * ANGLES.index(ANGLES[angle]) + 90) % 180 - 90)
        extent = math.sqrt(12 * float(values[1])) / 64
        assert away < 22.5 or LENGTHS[length] == "short"
        assert extent == pytest.approx((0.22, 0.45, 0.73)[length], abs=0.18)
        checked += 1
    assert checked > 30


def test_a_line_depends_on_seed_split_and_number_alone():
    again = datasets.lines("test", length=12, seed=5)
    for index in (0, 7, 11):
        assert torch.equal(again[index][0], DATA[index][0])
        assert not torch.equal(datasets.lines(seed=5)[index][0], DATA[index][0])
    with pytest.raises(BadInputError):
        datasets.lines("train", seed=-2)
    assert len(datasets.lines("test")) >= 2000
