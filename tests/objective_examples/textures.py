"""Examples of the objectives on textures."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from lucidtorch.objectives.matching import style
from lucidtorch.objectives.references import reference
from objective_examples.batch import gram
from objective_examples.example import Example
from objective_examples.matching import PICTURE, SIZE, SIZE_OF_TWO, TWO, Given, compared, compared_with_a_wider_map


def texture(values: np.ndarray) -> np.ndarray:
    return gram(values) / (values[0].size)


def apart(layer: str, picture: list, power: int) -> Callable[[Given], Tensor]:
    def by_hand(given: Given) -> Tensor:
        images, pictures = given[layer].detach().numpy(), given[reference(layer, picture)].detach().numpy()
        found = []
        for place, image in enumerate(images):
            gaps = texture(image) - texture(pictures[place if len(pictures) > 1 else 0])
            mean = sum(abs(float(gap)) ** power for gap in gaps.flat) / gaps.size
            found.append(mean if power == 1 else math.sqrt(mean))
        return torch.tensor(found, dtype=torch.float64)

    return by_hand


EXAMPLES: dict[str, list[Example]] = {
    "style": [
        Example(
            style("0", PICTURE),
            f"style('0', {PICTURE})",
            apart("0", PICTURE, 1),
            given=compared_with_a_wider_map,
            param=SIZE,
        ),
        Example(
            style("0", TWO, distance="L2"),
            f"style('0', {TWO}, distance='L2')",
            apart("0", TWO, 2),
            given=compared,
            param=SIZE_OF_TWO,
        ),
        Example(
            style("logits", PICTURE, decay=0.95),
            f"style('logits', {PICTURE}, decay=0.95)",
            apart("logits", PICTURE, 1),
            given=compared,
            param=SIZE,
        ),
    ],
}
