"""Every objective that Lucid has, against Lucid's formula: what of our values per image is Lucid's one value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lucid_formulas as lucid
import numpy as np
import pytest
import torch
from torch import Tensor

from lucidtorch.objectives import (
    L1,
    L2,
    Objective,
    activation_difference,
    alignment,
    blur_alpha,
    blur_input,
    boundary_complexity,
    caricature,
    channel,
    channel_weight,
    deepdream,
    direction,
    direction_neuron,
    diversity,
    input_difference,
    interpolate,
    localgroup_weight,
    logit,
    neuron,
    neuron_weight,
    reference,
    style,
    tensor_direction,
    total_variation,
    whitened_direction,
)

IMAGES, ROWS, COLUMNS, CHANNELS = 6, 5, 8, 3
dice = np.random.default_rng(11)


def drawn(*shape: int) -> np.ndarray:
    """Numbers that float32 holds too: an objective keeps long arrays so."""
    return dice.normal(size=shape).astype(np.float32).astype(np.float64)


A, B = drawn(IMAGES, ROWS, COLUMNS, CHANNELS), drawn(IMAGES, 3, 4, 2)
SCORES = drawn(IMAGES, 7)
INPUT, SEEN_THROUGH = drawn(IMAGES, 13, 11, 3), drawn(IMAGES, 13, 11, 4)
PICTURE = dice.integers(0, 17, size=(13, 11, 3)) / 16
OF_PICTURE = drawn(ROWS, COLUMNS, CHANNELS)
V, S = drawn(CHANNELS), drawn(CHANNELS, CHANNELS)
SMALL, LARGE, EACH = drawn(2, 3, CHANNELS), drawn(9, 11, CHANNELS), drawn(IMAGES, 2, 8, CHANNELS)


def ours(values: np.ndarray) -> Any:
    """Put the channels before the rows."""
    return np.ascontiguousarray(np.moveaxis(values, -1, -3))


ACTIVATIONS = {
    "a": torch.tensor(ours(A)),
    "b": torch.tensor(ours(B)),
    "logits": torch.tensor(SCORES),
    "input": torch.tensor(ours(INPUT)),
    "seen_through": torch.tensor(ours(SEEN_THROUGH)),
    reference("a", ours(PICTURE)): torch.tensor(ours(OF_PICTURE)[None]),
}


def of_each_image(values: Tensor) -> Tensor:
    return values


def mean_over_images(values: Tensor) -> Tensor:
    return values.mean()


def sum_over_images(values: Tensor) -> Tensor:
    return values.sum()


def minus_the_sum_over_images(values: Tensor) -> Tensor:
    return -values.sum()


def root_of_the_sum_of_squares(values: Tensor) -> Tensor:
    """Each square holds an epsilon of its own, and Lucid's one."""
    return (values.square().sum() - (len(values) - 1) * 1e-6).sqrt()


def root_of_the_mean_square(values: Tensor) -> Tensor:
    return values.square().mean().sqrt()


