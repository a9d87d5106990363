"""How each of the embedded networks is taught: its images, and the numbers of its training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from lucidtorch.base.errors import UnknownModelError, suggestion
from lucidtorch.datasets.collection import Collection
from lucidtorch.datasets.drawn import drawings
from lucidtorch.datasets.handwriting import digits
from lucidtorch.datasets.ruled import head_labels, lines
from lucidtorch.models.networks.digits import LABELS as DIGITS
from lucidtorch.models.networks.labels import DRAWINGS
from lucidtorch.models.networks.lines import HEADS

SIDE = 64  # of most images; batches and disturbances are stated for it
SIDES, SHARES = (64, 96), (0.7, 0.3)  # of the drawings, and how often each is seen
ENDLESS = 10**12  # length of a collection of which no image is seen twice
SHIFT = 3  # pixels at most by which a digit is moved


@dataclass(frozen=True)
class Lesson:
    """What a network is taught with.

    Args:
        name: The network.
        seed: Of the weights' start and of all draws, unless another is asked for.
        steps: How many batches.
        batch: Images of side 64 in a batch; of larger ones there are as many fewer.
        rate: Highest learning rate; it rises over the first steps and then falls to nothing.
        reach: L2 length, for an image of side 64 in [0, 1], of the disturbance that the network learns to withstand.
        clean: Share of the steps before any disturbance.
        rising: Share of the steps over which it then grows to its full length.
        heads: The classes that each head tells apart.
        examples: `(seed, step, batch) -> (images [B, C, H, W] in [0, 1], targets [B, heads])`.
        held_out: `(seed) -> the images that the accuracy is measured on`.
        data: What the images are, in words for the card.
    """

    name: str
    seed: int
    steps: int
    batch: int
    rate: float
    reach: float
    clean: float
    rising: float
    heads: dict[str, tuple[str, ...]]
    examples: Callable[[int, int, int], tuple[Tensor, Tensor]]
    held_out: Callable[[int], Collection]
    data: str

    def targets(self, labels: Tensor) -> Tensor:
        """Turn the class numbers of the images into what each head should say."""
        if len(self.heads) == 1:
            return labels[:, None]
        return torch.tensor([head_labels(label) for label in labels.tolist()])


def lesson(name: str) -> Lesson:
    """Look up how a network is taught."""
    for entry in _LESSONS:
        if entry.name == name:
            return entry
    known = [entry.name for entry in _LESSONS]
    raise UnknownModelError(f"lucidtorch trains no network {name!r}. {suggestion(name, known)}")


def _drawn(seed: int, step: int, batch: int) -> tuple[Tensor, Tensor]:
    """The drawings of one step, of one of two sides; no drawing comes twice."""
    side = int(np.random.default_rng((seed, step)).choice(SIDES, p=SHARES))
    count = max(1, batch * SIDE**2 // side**2)
    images, labels = drawings(length=ENDLESS, size=side, seed=seed).batch(range(step * batch, step * batch + count))
    return images, labels[:, None]


def _ruled(seed: int, step: int, batch: int) -> tuple[Tensor, Tensor]:
    """The lines of one step; no line comes twice."""
    images, labels = lines(length=ENDLESS, size=SIDE, seed=seed).batch(range(step * batch, (step + 1) * batch))
    return images, torch.tensor([head_labels(label) for label in labels.tolist()])


def _written(seed: int, step: int, batch: int) -> tuple[Tensor, Tensor]:
    """Digits drawn at random, each moved a little, with grain."""
    random = np.random.default_rng((seed, step))
    known = _digits()
    images, labels = known.batch(random.integers(0, len(known), batch).tolist())
    moves = random.integers(-SHIFT, SHIFT + 1, (batch, 2)).tolist()
    moved = torch.stack([image.roll(move, (1, 2)) for image, move in zip(images, moves, strict=True)])
    grain = torch.from_numpy(random.standard_normal(moved.shape, dtype=np.float32)) * float(random.uniform(0, 0.1))
    return (moved + grain).clamp(0, 1), labels[:, None]


@cache
def _digits() -> Collection:
    return digits("train")


def _held_out_drawings(seed: int) -> Collection:
    return drawings("test", seed=seed)


def _held_out_lines(seed: int) -> Collection:
    return lines("test", size=SIDE, seed=seed)


def _held_out_digits(seed: int) -> Collection:
    return digits("test")


_DRAWN_DATA = (
    "drawings of 24 textures and 27 shapes, made by lucidtorch.datasets.drawings; seven of ten batches have sides of "
    "64, the others of 96 pixels"
)
_WRITTEN_DATA = "four fifths of scikit-learn's 1,797 handwritten digits, at 32 pixels, moved a little, with grain"
_RULED_DATA = "straight lines on a clouded ground, made by lucidtorch.datasets.lines"

_LESSONS = (
    Lesson(
        name="demo",
        seed=1,
        steps=2400,
        batch=64,
        rate=0.2,
        reach=2.25,
        clean=0.25,
        rising=0.25,
        heads={"drawing": DRAWINGS},
        examples=_drawn,
        held_out=_held_out_drawings,
        data=_DRAWN_DATA,
    ),
    Lesson(
        name="demo-judge",
        seed=2,
        steps=1800,
        batch=64,
        rate=0.2,
        reach=0.25,
        clean=0.5,
        rising=0.2,
        heads={"drawing": DRAWINGS},
        examples=_drawn,
        held_out=_held_out_drawings,
        data=_DRAWN_DATA,
    ),
    Lesson(
        name="digits",
        seed=3,
        steps=1000,
        batch=64,
        rate=0.1,
        reach=1.0,
        clean=0.2,
        rising=0.3,
        heads={"digit": DIGITS},
        examples=_written,
        held_out=_held_out_digits,
        data=_WRITTEN_DATA,
    ),
    Lesson(
        name="lines",
        seed=4,
        steps=1200,
        batch=64,
        rate=0.1,
        reach=0.5,
        clean=0.2,
        rising=0.3,
        heads=HEADS,
        examples=_ruled,
        held_out=_held_out_lines,
        data=_RULED_DATA,
    ),
)
