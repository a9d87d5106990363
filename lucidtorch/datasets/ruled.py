"""Straight lines of known length, width, angle and colour."""

from __future__ import annotations

import colorsys
import itertools

import numpy as np
import torch
from torch import Tensor

from lucidtorch.base.checks import Count, checked
from lucidtorch.base.errors import BadInputError
from lucidtorch.datasets.collection import Seed, Split, SyntheticCollection
from lucidtorch.datasets.plane import Field, Rng, noise, pixels, stroke
from lucidtorch.models.networks.lines import ANGLES, COLOURS, HEADS, WIDTHS

COUNTS = {"train": 100_000, "test": 2880}
LENGTH_RANGES = ((0.16, 0.28), (0.38, 0.52), (0.64, 0.82))  # share of the shorter side
WIDTH_RANGES = ((0.022, 0.034), (0.055, 0.075), (0.105, 0.14))  # likewise
ANGLE_SPREAD = np.pi / 11  # radians to either side of 0, 45, 90 and 135 degrees
HUES = (0.0, 1 / 6, 1 / 3, 1 / 2, 2 / 3, 5 / 6)  # of the first six colours
CLASSES = tuple(" ".join(words) for words in itertools.product(*HEADS.values()))


class LineImages(SyntheticCollection):
    """Images of one line on a clouded grey background.

    Args:
        split: `train` or `test`.
        length: The number of images.
        size: The side in pixels, or `(height, width)`.
        seed: The seed of all images.
        head: The property of a line that is its class; all four together if None.
    """

    def __init__(
        self, split: Split, length: int, size: int | tuple[int, int], seed: int, head: str | None = None
    ) -> None:
        super().__init__(split, length, size, seed)
        self.head = head

    @property
    def classes(self) -> tuple[str, ...]:
        """The 288 classes, for example `short thin rising red`; the values of `head` alone if it is given."""
        return CLASSES if self.head is None else HEADS[self.head]

    def label(self, index: int) -> int:
        """Return the class of one line, without drawing it."""
        return self._of_head(self._kind(index)[0])

    def item(self, index: int) -> tuple[Tensor, int]:
        kind, random = self._kind(index)
        return torch.from_numpy(_line(head_labels(kind), self.height, self.width, random)), self._of_head(kind)

    def _kind(self, index: int) -> tuple[int, Rng]:
        """Draw which of the 288 classes a line has; also return its random generator."""
        random = self.generator(index)
        return int(random.integers(len(CLASSES))), random

    def _of_head(self, kind: int) -> int:
        return kind if self.head is None else head_labels(kind)[tuple(HEADS).index(self.head)]


@checked
def lines(
    split: Split = "train",
    *,
    length: Count | None = None,
    size: int | tuple[int, int] = 64,
    seed: Seed = 0,
    head: str | None = None,
) -> LineImages:
    """Open the lines that the network `lines` was trained on.

    Args:
        split: `train` or `test`, which have no line in common.
        length: The number of lines; by default 100,000 to train on and 2,880 to test on.
        size: The side in pixels, or `(height, width)`; at least 16.
        seed: The seed of all lines, from 0.
        head: `length`, `width`, `angle` or `colour`: the property that is the class; all four together if None.

    Returns:
        A collection of `[3, H, W]` images; `head_labels` splits a class number into the four properties.

    Raises:
        BadInputError: The split, the length, the seed or the head is not valid.
        SizeError: A side is below 16 pixels.
    """
    if head is not None and head not in HEADS:
        raise BadInputError(f"The lines have no head {head!r}; write one of {', '.join(HEADS)}.")
    return LineImages(split, COUNTS[split] if length is None else length, size, seed, head)


def head_labels(label: int) -> tuple[int, int, int, int]:
    """Split the class number of a line into length, width, angle and colour."""
    rest, colour = divmod(label, len(COLOURS))
    rest, angle = divmod(rest, len(ANGLES))
    return *divmod(rest, len(WIDTHS)), angle, colour


def _line(labels: tuple[int, int, int, int], height: int, width: int, random: Rng) -> Field:
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


def _colour(number: int, random: Rng) -> tuple[float, float, float]:
    if COLOURS[number] == "white":
        return (random.uniform(0.88, 1.0),) * 3
    if COLOURS[number] == "black":
        return (random.uniform(0.0, 0.12),) * 3
    hue = (HUES[number] + random.uniform(-0.05, 0.05)) % 1.0
    return colorsys.hsv_to_rgb(hue, random.uniform(0.75, 1.0), random.uniform(0.75, 1.0))