SHARED: dict[str, tuple[Objective, Callable[[Tensor], Tensor], Callable[[], object]]] = {
    "neuron": (neuron("a", 1), mean_over_images, lambda: lucid.neuron(A, 1)),
    "neuron, whose x is the row": (neuron("a", 2, x=7, y=3), mean_over_images, lambda: lucid.neuron(A, 2, x=3, y=7)),
    "channel": (channel("a", 2), mean_over_images, lambda: lucid.channel(A, 2)),
    "channel of one image": (channel("a", 2).on(4), sum_over_images, lambda: lucid.channel(A, 2, batch=4)),
    "channel of one image less another's": (
        channel("a", 0).on(1) - channel("a", 0).on(0),
        sum_over_images,
        lambda: lucid.channel(A, 0, batch=1) - lucid.channel(A, 0, batch=0),
    ),
    "channel_weight": (channel_weight("a", V), mean_over_images, lambda: lucid.weighted(A, V)),
    "neuron_weight": (
        neuron_weight("a", V, x=6, y=1),
        mean_over_images,
        lambda: lucid.weighted(A[:, 1, 6], V),
    ),
    "localgroup_weight": (
        localgroup_weight("a", V, x=2, y=1, wx=4, wy=3),
        mean_over_images,
        lambda: lucid.weighted(A[:, 1:4, 2:6], V),
    ),
    **{
        f"direction, cossim_pow={power}": (
            direction("a", V, cossim_pow=power),
            mean_over_images,
            lambda power=power: lucid.dot_cossim(A, V, power),
        )
        for power in (0, 1, 2)
    },
    "direction of a layer without space": (
        direction("logits", SCORES[0], cossim_pow=1),
        mean_over_images,
        lambda: lucid.dot_cossim(SCORES, SCORES[0], 1),
    ),
    **{
        f"direction_neuron at {place}, cossim_pow={power}": (
            direction_neuron("a", V, x=place[1], y=place[0], cossim_pow=power),
            mean_over_images,
            lambda place=place, power=power: lucid.direction_neuron(A, V, place[0], place[1], power),
        )
        for place, power in (((None, None), 0), ((4, 7), 1), ((0, None), 2))
    },
    **{
        f"tensor_direction of {tensor.shape}, cossim_pow={power}": (
            tensor_direction("a", ours(tensor), cossim_pow=power),
            mean_over_images,
            lambda tensor=tensor, power=power: lucid.tensor_direction(A, tensor, power),
        )
        for tensor in (SMALL, LARGE, EACH)
        for power in (0, 2)
    },
    **{
        f"direction_neuron_S, cossim_pow={power}": (
            whitened_direction("a", V, S, x=6, y=2, cossim_pow=power),
            of_each_image,
            lambda power=power: lucid.whitened_neuron(A, V, S, 2, 6, power),
        )
        for power in (0, 1, 2, 4)
    },
    "deepdream": (deepdream("a"), mean_over_images, lambda: lucid.deepdream(A)),
    "total_variation": (total_variation(), of_each_image, lambda: lucid.total_variation(INPUT)),
    "L1": (L1(constant=0.5), sum_over_images, lambda: lucid.l1(INPUT, 0.5)),
    "L2": (L2(constant=0.5), root_of_the_sum_of_squares, lambda: lucid.l2(INPUT, 0.5)),
    "L2 of each image": (L2("a"), of_each_image, lambda: [lucid.l2(one, 0) for one in A]),
    "blur_input_each_step": (blur_input(), sum_over_images, lambda: lucid.blur_input_each_step(INPUT)),
    "blur_alpha_each_step": (
        blur_alpha("seen_through"),
        sum_over_images,
        lambda: lucid.blur_alpha_each_step(SEEN_THROUGH),
    ),
    "channel_interpolate": (
        interpolate(channel("a", 0), channel("b", 1), IMAGES),
        sum_over_images,
        lambda: lucid.channel_interpolate(A, 0, B, 1),
    ),
    **{
        f"penalize_boundary_complexity, w={width}": (
            boundary_complexity(width=width, constant=0.25),
            minus_the_sum_over_images,
            lambda width=width: lucid.penalize_boundary_complexity(INPUT, width, 0.25),
        )
        for width in (2, 5, 20)
    },
    **{
        f"alignment, decay_ratio={decay}": (
            alignment("a", decay_ratio=decay),
            minus_the_sum_over_images,
            lambda decay=decay: lucid.alignment(A, decay),
        )
        for decay in (2, 5)
    },
    "diversity": (diversity("a"), mean_over_images, lambda: lucid.diversity(A)),
    "channel less diversity": (
        channel("a", 1) - 100 * diversity("b"),
        mean_over_images,
        lambda: lucid.channel(A, 1) + -1e2 * lucid.diversity(B),
    ),
    "interpolate less alignment": (
        interpolate(channel("a", 0), channel("a", 1), IMAGES) - 1e-1 * alignment("b", decay_ratio=5),
        sum_over_images,
        lambda: lucid.channel_interpolate(A, 0, A, 1) + 1e-1 * lucid.alignment(B, 5),
    ),
    "input_diff": (
        input_difference(ours(PICTURE)),
        root_of_the_mean_square,
        lambda: lucid.input_diff(INPUT, PICTURE),
    ),
    "class_logit": (logit(5), sum_over_images, lambda: lucid.class_logit(SCORES, 5)),
    **{
        f"dot_compare, cossim_pow={power}": (
            caricature("a", ours(PICTURE), cossim_pow=power),
            of_each_image,
            lambda power=power: lucid.dot_compare(A, OF_PICTURE, power),
        )
        for power in (0, 0.5, 1, 2)
    },
    **{
        f"style, mean_{distance}": (
            style("a", ours(PICTURE), distance=distance),
            of_each_image,
            lambda distance=distance: lucid.style(A, OF_PICTURE, f"mean_{distance}"),
        )
        for distance in ("L1", "L2")
    },
    "activation_difference": (
        activation_difference("a", ours(PICTURE)),
        mean_over_images,
        lambda: lucid.activation_difference(A, OF_PICTURE),
    ),
}


@pytest.mark.parametrize("name", SHARED)
def test_it_is_lucids_value(name: str) -> None:
    goal, relation, value = SHARED[name]
    found = goal(ACTIVATIONS)
    assert found.shape == (IMAGES,)
    assert found.dtype == torch.float64
    np.testing.assert_allclose(relation(found).numpy(), np.asarray(value()), rtol=1e-10, atol=1e-10)
