"""Tokens and single tokens of transformers, and how everything written in brackets is read."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from small_transformers import HF_BLOCK, HF_HIDDEN, SIDE, WIDTH, hugging_face_vit, timm_vit, torchvision_vit
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.errors import UnitError, UnknownLayerError
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model
from lucidtorch.objectives import channel, deepdream, direction, neuron, token

# A network, its last block, the hidden units of that block, the tokens before the image's, the grid.
NETWORKS: dict[str, tuple[Callable[[], nn.Module], str, str, int, tuple[int, int]]] = {
    "torchvision": (
        torchvision_vit, "encoder.layers.encoder_layer_1", "encoder.layers.encoder_layer_1.mlp.1", 1, (4, 4)),
    "timm with registers": (timm_vit, "blocks.1", "blocks.1.mlp.act", 3, (4, 6)),
    "Hugging Face": (hugging_face_vit, HF_BLOCK, HF_HIDDEN, 1, (4, 4)),
}  # fmt: skip
each_network = pytest.mark.parametrize("name", NETWORKS)


def build(name: str) -> tuple[Model, Tensor]:
    torch.manual_seed(0)
    make, *_, grid = NETWORKS[name]
    size = (8 * grid[0], 8 * grid[1])
    return load_model(make(), mean=0.5, std=0.5, size=size), torch.rand(2, 3, *size)


def raw(model: Model, layer: str, images: Tensor) -> Tensor:
    """What a layer gives, `[B, N, C]`, by a hook of its own."""
    found: list[Any] = []
    handle = model.module.get_submodule(layer).register_forward_hook(lambda _, __, output: found.append(output))
    with torch.no_grad():
        model.module.eval()(model.normalize(images))
    handle.remove()
    return found[0][0] if isinstance(found[0], tuple) else found[0]


@each_network
def test_tokens_are_those_of_a_plain_hook(name: str) -> None:
    model, images = build(name)
    _, block, _, prefix, grid = NETWORKS[name]
    tokens = raw(model, block, images)
    count = prefix + grid[0] * grid[1]
    assert tokens.shape == (2, count, WIDTH)
    expected = {
        f"{block}[tokens]": tokens.transpose(1, 2),
        f"{block}[tokens][0]": tokens[:, 0],
        f"{block}[tokens][-1]": tokens[:, -1],
        f"{block}[tokens][{prefix + 3}]": tokens[:, prefix + 3],
        f"{block}[class]": tokens[:, 0],
        block: tokens[:, prefix:].transpose(1, 2).unflatten(2, grid),
    }
    found = model.activations(images, list(expected))
    for address, values in expected.items():
        assert torch.equal(found[address], values), address
        assert model.layers[address].shape == values.shape[1:], address
        assert model.layers[address].address == address
        assert address in model.layers
        assert pickle.loads(pickle.dumps(model.layers.resolve(address))) == model.layers.resolve(address)


@each_network
def test_objectives_by_one_call_each_have_the_values_extracted_by_hand(name: str) -> None:
    model, images = build(name)
    _, block, hidden, prefix, (height, width) = NETWORKS[name]
    tokens, units = raw(model, block, images), raw(model, hidden, images)
    vector = torch.linspace(-1, 1, WIDTH)
    for goal, value in (
        (channel(block, 5), tokens[:, prefix:, 5].mean(1)),
        (channel(hidden, 17), units[:, prefix:, 17].mean(1)),
        (neuron(block, 5, x=1, y=2), tokens[:, prefix + 2 * width + 1, 5]),
        (neuron(block, 5), tokens[:, prefix + (height // 2) * width + width // 2, 5]),
        (token(block, 5), tokens[:, 0, 5]),
        (token(block, [5, 7], position=prefix), torch.stack([tokens[0, prefix, 5], tokens[1, prefix, 7]])),
        (channel(f"{block}[class]", 5), tokens[:, 0, 5]),
        (direction(f"{block}[class]", vector.tolist()), tokens[:, 0] @ vector),
        (deepdream(f"{block}[tokens]"), tokens.square().mean((1, 2))),
        (deepdream(f"{block}[tokens][2]"), tokens[:, 2].square().mean(1)),
    ):
        found = goal(model.activations(images, list(goal.layers)))
        assert torch.allclose(found, value, atol=1e-6), goal


@each_network
def test_tokens_are_rendered_and_nothing_is_left(name: str, fingerprint: Callable[[nn.Module], Any]) -> None:
    model, _ = build(name)
    block = NETWORKS[name][1]
    _ = model.layers
    before = fingerprint(model.module)
    for goal in (f"token('{block}', 3)", f"{block}[class]:3", f"{block}[tokens][-1]:[3, 4]"):
        found = lt.render(model, goal, steps=2, seed=0, progress=False)
        assert found.objective == repr(lt.parse(goal))
        assert found.images.isfinite().all()
        assert fingerprint(model.module) == before


def test_the_hidden_units_of_a_perceptron_are_channels() -> None:
    model, images = build("torchvision")
    _, _, hidden, _, _ = NETWORKS["torchvision"]
    assert model.layers[hidden].shape == (24, 4, 4)
    expected = raw(model, hidden, images)[:, 1:].transpose(1, 2).unflatten(2, (4, 4))
    assert torch.equal(model.activations(images, hidden)[hidden], expected)


def test_registers_without_a_class_token_are_no_class_token() -> None:
    torch.manual_seed(0)
    model = load_model(timm_vit(class_token=False), mean=0.5, std=0.5, size=(SIDE, 48))
    assert model.layers["blocks.1"].tokens == 2
    assert model.layers["blocks.1[tokens][1]"].shape == (WIDTH,)
    with pytest.raises(UnknownLayerError, match=r"no class token stands.*write 'blocks.1\[tokens\]'"):
        model.layers.resolve("blocks.1[class]")


class Several(nn.Module):
    """Gives tokens and a map in one dictionary, and a part that bears the word of a view."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 6, 4, 4)
        self.parts = nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        values = self.patches(images)
        found = {"map": values, "row": values.flatten(2).transpose(1, 2), "class": values.mean((2, 3))}
        return self.parts(found)["class"]


