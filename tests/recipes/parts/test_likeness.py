from __future__ import annotations

import numpy as np
import pytest
import torch

from lucidtorch.models.model import Model
from lucidtorch.recipes.parts.likeness import likeness


def test_identical_pictures_are_wholly_alike_and_others_by_the_cosine_of_their_grams(demo: Model) -> None:
    images = torch.rand(3, 3, 32, 24, generator=torch.Generator().manual_seed(0))
    images[2] = images[0]
    maps = demo.activations(images, ["conv2_1"])["conv2_1"].flatten(2).double().numpy()
    grams = [one @ one.T for one in maps]
    apart = (grams[0] * grams[1]).sum() / np.linalg.norm(grams[0]) / np.linalg.norm(grams[1])
    assert likeness(demo, images, "conv2_1") == pytest.approx([(1 + apart) / 2, apart, (1 + apart) / 2], abs=6e-4)
    assert apart < 0.999


def test_pictures_that_the_network_does_not_take_are_not_measured(demo: Model) -> None:
    assert likeness(demo, torch.rand(2, 4, 24, 24), "conv1_1") is None
    assert likeness(demo, torch.rand(2, 3, 1, 1), "conv1_1") is None
