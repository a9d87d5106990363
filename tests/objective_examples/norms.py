"""Examples of the objectives on how far values are from a constant."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import torch
from torch import Tensor

from lucidtorch.objectives.penalties import L1, L2, Linf, Lp, alpha_norm, contrast_bound
from objective_examples.example import Example


def each_image(layer: str, formula: Callable[[np.ndarray], float]) -> Callable[[Mapping[str, Tensor]], Tensor]:
    """Compute a formula of the plain numbers of each image."""
    return lambda given: torch.tensor([formula(one) for one in given[layer].detach().numpy()], dtype=torch.float64)


def numbers(values: np.ndarray) -> Iterable[float]:
    return [float(one) for one in values.reshape(-1)]


def p_mean(power: float, constant: float = 0) -> Callable[[np.ndarray], float]:
    def formula(values: np.ndarray) -> float:
        total = sum(abs(one - constant) ** power for one in numbers(values))
        return float(total ** (1 / power) / values.size ** (1 / power))

    return formula


def powers(power: float, mean: float) -> Callable[[np.ndarray], float]:
    return lambda values: sum(abs(one - mean) ** power for one in numbers(values))


def beyond(bound: float, constant: float) -> Callable[[np.ndarray], float]:
    def formula(values: np.ndarray) -> float:
        total = 0.0
        for one in numbers(values):
            low, high = constant - bound, constant + bound
            total += (one - high) ** 2 if one > high else (low - one) ** 2 if one < low else 0.0
        return total

    return formula


EXAMPLES: dict[str, list[Example]] = {
    "L1": [
        Example(L1(), "L1()", each_image("input", powers(1, 0))),
        Example(L1("0", constant=0.25), "L1(layer='0', constant=0.25)", each_image("0", powers(1, 0.25))),
    ],
    "L2": [
        Example(
            L2(constant=0.5), "L2(constant=0.5)", each_image("input", lambda a: math.sqrt(1e-6 + powers(2, 0.5)(a)))
        ),
        Example(
            L2("logits", epsilon=0.1),
            "L2(layer='logits', epsilon=0.1)",
            each_image("logits", lambda a: math.sqrt(0.1 + powers(2, 0)(a))),
        ),
    ],
    "Lp": [
        Example(Lp(), "Lp()", each_image("input", p_mean(6))),
        Example(Lp("0", p=1), "Lp(layer='0', p=1)", each_image("0", p_mean(1))),
        Example(
            Lp("logits", p=2.5, constant=-0.5),
            "Lp(layer='logits', p=2.5, constant=-0.5)",
            each_image("logits", p_mean(2.5, -0.5)),
        ),
    ],
    "Linf": [
        Example(Linf(), "Linf()", each_image("input", lambda a: max(abs(one) for one in numbers(a)))),
        Example(
            Linf("0", constant=0.5),
            "Linf(layer='0', constant=0.5)",
            each_image("0", lambda a: max(abs(one - 0.5) for one in numbers(a))),
        ),
    ],
    "alpha_norm": [
        Example(alpha_norm(), "alpha_norm()", each_image("input", powers(6, 0.5))),
        Example(
            alpha_norm("0", alpha=3, mean=0), "alpha_norm(layer='0', alpha=3, mean=0)", each_image("0", powers(3, 0))
        ),
    ],
    "contrast_bound": [
        Example(contrast_bound(), "contrast_bound()", each_image("input", beyond(0.45, 0.5))),
        Example(
            contrast_bound("logits", bound=0.3, constant=0),
            "contrast_bound(layer='logits', bound=0.3, constant=0)",
            each_image("logits", beyond(0.3, 0)),
        ),
    ],
}
