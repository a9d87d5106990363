"""Examples of the objectives on directions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from lucidtorch.objectives.directions import direction, direction_neuron, tensor_direction, whitened_direction
from objective_examples.example import Example

V = [1, -2, 0.5, 3]
TWO = [[1, -2, 0.5, 3], [0.25, 0, -1, 2]]
SMALL = [[[1.0]], [[-2.0]], [[0.5]], [[3.0]]]
dice = np.random.default_rng(6)
TALL = np.round(dice.normal(size=(4, 8, 2)), 2).tolist()  # taller than the layer, and narrower
PAIR = np.round(dice.normal(size=(2, 4, 2, 3)), 2).tolist()
S = np.round(dice.normal(size=(4, 4)), 2).tolist()
LARGE = torch.tensor(dice.normal(size=(4, 5, 6)))  # more numbers than a text holds, so kept as float32
FLOATS = LARGE.float().double().tolist()


def dot_cosine(a: Sequence[float], v: Sequence[float], power: float) -> float:
    dot = sum(x * y for x, y in zip(a, v, strict=True))
    lengths = [math.sqrt(sum(x * x for x in one)) for one in (a, v)]
    return dot * max(0.1, dot / (1e-4 + lengths[0]) / (1e-4 + lengths[1])) ** power if power else dot


def everywhere(layer: str, vector: list, power: float = 0) -> Callable[[Mapping[str, Tensor]], Tensor]:
    """The mean over positions; a list of lists is one direction per image."""

    def by_hand(given: Mapping[str, Tensor]) -> Tensor:
        found = []
        for i, a in enumerate(given[layer]):
            v = vector[i] if isinstance(vector[0], list) else vector
            places = a.reshape(a.shape[0], -1).T.tolist()
            found.append(sum(dot_cosine(one, v, power) for one in places) / len(places))
        return torch.tensor(found, dtype=torch.float64)

    return by_hand


def at(row: int, column: int, vectors: list, power: float = 0) -> Callable[[Mapping[str, Tensor]], Tensor]:
    return lambda given: torch.tensor(
        [dot_cosine(a[:, row, column].tolist(), v, power) for a, v in zip(given["0"], vectors, strict=True)],
        dtype=torch.float64,
    )


def arranged(pairs: list[tuple[int, int, int, int]], tensors: list, power: float = 0) -> Callable[..., Tensor]:
    """The mean over pairs of a row and column of the layer with a row and column of what was given."""

    def by_hand(given: Mapping[str, Tensor]) -> Tensor:
        found = []
        for a, tensor in zip(given["0"], tensors, strict=True):
            v = np.array(tensor)
            values = [dot_cosine(a[:, i, j].tolist(), v[:, k, n].tolist(), power) for i, j, k, n in pairs]
            found.append(sum(values) / len(values))
        return torch.tensor(found, dtype=torch.float64)

    return by_hand


def whitened(given: Mapping[str, Tensor], row: int, column: int, vectors: list, power: float) -> Tensor:
    found = []
    for a, v in zip(given["0"][:, :, row, column].tolist(), vectors, strict=True):
        turned = [sum(v[i] * S[i][j] for i in range(4)) for j in range(4)]
        dot = sum(x * y for x, y in zip(a, turned, strict=True)) / 4
        found.append(dot * max(0.1, dot / (1e-4 + math.hypot(*a))) ** power if power else dot)
    return torch.tensor(found, dtype=torch.float64)


EXAMPLES: dict[str, list[Example]] = {
    "direction": [
        Example(direction("0", [1, -2, 0.5, 0]), "direction('0', [1, -2, 0.5, 0])", everywhere("0", [1, -2, 0.5, 0])),
        Example(
            direction("0", torch.ones(2, 4), cossim_pow=2),
            "direction('0', [[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]], cossim_pow=2)",
            everywhere("0", [1, 1, 1, 1], 2),
        ),
        Example(
            direction("0", TWO, cossim_pow=0.5), f"direction('0', {TWO}, cossim_pow=0.5)", everywhere("0", TWO, 0.5)
        ),
        Example(
            direction("logits", [1, 0, -1], cossim_pow=1),
            "direction('logits', [1, 0, -1], cossim_pow=1)",
            everywhere("logits", [1, 0, -1], 1),
        ),
    ],
    "direction_neuron": [
        Example(direction_neuron("0", V), f"direction_neuron('0', {V})", at(2, 1, [V, V])),
        Example(
            direction_neuron("0", V, x=2, y=1, cossim_pow=2),
            f"direction_neuron('0', {V}, x=2, y=1, cossim_pow=2)",
            at(1, 2, [V, V], 2),
        ),
        Example(direction_neuron("0", TWO, x=0), f"direction_neuron('0', {TWO}, x=0)", at(2, 0, TWO)),
        Example(
            direction_neuron("logits", [1, 2, -1], cossim_pow=1),
            "direction_neuron('logits', [1, 2, -1], cossim_pow=1)",
            everywhere("logits", [1, 2, -1], 1),
        ),
    ],
    "tensor_direction": [
        Example(tensor_direction("0", SMALL), f"tensor_direction('0', {SMALL})", arranged([(2, 1, 0, 0)], [SMALL] * 2)),
        Example(
            tensor_direction("0", TALL, cossim_pow=2),
            f"tensor_direction('0', {TALL}, cossim_pow=2)",
            # of 8 rows the 5 from (8 - 5) // 2 = 1 stay; of 3 columns of the layer the 2 from (3 - 2) // 2 = 0
            arranged([(i, j, 1 + i, j) for i in range(5) for j in range(2)], [TALL] * 2, 2),
        ),
        Example(
            tensor_direction("0", PAIR, cossim_pow=1),
            f"tensor_direction('0', {PAIR}, cossim_pow=1)",
            arranged([(1 + i, j, i, j) for i in range(2) for j in range(3)], PAIR, 1),
        ),
        Example(
            tensor_direction("0", LARGE),
            repr(tensor_direction("0", LARGE)),
            arranged([(i, j, i, 1 + j) for i in range(5) for j in range(3)], [FLOATS] * 2),
        ),
    ],
    "whitened_direction": [
        Example(
            whitened_direction("0", V, S),
            f"whitened_direction('0', {V}, {S})",
            lambda given: whitened(given, 2, 1, [V, V], 2),
        ),
        Example(
            whitened_direction("0", TWO, S, x=2, y=4, cossim_pow=0),
            f"whitened_direction('0', {TWO}, {S}, x=2, y=4, cossim_pow=0)",
            lambda given: whitened(given, 4, 2, TWO, 0),
        ),
        Example(
            whitened_direction("0", TWO, S, cossim_pow=1),
            f"whitened_direction('0', {TWO}, {S}, cossim_pow=1)",
            lambda given: whitened(given, 2, 1, TWO, 1),
        ),
    ],
}
