"""The signal of one unit in an image, sent back down to the pixels in several ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from lucidtorch.models.backward import BackwardRule, backward, deconvnet, guided, saliency
from lucidtorch.models.layers.directory import INPUT
from lucidtorch.models.model import Model
from lucidtorch.scanning.layer_scan import Box

Way: TypeAlias = Literal["deconvnet", "deconvnet_without_switches", "guided", "saliency"]
RULES: Mapping[Way, Callable[[], BackwardRule]] = {
    "deconvnet": deconvnet,
    "deconvnet_without_switches": lambda: deconvnet(switches=False),
    "guided": guided,
    "saliency": saliency,
}


@dataclass(frozen=True, eq=False)
class Subject:
    """A unit in an image.

    Args:
        image: What the image is called.
        pixels: `[C, H, W]` in [0, 1].
        layer: The address of the unit's layer.
        unit: Its number.
        value: Its activation where it is strongest.
        row: The row of that place in the layer's grid; 0 where the layer has no places.
        column: Its column.
        box: What the unit sees there, cut off at the image's borders.
        window: The same in the size that it has for all places of the layer.
    """

    image: str
    pixels: Tensor
    layer: str
    unit: int
    value: float
    row: int
    column: int
    box: Box
    window: Box


@dataclass(frozen=True, eq=False)
class Projection:
    """What came down to the pixels.

    Args:
        subject: The unit and its image.
        signals: By way, `[C, H, W]`.
        inside: By way, which part of the signal, by absolute value, lies in what the unit sees; None without signal.
    """

    subject: Subject
    signals: Mapping[Way, Tensor]
    inside: Mapping[Way, float | None]


@dataclass
class Projector:
    """What sends signals down.

    Args:
        model: The network.
        ways: How.
        whole: Whether a channel goes down from all its places, and not from the strongest alone.
        batch: How many images go through the network together.
        met: How many ReLUs and max poolings were met on the way to each layer so far.
    """

    model: Model
    ways: Sequence[Way]
    whole: bool
    batch: int
    met: dict[str, tuple[int, int]] = field(default_factory=dict)

    def __call__(self, subjects: Sequence[Subject]) -> Iterator[Projection]:
        """Send signals down."""
        for own in self._batches(subjects):
            found = {way: self._sent(own, way) for way in self.ways}
            for place, subject in enumerate(own):
                signals = {way: one[place] for way, one in found.items()}
                inside = {way: _inside(one, subject.box) for way, one in signals.items()}
                yield Projection(subject, signals, inside)

    def facts(self) -> dict[str, dict[str, int]]:
        """Say what was met on the way to each layer: how many ReLUs, and how many max poolings."""
        return {layer: {"relus": relus, "max_poolings": pools} for layer, (relus, pools) in self.met.items()}

    def _batches(self, subjects: Sequence[Subject]) -> Iterator[list[Subject]]:
        """Neighbours of one layer together, as many as a batch holds."""
        most = self.batch if self.model.takes_batches else 1
        kept: list[Subject] = []
        for subject in subjects:
            if kept and (subject.layer != kept[0].layer or len(kept) == most):
                yield kept
                kept = []
            kept.append(subject)
        if kept:
            yield kept

    def _sent(self, subjects: Sequence[Subject], way: Way) -> Tensor:
        images = torch.stack([one.pixels for one in subjects])
        layer = subjects[0].layer
        rule = RULES[way]()
        found = backward(self.model, images, lambda seen: self._score(seen[layer], subjects), [layer], rule=rule)
        self.met[layer] = (rule.relus, rule.max_poolings)
        return found.gradients[INPUT].cpu().float()

    def _score(self, values: Tensor, subjects: Sequence[Subject]) -> Tensor:
        """Make the numbers whose gradient to the layer is the signal: 1 at the strongest place, 0 for other units.

        Of a whole channel, each place sends what it has above zero, as a part of the strongest. A unit that is exactly
        zero, as one that a ReLU has shut, sends nothing.
        """
        own = values[range(len(subjects)), [one.unit for one in subjects]]
        if self.whole:
            signal = own.detach().clamp(min=0)
            highest = signal.reshape(len(subjects), -1).amax(1).clamp(min=torch.finfo(signal.dtype).tiny)
            signal = signal / highest.reshape(-1, *[1] * (own.ndim - 1))
        else:
            if own.ndim > 1:
                own = own[range(len(subjects)), [one.row for one in subjects], [one.column for one in subjects]]
            signal = (own.detach() != 0).to(own.dtype)
        return (signal * own).reshape(len(subjects), -1).sum(1)


def _inside(signal: Tensor, box: Box) -> float | None:
    sizes = signal.double().abs()
    total = float(sizes.sum())
    return float(sizes[:, box.top : box.bottom, box.left : box.right].sum()) / total if total > 0 else None
