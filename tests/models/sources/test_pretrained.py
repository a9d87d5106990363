"""Real torchvision networks from weights files: what they see in photographs, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

import lucidtorch.models as models
from lucidtorch.base.errors import WeightsError

SEEN = {
    "tiger": {"tiger"}, "daisy": {"daisy"}, "car": {"sports car", "car wheel", "convertible", "grille"},
    "coffee": {"espresso"}, "burrito": {"burrito"},
    "eagle": {"bald eagle", "kite"}, "sea_turtle": {"loggerhead", "leatherback turtle"},
}  # fmt: skip


@pytest.fixture(scope="module", params=["squeezenet1_0", "mobilenet_v2"])
def network(request: pytest.FixtureRequest, test_data: Path) -> models.Model:
    return models.load_model(request.param, weights=test_data / "weights" / f"{request.param}_imagenet.safetensors")


def test_photographs_are_recognized(network: models.Model, photo: Callable[[str], Tensor]) -> None:
    answers = network.activations(torch.cat([photo(name) for name in SEEN]), "logits")["logits"].argmax(dim=1)
    assert network.labels is not None
    right = [network.labels[answer] in names for answer, names in zip(answers, SEEN.values(), strict=True)]
    assert sum(right) >= len(SEEN) - 1


def test_the_labels_file_gives_the_same_classes(network: models.Model, test_data: Path) -> None:
    assert network.source is not None
    other = models.load_model(
        network.name, weights=network.source.weights, labels=test_data / "weights" / "imagenet_labels.txt"
    )
    assert [other.label_index(name) for name in ("tiger", "daisy", "espresso")] == [292, 985, 967]


def test_a_part_of_a_network_is_refused_by_name(test_data: Path) -> None:
    with pytest.raises(WeightsError, match=r"missing in the file: features.19.weight, features.19.bias"):
        models.load_model("vgg19", weights=test_data / "weights" / "vgg19_conv1_to_conv3_4.safetensors")
