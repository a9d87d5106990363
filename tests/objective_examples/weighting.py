"""Examples of the objectives that weight channels."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from lucidtorch.objectives.directions import channel_weight, localgroup_weight, neuron_weight
from objective_examples.example import Example

W = [1, -2, 0.5, 3]
TWO = [[1, -2, 0.5, 3], [0.25, 0, -1, 2]]
ROWS, COLUMNS = range(5), range(3)


def weighted(rows: range, columns: range, weights: list) -> Callable[[Mapping[str, Tensor]], Tensor]:
    """The mean over all channels and the named rows and columns of activation times weight."""

    def by_hand(given: Mapping[str, Tensor]) -> Tensor:
        found = []
        for a, w in zip(given["0"].tolist(), weights, strict=True):
            parts = [a[c][i][j] * w[c] for c in range(4) for i in rows for j in columns]
            found.append(sum(parts) / len(parts))
        return torch.tensor(found, dtype=torch.float64)

    return by_hand


def without_space(given: Mapping[str, Tensor]) -> Tensor:
    return torch.tensor([(a[0] - a[2]) / 3 for a in given["logits"].tolist()], dtype=torch.float64)


EXAMPLES: dict[str, list[Example]] = {
    "channel_weight": [
        Example(channel_weight("0", W), f"channel_weight('0', {W})", weighted(ROWS, COLUMNS, [W, W])),
        Example(channel_weight("0", TWO), f"channel_weight('0', {TWO})", weighted(ROWS, COLUMNS, TWO)),
        Example(channel_weight("logits", [1, 0, -1]), "channel_weight('logits', [1, 0, -1])", without_space),
    ],
    "neuron_weight": [
        Example(neuron_weight("0", W), f"neuron_weight('0', {W})", weighted(range(2, 3), range(1, 2), [W, W])),
        Example(
            neuron_weight("0", TWO, x=2, y=4),
            f"neuron_weight('0', {TWO}, x=2, y=4)",
            weighted(range(4, 5), range(2, 3), TWO),
        ),
        Example(neuron_weight("logits", [1, 0, -1]), "neuron_weight('logits', [1, 0, -1])", without_space),
    ],
    "localgroup_weight": [
        Example(
            localgroup_weight("0", W, x=1, y=2, wx=2, wy=3),
            f"localgroup_weight('0', {W}, x=1, y=2, wx=2, wy=3)",
            weighted(range(2, 5), range(1, 3), [W, W]),
        ),
        Example(
            localgroup_weight("0", TWO, wx=2, wy=2),
            f"localgroup_weight('0', {TWO}, wx=2, wy=2)",
            weighted(range(1, 3), range(2), TWO),  # of 5 rows from (5 - 2) // 2, of 3 columns from (3 - 2) // 2
        ),
        Example(localgroup_weight("0", W), f"localgroup_weight('0', {W})", weighted(range(2, 3), range(1, 2), [W, W])),
        Example(
            localgroup_weight("0", W, x=0, wx=3, wy=1),
            f"localgroup_weight('0', {W}, x=0, wx=3)",
            weighted(range(2, 3), COLUMNS, [W, W]),
        ),
    ],
}