def test_views_follow_parts_and_parts_go_before_views() -> None:
    model = load_model(Several(), mean=0.0, std=1.0, size=8)
    images = torch.rand(2, 3, 8, 12)
    found = model.activations(images, ["parts[map]", "parts[row]", "parts[row][tokens]", "parts[row][tokens][4]"])
    values = found["parts[map]"]
    assert torch.equal(found["parts[row]"], values)
    assert torch.equal(found["parts[row][tokens]"], values.flatten(2))
    assert torch.equal(found["parts[row][tokens][4]"], values.flatten(2)[:, :, 4])
    assert torch.equal(model.activations(images, "parts[class]")["parts[class]"], values.mean((2, 3)))
    assert model.layers["parts[class]"].shape == (6,)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("{}[clas]", r"gives a Tensor; write one of '{}\[tokens\]', '{}\[class\]'"),
        ("{}[tokens][x]", r"write one of its 17 tokens, \[0\] to \[16\], or \[-1\] for the last one"),
        ("{}[tokens][--1]", "its 17 tokens"),
        ("{}[tokens][1][2]", "its 17 tokens"),
        ("{}[class][0]", "is one vector"),
        ("{}[hidden]", "only recurrent layers have states over time"),
        ("conv_proj[tokens]", r"do not stand in one axis as tokens do; write neuron\('conv_proj', index, x="),
        ("conv_proj[class]", r"write neuron\('conv_proj', index"),
        ("heads[tokens]", r"no places and no tokens; write channel\('heads', index\)"),
        ("nowhere[tokens]", "no layer 'nowhere'"),
        ("{}[]", r"no layer '{}\[\]'"),
    ],
)
def test_wrong_words_are_answered_with_the_right_ones(address: str, reason: str) -> None:
    model, _ = build("torchvision")
    block = NETWORKS["torchvision"][1]
    with pytest.raises(UnknownLayerError, match=reason.replace("{}", block)):
        model.layers.resolve(address.replace("{}", block))
    assert address.replace("{}", block) not in model.layers


def test_tokens_that_are_not_there_are_refused_by_a_render() -> None:
    model, _ = build("torchvision")
    block = NETWORKS["torchvision"][1]
    for goal, reason in (
        (token(block, 5, position=17), "has 17 tokens, 0 to 16"),
        (token(block, 16), "has 16 channels, 0 to 15"),
    ):
        with pytest.raises(UnitError, match=reason):
            lt.render(model, goal, steps=1, progress=False)
    for place in (17, -18):
        with pytest.raises(UnknownLayerError, match=rf"17 tokens for images of this size.*\[{place}\] was given"):
            lt.render(model, f"{block}[tokens][{place}]:1", steps=1, progress=False)
    with pytest.raises(UnknownLayerError, match=r"write neuron\('conv_proj'"):
        lt.render(model, token("conv_proj", 5), steps=1, progress=False)


def test_order_and_pre_activations_are_those_of_the_layer() -> None:
    model, _ = build("torchvision")
    block = NETWORKS["torchvision"][1]
    assert model.layers.order(f"{block}[class]") == model.layers.order(block)
    assert model.layers.before(f"{block}[class]") is None
    record = model.layers[f"{block}[class]"]
    assert (record.channels, record.kind, record.refused) == (WIDTH, "EncoderBlock", None)
