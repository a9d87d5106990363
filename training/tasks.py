"""What each of the embedded networks is trained on: its images, and the hyperparameters of its training."""

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

SIDE = 64  # of most images; batch sizes and perturbations are stated for it
SIDES, SHARES = (64, 96), (0.7, 0.3)  # of the drawings, and how often each is seen
ENDLESS = 10**12  # length of a collection of which no image is seen twice
SHIFT = 3  # pixels at most by which a digit is moved


@dataclass(frozen=True, kw_only=True)
class TrainingTask:
    """What one network is trained on.

    Args:
        name: The network.
        seed: Seed of the initial weights and of all random draws, unless another is asked for.
        steps: The number of batches.
        batch: Images of side 64 in a batch; of larger ones there are as many fewer.
        lr: Highest learning rate; it rises over the first steps and then falls to nothing.
        perturbation: Largest L2 norm of the adversarial perturbations, for an image of side 64 in [0, 1].
        clean: Share of the steps before any perturbation.
        rising: Share of the steps over which the perturbations then grow to their full size.
        heads: The classes of each head.
        examples: `(seed, step, batch) -> (images [B, C, H, W] in [0, 1], targets [B, heads])`.
        held_out: `(seed) -> the images that the accuracy is measured on`.
        data: What the images are, in words for the card.
    """

    name: str
    seed: int
    steps: int
    batch: int = 64
    lr: float
    perturbation: float
    clean: float
    rising: float
    heads: dict[str, tuple[str, ...]]
    examples: Callable[[int, int, int], tuple[Tensor, Tensor]]
    held_out: Callable[[int], Collection]
    data: str

    def targets(self, labels: Tensor) -> Tensor:
        """Turn the class numbers of images into the targets of each head, `[B, heads]`."""
        return labels[:, None] if len(self.heads) == 1 else _targets_of_lines(labels)


def training_task(name: str) -> TrainingTask:
    """Look up the task of a network."""
    for task in _TASKS:
        if task.name == name:
            return task
    known = [task.name for task in _TASKS]
    raise UnknownModelError(f"lucidtorch trains no network {name!r}. {suggestion(name, known)}")


def _drawings(seed: int, step: int, batch: int) -> tuple[Tensor, Tensor]:
    """The drawings of one step, of one of two sides; no drawing comes twice."""
    side = int(np.random.default_rng((seed, step)).choice(SIDES, p=SHARES))
    count = max(1, batch * SIDE**2 // side**2)
    images, labels = drawings(length=ENDLESS, size=side, seed=seed).batch(range(step * batch, step * batch + count))
    return images, labels[:, None]


def _lines(seed: int, step: int, batch: int) -> tuple[Tensor, Tensor]:
    """The lines of one step; no line comes twice."""
    images, labels = lines(length=ENDLESS, size=SIDE, seed=seed).batch(range(step * batch, (step + 1) * batch))
    return images, _targets_of_lines(labels)


def _digits(seed: int, step: int, batch: int) -> tuple[Tensor, Tensor]:
    """Digits drawn at random, each moved a little, with noise."""
    random = np.random.default_rng((seed, step))
    known = _known_digits()
    images, labels = known.batch(random.integers(0, len(known), batch).tolist())
    moves = random.integers(-SHIFT, SHIFT + 1, (batch, 2)).tolist()
    moved = torch.stack([image.roll(move, (1, 2)) for image, move in zip(images, moves, strict=True)])
    noise = torch.from_numpy(random.standard_normal(moved.shape, dtype=np.float32)) * float(random.uniform(0, 0.1))
    return (moved + noise).clamp(0, 1), labels[:, None]


@cache
def _known_digits() -> Collection:
    return digits("train")


def _targets_of_lines(labels: Tensor) -> Tensor:
    return torch.tensor([head_labels(label) for label in labels.tolist()])


_DRAWINGS_DATA = (
    "drawings of 24 textures and 27 shapes, made by lucidtorch.datasets.drawings; seven of ten batches have sides of "
    "64, the others of 96 pixels"
)

_TASKS = (
    TrainingTask(
        name="demo",
        seed=1,
        steps=2400,
        lr=0.2,
        perturbation=2.25,
        clean=0.25,
        rising=0.25,
        heads={"drawing": DRAWINGS},
        examples=_drawings,
        held_out=lambda seed: drawings("test", seed=seed),
        data=_DRAWINGS_DATA,
    ),
    TrainingTask(
        name="demo-judge",
        seed=2,
        steps=1800,
        lr=0.2,
        perturbation=0.25,
        clean=0.5,
        rising=0.2,
        heads={"drawing": DRAWINGS},
        examples=_drawings,
        held_out=lambda seed: drawings("test", seed=seed),
        data=_DRAWINGS_DATA,
    ),
    TrainingTask(
        name="digits",
        seed=3,
        steps=1000,
        lr=0.1,
        perturbation=1.0,
        clean=0.2,
        rising=0.3,
        heads={"digit": DIGITS},
        examples=_digits,
        held_out=lambda seed: digits("test"),
        data="four fifths of scikit-learn's 1,797 handwritten digits, at 32 pixels, moved a little, with grain",
    ),
    TrainingTask(
        name="lines",
        seed=4,
        steps=1200,
        lr=0.1,
        perturbation=0.5,
        clean=0.2,
        rising=0.3,
        heads=HEADS,
        examples=_lines,
        held_out=lambda seed: lines("test", size=SIDE, seed=seed),
        data="straight lines on a clouded ground, made by lucidtorch.datasets.lines",
    ),
)
