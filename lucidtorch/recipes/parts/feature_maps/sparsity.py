"""How sparse and how strong the activations of layers are, and which units lead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

NEAR = 0.01  # of the largest size in the layer: what counts as near zero
LEADERS = 5


@dataclass(frozen=True)
class Measures:
    """A layer on one picture.

    Args:
        zero: The share of its values that are exactly zero.
        near: The share of those that are zero, or smaller than a hundredth of the largest size in the layer.
        mean: Of all values.
        size: The mean of their sizes, without sign.
        low: The smallest value.
        high: The largest value.
        unit_means: `[C]`: the mean of each unit.
        silent: `[C]`: whether a unit is zero everywhere.
    """

    zero: float
    near: float
    mean: float
    size: float
    low: float
    high: float
    unit_means: Tensor
    silent: Tensor


def measured(values: Tensor) -> Measures:
    """Measure a layer on one picture."""
    rows = values.reshape(len(values), -1).double()
    sizes = rows.abs()
    zero = rows == 0
    near = zero | (sizes < NEAR * sizes.max())
    return Measures(
        float(zero.double().mean()),
        float(near.double().mean()),
        float(rows.mean()),
        float(sizes.mean()),
        float(rows.min()),
        float(rows.max()),
        rows.mean(1),
        zero.all(1),
    )


def leaders(found: Sequence[Measures]) -> list[tuple[int, float]]:
    """Find the units that are strongest on average."""
    means = torch.stack([one.unit_means for one in found]).mean(0)
    values, units = torch.sort(means, descending=True, stable=True)
    pairs = zip(units.tolist(), values.tolist(), strict=True)
    quiet = set(silent(found))
    return [(unit, value) for unit, value in pairs if unit not in quiet][:LEADERS]


def silent(found: Sequence[Measures]) -> list[int]:
    """Find the units that are zero everywhere on every picture."""
    quiet = torch.stack([one.silent for one in found]).all(0)
    return [int(unit) for unit in quiet.nonzero()[:, 0]]
