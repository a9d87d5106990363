"""What can be read of a layer beside its activations, the axes that a reader states, and why a view is refused."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lucidtorch.base.errors import UnknownLayerError, suggestion
from lucidtorch.models.layouts.layout import (
    BATCH,
    CHANNEL,
    PLACES,
    SPACE,
    TOKENS,
    Dimension,
    Layout,
    Piece,
    has_space,
    wrapped,
)
from lucidtorch.models.running.address import (
    CELL,
    CLASS,
    COUNTED,
    HEADS,
    HIDDEN,
    OUTPUT,
    channels_of_head,
    directions,
    time_axis,
)

WORDS = (CLASS, *COUNTED)
TOKEN_AXES = 3  # `[B, N, C]` in any order
HEAD_AXES = 2  # the heads, and the channels of each
OF_A_BATCH = re.compile(r"shape\[0\] to be equal to (?P<batch>\d+)")
OF_FRAMES = re.compile(r"to have (?P<wanted>\d+) channels, but got (?P<given>\d+) channels")
CLIP_SIDES = 3
CLASS_NAMES, REGISTER_NAMES = ("cls", "class"), ("reg",)  # in the names of parameters that are tokens
LETTERS = (BATCH, CHANNEL, *SPACE, PLACES)
ONE = r"(?:(\d+)\+)?\(H W\)|[BCTHWN1]"
WORD = re.compile(ONE)
NOTATION = re.compile(rf"({ONE})( ({ONE}))+")
FORMS = (
    "letters B, C, T, H, W, N and 1 for axes of one place, (H W) for rows one after the other, 1+(H W) behind a token"
)


@dataclass(frozen=True, slots=True)
class LayerView:
    """One way to read a layer, written as a word in square brackets after its address."""

    word: str
    shape: tuple[int, ...]  # for one image: `(C, N)`, `(C,)`, `(heads * C, H, W)` or `(C, 1, T)`
    count: int  # of what a number in brackets after the word selects; 0 where nothing can be selected
    layout: Layout | None = None  # of the tensor that is read; None for states over time

    @property
    def item(self) -> tuple[int, ...]:
        """What one token, head or step gives for one image: `(C,)`, of a head `(C, H, W)`."""
        return (self.shape[0] // self.count, *self.shape[1:]) if self.word == HEADS else self.shape[:1]

    def place(self, text: str) -> int | None:
        """Read the number in brackets after the word."""
        digits = text.removeprefix("-")
        if not self.count or not digits.isdecimal() or not digits.isascii():
            return None
        number = int(text)
        return number if self.word != HEADS or -self.count <= number < self.count else None


def token_views(layout: Layout | None, shape: Sequence[int]) -> list[LayerView]:
    """Say how the tokens of a tensor can be read."""
    if layout is None or len(layout.axes) != TOKEN_AXES or sum(map(has_space, layout.axes)) != 1:
        return []
    if not layout.is_ordered:
        return [LayerView(TOKENS, tuple(shape), math.prod(shape[1:]), layout)]
    count = layout.prefix + math.prod(shape[1:]) + layout.suffix
    views = [LayerView(TOKENS, (shape[0], count), count, layout)]
    return [*views, LayerView(CLASS, (shape[0],), 0, layout)] if layout.prefix else views


def head_view(heads: Tensor, layout: Layout | None) -> LayerView | None:
    """Say how the heads of an attention module can be read."""
    if layout is None or len(layout.channel_axes) > HEAD_AXES:
        return None
    shape = tuple(layout.apply(heads).shape[1:])
    return LayerView(HEADS, shape, shape[0] // channels_of_head(heads, layout), layout)


def state_views(layer: nn.Module, output: object, batch: int) -> list[LayerView]:
    """Say how the states of a recurrent layer can be read."""
    sequence = output[0] if isinstance(output, tuple) else output
    if not isinstance(layer, nn.RNNBase) or not isinstance(sequence, Tensor) or sequence.dim() != 3:
        return []
    time = time_axis(layer)
    if sequence.shape[1 - time] != batch:
        return []
    channels = dict.fromkeys((OUTPUT, HIDDEN), sequence.shape[2])  # the same: the last layer's states over time
    if isinstance(layer, nn.LSTM):
        channels[CELL] = layer.hidden_size * directions(layer)
    steps = sequence.shape[time]
    return [LayerView(word, (count, 1, steps), steps) for word, count in channels.items()]


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


def why_no_index(view: LayerView) -> str:
    """Say why a view has nothing at an index."""
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


def stated_view(word: str, raw: Sequence[int], size: Sequence[int], spoken: str) -> LayerView | None:
    """Read what someone says the axes of a tensor are."""
    if NOTATION.fullmatch(word) is None:
        return None
    words = [found[0] for found in WORD.finditer(word)]
    dimensions = [_dimension(one, count, size) for one, count in zip(words, raw, strict=False)]
    letters = [one for one in words if one in LETTERS]
    twice = len(set(letters) - {PLACES}) < len([one for one in letters if one != PLACES])
    if len(words) != len(raw) or None in dimensions or twice or not {BATCH, CHANNEL} <= set(letters):
        raise UnknownLayerError(
            f"{spoken}: its axes have the sizes {list(raw)}, with the batch; write for each what it is, B and C once: "
            f"{FORMS}."
        )
    layout = Layout(tuple(one for one in dimensions if one is not None))
    shape = tuple(layout.apply(torch.empty(*raw, device="meta")).shape[1:])
    return LayerView(word, shape, 0, layout)


def _dimension(word: str, count: int, size: Sequence[int]) -> Dimension | None:
    if word == "1":
        return () if count == 1 else None
    if word in LETTERS:
        return (Piece(word, count),)
    before = int(word.partition("+")[0]) if "+" in word else 0
    height, width = size[-2:]
    rows = round(math.sqrt((count - before) * height / width)) if count > before else 0
    if not rows or (count - before) % rows:
        return None
    inner = (Piece(SPACE[1], rows), Piece(SPACE[2], (count - before) // rows))
    return (wrapped(TOKENS, inner, before, 0),) if before else inner
