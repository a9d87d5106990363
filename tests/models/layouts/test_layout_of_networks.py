"""Layouts of whole networks, against extractions written by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchvision import models as torchvision_models
from torchvision.models.swin_transformer import SwinTransformer
from tracing import Seen, applied, seen_in, words


def from_tokens(raw: Tensor, grid: tuple[int, int], before: int = 0) -> Tensor:
    batch, _, channels = raw.shape
    return raw[:, before:].transpose(1, 2).reshape(batch, channels, *grid)


def same(given: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(given, expected, rtol=1e-4, atol=1e-5)


def check_tokens(seen: Seen, names: list[str], grid: tuple[int, int], before: int) -> None:
    for name in names:
        raw, layout = seen[name]
        assert layout is not None, name
        assert torch.equal(layout.apply(raw), from_tokens(raw, grid, before)), name
        assert torch.equal(layout.tokens(raw), raw.transpose(1, 2)), name
        assert (layout.prefix, layout.suffix, layout.grid, layout.sized) == (before, 0, grid, True), name


def test_torchvision_vit() -> None:
    net = torchvision_models.VisionTransformer(64, 16, num_layers=2, num_heads=2, hidden_dim=32, mlp_dim=48)
    seen = seen_in(net, (64, 64))
    block = "encoder.layers.encoder_layer_1"
    inner = [f"{block}.{part}" for part in ("ln_1", "self_attention", "ln_2", "mlp.0", "mlp.1", "mlp.3", "mlp")]
    check_tokens(seen, [*inner, block, "encoder.ln", "encoder"], (4, 4), 1)
    assert applied(seen, f"{block}.mlp.1").shape == (2, 48, 4, 4)
    assert words(seen, "conv_proj") == "B C H W"
    assert words(seen, "heads.head") == "B C"


def test_swin_of_an_odd_size() -> None:
    net = SwinTransformer([4, 4], 12, [2, 2], [2, 2], [4, 4], num_classes=5)
    seen = seen_in(net, (44, 60))
    for name, (raw, layout) in seen.items():
        if raw.dim() == 4 and name != "features.0.0":
            assert layout is not None
            assert not layout.sized
            assert torch.equal(layout.apply(raw), raw.permute(0, 3, 1, 2)) or words(seen, name).startswith("B C")
    hidden = {name: words(seen, name) for name in ("features.1.1.mlp.0", "features.2.reduction", "features.3.1.attn")}
    assert set(hidden.values()) == {"B H W C"}
    assert words(seen, "features.0.0") == "B C H W"


def test_convnext_is_channels_last_inside() -> None:
    seen = seen_in(torchvision_models.convnext_tiny(), (64, 96))
    for name in ("features.1.0.block.2", "features.1.0.block.3", "features.1.0.block.4", "features.1.0.block.5"):
        assert words(seen, name) == "B H W C"
        assert torch.equal(applied(seen, name), seen[name][0].permute(0, 3, 1, 2))
    for name in ("features.0.1", "features.1.0.block.0", "features.1.0", "features.7"):
        assert seen[name][1] is not None
        assert seen[name][1].is_plain


def test_maxvit_windows_and_grids() -> None:
    net = torchvision_models.MaxVit((64, 64), 8, 4, [8], [1], 4, 0.0, num_classes=3)
    seen = seen_in(net, (64, 64))
    block = "blocks.0.layers.0.layers"
    for part, before in (("window", f"{block}.MBconv"), ("grid", f"{block}.window_attention")):
        norm = net.get_submodule(f"{block}.{part}_attention.attn_layer.0")
        to_qkv = net.get_submodule(f"{block}.{part}_attention.attn_layer.1.to_qkv")
        last = seen[before][0].permute(0, 2, 3, 1)
        with torch.no_grad():
            expected = to_qkv(norm(last)).permute(0, 3, 1, 2)
        same(applied(seen, f"{block}.{part}_attention.attn_layer.1.to_qkv"), expected)
    assert words(seen, f"{block}.window_attention.attn_layer.0") == "B windows (H W) C"
    assert words(seen, f"{block}.grid_attention.attn_layer.0") == "B (H W) windows C"


@pytest.mark.parametrize(
    ("name", "options", "size", "grid", "before"),
    [
        ("vit_tiny_patch16_224", {"img_size": (64, 32)}, (64, 32), (4, 2), 1),
        ("vit_small_patch14_reg4_dinov2", {"img_size": (56, 42), "embed_dim": 24, "num_heads": 2}, (56, 42), (4, 3), 5),
        ("deit3_small_patch16_224", {"img_size": 32, "embed_dim": 24, "num_heads": 2}, (32, 32), (2, 2), 1),
        ("deit_tiny_distilled_patch16_224", {"img_size": (32, 64)}, (32, 64), (2, 4), 2),
        ("eva02_tiny_patch14_224", {"img_size": 42}, (42, 42), (3, 3), 1),
    ],
)
def test_timm_transformers(
    name: str, options: dict[str, Any], size: tuple[int, int], grid: tuple[int, int], before: int
) -> None:
    timm = pytest.importorskip("timm")
    seen = seen_in(timm.create_model(name, pretrained=False, **({"depth": 2} | options)), size)
    parts = ("norm1", "attn.proj", "attn", "norm2", "mlp.fc2", "mlp")
    check_tokens(seen, [f"blocks.1.{part}" for part in parts] + ["blocks.0", "blocks.1"], grid, before)
    check_tokens(seen, ["patch_embed"], grid, 0)
    assert words(seen, "") == "B C"


@pytest.mark.parametrize("size", [(56, 56), (64, 48), (52, 68)])
def test_timm_swin_windows_are_rolled_back_and_their_filling_is_cut_off(size: tuple[int, int]) -> None:
    timm = pytest.importorskip("timm")
    options = {"img_size": size, "embed_dim": 12, "depths": (2, 2), "num_heads": (2, 2), "window_size": 7}
    net = timm.create_model("swin_tiny_patch4_window7_224", pretrained=False, **options)
    try:
        seen = seen_in(net, size)
    except AssertionError as error:
        pytest.skip(f"timm {timm.__version__}: {error}")  # earlier ones take even grids only
    for block in ("layers.0.blocks.0", "layers.0.blocks.1", "layers.1.blocks.0", "layers.1.blocks.1"):
        normed, _ = seen[f"{block}.norm1"]
        with torch.no_grad():
            expected = net.get_submodule(f"{block}.attn.qkv")(normed).permute(0, 3, 1, 2)
        rows, columns = expected.shape[2:]
        filled = rows % 7 > 0 or columns % 7 > 0  # where windows of both are rolled, nothing tells which came first
        if not filled or seen[f"{block}.attn.qkv"][1] is not None:
            same(applied(seen, f"{block}.attn.qkv"), expected)
        assert words(seen, f"{block}.mlp.act") == "B (H W) C"
        assert torch.equal(applied(seen, f"{block}.mlp.act"), from_tokens(seen[f"{block}.mlp.act"][0], (rows, columns)))
    shifted = seen["layers.0.blocks.1.attn.qkv"][1]
    assert (shifted is not None) == (size == (56, 56))
    assert torch.equal(applied(seen, "layers.1.downsample.norm"), seen["layers.1.downsample.norm"][0].movedim(3, 1))


@pytest.mark.parametrize(("name", "size"), [("convnext_atto", 64), ("swinv2_cr_tiny_224", 224), ("pvt_v2_b0", 64)])
def test_every_layer_of_a_timm_network_is_known(name: str, size: int) -> None:
    timm = pytest.importorskip("timm")
    seen = seen_in(timm.create_model(name, pretrained=False), (size, size))
    missing = [name for name, (raw, layout) in seen.items() if layout is None and raw.shape[0] != 1]
    assert [name for name in missing if "meta_mlp" not in name and not name.endswith(("softmax", "attn_drop"))] == []


def test_a_scale_behind_rolled_windows_keeps_its_channels() -> None:
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    net = timm.create_model("gcvit_xxtiny", pretrained=False)
    name = "stages.0.blocks.1.ls1"
    seen = seen_in(net, (224, 224))
    assert applied(seen, name).shape[1:] == (64, 56, 56)
    assert torch.equal(applied(seen, name), seen[name][0].movedim(3, 1))


def test_mixer_has_channels_but_no_places_inside_its_token_mlp() -> None:
    timm = pytest.importorskip("timm")
    net = timm.create_model("mixer_s16_224", pretrained=False, img_size=(64, 32))
    seen = seen_in(net, (64, 32))
    check_tokens(seen, ["blocks.0", "blocks.1.norm2", "blocks.1.mlp_channels.fc1", "blocks.1"], (4, 2), 0)
    inside = seen["blocks.1.mlp_tokens.fc1"][1]
    assert inside is not None
    assert not inside.is_ordered


SMALL = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "patch_size": 16}


@pytest.mark.parametrize(
    ("kind", "options", "size", "grid", "before"),
    [
        ("ViT", {**SMALL, "intermediate_size": 40, "image_size": (64, 48)}, (64, 48), (4, 3), 1),
        (
            "ViT",
            {**SMALL, "intermediate_size": 40, "image_size": 64, "attn_implementation": "eager"},
            (64, 64),
            (4, 4),
            1,
        ),
        ("Dinov2WithRegisters", {**SMALL, "image_size": 48, "num_register_tokens": 4}, (48, 48), (3, 3), 5),
    ],
)
def test_hugging_face_transformers(
    kind: str, options: dict[str, Any], size: tuple[int, int], grid: tuple[int, int], before: int
) -> None:
    transformers = pytest.importorskip("transformers")
    config = getattr(transformers, f"{kind}Config")(**options)
    net = getattr(transformers, f"{kind}Model")(config)
    seen = seen_in(_LastHiddenState(net), size)
    names = [name for name, (raw, _) in seen.items() if raw.dim() == 3 and raw.shape[1] == grid[0] * grid[1] + before]
    assert len(names) > 15
    check_tokens(seen, names, grid, before)


class _LastHiddenState(nn.Module):
    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> Tensor:
        return self.net(images).last_hidden_state


def test_hugging_face_swin_and_convnext() -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.SwinConfig(image_size=(72, 64), embed_dim=12, depths=[2, 2], num_heads=[2, 2], window_size=5)
    net = _LastHiddenState(transformers.SwinModel(config))
    seen = seen_in(net, (72, 64))
    block = "net.encoder.layers.0.blocks.1"
    normed = seen[f"{block}.layernorm_before"][0]
    query = next(name for name in seen if name.startswith(block) and name.endswith(("query", "q_proj")))
    assert seen[query][1] is None  # filled up and rolled: nothing tells which came first
    assert normed.shape[1] == 18 * 16
    assert torch.equal(applied(seen, f"{block}.layernorm_before"), from_tokens(normed, (18, 16)))
    config = transformers.ConvNextConfig(hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1])
    seen = seen_in(_LastHiddenState(transformers.ConvNextModel(config)), (64, 96))
    name = next(name for name in seen if name.endswith("pwconv1"))
    assert torch.equal(applied(seen, name), seen[name][0].permute(0, 3, 1, 2))
