"""What attention heads give, against q, k and v multiplied by hand and against the modules' own output projections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from small_transformers import (
    HEADS,
    HF_ATTENTION,
    HF_SWIN_ATTENTION,
    SIDE,
    WIDTH,
    hugging_face_vit,
    timm_vit,
    torchvision_vit,
)
from timm.models.swin_transformer import SwinTransformer as TimmSwin
from torch import Tensor, nn
from torchvision.models.swin_transformer import SwinTransformer
from transformers import SwinConfig, SwinModel

import lucidtorch as lt
from lucidtorch.base.errors import UnitError, UnknownLayerError
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model
from lucidtorch.models.running.capture import capture
from lucidtorch.models.running.frozen import frozen
from lucidtorch.objectives import channel, deepdream, head


@pytest.fixture(autouse=True)
def _same_weights() -> None:
    torch.manual_seed(0)


def as_model(net: nn.Module, size: int | tuple[int, int] = SIDE) -> Model:
    return load_model(net, mean=0.5, std=0.5, size=size)


class PlainAttention(nn.Module):
    """`nn.MultiheadAttention` as a network of one's own may call it: weights asked for or not, either axis first."""

    def __init__(self, *, weights: bool, batch_first: bool) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, 8, 8)
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=batch_first)
        self.weights = weights

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patches(images).flatten(2)
        tokens = tokens.transpose(1, 2) if self.attention.batch_first else tokens.permute(2, 0, 1)
        return self.attention(tokens, tokens, tokens, need_weights=self.weights)[0]


def joint(weight: Tensor, bias: Tensor, tokens: Tensor) -> list[Tensor]:
    return list((tokens @ weight.T + bias).chunk(3, dim=-1))


def projections_of(layer: Any, tokens: Tensor) -> list[Tensor]:
    if isinstance(layer, nn.MultiheadAttention):
        return joint(layer.in_proj_weight, layer.in_proj_bias, tokens)
    if hasattr(layer, "qkv"):
        return joint(layer.qkv.weight, layer.qkv.bias, tokens)
    if hasattr(layer, "query"):  # transformers before 5
        return [projection(tokens) for projection in (layer.query, layer.key, layer.value)]
    return [projection(tokens) for projection in (layer.q_proj, layer.k_proj, layer.v_proj)]


def by_hand(layer: nn.Module, tokens: Tensor, prefix: int, grid: tuple[int, int]) -> Tensor:
    """Attention written out, `[B, heads, d, H, W]` from tokens `[B, N, C]`."""
    q, k, v = (one.unflatten(-1, (HEADS, -1)) for one in projections_of(layer, tokens))
    scores = torch.einsum("bqhd,bkhd->bhqk", q, k) / (WIDTH / HEADS) ** 0.5
    weights = scores.exp() / scores.exp().sum(-1, keepdim=True)
    heads = torch.einsum("bhqk,bkhd->bhqd", weights, v)[:, :, prefix:]
    return heads.transpose(2, 3).unflatten(3, grid)


def seen_by(model: Model, layer: str, images: Tensor) -> tuple[Any, Any]:
    """What goes into a layer and what comes out, by a hook of its own."""
    found: list[Any] = []

    def note(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: object) -> None:
        found.append((args[0] if args else kwargs["hidden_states"], output))

    handle = model.module.get_submodule(layer).register_forward_hook(note, with_kwargs=True)
    with torch.no_grad():
        model.module.eval()(model.normalize(images))
    handle.remove()
    return found[0]


# A network, its attention, the tokens before the image's, the grid.
NETWORKS: dict[str, tuple[Callable[[], nn.Module], str, int, tuple[int, int]]] = {
    "torchvision": (torchvision_vit, "encoder.layers.encoder_layer_1.self_attention", 1, (4, 4)),
    "timm, fused, registers": (lambda: timm_vit(fused=True), "blocks.1.attn", 3, (4, 6)),
    "timm, not fused": (lambda: timm_vit(fused=False), "blocks.1.attn", 3, (4, 6)),
    "Hugging Face, sdpa": (lambda: hugging_face_vit("sdpa"), HF_ATTENTION, 1, (4, 4)),
    "Hugging Face, eager": (lambda: hugging_face_vit("eager"), HF_ATTENTION, 1, (4, 4)),
    "weights asked for": (lambda: PlainAttention(weights=True, batch_first=True), "attention", 0, (4, 4)),
    "weights asked for, tokens first": (
        lambda: PlainAttention(weights=True, batch_first=False), "attention", 0, (4, 4)),
    "weights not asked for": (lambda: PlainAttention(weights=False, batch_first=True), "attention", 0, (4, 4)),
}  # fmt: skip
each_network = pytest.mark.parametrize("name", NETWORKS)


