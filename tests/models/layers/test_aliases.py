from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision.models import alexnet, googlenet, resnet50, vgg11, vgg19, vgg19_bn

from lucidtorch.models.layers.aliases import family_aliases

BLOCKS = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")


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


def lucids_googlenet() -> nn.Module:
    return googlenet(aux_logits=False, init_weights=False)


def test_googlenet_has_lucids_names() -> None:
    names = family_aliases(on_meta(lucids_googlenet))
    assert [names[f"conv2d{place}"] for place in range(3)] == ["conv1", "conv2", "conv3"]
    assert [names[f"mixed{block}"] for block in BLOCKS] == [f"inception{block}" for block in BLOCKS]
    assert len(names) == 3 + 6 * len(BLOCKS)


@torch.no_grad()
def test_googlenets_branches_are_the_parts_of_a_block_in_lucids_order() -> None:
    torch.manual_seed(0)
    net = lucids_googlenet().eval()
    names = family_aliases(net)
    found: dict[str, torch.Tensor] = {}
    for alias, address in names.items():
        net.get_submodule(address).register_forward_hook(
            lambda *args, alias=alias: found.update({alias: args[2].clone()})
        )
    net(torch.rand(1, 3, 64, 64))
    block = net.inception4b
    parts = [found["mixed4b_1x1"], found["mixed4b_3x3"], None, found["mixed4b_pool_reduce"]]
    whole = found["mixed4b"].split([160, 224, 64, 64], dim=1)
    for part, expected in zip(parts, whole, strict=True):
        assert part is None or torch.equal(part, expected)
    assert torch.equal(block.branch2[1](found["mixed4b_3x3_bottleneck"]), found["mixed4b_3x3"])
    assert torch.equal(block.branch4[1](found["mixed4b_pool"]), found["mixed4b_pool_reduce"])
    assert all(found[alias].min() >= 0 for alias in names), "Lucid's names speak of what comes after the ReLU"


def test_resnet_has_the_names_of_its_paper() -> None:
    names = family_aliases(on_meta(resnet50))
    assert {name: names[name] for name in ("pool1", "conv2_x", "conv5_x", "conv2_1", "conv4_6")} == {
        "pool1": "maxpool", "conv2_x": "layer1", "conv5_x": "layer4", "conv2_1": "layer1.0", "conv4_6": "layer3.5"
    }  # fmt: skip
    assert len(names) == 1 + 4 + 3 + 4 + 6 + 3
