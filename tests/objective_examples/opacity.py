"""Examples of the objectives on the opacity of a picture, its last channel."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lucidtorch.objectives.penalties import alpha_coverage, blur_alpha
from objective_examples.example import Example, activations
from objective_examples.norms import each_image
from objective_examples.smoothness import half_square_from_blur

SEEN_THROUGH = "image(10, batch=2, alpha=True)"


def with_opacity(kind: torch.dtype = torch.float64) -> dict[str, Tensor]:
    dice = torch.Generator().manual_seed(11)
    return activations(kind) | {"input": torch.randn(2, 4, 6, 4, generator=dice, dtype=torch.float64).to(kind)}


def mean_opacity(values: np.ndarray) -> float:
    total = 0.0
    for one in values[-1].reshape(-1):
        total += one
    return total / values[-1].size


EXAMPLES: dict[str, list[Example]] = {
    "alpha_coverage": [
        Example(
            alpha_coverage(),
            "alpha_coverage()",
            each_image("input", mean_opacity),
            given=with_opacity,
            param=SEEN_THROUGH,
        ),
        Example(alpha_coverage("0"), "alpha_coverage(layer='0')", each_image("0", mean_opacity)),
    ],
    "blur_alpha": [
        Example(
            blur_alpha(),
            "blur_alpha()",
            each_image("input", lambda a: half_square_from_blur(a[-1:])),
            differentiable=False,
            given=with_opacity,
            param=SEEN_THROUGH,
        ),
        Example(
            blur_alpha("0"),
            "blur_alpha(layer='0')",
            each_image("0", lambda a: half_square_from_blur(a[-1:])),
            differentiable=False,
        ),
    ],
}