def build(name: str) -> tuple[Model, str, Tensor, Tensor]:
    """A network, its attention, images, and what the heads give, by hand."""
    make, layer, prefix, grid = NETWORKS[name]
    model = as_model(make(), (grid[0] * 8, grid[1] * 8))
    images = torch.rand(2, 3, grid[0] * 8, grid[1] * 8)
    tokens, _ = seen_by(model, layer, images)
    attention = model.module.get_submodule(layer)
    tokens = tokens if getattr(attention, "batch_first", True) else tokens.transpose(0, 1)
    with torch.no_grad():
        return model, layer, images, by_hand(attention, tokens, prefix, grid)


@each_network
def test_heads_are_those_of_attention_written_out(name: str) -> None:
    model, layer, images, expected = build(name)
    found = model.activations(images, [f"{layer}[heads]", f"{layer}[heads][2]", f"{layer}[heads][-1]"])
    assert torch.allclose(found[f"{layer}[heads]"], expected.flatten(1, 2), atol=1e-5)
    assert torch.allclose(found[f"{layer}[heads][2]"], expected[:, 2], atol=1e-5)
    assert torch.allclose(found[f"{layer}[heads][-1]"], expected[:, 3], atol=1e-5)
    assert model.layers[f"{layer}[heads]"].shape == expected.flatten(1, 2).shape[1:]
    assert model.layers[f"{layer}[heads][-1]"].shape == expected.shape[2:]
    assert model.layers[f"{layer}[heads][-1]"].address == f"{layer}[heads][-1]"


@each_network
def test_objectives_on_heads_have_the_values_written_out(name: str) -> None:
    model, layer, images, expected = build(name)
    for goal, value in (
        (head(layer, 1), expected[:, 1].square().mean((1, 2, 3))),
        (head(layer, [3, 0]), torch.stack([expected[0, 3].square().mean(), expected[1, 0].square().mean()])),
        (head(layer, 2, channel=3), expected[:, 2, 3].mean((1, 2))),
        (head(layer, [1, 2], channel=[0, 3]), torch.stack([expected[0, 1, 0].mean(), expected[1, 2, 3].mean()])),
        (channel(f"{layer}[heads][2]", 3), expected[:, 2, 3].mean((1, 2))),
        (channel(f"{layer}[heads]", 11), expected[:, 2, 3].mean((1, 2))),
        (deepdream(f"{layer}[heads]"), expected.square().flatten(1).mean(1)),
    ):
        assert torch.allclose(goal(model.activations(images, list(goal.layers))), value, atol=1e-5), goal


