from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import lucidtorch.models as models
from lucidtorch.models.networks.inceptionv1 import BLOCKS, InceptionV1, SameConv2d, SameMaxPool2d
from lucidtorch.models.running.address import Address

FIELDS = {
    "conv2d0": 7, "maxpool0": 11, "conv2d2": 19, "maxpool1": 27, "mixed3a": 59, "mixed3b": 91, "mixed4a": 171,
    "mixed4b": 235, "mixed4c": 299, "mixed4d": 363, "mixed4e": 427, "mixed5a": 587, "mixed5b": 715,
}  # fmt: skip
CHANNELS = {
    "conv2d0": 64, "conv2d2": 192, "mixed3a": 256, "mixed3b": 480, "mixed4a": 508, "mixed4b": 512, "mixed4c": 512,
    "mixed4d": 528, "mixed4e": 832, "mixed5a": 832, "mixed5b": 1024, "mixed4a_3x3_bottleneck": 96, "softmax2": 1008,
}  # fmt: skip


@pytest.fixture(scope="module")
def table() -> models.LayerTable:
    with torch.device("meta"):
        net = InceptionV1()
    return models.load_model(net, mean=0.0, size=224).layers


@pytest.mark.parametrize(("layer", "size"), FIELDS.items())
def test_receptive_fields_are_the_known_ones(table: models.LayerTable, layer: str, size: int) -> None:
    field = table[layer].receptive_field
    assert field is not None
    assert field.size == size


@pytest.mark.parametrize(("layer", "channels"), CHANNELS.items())
def test_channels_are_the_known_ones(table: models.LayerTable, layer: str, channels: int) -> None:
    assert table[layer].channels == channels


def test_every_name_of_the_literature_is_a_layer(table: models.LayerTable) -> None:
    stem = ["conv2d0", "maxpool0", "localresponsenorm0", "conv2d1", "conv2d2", "localresponsenorm1", "maxpool1"]
    for block in BLOCKS:
        for branch in ("1x1", "3x3_bottleneck", "3x3", "5x5_bottleneck", "5x5", "pool_reduce"):
            assert {f"{block}_{branch}_pre_relu", f"{block}_{branch}"} <= set(table)
            assert table.before(f"{block}_{branch}") == f"{block}_{branch}_pre_relu"
    last = ["maxpool4", "maxpool10", "avgpool0", "softmax2_pre_activation", "softmax2"]
    assert {*stem, *last, *BLOCKS, "mixed4a_pool"} <= set(table)
    assert [table.order(name) for name in (*stem, *BLOCKS)] == sorted(table.order(name) for name in (*stem, *BLOCKS))


def test_logits_come_before_the_softmax(table: models.LayerTable) -> None:
    assert table.resolve("logits") == Address("softmax2_pre_activation")
    assert table.resolve("prob") == Address("softmax2_pre_activation", softmax=True)
    assert table["mixed5b"].shape == (1024, 7, 7)


def naive_same(values: Tensor, kernel: int, stride: int, fill: float) -> tuple[Tensor, int]:
    """Pad a square image as TensorFlow documents SAME; give it and the number of outputs."""
    side = values.shape[-1]
    outputs = (side + stride - 1) // stride
    missing = max((outputs - 1) * stride + kernel - side, 0)
    padded = torch.full((*values.shape[:2], side + missing, side + missing), fill)
    before = missing // 2
    padded[:, :, before : before + side, before : before + side] = values
    return padded, outputs


@pytest.mark.parametrize("side", [7, 8, 15, 16, 224, 1])
@pytest.mark.parametrize(("kernel", "stride"), [(7, 2), (3, 2), (3, 1), (1, 1), (5, 1)])
def test_same_padding_is_tensorflows(side: int, kernel: int, stride: int) -> None:
    values = torch.rand(1, 2, side, side) - 2
    convolution = SameConv2d(2, 3, kernel, stride)
    padded, outputs = naive_same(values, kernel, stride, 0.0)
    expected = F.conv2d(padded, convolution.weight, convolution.bias, stride)
    assert expected.shape[-1] == outputs
    torch.testing.assert_close(convolution(values), expected)
    padded, outputs = naive_same(values, kernel, stride, -torch.inf)
    expected = F.max_pool2d(padded, kernel, stride)
    assert expected.shape[-1] == outputs
    assert torch.equal(SameMaxPool2d(kernel, stride)(values), expected)


def test_response_norm_is_the_originals() -> None:
    values = torch.rand(1, 30, 2, 2) * 100
    expected = torch.empty_like(values)
    for channel in range(30):
        window = values[:, max(channel - 5, 0) : channel + 6]
        expected[:, channel] = values[:, channel] / (2 + 1e-4 * window.square().sum(dim=1)) ** 0.5
    torch.testing.assert_close(InceptionV1().localresponsenorm0(values), expected)


@pytest.mark.parametrize("size", [(32, 32), (97, 130), (1, 1)])
def test_any_size_goes_through(size: tuple[int, int]) -> None:
    with torch.no_grad():
        probabilities = InceptionV1().eval()(torch.rand(1, 3, *size) * 255 - 117)
    assert probabilities.shape == (1, 1008)
    torch.testing.assert_close(probabilities.sum(), torch.tensor(1.0))


def test_random_weights_keep_activations_alive() -> None:
    model = models.load_model("inceptionv1", weights="random")
    for values in model.activations(torch.rand(1, 3, 96, 96), ["mixed3a", "mixed4c", "mixed5b"]).values():
        assert 1 < float(values.mean()) < 1e4


@pytest.fixture(scope="module")
def lucids(test_data: Path) -> models.Model:
    folder = test_data / "weights"
    labels = folder / "inceptionv1_lucid_labels.txt"
    return models.load_model("inceptionv1", weights=folder / "inceptionv1_lucid.safetensors", labels=labels)


def test_lucids_weights_load_whole(lucids: models.Model) -> None:
    assert lucids.convention == models.InputConvention(3, (224, 224), (-117.0, 138.0), (0.0,) * 3, (1.0,) * 3)
    assert {weight.dtype for weight in lucids.module.parameters()} == {torch.float32}
    assert lucids.label_index("tiger") == lucids.label_index("Panthera tigris")


SEEN = {
    "burrito": "burrito", "car": "sports car", "cat_chelsea": "Egyptian cat", "coffee": "espresso", "daisy": "daisy",
    "dog_bicycle_truck": "malamute", "dog_cat": "golden retriever", "eagle": "bald eagle", "flute": "flute",
    "giraffe_zebra": "zebra", "grace_hopper": "military uniform", "rocket": "missile", "sailing_ship": "schooner",
    "sea_turtle": "loggerhead", "swan": "goose", "tiger": "tiger",
}  # fmt: skip


def test_lucids_network_knows_photographs(lucids: models.Model, photo: Callable[[str], Tensor]) -> None:
    images = torch.cat([photo(name) for name in SEEN])
    best = lucids.activations(images, "prob")["prob"].topk(5)
    right = torch.tensor([[lucids.label_index(label)] for label in SEEN.values()])
    first = best.indices[:, :1] == right
    assert int(first.sum()) >= 11
    assert int((best.indices == right).any(dim=1).sum()) >= 14
    assert float(best.values[:, 0][first[:, 0]].mean()) > 0.5
