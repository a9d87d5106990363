"""Examples of what joins objectives: across images, over steps, over networks, several at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from lucidtorch.objectives import (
    after,
    before,
    channel,
    each,
    interpolate,
    logit,
    maximum,
    mean,
    minimum,
    negative,
    of,
    ramp,
)
from lucidtorch.objectives.joins import total
from objective_examples.example import Example, activations

ByHand = Callable[[Mapping[str, Tensor]], Tensor]


def first(given: Mapping[str, Tensor]) -> list[float]:
    """Channel 1 of layer "0", image by image."""
    return [sum(float(value) for value in image[1].flatten()) / 15 for image in given["0"].detach()]


def second(given: Mapping[str, Tensor]) -> list[float]:
    """Logit 2, image by image."""
    return [float(image[2]) for image in given["logits"].detach()]


def of_both(rule: Callable[[float, float, int], float]) -> ByHand:
    """A rule on both values of each image and its place."""

    def by_hand(given: Mapping[str, Tensor]) -> Tensor:
        pairs = zip(first(given), second(given), strict=True)
        return torch.tensor([rule(a, b, image) for image, (a, b) in enumerate(pairs)], dtype=torch.float64)

    return by_hand


A, B = channel("0", 1), logit(2)
ONE, TWO = "channel('0', 1)", "logit(2)"


def named(kind: torch.dtype) -> dict[str, Tensor]:
    """The activations of two networks."""
    own = activations(kind)
    others = {f"{name}/{layer}": own[layer] * (1 if name == "a" else 3) for name in "ab" for layer in ("0", "logits")}
    return {**others, "input": own["input"]}


def of_two(given: Mapping[str, Tensor]) -> Tensor:
    """Channel 1 of network a less logit 2 of network b, which is three times that of a."""
    both = {"0": given["a/0"], "logits": given["b/logits"]}
    return torch.tensor([a - b for a, b in zip(first(both), second(both), strict=True)], dtype=torch.float64)


EXAMPLES: dict[str, list[Example]] = {
    "of": [Example(of("a", A) - of("b", B), f"of('a', {ONE}) - of('b', {TWO})", of_two, given=named)],
    "each": [Example(each(A, B), f"each({ONE}, {TWO})", of_both(lambda a, b, i: (a, b)[i]))],
    "interpolate": [Example(interpolate(A, B, 2), f"interpolate({ONE}, {TWO}, 2)", of_both(lambda a, b, i: (a, b)[i]))],
    "negative": [Example(negative(A), f"-{ONE}", of_both(lambda a, b, i: -a))],
    "mean": [
        Example(mean(A, B), f"mean({ONE}, {TWO})", of_both(lambda a, b, i: (a + b) / 2)),
        Example(mean([A, B, 3]), f"mean({ONE}, {TWO}, 3)", of_both(lambda a, b, i: (a + b + 3) / 3)),
    ],
    "minimum": [
        Example(minimum(A, B * A, 9), f"minimum({ONE}, {TWO} * {ONE}, 9)", of_both(lambda a, b, i: min(a, a * b, 9)))
    ],
    "maximum": [
        Example(maximum(A, B * A), f"maximum({ONE}, {TWO} * {ONE})", of_both(lambda a, b, i: max(a, a * b))),
        Example(maximum(A - B, -1), f"maximum({ONE} - {TWO}, -1)", of_both(lambda a, b, i: max(a - b, -1))),
    ],
    "sum": [Example(total([A, B, 2]), f"{ONE} + {TWO} + 2", of_both(lambda a, b, i: a + b + 2))],
    "after": [Example(A - 2 * after(1, B), f"{ONE} - 2 * after(1, {TWO})", of_both(lambda a, b, i: a - 2 * b))],
    "before": [Example(A + before(1, 5 * A), f"{ONE} + before(1, 5 * {ONE})", of_both(lambda a, b, i: a))],
    "ramp": [
        Example(ramp(0, 8, A, last=3), f"ramp(0, 8, {ONE}, last=3)", of_both(lambda a, b, i: 3 * a)),
        Example(
            A * ramp(2, 4, B, first=1, last=-0.5),
            f"{ONE} * ramp(2, 4, {TWO}, first=1, last=-0.5)",
            of_both(lambda a, b, i: -0.5 * a * b),
        ),
    ],
    "channel": [
        Example((A * 2).on(1), f"({ONE} * 2).on(1)", of_both(lambda a, b, i: 2 * a * i)),
        Example(
            A / (1 + B * B) ** 2, f"{ONE} / (1 + {TWO} * {TWO}) ** 2", of_both(lambda a, b, i: a / (1 + b * b) ** 2)
        ),
    ],
}
