"""Straight lines of known length, width, angle and colour."""

from __future__ import annotations

import colorsys
import itertools

import numpy as np
import torch
from torch import Tensor

from lucidtorch.base.checks import checked
from lucidtorch.base.errors import BadInputError
from lucidtorch.datasets.collection import Generated, split_number
from lucidtorch.datasets.plane import Field, noise, pixels, stroke
from lucidtorch.models.networks.lines import ANGLES, COLOURS, HEADS, WIDTHS

COUNTS = {"train": 100_000, "test": 2880}
LENGTH_RANGES = ((0.16, 0.28), (0.38, 0.52), (0.64, 0.82))  # share of the shorter side
WIDTH_RANGES = ((0.022, 0.034), (0.055, 0.075), (0.105, 0.14))  # likewise
ANGLE_SPREAD = np.pi / 11  # radians to either side of 0, 45, 90 and 135 degrees
HUES = (0.0, 1 / 6, 1 / 3, 1 / 2, 2 / 3, 5 / 6)  # of the first six colours
CLASSES = tuple(" ".join(words) for words in itertools.product(*HEADS.values()))


class Lines(Generated):
    """One line on a clouded grey ground.

    Args:
        split: `train` or `test`.
        length: How many there are.
        size: The side in pixels, or `(height, width)`.
        seed: Another seed gives other lines.
        head: Which of the four properties of a line is its class; all four together where None.
    """

    def __init__(
        self, split: str, length: int, size: int | tuple[int, int], seed: int, head: str | None = None
    ) -> None:
        super().__init__(split, length, size, seed)
        self.head = head

    @property
    def classes(self) -> tuple[str, ...]:
        """The 288 kinds, each in four words, for example `short thin rising red`; of `head` alone where it is given."""
        return CLASSES if self.head is None else HEADS[self.head]

    def label(self, index: int) -> int:
        """The class of the line of one number, without drawing it."""
        return self._of_head(self._kind(index)[0])

    def item(self, index: int) -> tuple[Tensor, int]:
        kind, random = self._kind(index)
        return torch.from_numpy(_line(head_labels(kind), self.height, self.width, random)), self._of_head(kind)

    def _kind(self, index: int) -> tuple[int, np.random.Generator]:
        """Which of the 288 kinds a line is of, and what the rest of it is drawn from."""
        random = self.generator(index)
        return int(random.integers(len(CLASSES))), random

    def _of_head(self, kind: int) -> int:
        return kind if self.head is None else head_labels(kind)[tuple(HEADS).index(self.head)]


@checked
def lines(
    split: str = "train",
    *,
    length: int | None = None,
    size: int | tuple[int, int] = 64,
    seed: int = 0,
    head: str | None = None,
) -> Lines:
    """Open the lines that the network `lines` was trained on.

    Args:
        split: `train` or `test`; no line is in both.
        length: How many; 100,000 to train on and 2,880 to test on by default.
        size: The side in pixels, or `(height, width)`; at least 16.
        seed: Another seed gives other lines.
        head: `length`, `width`, `angle` or `colour`: only this is the class of a line; all four together where None.

    Returns:
        A collection of `[3, H, W]` images; `head_labels` takes a class number of all four apart.

    Raises:
        BadInputError: The split, the length, the seed or the head is none.
        SizeError: A side is below 16 pixels.
    """
    split_number(split)
    if head is not None and head not in HEADS:
        raise BadInputError(f"The lines have no head {head!r}; write one of {', '.join(HEADS)}.")
    return Lines(split, COUNTS[split] if length is None else length, size, seed, head)


def head_labels(label: int) -> tuple[int, int, int, int]:
    """Take the class of a line apart."""
    rest, colour = divmod(label, len(COLOURS))
    rest, angle = divmod(rest, len(ANGLES))
    return *divmod(rest, len(WIDTHS)), angle, colour


def _line(labels: tuple[int, int, int, int], height: int, width: int, random: np.random.Generator) -> Field:
    plane, short = pixels(height, width), min(height, width)
    half = short * random.uniform(*LENGTH_RANGES[labels[0]]) / 2
    thick = short * random.uniform(*WIDTH_RANGES[labels[1]]) / 2
    angle = -labels[2] * np.pi / 4 + random.uniform(-ANGLE_SPREAD, ANGLE_SPREAD)  # rising goes up to the right
    along_x, along_y = half * float(np.cos(angle)), half * float(np.sin(angle))
    x = random.uniform(-1, 1) * (width / 2 - abs(along_x) - thick - 1)
    y = random.uniform(-1, 1) * (height / 2 - abs(along_y) - thick - 1)
    ends = (x - along_x, y - along_y), (x + along_x, y + along_y)
    cover = plane.soft(stroke(plane, *ends, thick))
    paper = 0.5 + random.uniform(-0.1, 0.1) + 0.08 * noise(plane, random, short * random.uniform(0.15, 0.5))
    colour = np.array(_colour(labels[3], random), dtype=np.float32)[:, None, None]
    picture = paper + (colour - paper) * cover
    picture += random.uniform(0, 0.05) * random.standard_normal(picture.shape, dtype=np.float32)
    return np.clip(picture, 0, 1).astype(np.float32)


def _colour(number: int, random: np.random.Generator) -> tuple[float, float, float]:
    if COLOURS[number] == "white":
        return (random.uniform(0.88, 1.0),) * 3
    if COLOURS[number] == "black":
        return (random.uniform(0.0, 0.12),) * 3
    hue = (HUES[number] + random.uniform(-0.05, 0.05)) % 1.0
    return colorsys.hsv_to_rgb(hue, random.uniform(0.75, 1.0), random.uniform(0.75, 1.0))
