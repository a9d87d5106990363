"""Small vision transformers of three libraries, with random weights."""

from __future__ import annotations

import timm
import transformers
from timm.models.vision_transformer import VisionTransformer as TimmViT
from torch import nn
from torchvision.models.vision_transformer import VisionTransformer
from transformers import ViTConfig, ViTModel

HEADS, WIDTH, SIDE = 4, 16, 32

# The last block of `hugging_face_vit`, its attention and its hidden units; transformers 5 renamed them.
HF_BLOCK, HF_ATTENTION, HF_HIDDEN, HF_SWIN_ATTENTION = (
    ("layers.1", "layers.1.attention", "layers.1.mlp.activation_fn", "attention")
    if int(transformers.__version__.partition(".")[0]) >= 5
    else (
        "encoder.layer.1",
        "encoder.layer.1.attention.attention",
        "encoder.layer.1.intermediate.intermediate_act_fn",
        "attention.self",
    )
)


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
    """4 x 4 patches behind a class token; the last block is HF_BLOCK."""
    sizes = {"hidden_size": WIDTH, "num_attention_heads": HEADS, "intermediate_size": 24, "image_size": SIDE}
    return ViTModel(ViTConfig(**sizes, num_hidden_layers=2, patch_size=8, attn_implementation=attention))
