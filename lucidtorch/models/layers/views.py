"""What can be read of a layer beside its activations: its tokens, attention heads, and states over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from lucidtorch.models.axes.layout import Layout, has_channel, has_space
from lucidtorch.models.running.recurrent import CELL, HIDDEN, OUTPUT, state_channels

TOKENS, CLASS, HEADS = "tokens", "class", "heads"
COUNTED = {TOKENS: "tokens", HEADS: "heads", OUTPUT: "steps", HIDDEN: "steps", CELL: "steps"}
WORDS = (CLASS, *COUNTED)
TOKEN_AXES = 3  # `[B, N, C]` in any order
HEAD_AXES = 2  # the heads, and the channels of each


@dataclass(frozen=True, slots=True)
class View:
    """One way to read a layer, written as a word in square brackets behind its address.

    Args:
        word: The word.
        shape: What it gives for one image: `(C, N)`, `(C,)`, `(heads * C, H, W)` or `(C, 1, T)`.
        count: How many there are of what a number in brackets behind the word selects; 0 where nothing can be selected.
        layout: The axes of the tensor that is read; None for states over time.
    """

    word: str
    shape: tuple[int, ...]
    count: int
    layout: Layout | None = None

    @property
    def item(self) -> tuple[int, ...]:
        """What one token, head or step gives for one image: `(C,)`, of a head `(C, H, W)`."""
        return (self.shape[0] // self.count, *self.shape[1:]) if self.word == HEADS else self.shape[:1]

    def place(self, text: str) -> int | None:
        """Read the number in brackets behind the word."""
        digits = text.removeprefix("-")
        if not self.count or not digits.isdecimal() or not digits.isascii():
            return None
        number = int(text)
        return number if self.word != HEADS or -self.count <= number < self.count else None


def token_views(layout: Layout | None, shape: Sequence[int]) -> list[View]:
    """Say how the tokens of a tensor can be read."""
    if layout is None or len(layout.axes) != TOKEN_AXES or sum(map(has_space, layout.axes)) != 1:
        return []
    if not layout.is_ordered:
        return [View(TOKENS, tuple(shape), math.prod(shape[1:]), layout)]
    count = layout.prefix + math.prod(shape[1:]) + layout.suffix
    views = [View(TOKENS, (shape[0], count), count, layout)]
    return [*views, View(CLASS, (shape[0],), 0, layout)] if layout.prefix else views


def head_view(heads: Tensor, layout: Layout | None) -> View | None:
    """Say how the heads of an attention module can be read."""
    if layout is None or sum(map(has_channel, layout.axes)) > HEAD_AXES:
        return None
    shape = tuple(layout.apply(heads).shape[1:])
    return View(HEADS, shape, shape[0] // channels_of_head(heads, layout), layout)


def channels_of_head(heads: Tensor, layout: Layout) -> int:
    """Count the channels of one attention head."""
    return heads.shape[max(place for place, one in enumerate(layout.axes) if has_channel(one))]


def state_views(layer: nn.Module, output: object, batch: int) -> list[View]:
    """Say how the states of a recurrent layer can be read."""
    found = state_channels(layer, output, batch) if isinstance(layer, nn.RNNBase) else None
    if found is None:
        return []
    channels, steps = found
    return [View(word, (count, 1, steps), steps) for word, count in channels.items()]
