"""Examples of the objective on attention heads."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from lucidtorch.objectives.units import head
from objective_examples.example import Example


def written(heads: list[int], channels: list[int] | None) -> Callable[[Mapping[str, Tensor]], Tensor]:
    """The mean square of each image's head, or the mean of one of its channels."""

    def by_hand(given: Mapping[str, Tensor]) -> Tensor:
        found = []
        for image, number in enumerate(heads):
            a = given[f"2.attention[heads][{number}]"][image]
            values = a.flatten().tolist() if channels is None else a[channels[image]].flatten().tolist()
            found.append(sum(x * x if channels is None else x for x in values) / len(values))
        return torch.tensor(found, dtype=torch.float64)

    return by_hand


EXAMPLES: dict[str, list[Example]] = {
    "head": [
        Example(head("2.attention", 1), "head('2.attention', 1)", written([1, 1], None)),
        Example(head("2.attention", [1, 0]), "head('2.attention', [1, 0])", written([1, 0], None)),
        Example(
            head("2.attention", [0, 1], channel=1), "head('2.attention', [0, 1], channel=1)", written([0, 1], [1, 1])
        ),
        Example(
            head("2.attention", 0, channel=[1, 0]), "head('2.attention', 0, channel=[1, 0])", written([0, 0], [1, 0])
        ),
    ]
}
