from __future__ import annotations

import pytest
import torch
from sklearn.datasets import load_digits

from lucidtorch import datasets
from lucidtorch.base.errors import BadInputError


def test_the_splits_are_disjoint_and_together_all_digits():
    train, test = datasets.digits("train"), datasets.digits("test")
    assert len(train) + len(test) == len(load_digits().target)
    assert test.labels.tolist() == load_digits().target[::5].tolist()
    assert set(train.labels.tolist()) == set(test.labels.tolist()) == set(range(10))


def test_an_enlarged_digit_shrinks_back_to_the_original():
    image, label = datasets.digits("test", size=32)[3]
    assert image.shape == (1, 32, 32)
    assert label == load_digits().target[15]
    original = torch.from_numpy(load_digits().images[15] / 16).float()
    small = torch.nn.functional.avg_pool2d(image, 4)[0]
    assert float((small - original).abs().mean()) < 0.05


def test_names_sizes_and_refusals():
    assert datasets.digits(size=(20, 24))[0][0].shape == (1, 20, 24)
    assert datasets.digits().classes == tuple("0123456789")
    with pytest.raises(BadInputError):
        datasets.digits("all")
