"""Examples of the objectives on how rough a picture is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lucidtorch.objectives.penalties import blur_input, boundary_complexity, total_variation, tv_beta
from objective_examples.example import Example
from objective_examples.norms import each_image


def variation(values: np.ndarray) -> float:
    total = 0.0
    channels, rows, columns = values.shape
    for c in range(channels):
        for i in range(rows):
            for j in range(columns):
                if i + 1 < rows:
                    total += abs(values[c, i + 1, j] - values[c, i, j])
                if j + 1 < columns:
                    total += abs(values[c, i, j + 1] - values[c, i, j])
    return total


def steepness(beta: float) -> Callable[[np.ndarray], float]:
    def formula(values: np.ndarray) -> float:
        total = 0.0
        channels, rows, columns = values.shape
        for c in range(channels):
            for i in range(rows - 1):
                for j in range(columns - 1):
                    across = values[c, i, j + 1] - values[c, i, j]
                    down = values[c, i + 1, j] - values[c, i, j]
                    total += (across**2 + down**2) ** (beta / 2)
        return total

    return formula


def blur(plane: np.ndarray, taps: int) -> np.ndarray:
    """The weighted mean around each place: 0.5 in the outermost ring of taps and 1 inside it."""
    rows, columns = plane.shape
    reach = taps // 2
    found = np.zeros_like(plane)
    for i in range(rows):
        for j in range(columns):
            total, weights = 0.0, 0.0
            for y in range(max(0, i - reach), min(rows, i + reach + 1)):
                for x in range(max(0, j - reach), min(columns, j + reach + 1)):
                    weight = 0.5 if max(abs(y - i), abs(x - j)) == reach else 1.0
                    total += weight * plane[y, x]
                    weights += weight
            found[i, j] = total / weights
    return found


def half_square_from_blur(values: np.ndarray) -> float:
    return sum(0.5 * float(((plane - blur(plane, 3)) ** 2).sum()) for plane in values)


def at_the_border(width: int, constant: float) -> Callable[[np.ndarray], float]:
    def formula(values: np.ndarray) -> float:
        total = 0.0
        for plane in values:
            soft = blur(plane, 5)
            rows, columns = plane.shape
            for i in range(rows):
                for j in range(columns):
                    if min(i, j, rows - 1 - i, columns - 1 - j) < width:
                        total += (soft[i, j] - plane[i, j]) ** 2 + 0.8 * (plane[i, j] - constant) ** 2
        return total

    return formula


EXAMPLES: dict[str, list[Example]] = {
    "total_variation": [
        Example(total_variation(), "total_variation()", each_image("input", variation)),
        Example(total_variation("0"), "total_variation(layer='0')", each_image("0", variation)),
    ],
    "tv_beta": [
        Example(tv_beta(), "tv_beta()", each_image("input", steepness(2))),
        Example(tv_beta("0", beta=1), "tv_beta(layer='0', beta=1)", each_image("0", steepness(1))),
        Example(tv_beta(beta=3.5), "tv_beta(beta=3.5)", each_image("input", steepness(3.5))),
    ],
    "blur_input": [
        Example(blur_input(), "blur_input()", each_image("input", half_square_from_blur), differentiable=False),
        Example(blur_input("0"), "blur_input(layer='0')", each_image("0", half_square_from_blur), differentiable=False),
    ],
    "boundary_complexity": [
        Example(boundary_complexity(), "boundary_complexity()", each_image("input", at_the_border(20, 0.5))),
        Example(
            boundary_complexity(width=1, constant=0.25),
            "boundary_complexity(width=1, constant=0.25)",
            each_image("input", at_the_border(1, 0.25)),
        ),
        Example(
            boundary_complexity("0", width=2),
            "boundary_complexity(layer='0', width=2)",
            each_image("0", at_the_border(2, 0.5)),
        ),
    ],
}
