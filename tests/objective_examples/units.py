"""Examples of the objectives on units: channels, neurons, logits and whole layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from lucidtorch.objectives.units import channel, deepdream, layer_mean, logit, neuron
from objective_examples.example import Example


def mean(values: Tensor) -> float:
    """Add number after number."""
    total = 0.0
    for value in values.flatten().tolist():
        total += value
    return total / values.numel()


def of_each(value: Callable[[Tensor, int], float], layer: str) -> Callable[[Mapping[str, Tensor]], Tensor]:
    """Apply a function to the activations of each image and to its place."""
    return lambda given: torch.tensor([value(one, i) for i, one in enumerate(given[layer])], dtype=torch.float64)


EXAMPLES: dict[str, list[Example]] = {
    "channel": [
        Example(channel("0", 3), "channel('0', 3)", of_each(lambda a, i: mean(a[3]), "0")),
        Example(channel("0", [1, 0]), "channel('0', [1, 0])", of_each(lambda a, i: mean(a[1 - i]), "0")),
        Example(channel("logits", 2), "channel('logits', 2)", of_each(lambda a, i: a[2].item(), "logits")),
        Example(
            channel("2.attention[tokens]", 1),
            "channel('2.attention[tokens]', 1)",
            of_each(lambda a, i: mean(a[1]), "2.attention[tokens]"),
        ),
    ],
    "neuron": [
        Example(neuron("0", 1), "neuron('0', 1)", of_each(lambda a, i: a[1, 2, 1].item(), "0")),
        Example(
            neuron("0", [0, 2], x=1, y=3),
            "neuron('0', [0, 2], x=1, y=3)",
            of_each(lambda a, i: a[2 * i, 3, 1].item(), "0"),
        ),
        Example(neuron("0", 2, y=0), "neuron('0', 2, y=0)", of_each(lambda a, i: a[2, 0, 1].item(), "0")),
        Example(neuron("logits", 1), "neuron('logits', 1)", of_each(lambda a, i: a[1].item(), "logits")),
    ],
    "logit": [
        Example(logit(1), "logit(1)", of_each(lambda a, i: a[1].item(), "logits")),
        Example(logit([2, 0]), "logit([2, 0])", of_each(lambda a, i: a[2 - 2 * i].item(), "logits")),
    ],
    "layer_mean": [
        Example(layer_mean("0"), "layer_mean('0')", of_each(lambda a, i: mean(a), "0")),
        Example(layer_mean("logits"), "layer_mean('logits')", of_each(lambda a, i: mean(a), "logits")),
    ],
    "deepdream": [
        Example(deepdream("0"), "deepdream('0')", of_each(lambda a, i: mean(a * a), "0")),
        Example(deepdream("logits"), "deepdream('logits')", of_each(lambda a, i: mean(a * a), "logits")),
    ],
}
