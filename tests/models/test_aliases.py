from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision.models import alexnet, vgg11, vgg19, vgg19_bn

from lucidtorch.models.aliases import family_aliases


def on_meta(build: object) -> nn.Module:
    with torch.device("meta"):
        return build()  # type: ignore[operator, no-any-return]


@pytest.mark.parametrize(
    ("alias", "address"),
    [
        ("conv1_1", "features.0"), ("relu1_1", "features.1"), ("conv1_2", "features.2"), ("pool1", "features.4"),
        ("conv3_4", "features.16"), ("conv4_1", "features.19"), ("relu5_4", "features.35"), ("pool5", "features.36"),
        ("fc6", "classifier.0"), ("relu6", "classifier.1"), ("fc7", "classifier.3"), ("relu7", "classifier.4"),
        ("fc8", "classifier.6"),
    ],
)  # fmt: skip
def test_vgg_has_the_names_of_its_paper(alias: str, address: str) -> None:
    assert family_aliases(on_meta(vgg19))[alias] == address


def test_vgg_is_named_completely() -> None:
    names = family_aliases(on_meta(vgg19))
    groups = [(group, place) for group, places in enumerate((2, 2, 4, 4, 4), start=1) for place in range(1, places + 1)]
    convolutions = {f"{word}{group}_{place}" for group, place in groups for word in ("conv", "relu")}
    assert set(names) == convolutions | {f"pool{group}" for group in range(1, 6)} | {
        "fc6", "relu6", "fc7", "relu7", "fc8"
    }  # fmt: skip
    assert len(set(names.values())) == len(names)


def test_vgg_with_batch_norm_names_that_as_well() -> None:
    net = on_meta(vgg19_bn)
    names = family_aliases(net)
    kinds = {"conv": nn.Conv2d, "bn": nn.BatchNorm2d, "relu": nn.ReLU}
    for word, kind in kinds.items():
        assert isinstance(net.get_submodule(names[f"{word}3_4"]), kind)
    assert names["bn1_1"] == "features.1"


def test_alexnet_numbers_its_pools_by_convolution() -> None:
    names = family_aliases(on_meta(alexnet))
    assert {name for name in names if name.startswith("pool")} == {"pool1", "pool2", "pool5"}
    assert [names[f"conv{place}"] for place in range(1, 6)] == [f"features.{place}" for place in (0, 3, 6, 8, 10)]
    assert [names[name] for name in ("fc6", "relu6", "fc7", "relu7", "fc8")] == [
        f"classifier.{place}" for place in (1, 2, 4, 5, 6)
    ]


def test_others_have_none() -> None:
    net = on_meta(vgg11)
    assert family_aliases(net.features) == {}
    assert family_aliases(nn.Conv2d(1, 1, 1)) == {}
