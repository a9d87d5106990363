from __future__ import annotations

import json
import re

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import resnet18, vgg16

import lucidtorch.models as models
from lucidtorch.base.errors import UnknownLayerError
from lucidtorch.models.running.address import Address

HEADINGS = ["layer", "alias", "kind", "shape", "channels", "parameters", "FLOPs", "receptive", "field", "layout"]
FIRST, BLOCK = 2 * 3 * 9 * 4 * 256, 2 * 4 * 9 * 4 * 256  # of two convolutions: taps, channels, places


def table_of(net: nn.Module, size: int = 16, channels: int | None = None) -> models.LayerTable:
    return models.load_model(net, mean=0.0, size=size, channels=channels).layers


@pytest.fixture(scope="module")
def vgg() -> models.LayerTable:
    with torch.device("meta"):
        net = vgg16()
    return table_of(net, size=224)


@pytest.fixture(scope="module")
def resnet() -> models.LayerTable:
    return table_of(resnet18(), size=64)


def test_layers_come_in_the_order_in_which_they_finish(model: models.Model) -> None:
    assert list(model.layers) == ["first", "norm", "relu@0", "block.0", "block.1", "block", "relu@1", "head"]
    assert [model.layers.order(address) for address in model.layers] == list(range(8))
    assert model.layers.order("logits") == 8
    assert len(model.layers) == 8


def test_records_say_what_each_layer_is(model: models.Model) -> None:
    assert model.layers["first"] == models.LayerRecord(
        "first", "Conv2d", (4, 16, 16), 4, 4 * 3 * 9 + 4, models.ReceptiveField(3, 1, -1), 1, FIRST
    )
    assert model.layers["block"] == models.LayerRecord(
        "block", "Sequential", (4, 16, 16), 4, 4 * 4 * 9 + 4, models.ReceptiveField(5, 1, -2), 1, FIRST + BLOCK
    )
    assert model.layers["relu@1"] == models.LayerRecord(
        "relu@1", "ReLU", (4, 16, 16), 4, 0, models.ReceptiveField(5, 1, -2), 2, FIRST + BLOCK
    )
    assert model.layers["head"] == models.LayerRecord("head", "Linear", (5,), 5, 25, None, 1, FIRST + BLOCK + 2 * 4 * 5)


def test_shapes_are_those_of_a_plain_hook() -> None:
    net = resnet18().eval()
    shapes: dict[str, list[tuple[int, ...]]] = {}
    for name, part in net.named_modules():
        if name:
            part.register_forward_hook(
                lambda _, __, output, name=name: shapes.setdefault(name, []).append(tuple(output.shape[1:]))
            )
    with torch.no_grad():
        net(torch.rand(1, 3, 64, 64))
    expected = {
        name if len(calls) == 1 else f"{name}@{call}": shape
        for name, calls in shapes.items()
        for call, shape in enumerate(calls)
    }
    assert {address: record.shape for address, record in table_of(resnet18(), size=64).items()} == expected


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("features.19", Address("features.19")),
        ("conv4_2", Address("features.19")),
        ("conv4_2@0", Address("features.19")),
        ("features.19@0", Address("features.19")),
        ("fc8", Address("classifier.6")),
        ("logits", Address("")),
        ("prob", Address("", softmax=True)),
    ],
)
def test_every_form_of_an_address_is_read(vgg: models.LayerTable, text: str, address: Address) -> None:
    assert vgg.resolve(text) == address
    assert text in vgg


def test_calls_are_numbered(resnet: models.LayerTable) -> None:
    assert resnet.resolve("layer1.0.relu@1") == Address("layer1.0.relu", 1)
    assert "layer1.0.relu" not in resnet
    with pytest.raises(UnknownLayerError, match=r"calls 'layer1.0.relu' 2 times.*'layer1.0.relu@0', 'layer1.0.relu@1'"):
        resnet.resolve("layer1.0.relu")
    with pytest.raises(UnknownLayerError, match=r"'conv1' is called once"):
        resnet.resolve("conv1@1")


def test_wrong_addresses_get_the_nearest(vgg: models.LayerTable) -> None:
    with pytest.raises(UnknownLayerError) as caught:
        vgg.resolve("conv4_9")
    assert str(caught.value).startswith("VGG has no layer 'conv4_9'. Did you mean ")
    for near in ("'conv4_1'", "'conv4_2'", "'conv4_3'"):
        assert near in str(caught.value)
    for text in ("", "logits@0", "conv4_2@x", "@1", "features.99"):
        with pytest.raises(UnknownLayerError, match=re.escape(repr(text))):
            vgg.resolve(text)
        assert text not in vgg


def test_a_layer_that_never_fires_says_so(model: models.Model) -> None:
    assert "never" not in model.layers
    with pytest.raises(UnknownLayerError, match="'never', but it does not fire"):
        model.layers.resolve("never")


def test_input_is_explained(vgg: models.LayerTable) -> None:
    with pytest.raises(UnknownLayerError, match="the image itself"):
        vgg.resolve("input")


