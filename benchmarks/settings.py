"""How each tool is run: sizes, layers, and the settings of ours, each in this one place."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lucidtorch as lt
from lucidtorch.rendering.loop import Step

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS = ROOT / os.environ.get("LUCIDTORCH_TEST_DATA", "../shared") / "weights"
FILES = {"squeezenet1_0": "squeezenet1_0_imagenet.safetensors", "inceptionv1": "inceptionv1_lucid.safetensors"}

SIZE = 128  # of a picture; networks see 24 pixels more
LUCENT_STEPS = 512
BATCH: int = inspect.signature(lt.gallery).parameters["batch"].default
SLOW, QUICK_BATCH = ("vgg16", "resnet50"), 4  # their batch in a quick run: a step of them takes long
OURS: dict[str, Any] = {  # what `optimize` is given beside its defaults where ours shall reach a score soon
    "steps": 160,
    "lr": 0.3,
    "optimizer": "adam(beta1=0.5, weight_decay=0.02)",
    "lr_schedule": "trapezoid",
}


@dataclass(frozen=True)
class Case:
    """A network, a layer in its middle, and the ratios to reach there.

    Attributes:
        network: Of torchvision.
        layer: By its address.
        floor: How much a step may cost over its floor, at most.
        lucent: How much lucent's step shall cost over ours, at least.
    """

    network: str
    layer: str
    floor: float
    lucent: float


CASES = (
    Case("vgg16", "features.17", 1.05, 2.0),  # conv4_1
    Case("resnet50", "layer3.2", 1.05, 3.0),
    Case("googlenet", "inception4c", 1.05, 3.0),
    Case("squeezenet1_0", "features.7", 1.10, 2.5),
)


def canvas(size: int = SIZE) -> int:
    """The side of what networks see of a picture, in pixels."""
    return lt.transforms.standard().output_size((size, size))[0]


def real_network(name: str) -> lt.Model | None:
    """Load a network with its real weights.

    Args:
        name: A key of `FILES`.

    Returns:
        The network; None where its weights are not at hand.
    """
    file = WEIGHTS / FILES[name]
    return lt.load_model(name, weights=file, device="cpu") if file.exists() else None


def missing(name: str) -> str:
    """Say why there is no network with its real weights."""
    return f"needs weights/{FILES[name]} in the folder LUCIDTORCH_TEST_DATA"


def ours(
    model: lt.Model, layer: str, units: list[int], *, size: int = SIZE, seed: int = 0, **more: Any
) -> Iterator[Step]:
    """Start our loop on channels of a layer, one picture of each, all in one batch, as a gallery does it.

    Args:
        model: The network.
        layer: The layer's address.
        units: The channels.
        size: Of the pictures.
        seed: Of the first; the others count up from it.
        more: What `optimize` is given beside that.

    Returns:
        An iterator over the updates.
    """
    goal = lt.objectives.channel(layer, units)
    return lt.optimize(model, goal, param=lt.param.image(size, batch=len(units)), seed=seed, **more)


def computed_at_once(model: lt.Model, layer: str, batch: int, size: int = SIZE) -> int:
    """Ask how many images of a batch the engine lets a network compute at once.

    Args:
        model: The network.
        layer: The layer's address.
        batch: The number of images.
        size: Of the pictures.

    Returns:
        What a render writes into its recipe.
    """
    goal = lt.objectives.channel(layer, list(range(batch)))
    made = lt.render(model, goal, param=lt.param.image(size, batch=batch), steps=1, progress=False)
    found = made.recipe.get("compute_batch")
    return min(batch, found) if isinstance(found, int) else batch