@pytest.mark.parametrize(
    ("make", "layer", "project"),
    [
        (
            lambda: SwinTransformer([4, 4], 12, [2, 2], [2, 4], [4, 4], num_classes=3),
            "features.{}.{}.attn",
            lambda attention: attention.proj,
        ),
        (
            lambda: TimmSwin(
                img_size=64, patch_size=4, window_size=4, embed_dim=12, depths=(2, 2), num_heads=(2, 4), num_classes=3
            ),
            "layers.{}.blocks.{}.attn",
            lambda attention: attention.proj,
        ),
        (
            lambda: SwinModel(
                SwinConfig(
                    image_size=64, patch_size=4, embed_dim=12, depths=[2, 2], num_heads=[2, 4], window_size=4
                )
            ),
            f"encoder.layers.{{}}.blocks.{{}}.{HF_SWIN_ATTENTION}",
            lambda attention: getattr(attention, "o_proj", nn.Identity()),  # before transformers 5 it comes after it
        ),
    ],
    ids=["torchvision", "timm", "hugging face"],
)  # fmt: skip
@pytest.mark.parametrize("block", [0, 1])
@pytest.mark.parametrize("stage", [0, 1])
def test_heads_of_shifted_windows_stand_at_their_places(
    make: Callable[[], nn.Module], layer: str, project: Callable[[Any], nn.Module], stage: int, block: int
) -> None:
    """The output projection works on each place alone, so that it must turn the heads into the module's output."""
    model = as_model(make(), 64)
    name = layer.format(1 + 2 * stage if layer.startswith("features") else stage, block)
    images = torch.rand(2, 3, 64, 64)
    found = model.activations(images, [f"{name}[heads]", name])
    heads = found[f"{name}[heads]"]
    assert heads.shape == (2, 12 * 2**stage, 16 // 2**stage, 16 // 2**stage)
    with torch.no_grad():
        projected = project(model.module.get_submodule(name))(heads.permute(0, 2, 3, 1))
    assert torch.allclose(projected.permute(0, 3, 1, 2), found[name], atol=1e-5)
    if layer.startswith("features"):  # whose attention puts its windows back itself
        assert torch.allclose(projected, seen_by(model, name, images)[1], atol=1e-5)


def test_the_network_computes_the_same_while_its_heads_are_read() -> None:
    """Bit for bit: what comes after the attention is what a plain hook sees in the same pass without any view."""
    for name in NETWORKS:
        model, layer, images, _ = build(name)
        images = images.requires_grad_(True)  # without gradients, torch's fused attention rounds differently
        found = [model.addresses(wanted, images.shape[2:]) for wanted in ([layer], [f"{layer}[heads]", layer])]
        with frozen(model.module):
            values = []
            for addresses in found:
                with capture(model.module, addresses) as run:
                    values.append(run(model.normalize(images))[layer])
        assert torch.equal(*values), name


@each_network
def test_gradients_come_through_the_heads(name: str) -> None:
    make, layer, _, grid = NETWORKS[name]
    size = (grid[0] * 8, grid[1] * 8)
    model = as_model(make().double(), size)
    addresses = model.addresses([f"{layer}[heads][1]"], size)
    images = torch.rand(1, 3, *size, dtype=torch.float64, requires_grad=True)
    step = torch.zeros_like(images)
    step[0, 1, 9, 5] = 1e-3
    with frozen(model.module), capture(model.module, addresses) as run:

        def value(moved: Tensor) -> Tensor:
            return run(moved)[f"{layer}[heads][1]"].square().sum()

        (gradient,) = torch.autograd.grad(value(images), images)
        with torch.no_grad():
            slope = (value(images + step) - value(images - step)) / 2e-3
    assert slope.abs() > 0
    assert torch.allclose(gradient[0, 1, 9, 5], slope, rtol=1e-3)  # Hugging Face takes the softmax in float32


@each_network
def test_a_head_is_rendered_and_nothing_is_left(name: str, fingerprint: Callable[[nn.Module], Any]) -> None:
    model, layer, *_ = build(name)
    before = fingerprint(model.module)
    found = lt.render(model, head(layer, [1, 2]), steps=2, progress=False)
    assert found.images.shape[0] == 2
    assert not torch.equal(found.images[0], found.images[1])
    assert fingerprint(model.module) == before
    assert torch._C._len_torch_function_stack() == 0


def test_interrupts_leave_nothing(fingerprint: Callable[[nn.Module], Any]) -> None:
    model, layer, *_ = build("torchvision")
    norm = model.module.get_submodule("encoder.layers.encoder_layer_1.ln_1")
    passes: list[int] = []

    def interrupt(*_: object) -> None:
        passes.append(1)
        if len(passes) == 3:
            raise KeyboardInterrupt

    _ = model.layers
    handle = norm.register_forward_hook(interrupt)
    before = fingerprint(model.module)
    with pytest.raises(KeyboardInterrupt):
        for _ in lt.optimize(model, head(layer, 1), steps=9):
            pass
    assert fingerprint(model.module) == before
    assert torch._C._len_torch_function_stack() == 0
    handle.remove()


def test_heads_hold_at_other_sizes() -> None:
    model = as_model(PlainAttention(weights=False, batch_first=True))
    assert model.activations(torch.rand(1, 3, 40, 56), "attention[heads]")["attention[heads]"].shape == (1, 16, 5, 7)


def test_what_has_no_heads_is_refused_with_those_that_have() -> None:
    model = as_model(torchvision_vit())
    known = "encoder.layers.encoder_layer_1.self_attention"
    for layer in ("encoder.layers.encoder_layer_1", "encoder.layers.encoder_layer_1.mlp.0", "encoder"):
        with pytest.raises(UnknownLayerError, match=rf"'{layer}\[heads\]\[0\]'.*'{known}\[heads\]'"):
            lt.render(model, head(layer, 0), steps=1, progress=False)
    with pytest.raises(UnknownLayerError, match=r"one of its 4 heads, \[0\] to \[3\]"):
        lt.render(model, head(known, 4), steps=1, progress=False)
    with pytest.raises(UnitError, match="has 4 channels"):
        lt.render(model, head(known, 3, channel=4), steps=1, progress=False)
    plain = as_model(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Softmax(1)))
    with pytest.raises(UnknownLayerError, match="no module of it computes attention that can be seen"):
        plain.layers.resolve("0[heads]")


