"""Examples of the objectives across the images of a batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from lucidtorch.objectives.matching import alignment, diversity
from objective_examples.example import Example


def gram(values: np.ndarray) -> np.ndarray:
    channels = values.shape[0]
    flat = values.reshape(channels, -1)
    found = np.zeros((channels, channels))
    for i in range(channels):
        for j in range(channels):
            found[i, j] = sum(float(x) * float(y) for x, y in zip(flat[i], flat[j], strict=True))
    return found


def likeness(layer: str) -> Callable[[Mapping[str, Tensor]], Tensor]:
    def by_hand(given: Mapping[str, Tensor]) -> Tensor:
        grams = [gram(one) for one in given[layer].detach().numpy()]
        grams = [one / math.sqrt((one**2).sum() + 1e-10) for one in grams]
        places = range(len(grams))
        return torch.tensor(
            [sum(float((grams[i] * grams[j]).sum()) for j in places if j != i) for i in places], dtype=torch.float64
        )

    return by_hand


def misalignment(layer: str, decay: float) -> Callable[[Mapping[str, Tensor]], Tensor]:
    def by_hand(given: Mapping[str, Tensor]) -> Tensor:
        images = given[layer].detach().numpy()
        found = [0.0] * len(images)
        for i in range(len(images)):
            for j in range(len(images)):
                apart = abs(i - j)
                if 1 <= apart <= 4:
                    gaps = [(x - y) ** 2 for x, y in zip(images[i].flat, images[j].flat, strict=True)]
                    found[i] += 0.5 * sum(gaps) / len(gaps) / decay**apart
        return torch.tensor(found, dtype=torch.float64)

    return by_hand


EXAMPLES: dict[str, list[Example]] = {
    "diversity": [
        Example(diversity("0"), "diversity('0')", likeness("0"), apart=False),
        Example(diversity("logits"), "diversity('logits')", likeness("logits"), apart=False),
    ],
    "alignment": [
        Example(alignment("0"), "alignment('0')", misalignment("0", 2), apart=False),
        Example(
            alignment("logits", decay_ratio=5),
            "alignment('logits', decay_ratio=5)",
            misalignment("logits", 5),
            apart=False,
        ),
        Example(alignment("input"), "alignment('input')", misalignment("input", 2), apart=False),
    ],
}
