"""Small vision transformers of three libraries, with random weights."""

from __future__ import annotations

import timm
from timm.models.vision_transformer import VisionTransformer as TimmViT
from torch import nn
from torchvision.models.vision_transformer import VisionTransformer
from transformers import ViTConfig, ViTModel

HEADS, WIDTH, SIDE = 4, 16, 32


def torchvision_vit() -> nn.Module:
    """4 x 4 patches behind a class token; the last block is encoder.layers.encoder_layer_1."""
    net = VisionTransformer(
        image_size=SIDE, patch_size=8, num_layers=2, num_heads=HEADS, hidden_dim=WIDTH, mlp_dim=24, num_classes=3
    )
    nn.init.normal_(net.heads.head.weight)  # ViTs begin with zeros there
    return net


def timm_vit(*, fused: bool = True, registers: int = 2, class_token: bool = True) -> nn.Module:
    """4 x 6 patches behind a class token and registers; the last block is blocks.1."""
    before = timm.layers.use_fused_attn()
    timm.layers.set_fused_attn(fused)
    try:
        return TimmViT(
            img_size=(SIDE, 48),
            patch_size=8,
            embed_dim=WIDTH,
            depth=2,
            num_heads=HEADS,
            num_classes=3,
            reg_tokens=registers,
            class_token=class_token,
            global_pool="token" if class_token else "avg",
        )
    finally:
        timm.layers.set_fused_attn(bool(before))


def hugging_face_vit(attention: str = "sdpa") -> nn.Module:
    """4 x 4 patches behind a class token; the last block is layers.1."""
    sizes = {"hidden_size": WIDTH, "num_attention_heads": HEADS, "intermediate_size": 24, "image_size": SIDE}
    return ViTModel(ViTConfig(**sizes, num_hidden_layers=2, patch_size=8, attn_implementation=attention))