class Named(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.logits = nn.Linear(12, 4)
        self.last = nn.Softmax(dim=1)

    def forward(self, images: Tensor) -> Tensor:
        return self.last(self.logits(images.flatten(1)))


def test_a_layer_called_logits_is_the_logits() -> None:
    table = table_of(Named(), size=2, channels=3)
    assert table.resolve("logits") == Address("logits")
    assert table.resolve("prob") == Address("logits", softmax=True)
    assert [row["address"] for row in table.as_dict()] == ["logits", "last"]


class Odd(nn.Module):
    """Gives a dictionary, and inside lists, tuples, whole numbers and rows of another batch."""

    def __init__(self) -> None:
        super().__init__()
        self.both, self.pair, self.numbers, self.mixed = nn.Identity(), nn.Identity(), nn.Identity(), nn.Identity()

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        self.both([images, images * 2])
        self.pair((images.mean((2, 3)), images))
        self.numbers(images.long())
        self.mixed(torch.rand(5, 7))
        return {"first": images, "second": images + 1}


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("both", r"gives a list of 2.*write which part is meant, one of 'both\[0\]', 'both\[1\]'"),
        ("numbers", "torch.int64"),
        ("mixed", "does not depend on the image"),
        ("output", r"a dict with the keys 'first', 'second'.*one of 'output\[first\]', 'output\[second\]'"),
        ("logits", "a dict with the keys 'first', 'second'"),
        ("both[2]", r"gives a list of 2; write one of 'both\[0\]', 'both\[1\]'"),
        ("numbers[0]", "it is one tensor"),
    ],
)
def test_what_cannot_be_a_target_is_listed_but_not_resolved(layer: str, message: str) -> None:
    table = table_of(Odd(), channels=3)
    with pytest.raises(UnknownLayerError, match=message):
        table.resolve(layer)


def test_parts_of_outputs_have_addresses() -> None:
    table = table_of(Odd(), channels=3)
    assert {name: record.shape for name, record in table.items()} == {
        "both": None,
        "both[0]": (3, 16, 16),
        "both[1]": (3, 16, 16),
        "pair": (3,),
        "pair[1]": (3, 16, 16),
        "numbers": (3, 16, 16),
        "mixed": (7,),
    }
    assert table.resolve("pair") == table.resolve("pair[0]") == Address("pair", parts=(0,))
    assert table.resolve("output[second]") == Address("", parts=("second",))
    assert [row["address"] for row in table.as_dict()][-3:] == ["output", "output[first]", "output[second]"]
    assert {name for name, record in table.items() if record.refused} == {"both", "numbers", "mixed"}


class Raising(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.three = nn.Conv2d(3, 2, 1), nn.Conv2d(9, 2, 1), nn.ReLU()

    def forward(self, images: Tensor) -> Tensor:
        return self.three(self.two(self.one(images)))


def test_a_network_that_raises_keeps_the_layers_before() -> None:
    table = table_of(Raising())
    assert list(table) == ["one"]
    assert table.broken is not None
    assert "RuntimeError" in table.broken
    assert table.resolve("one") == Address("one")
    for text in ("three", "logits", "four"):
        with pytest.raises(UnknownLayerError, match="The table ends early, at 16x16 pixels: RuntimeError"):
            table.resolve(text)
    assert table.as_text().splitlines()[-1].startswith("(The table ends early")


class SurpriseError(Exception):
    pass


class Surprising(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        raise SurpriseError


def test_a_networks_own_exceptions_end_the_table_too() -> None:
    assert table_of(Surprising(), channels=3).broken == "SurpriseError: no reason given"


def test_pre_activations_are_found_by_what_the_relu_was_given(
    resnet: models.LayerTable, vgg: models.LayerTable
) -> None:
    assert vgg.before("relu4_2") == "features.19"
    assert resnet.before("relu") == "bn1"
    assert resnet.before("layer1.0.relu@0") == "layer1.0.bn1"
    assert resnet.before("layer1.0.relu@1") is None  # the sum of two branches
    assert resnet.before("conv1") is None


def test_the_pre_activation_is_the_innermost_layer(model: models.Model) -> None:
    net = nn.Sequential(nn.Sequential(nn.Conv2d(1, 2, 1), nn.Dropout()), nn.ReLU6(inplace=True), nn.ReLU())
    table = table_of(net)
    assert [table.before(name) for name in ("1", "2")] == ["0.0", "1"]
    assert model.layers.before("block.1") == "block.0"
    assert model.layers.before("relu@0") == "norm"
    assert model.layers.before("relu@1") is None


def test_the_table_prints_and_turns_into_plain_data(vgg: models.LayerTable) -> None:
    lines = vgg.as_text().splitlines()
    assert lines[0].split() == HEADINGS
    assert [line.split()[:3] for line in lines[20:21]] == [["features.19", "conv4_2", "Conv2d"]]
    assert lines[-1].split() == ["logits", "VGG", "1000", "1000", "138,357,544", "30.9G", "whole", "image"]
    assert len(lines) == len(vgg) + 2
    rows = json.loads(json.dumps(vgg.as_dict()))
    assert rows[0] == {
        "address": "features.0",
        "alias": "conv1_1",
        "kind": "Conv2d",
        "shape": [64, 224, 224],
        "channels": 64,
        "parameters": 1792,
        "receptive_field": {"size": 3, "stride": 1, "start": -1},
        "calls": 1,
        "flops": 2 * 27 * 64 * 224 * 224,
        "layout": "",
        "tokens": 0,
        "refused": None,
    }
