"""Channels, tokens and neurons of transformers by one call each, against values taken out by hand."""

from __future__ import annotations

from typing import Any

import pytest
import timm
import torch
from torch import Tensor, nn
from transformers import ViTConfig, ViTForImageClassification

import lucidtorch as lt
from lucidtorch.base.errors import UnitError, UnknownLayerError

CHANNEL, COLUMN, ROW = 5, 2, 1
SCALE = 1000


@pytest.fixture(autouse=True)
def _same_weights() -> None:
    torch.manual_seed(0)


def raw_output(module: nn.Module, layer: str, images: Tensor) -> Tensor:
    """What a plain hook sees of a layer, in the network's own layout."""
    seen: list[Any] = []
    handle = module.get_submodule(layer).register_forward_hook(lambda _, __, output: seen.append(output))
    with torch.no_grad():
        module.eval()(images)
    handle.remove()
    output = seen[0]
    return output[0] if isinstance(output, tuple) else output


def check(model: lt.Model, layer: str, *, prefix: int | None, columns: int, steps: int = 2) -> None:
    """Render each kind of unit, and take its value out of `[B, N, C]`, or of `[B, H, W, C]` where prefix is None."""
    size = model.convention.size

    def render(objective: str) -> tuple[float, Tensor]:
        param = lt.param.image(size)
        goal = f"{SCALE} * {objective}"  # a random network's layer scale makes gradients that Adam does not follow
        made = lt.render(model, goal, param=param, transforms="identity()", steps=steps, progress=False)
        return float(made.values[0]) / SCALE, raw_output(model.module, layer, model.normalize(made.images))[0]

    value, raw = render(f"channel({layer!r}, {CHANNEL})")
    grid = raw[..., CHANNEL].mean() if prefix is None else raw[prefix:, CHANNEL].mean()
    assert value == pytest.approx(float(grid), abs=1e-5)
    value, raw = render(f"neuron({layer!r}, {CHANNEL}, x={COLUMN}, y={ROW})")
    place = raw[ROW, COLUMN] if prefix is None else raw[prefix + ROW * columns + COLUMN]
    assert value == pytest.approx(float(place[CHANNEL]), abs=1e-5)
    if prefix is not None:
        for position in (0, prefix + 3):
            value, raw = render(f"token({layer!r}, {CHANNEL}, position={position})")
            assert value == pytest.approx(float(raw[position, CHANNEL]), abs=1e-5)


def test_torchvision_vit_b_16() -> None:
    model = lt.load_model("vit_b_16", weights="random", device="cpu")
    layer = "encoder.layers.encoder_layer_2"
    assert model.layers[layer].shape == (768, 14, 14)
    assert model.layers[f"{layer}.mlp.0"].channels == 3072
    assert model.layers[layer].tokens == 1
    check(model, layer, prefix=1, columns=14)


def test_torchvision_swin_t() -> None:
    model = lt.load_model("swin_t", weights="random", device="cpu")
    assert model.layers["features.3.1"].shape == (192, 28, 28)
    check(model, "features.3.1", prefix=None, columns=28)
    other = raw_output(model.module, "features.3.1", torch.zeros(1, 3, 160, 96))
    assert other.shape == (1, 20, 12, 192)
    images = torch.rand(1, 3, 160, 96)
    found = model.activations(images, "features.3.1")["features.3.1"]
    assert torch.equal(found, raw_output(model.module, "features.3.1", model.normalize(images)).permute(0, 3, 1, 2))
    with pytest.raises(UnknownLayerError):
        model.layers.resolve("features.3.1[class]")


def test_a_timm_transformer_with_registers() -> None:
    network = timm.create_model(
        "vit_small_patch14_reg4_dinov2", pretrained=False, img_size=(56, 84), depth=3, num_classes=7
    )
    model = lt.load_model(network, mean=0.5, std=0.25, size=(56, 84))
    layer = "blocks.1"
    assert model.layers[layer].shape == (384, 4, 6)
    assert model.layers[layer].tokens == 5
    check(model, layer, prefix=5, columns=6)


def test_timm_by_name() -> None:
    model = lt.load_model("timm/vit_tiny_patch16_224", weights="random", device="cpu")
    assert model.convention.mean == (0.5, 0.5, 0.5)
    check(model, "blocks.0.mlp.fc1", prefix=1, columns=14)


def test_hugging_face_vit() -> None:
    words: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = ViTConfig(intermediate_size=64, image_size=(32, 64), patch_size=8, num_labels=6, **words)
    model = lt.load_model(ViTForImageClassification(config), mean=0.5, std=0.5, size=(32, 64))
    blocks = [name for name, record in model.layers.items() if record.kind == "ViTLayer"]
    assert model.layers[blocks[0]].shape == (32, 4, 8)
    check(model, blocks[0], prefix=1, columns=8, steps=4)
    made = lt.render(model, "logit(3)", steps=4, transforms="identity()", progress=False)
    with torch.no_grad():
        expected = model.module(model.normalize(made.images)).logits[0, 3]
    assert float(made.values[0]) == pytest.approx(float(expected), abs=1e-5)


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        ("channel('blocks.1', 400)", "has 384 channels"),
        ("neuron('blocks.1', 3, x=6)", r"has 6 columns \(x\), 0 to 5, but 6"),
        ("neuron('blocks.1', 3, y=4)", r"has 4 rows \(y\)"),
        ("token('blocks.1', 3, position=29)", "has 29 tokens"),
    ],
)
def test_units_that_are_not_there(objective: str, message: str) -> None:
    network = timm.create_model("vit_small_patch14_reg4_dinov2", pretrained=False, img_size=(56, 84), depth=2)
    model = lt.load_model(network, mean=0.5, std=0.25, size=(56, 84))
    with pytest.raises(UnitError, match=message):
        lt.render(model, objective, steps=2, transforms="identity()", progress=False)


@pytest.mark.parametrize("transforms", [None, "identity()"])
def test_a_fixed_size_network_renders_with_the_default_pipeline(transforms: str | None) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        network = timm.create_model("vit_tiny_patch16_224", pretrained=False, img_size=64, depth=2)
    model = lt.load_model(network, mean=0.5, std=0.5, size=64)
    made = lt.render(model, "blocks.0.mlp.fc1:7", transforms=transforms, steps=24, progress=False)
    assert made.images.shape == (1, 3, 64, 64)
    assert made.recipe["canvas"] == [64, 64]
    history = made.history["objective"][0]
    assert history[-6:].mean() > history[:6].mean()  # each step is another view of the picture


def test_a_network_of_any_size_knows_its_tokens_at_each() -> None:
    network = timm.create_model(
        "vit_tiny_patch16_224", pretrained=False, img_size=64, depth=2, dynamic_img_size=True, num_classes=4
    )
    model = lt.load_model(network, mean=0.0, std=1.0, size=64)
    images = torch.rand(2, 3, 48, 96)
    found = model.activations(images, "blocks.1")["blocks.1"]
    raw = raw_output(network, "blocks.1", images)
    assert found.shape == (2, 192, 3, 6)
    assert torch.equal(found, raw[:, 1:].reshape(2, 3, 6, 192).permute(0, 3, 1, 2))
