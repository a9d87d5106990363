"""The classes of the drawings, in the order of the logits of `demo` and `demo-judge`."""

from __future__ import annotations

TEXTURES: tuple[str, ...] = (
    "stripes", "checks", "dots", "rings", "spirals", "grid", "zigzag", "waves", "bricks", "scales", "honeycomb",
    "weave", "rays", "plaid", "maze", "cracks", "bubbles", "fur", "wood", "marble", "camouflage", "zebra", "leopard",
    "confetti",
)  # fmt: skip
"""The textures, which fill the whole picture."""

SHAPES: tuple[str, ...] = (
    "disc", "square", "triangle", "star", "cross", "heart", "crescent", "arrow", "flower", "gear", "drop", "bolt",
    "snowflake", "clover", "house", "fish", "eye", "face", "leaf", "tree", "key", "mushroom", "butterfly", "umbrella",
    "cherries", "paw", "cup",
)  # fmt: skip
"""The shapes, which are drawn on a background once or a few times."""

DRAWINGS: tuple[str, ...] = TEXTURES + SHAPES
"""All classes of `lucidtorch.datasets.drawings`."""
