"""Examples of the objectives that compare with a given picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from lucidtorch.objectives.matching import (
    activation_difference,
    caricature,
    input_difference,
    inversion,
    spatial_match,
)
from lucidtorch.objectives.references import reference
from objective_examples.example import Example, activations

Given = Mapping[str, Tensor]

# One picture of 4 x 5 pixels, and two of 2 x 5, one per image.
PICTURE = [[[(7 * (20 * c + 5 * i + j) % 11) / 10 for j in range(5)] for i in range(4)] for c in range(3)]
TWO = [
    [[[(3 * (15 * b + 5 * c + j + i) % 7) / 6 for j in range(5)] for i in range(2)] for c in range(3)] for b in (0, 1)
]
SIZE, SIZE_OF_TWO = "image((4, 5), batch=2)", "image((2, 5), batch=2)"


def compared(kind: torch.dtype = torch.float64) -> dict[str, Tensor]:
    """Add what a network makes of the pictures."""
    dice = torch.Generator().manual_seed(5)
    shapes = {
        "input": (2, 3, 4, 5),
        reference("0", PICTURE): (1, 4, 5, 3),
        reference("logits", PICTURE): (1, 3),
        reference("0", TWO): (2, 4, 5, 3),
    }
    return activations(kind) | {
        name: torch.randn(shape, generator=dice, dtype=torch.float64).to(kind) for name, shape in shapes.items()
    }


def compared_with_a_wider_map(kind: torch.dtype = torch.float64) -> dict[str, Tensor]:
    """Let the picture have fewer rows and more columns than the images."""
    dice = torch.Generator().manual_seed(6)
    wider = torch.randn((1, 4, 2, 6), generator=dice, dtype=torch.float64).to(kind)
    return compared(kind) | {reference("0", PICTURE): wider}


def two_inputs(kind: torch.dtype = torch.float64) -> dict[str, Tensor]:
    """Let the images be as large as the two pictures."""
    return compared(kind) | {"input": compared(kind)["input"][:, :, :2]}


def middle(values: np.ndarray, rows: int, columns: int) -> np.ndarray:
    above, left = (values.shape[1] - rows) // 2, (values.shape[2] - columns) // 2
    return values[:, above : above + rows, left : left + columns]


def against(layer: str, picture: list, formula: Callable[[np.ndarray, np.ndarray], float]) -> Callable[[Given], Tensor]:
    """Compute a formula of the plain numbers of each image and of its picture, `[C, H, W]` each."""

    def by_hand(given: Given) -> Tensor:
        images = given[layer].detach().numpy()
        pictures = np.asarray(picture) if layer == "input" else given[reference(layer, picture)].detach().numpy()
        pictures = pictures[None] if pictures.ndim < images.ndim else pictures
        found = []
        for place, image in enumerate(images):
            other = pictures[place if len(pictures) > 1 else 0]
            if image.ndim == 3:
                rows, columns = min(image.shape[1], other.shape[1]), min(image.shape[2], other.shape[2])
                image, other = middle(image, rows, columns), middle(other, rows, columns)
            shape = (len(image), -1, 1)
            found.append(formula(image.reshape(shape), other.reshape(shape)))
        return torch.tensor(found, dtype=torch.float64)

    return by_hand


def pairs(image: np.ndarray, other: np.ndarray) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in zip(image.flat, other.flat, strict=True)]


def relative_distance(image: np.ndarray, other: np.ndarray) -> float:
    return sum((x - y) ** 2 for x, y in pairs(image, other)) / sum(y**2 for _, y in pairs(image, other))


def product(power: float) -> Callable[[np.ndarray, np.ndarray], float]:
    def formula(image: np.ndarray, other: np.ndarray) -> float:
        dot = sum(x * y for x, y in pairs(image, other))
        size = math.sqrt(sum(y**2 for _, y in pairs(image, other)))
        return dot * max(0.1, dot / (1e-6 + size)) ** power

    return formula


def cosine(image: np.ndarray, other: np.ndarray) -> float:
    found = []
    for position in range(image.shape[1]):
        here, there = image[:, position, 0], other[:, position, 0]
        dot = sum(x * y for x, y in pairs(here, there))
        lengths = [math.sqrt(sum(float(x) ** 2 for x in one)) for one in (here, there)]
        found.append(dot / (1e-4 + lengths[0]) / (1e-4 + lengths[1]))
    return sum(found) / len(found)


def difference(image: np.ndarray, other: np.ndarray) -> float:
    return sum(abs(x - y) for x, y in pairs(image, other)) / image.size


def rms(image: np.ndarray, other: np.ndarray) -> float:
    return math.sqrt(sum((x - y) ** 2 for x, y in pairs(image, other)) / image.size)


EXAMPLES: dict[str, list[Example]] = {
    "inversion": [
        Example(
            inversion("0", PICTURE),
            f"inversion('0', {PICTURE})",
            against("0", PICTURE, relative_distance),
            given=compared,
            param=SIZE,
        ),
        Example(
            inversion("logits", PICTURE),
            f"inversion('logits', {PICTURE})",
            against("logits", PICTURE, relative_distance),
            given=compared,
            param=SIZE,
        ),
        Example(
            inversion("0", TWO),
            f"inversion('0', {TWO})",
            against("0", TWO, relative_distance),
            given=compared,
            param=SIZE_OF_TWO,
        ),
    ],
    "caricature": [
        Example(
            caricature("0", PICTURE),
            f"caricature('0', {PICTURE})",
            against("0", PICTURE, product(0)),
            given=compared,
            param=SIZE,
        ),
        Example(
            caricature("0", TWO, cossim_pow=1.5),
            f"caricature('0', {TWO}, cossim_pow=1.5)",
            against("0", TWO, product(1.5)),
            given=compared,
            param=SIZE_OF_TWO,
        ),
    ],
    "spatial_match": [
        Example(
            spatial_match("0", PICTURE),
            f"spatial_match('0', {PICTURE})",
            against("0", PICTURE, cosine),
            given=compared_with_a_wider_map,
            param=SIZE,
        ),
        Example(
            spatial_match("logits", PICTURE),
            f"spatial_match('logits', {PICTURE})",
            against("logits", PICTURE, cosine),
            given=compared,
            param=SIZE,
        ),
    ],
    "activation_difference": [
        Example(
            activation_difference("0", PICTURE),
            f"activation_difference('0', {PICTURE})",
            against("0", PICTURE, difference),
            given=compared_with_a_wider_map,
            param=SIZE,
        ),
        Example(
            activation_difference("0", TWO),
            f"activation_difference('0', {TWO})",
            against("0", TWO, difference),
            given=compared,
            param=SIZE_OF_TWO,
        ),
    ],
    "input_difference": [
        Example(
            input_difference(PICTURE),
            f"input_difference({PICTURE})",
            against("input", PICTURE, rms),
            given=compared,
            param=SIZE,
        ),
        Example(
            input_difference(TWO),
            f"input_difference({TWO})",
            against("input", TWO, rms),
            given=two_inputs,
            param=SIZE_OF_TWO,
        ),
        Example(
            input_difference(PICTURE, layer="0"),
            f"input_difference({PICTURE}, layer='0')",
            against("0", PICTURE, rms),
            given=compared,
            param=SIZE,
        ),
    ],
}
