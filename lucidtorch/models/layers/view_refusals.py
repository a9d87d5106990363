"""Why a layer cannot be read in a way that its address asks for, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Sequence

from torch import nn

from lucidtorch.base.errors import suggestion
from lucidtorch.models.layers.views import CLASS, COUNTED, HEADS, TOKENS, View
from lucidtorch.models.running.recurrent import CELL, HIDDEN, OUTPUT

OF_A_BATCH = re.compile(r"shape\[0\] to be equal to (?P<batch>\d+)")
OF_FRAMES = re.compile(r"to have (?P<wanted>\d+) channels, but got (?P<given>\d+) channels")
CLIP_SIDES = 3
CLASS_NAMES, REGISTER_NAMES = ("cls", "class"), ("reg",)  # in the names of parameters that are tokens


def advice_on(reason: str, size: Sequence[int]) -> str:
    """Say what to do about what a network raised in its dry run."""
    if (found := OF_A_BATCH.search(reason)) is not None:
        count = found["batch"]
        return f"it was exported for {count} images at a time: export it with dynamic_shapes={{...: {{0: Dim.AUTO}}}}"
    found = OF_FRAMES.search(reason)
    if found is not None and len(size) == CLIP_SIDES and int(found["given"]) == size[0]:
        return "it may take the frames first: wrap it in a module that swaps axes 1 and 2 of [B, C, T, H, W]"
    if "'NoneType'" in reason:
        return "it may take more than images: give that with inputs=, or load the part of it that takes images"
    return ""


def only_registers(module: nn.Module) -> bool:
    """Say whether the tokens that a network puts before those of the image are registers without a class token."""
    names = [name.rpartition(".")[2].lower() for name, _ in module.named_parameters()]
    tokens = [name for name in names if "token" in name or "embedding" in name]
    registers = any(word in name for name in tokens for word in REGISTER_NAMES)
    return registers and not any(word in name for name in tokens for word in CLASS_NAMES)


def why_no_view(
    word: str, owner: str, layer: nn.Module, shape: Sequence[int], others: Sequence[str], headed: Sequence[str]
) -> str | None:
    """Say why a layer cannot be read by a word."""
    if word == HEADS:
        return _no_heads(f"{owner}[{HEADS}]", headed)
    if word == CLASS and TOKENS in others:
        return f"no class token stands before the tokens of the image; write '{owner}[{TOKENS}]' for all tokens."
    if word in (TOKENS, CLASS) and len(shape) == 1:
        return f"it has no places and no tokens; write channel({owner!r}, index)."
    if word in (TOKENS, CLASS):
        return f"its places do not stand in one axis as tokens do; write neuron({owner!r}, index, x=..., y=...)."
    if word in (OUTPUT, HIDDEN, CELL):
        return _no_states(word, owner, layer)
    return None


def why_no_index(view: View) -> str:
    """Say why a view has nothing at what stands in the brackets behind it."""
    if not view.count:
        return f"[{view.word}] is one vector; leave what follows it out."
    return f"write one of its {view.count} {COUNTED[view.word]}, [0] to [{view.count - 1}], or [-1] for the last one."


def _no_heads(text: str, headed: Sequence[str]) -> str:
    if not headed:
        return (
            "no module of it computes attention that can be seen, by scaled_dot_product_attention or by a softmax and "
            "a product with the values; name the layers inside the attention instead."
        )
    return (
        "only modules that compute attention themselves, once, and in a way that can be followed have heads. "
        f"{suggestion(text, headed)}"
    )


def _no_states(word: str, owner: str, layer: nn.Module) -> str:
    if isinstance(layer, nn.LSTM) or (isinstance(layer, nn.RNNBase) and word != CELL):
        return "it was fed a packed or unbatched sequence; feed it [B, T, C] or [T, B, C] with one row for each image."
    if isinstance(layer, nn.RNNBase | nn.RNNCellBase):
        return f"a {type(layer).__name__} has no such state; write '{owner}[{HIDDEN}]'."
    return "only recurrent layers have states over time, such as nn.LSTM and nn.GRU."
