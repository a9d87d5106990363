"""Examples of the faceted objective, with the gradient between its layers worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from lucidtorch.objectives.facets import facet
from objective_examples.example import Example

dice = np.random.default_rng(8)
LAST = np.round(dice.normal(size=(3, 4)), 2)  # from the means of the channels of "0" to the logits
CHANNELS = [1, -2, 0.5, 3]
MAPS = np.round(dice.normal(size=(4, 2, 1)), 2).tolist()


def connected(kind: torch.dtype) -> dict[str, Tensor]:
    """Two layers of one forward pass, the upper computed from the lower: squares, averaged, mixed."""
    image = torch.tensor(np.random.default_rng(9).normal(size=(2, 4, 5, 3))).to(kind).requires_grad_(True)
    lower = image * 1
    return {"0": lower, "logits": lower.square().flatten(2).mean(2) @ torch.tensor(LAST.T).to(kind)}


def steered(
    vectors: list[list[float]], weights: Callable[[int, int, int], float], strengths: list[float]
) -> Callable[[Mapping[str, Tensor]], Tensor]:
    """The gradient of relu(Σ_c L[k][c] mean(a_c²)) v_k to a_c at a position is v_k L[k][c] 2 a_c / 15 where open."""

    def by_hand(given: Mapping[str, Tensor]) -> Tensor:
        found = []
        for image, a in enumerate(given["0"].detach().to(torch.float64).numpy()):
            means = [float((a[c] ** 2).sum()) / 15 for c in range(4)]
            open_ones = [k for k in range(3) if sum(LAST[k][c] * means[c] for c in range(4)) > 0]
            total = 0.0
            for c in range(4):
                reach = sum(vectors[image][k] * LAST[k][c] for k in open_ones)
                for i in range(5):
                    for j in range(3):
                        slope = reach * 2 * a[c, i, j] / 15
                        total += a[c, i, j] * max(slope, 0.0) * weights(c, i, j)
            found.append(strengths[image] * total)
        return torch.tensor(found, dtype=torch.float64)

    return by_hand


def example(text: str, by_hand: Callable[[Mapping[str, Tensor]], Tensor], goal: object) -> Example:
    """The gradient inside is held constant, so that numerical gradients, which move it, are not its gradients."""
    return Example(goal, text, by_hand, differentiable=False, given=connected)  # type: ignore[arg-type]


EXAMPLES: dict[str, list[Example]] = {
    "facet": [
        example(
            "facet('0', 'logits', [1, 0.5, -1])",
            steered([[1, 0.5, -1]] * 2, lambda c, i, j: 1, [1, 1]),
            facet("0", "logits", [1, 0.5, -1]),
        ),
        example(
            f"facet('0', 'logits', [[1, 0, 0], [0, 1, 1]], weights={CHANNELS}, strength=[2, 0.5])",
            steered([[1, 0, 0], [0, 1, 1]], lambda c, i, j: CHANNELS[c], [2, 0.5]),
            facet("0", "logits", [[1, 0, 0], [0, 1, 1]], weights=CHANNELS, strength=[2, 0.5]),
        ),
        example(
            f"facet('0', 'logits', [1, 2, 3], weights={MAPS}, strength=3)",
            # the nearest of 2 rows to each of 5
            steered([[1, 2, 3]] * 2, lambda c, i, j: MAPS[c][i * 2 // 5][0], [3, 3]),
            facet("0", "logits", [1, 2, 3], weights=MAPS, strength=3),
        ),
    ]
}