class AmongChannels(nn.Module):
    """Attention of channels to channels, `[B, heads, C, N]`, or with several vectors for each place."""

    def __init__(self, *, several: bool) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, 8, 8)
        self.several = several

    def forward(self, images: Tensor) -> Tensor:
        values = self.patches(images).flatten(2).unflatten(1, (HEADS, -1))
        if self.several:
            values = values.transpose(2, 3).unflatten(3, (2, -1))
        return (values @ values.transpose(-2, -1)).softmax(-1) @ values


def test_heads_of_channel_attention_have_their_channels() -> None:
    net = AmongChannels(several=False)
    images = torch.rand(2, 3, SIDE, 40)
    with torch.no_grad():
        values = net.patches(images).reshape(2, HEADS, 4, 20)
        weights = torch.einsum("bhcn,bhdn->bhcd", values, values).exp()
        expected = torch.einsum("bhcd,bhdn->bhcn", weights / weights.sum(-1, keepdim=True), values)
    model = load_model(net, mean=0.0, std=1.0, size=SIDE)
    found = model.activations(images, ["output[heads]", "output[heads][1]"])
    assert torch.allclose(found["output[heads]"], expected.reshape(2, WIDTH, 4, 5), atol=1e-5)
    assert torch.allclose(found["output[heads][1]"], expected[:, 1].reshape(2, 4, 4, 5), atol=1e-5)


def test_heads_that_nobody_can_tell_apart_are_refused() -> None:
    model = as_model(AmongChannels(several=True))
    with pytest.raises(UnknownLayerError, match="no module of it computes attention that can be seen"):
        model.layers.resolve("output[heads]")


@each_network
def test_heads_are_read_in_half_precision(name: str) -> None:
    model, layer, images, expected = build(name)
    addresses = model.addresses([f"{layer}[heads]"], images.shape[2:])
    half = torch.autocast("cpu", torch.bfloat16)
    with torch.no_grad(), frozen(model.module), capture(model.module, addresses) as run, half:
        found = run(model.normalize(images))[f"{layer}[heads]"]
    assert torch.allclose(found.float(), expected.flatten(1, 2), atol=0.05)


class Doubled(PlainAttention):
    """Computes attention twice in one module of its own, and hides an error on the way."""

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        try:
            self.attention(tokens[..., :3], tokens, tokens)
        except (AssertionError, RuntimeError):
            tokens = tokens + (tokens @ tokens.transpose(1, 2)).softmax(-1) @ tokens
        again = (tokens @ tokens.transpose(1, 2)).softmax(-1) @ tokens
        return self.attention(again, again, again)[0]


def test_a_module_that_attends_twice_is_refused_and_one_that_raised_is_read() -> None:
    model = as_model(Doubled(weights=True, batch_first=True))
    assert model.layers["attention[heads]"].shape == (16, 4, 4)
    with pytest.raises(UnknownLayerError, match=r"compute attention themselves, once, .*'attention\[heads\]'"):
        model.layers.resolve("output[heads]")
