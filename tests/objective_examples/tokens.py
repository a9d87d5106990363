"""Examples of the objective on tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from lucidtorch.objectives.units import token
from objective_examples.example import Example


def said(channels: list[int], places: list[int]) -> Callable[[Mapping[str, Tensor]], Tensor]:
    """What each image's channel says at its token."""

    def by_hand(given: Mapping[str, Tensor]) -> Tensor:
        a = given["2.attention[tokens]"].tolist()
        return torch.tensor([a[i][channels[i]][places[i]] for i in range(2)], dtype=torch.float64)

    return by_hand


EXAMPLES: dict[str, list[Example]] = {
    "token": [
        Example(token("2.attention", 2), "token('2.attention', 2)", said([2, 2], [0, 0])),
        Example(
            token("2.attention", [0, 3], position=5), "token('2.attention', [0, 3], position=5)", said([0, 3], [5, 5])
        ),
        Example(
            token("2.attention", 1, position=[4, 2]), "token('2.attention', 1, position=[4, 2])", said([1, 1], [4, 2])
        ),
    ]
}
