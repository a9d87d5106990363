"""The list of the networks that ship inside the package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from lucidtorch.base.errors import UnknownModelError, suggestion
from lucidtorch.models.networks import demo, demo_judge, digits, labels, lines

WEIGHTS = Path(__file__).parent / "weights"
MEAN, STD = 0.5, 0.25  # the zero padding of convolutions is then grey


@dataclass(frozen=True)
class NetworkCard:
    """A network that ships inside the package."""

    name: str
    build: Callable[[], nn.Module]  # untrained, and without changing torch's global random state
    labels: tuple[str, ...] | None  # in the order of the logits; None where there are several heads
    channels: int
    size: int  # the best side of input images, in pixels
    mean: tuple[float, ...]  # per channel, of images in [0, 1]
    std: tuple[float, ...]
    weights: Path  # in half precision, for conversion to float32; its model card is beside it
    heads: Mapping[str, tuple[str, ...]] | None = None  # the class names of each head, by the address of its layer


def names() -> tuple[str, ...]:
    """The names of all networks that ship inside the package."""
    return tuple(entry.name for entry in _SHIPPED)


def card(name: str) -> NetworkCard:
    """Look up a network that ships inside the package."""
    for entry in _SHIPPED:
        if entry.name == name:
            return entry
    raise UnknownModelError(f"No network {name!r} ships with lucidtorch. {suggestion(name, names())}")


def _card(
    name: str,
    build: Callable[[], nn.Module],
    classes: tuple[str, ...] | None,
    channels: int,
    size: int,
    heads: Mapping[str, tuple[str, ...]] | None = None,
) -> NetworkCard:
    weights = WEIGHTS / f"{name}.safetensors"
    return NetworkCard(name, build, classes, channels, size, (MEAN,) * channels, (STD,) * channels, weights, heads)


_SHIPPED = (
    _card("demo", demo.build, labels.DRAWINGS, channels=3, size=96),
    _card("demo-judge", demo_judge.build, labels.DRAWINGS, channels=3, size=96),
    _card("digits", digits.build, digits.LABELS, channels=1, size=32),
    _card("lines", lines.build, None, channels=3, size=64, heads=lines.HEADS),
)
