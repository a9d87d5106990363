"""Axes that the reader of a layer states himself, in square brackets behind its address: `codes[B H W C]`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import torch

from lucidtorch.base.errors import UnknownLayerError
from lucidtorch.models.axes.layout import BATCH, CHANNEL, PLACES, SPACE, TOKENS, Dimension, Layout, Piece, wrapped
from lucidtorch.models.layers.views import View

LETTERS = (BATCH, CHANNEL, *SPACE, PLACES)
WORD = re.compile(r"(?:(?P<before>\d+)\+)?\(H W\)|[BCTHWN1]")
NOTATION = re.compile(
    rf"(?:{WORD.pattern.replace('?P<before>', '')})(?: (?:{WORD.pattern.replace('?P<before>', '')}))+"
)
FORMS = (
    "letters B, C, T, H, W, N and 1 for axes of one place, (H W) for rows one after the other, 1+(H W) behind a token"
)


def stated_view(word: str, raw: Sequence[int], size: Sequence[int], spoken: str) -> View | None:
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
    return View(word, shape, 0, layout)


def _dimension(word: str, count: int, size: Sequence[int]) -> Dimension | None:
    if word == "1":
        return () if count == 1 else None
    if word in LETTERS:
        return (Piece(word, count),)
    before = int((WORD.fullmatch(word) or {"before": None})["before"] or 0)
    height, width = size[-2:]
    rows = round(math.sqrt((count - before) * height / width)) if count > before else 0
    if not rows or (count - before) % rows:
        return None
    inner = (Piece(SPACE[1], rows), Piece(SPACE[2], (count - before) // rows))
    return (wrapped(TOKENS, inner, before, 0),) if before else inner
