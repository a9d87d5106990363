"""Examples of the objectives on where a layer is active."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from lucidtorch.objectives.spatial import spatial_channel, spatial_layer
from objective_examples.example import Example

dice = np.random.default_rng(7)
FITTING = np.round(dice.normal(size=(5, 3)), 2).tolist()
WIDE = np.round(dice.normal(size=(2, 8)), 2).tolist()  # wider than the layer, and less tall
PAIR = np.round(dice.normal(size=(2, 2, 3)), 2).tolist()
MAPS = np.round(dice.normal(size=(4, 2, 3)), 2).tolist()
LARGE = torch.tensor(dice.normal(size=(2, 4, 7, 3)))  # more numbers than a text holds, so kept as float32


def agreement(a: np.ndarray, m: np.ndarray, power: float) -> float:
    """Of two arrays [C, h, w] of one shape."""
    pairs = list(zip(a.flatten().tolist(), m.flatten().tolist(), strict=True))
    dot = sum(x * y for x, y in pairs)
    cosine = dot / (1e-4 + math.sqrt(sum(x * x for x, _ in pairs))) / (1e-4 + math.sqrt(sum(y * y for _, y in pairs)))
    return dot / (a.shape[1] * a.shape[2]) * (max(0.1, cosine) ** power if power else 1)


def compared(
    cut: Callable[[np.ndarray, int], np.ndarray], maps: list[np.ndarray], power: float = 0
) -> Callable[[Mapping[str, Tensor]], Tensor]:
    """Compare what is cut out of each image's activations with that image's maps."""

    def by_hand(given: Mapping[str, Tensor]) -> Tensor:
        found = [agreement(cut(a, i), maps[i], power) for i, a in enumerate(given["0"].numpy())]
        return torch.tensor(found, dtype=torch.float64)

    return by_hand


EXAMPLES: dict[str, list[Example]] = {
    "spatial_channel": [
        Example(
            spatial_channel("0", 2, FITTING),
            f"spatial_channel('0', 2, {FITTING})",
            compared(lambda a, i: a[2:3], [np.array([FITTING])] * 2),
        ),
        Example(
            spatial_channel("0", [3, 1], WIDE, cossim_pow=2),
            f"spatial_channel('0', [3, 1], {WIDE}, cossim_pow=2)",
            # of 5 rows the 2 from (5 - 2) // 2 stay, of 8 given columns the 3 from (8 - 3) // 2
            compared(lambda a, i: a[3 - 2 * i : 4 - 2 * i, 1:3], [np.array([WIDE])[:, :, 2:5]] * 2, 2),
        ),
        Example(
            spatial_channel("0", 0, PAIR, cossim_pow=1),
            f"spatial_channel('0', 0, {PAIR}, cossim_pow=1)",
            compared(lambda a, i: a[:1, 1:3], [np.array([one]) for one in PAIR], 1),
        ),
    ],
    "spatial_layer": [
        Example(
            spatial_layer("0", MAPS),
            f"spatial_layer('0', {MAPS})",
            compared(lambda a, i: a[:, 1:3], [np.array(MAPS)] * 2),
        ),
        Example(
            spatial_layer("0", MAPS, cossim_pow=2),
            f"spatial_layer('0', {MAPS}, cossim_pow=2)",
            compared(lambda a, i: a[:, 1:3], [np.array(MAPS)] * 2, 2),
        ),
        Example(
            spatial_layer("0", LARGE, cossim_pow=1),
            repr(spatial_layer("0", LARGE, cossim_pow=1)),
            compared(lambda a, i: a, list(LARGE.float().double().numpy()[:, :, 1:6]), 1),
        ),
    ],
}
