"""Directions, weights and maps against their formulas, on layers with, without and with more axes of space."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from lucidtorch.base.errors import ObjectiveError, UnitError
from lucidtorch.objectives import Objective, parse
from lucidtorch.objectives.directions import (
    channel_weight,
    direction,
    direction_neuron,
    localgroup_weight,
    neuron_weight,
    tensor_direction,
    whitened_direction,
)
from lucidtorch.objectives.spatial import spatial_channel, spatial_layer

BATCH, CHANNELS, FRAMES, ROWS, COLUMNS = 3, 5, 3, 4, 10
dice = np.random.default_rng(7)
NUMBERS = dice.normal(size=(BATCH, CHANNELS, ROWS, COLUMNS))
CLIPS = dice.normal(size=(BATCH, CHANNELS, FRAMES, ROWS, COLUMNS))
SCORES = dice.normal(size=(BATCH, 6))
V = dice.normal(size=CHANNELS)
MATRIX = dice.normal(size=(CHANNELS, CHANNELS))
ACTIVATIONS = {"a": torch.tensor(NUMBERS), "clip": torch.tensor(CLIPS), "logits": torch.tensor(SCORES)}


def same(goal: Objective, expected: object, activations: dict[str, Tensor] | None = None) -> None:
    found = goal(ACTIVATIONS if activations is None else activations)
    np.testing.assert_allclose(found.numpy(), np.asarray(expected), rtol=0, atol=1e-10)


def dot_cosine(here: np.ndarray, target: np.ndarray, power: float) -> float:
    """dot · max(.1, cos) ** power of two vectors."""
    dot = sum(float(x) * float(y) for x, y in zip(here.flatten(), target.flatten(), strict=True))
    lengths = [math.sqrt(sum(float(x) ** 2 for x in one.flatten())) for one in (here, target)]
    cosine = dot / (1e-4 + lengths[0]) / (1e-4 + lengths[1])
    return dot * max(0.1, cosine) ** power if power else dot


def everywhere(values: np.ndarray, target: np.ndarray, power: float) -> float:
    """The mean of that over the positions of `[C, ...]`; the target is one vector, or one per position."""
    places = values.reshape(len(values), -1).T
    targets = target.reshape(len(target), -1).T
    several = len(targets) > 1
    return sum(dot_cosine(one, targets[n if several else 0], power) for n, one in enumerate(places)) / len(places)


@pytest.mark.parametrize("power", [0, 1, 2, 0.5, 4])
@pytest.mark.parametrize(("layer", "values"), [("a", NUMBERS), ("clip", CLIPS)])
def test_direction_is_dot_times_clamped_cosine(layer: str, values: np.ndarray, power: float) -> None:
    same(direction(layer, V, cossim_pow=power), [everywhere(one, V, power) for one in values])


@pytest.mark.parametrize("power", [0, 2])
def test_direction_takes_one_vector_per_image(power: float) -> None:
    targets = dice.normal(size=(BATCH, CHANNELS))
    expected = [everywhere(one, target, power) for one, target in zip(NUMBERS, targets, strict=True)]
    same(direction("a", torch.tensor(targets), cossim_pow=power), expected)
    same(direction("a", targets.tolist(), cossim_pow=power), expected)


@pytest.mark.parametrize("power", [0, 2])
def test_layers_without_space_have_directions(power: float) -> None:
    target = np.array([1.0, 0, -2, 0.5, 0, 3])
    expected = [dot_cosine(one, target, power) for one in SCORES]
    same(direction("logits", target, cossim_pow=power), expected)
    same(direction_neuron("logits", target, cossim_pow=power), expected)
    same(channel_weight("logits", target), [dot_cosine(one, target, 0) / 6 for one in SCORES])
    same(neuron_weight("logits", target), [dot_cosine(one, target, 0) / 6 for one in SCORES])
    same(whitened_direction("logits", target, np.eye(6), cossim_pow=0), [dot_cosine(s, target, 0) / 6 for s in SCORES])


@pytest.mark.parametrize("power", [0, 2])
def test_direction_of_a_wide_layer_keeps_its_numbers(power: float) -> None:
    values, target = dice.normal(size=(1, 200, 2, 2)), dice.normal(size=200)
    expected = everywhere(values[0], target.astype(np.float32).astype(np.float64), power)  # stored as <f4
    same(direction("a", torch.tensor(target), cossim_pow=power), [expected], {"a": torch.tensor(values)})


@pytest.mark.parametrize(
    ("vector", "power", "expected"),
    [([3.0, 4.0], 0, 3.0), ([3.0, 4.0], 1, 1.79978), ([3.0, 4.0], 2, 1.07974), ([-3.0, 4.0], 2, -0.03)],
)
def test_every_dot_with_cosine_gives_the_published_numbers(vector: list[float], power: int, expected: float) -> None:
    flat = torch.tensor([vector], dtype=torch.float64)
    given = {"flat": flat, "map": flat[:, :, None, None]}
    for goal in (
        direction("flat", [1, 0], cossim_pow=power),
        direction_neuron("map", [1, 0], cossim_pow=power),
        tensor_direction("map", [[[1]], [[0]]], cossim_pow=power),
        spatial_layer("map", [[[1]], [[0]]], cossim_pow=power),
    ):
        assert goal(given).item() == pytest.approx(expected, abs=5e-6)


def test_direction_neuron_stands_in_the_centre_with_x_the_column_and_y_the_row() -> None:
    same(direction_neuron("a", V), [dot_cosine(one[:, 2, 5], V, 0) for one in NUMBERS])
    same(direction_neuron("a", V, x=9, y=1, cossim_pow=3), [dot_cosine(one[:, 1, 9], V, 3) for one in NUMBERS])
    same(direction_neuron("clip", V), [dot_cosine(one[:, 1, 2, 5], V, 0) for one in CLIPS])
    same(direction_neuron("clip", V, x=0, t=2), [dot_cosine(one[:, 2, 2, 0], V, 0) for one in CLIPS])


@pytest.mark.parametrize("power", [0, 2])
@pytest.mark.parametrize(
    ("shape", "rows", "columns", "own_rows", "own_columns"),
    [  # the layer is 4 x 10; of the larger (larger - smaller) // 2 are left out in front
        ((4, 10), slice(0, 4), slice(0, 10), slice(0, 4), slice(0, 10)),
        ((1, 1), slice(1, 2), slice(4, 5), slice(0, 1), slice(0, 1)),
        ((2, 7), slice(1, 3), slice(1, 8), slice(0, 2), slice(0, 7)),
        ((7, 3), slice(0, 4), slice(3, 6), slice(1, 5), slice(0, 3)),
        ((9, 13), slice(0, 4), slice(0, 10), slice(2, 6), slice(1, 11)),
    ],
)
def test_the_larger_map_is_cut_to_its_middle(
    shape: tuple[int, int], rows: slice, columns: slice, own_rows: slice, own_columns: slice, power: float
) -> None:
    tensors = np.round(np.random.default_rng(2).normal(size=(BATCH, CHANNELS, *shape)), 3).astype(np.float32)
    cut = NUMBERS[:, :, rows, columns]
    own = tensors[:, :, own_rows, own_columns].astype(np.float64)
    places = cut[0, 0].size
    pairs = list(zip(cut, own, strict=True))
    same(tensor_direction("a", tensors, cossim_pow=power), [everywhere(a, v, power) for a, v in pairs])
    same(spatial_layer("a", tensors, cossim_pow=power), [dot_cosine(a, v, power) / places for a, v in pairs])
    maps = [dot_cosine(a[2], v[1], power) / places for a, v in pairs]
    same(spatial_channel("a", 2, tensors[:, 1], cossim_pow=power), maps)


@pytest.mark.parametrize("power", [0, 2])
def test_maps_stand_for_every_frame_of_a_clip(power: float) -> None:
    tensor = dice.normal(size=(CHANNELS, 2, 4)).astype(np.float32)
    cut = CLIPS[:, :, :, 1:3, 3:7]
    own = np.repeat(tensor.astype(np.float64)[:, None], FRAMES, axis=1)
    places = FRAMES * 8
    same(tensor_direction("clip", tensor, cossim_pow=power), [everywhere(one, own, power) for one in cut])
    same(spatial_layer("clip", tensor, cossim_pow=power), [dot_cosine(one, own, power) / places for one in cut])
    maps = [dot_cosine(one[0], own[3], power) / places for one in cut]
    same(spatial_channel("clip", 0, tensor[3], cossim_pow=power), maps)


def test_a_map_of_ones_gives_the_channel() -> None:
    same(spatial_channel("a", [4, 0, 2], np.ones((1, 1))), NUMBERS[[0, 1, 2], [4, 0, 2], 1, 4])
    same(spatial_channel("a", 3, np.ones((99, 99))), NUMBERS[:, 3].mean((1, 2)))


def whitened(here: np.ndarray, vector: np.ndarray, power: float) -> float:
    turned = [sum(vector[i] * MATRIX[i, j] for i in range(CHANNELS)) for j in range(CHANNELS)]
    dot = sum(float(x) * y for x, y in zip(here, turned, strict=True)) / CHANNELS
    return dot * max(0.1, dot / (1e-4 + math.hypot(*here))) ** power if power else dot


@pytest.mark.parametrize("power", [0, 1, 2, 4])
def test_whitened_direction_is_the_atlass(power: float) -> None:
    vectors = dice.normal(size=(BATCH, CHANNELS))
    expected = [whitened(one[:, 2, 5], v, power) for one, v in zip(NUMBERS, vectors, strict=True)]
    same(whitened_direction("a", vectors, MATRIX, cossim_pow=power), expected)
    corner = [whitened(one[:, 0, 0, 9], V, power) for one in CLIPS]
    same(whitened_direction("clip", V, MATRIX, x=9, y=0, t=0, cossim_pow=power), corner)


def test_weights_are_a_mean_over_everything_that_is_in_it() -> None:
    def mean(values: np.ndarray) -> list[float]:
        return [sum(float((one[c] * V[c]).sum()) for c in range(CHANNELS)) / one.size for one in values]

    same(channel_weight("a", V), mean(NUMBERS))
    same(channel_weight("clip", V), mean(CLIPS))
    same(neuron_weight("a", V, x=3), mean(NUMBERS[:, :, 2, 3]))
    same(neuron_weight("clip", V, t=0), mean(CLIPS[:, :, 0, 2, 5]))
    same(localgroup_weight("a", V, x=7, y=0, wx=3, wy=4), mean(NUMBERS[:, :, 0:4, 7:10]))
    same(localgroup_weight("a", V, wx=5, wy=3), mean(NUMBERS[:, :, 0:3, 2:7]))
    same(localgroup_weight("clip", V, x=1, y=1, wx=2), mean(CLIPS[:, :, :, 1:2, 1:3]))


WRONG: list[tuple[Callable[[], Objective], type[Exception], str]] = [
    (
        lambda: direction_neuron("a", [1, 2]),
        UnitError,
        r"'a' has 5 channels, but directions of shape \[2\].*give \[5\]",
    ),
    (lambda: direction_neuron("a", V, x=10), UnitError, "10 columns"),
    (lambda: direction_neuron("a", V, t=0), UnitError, "no frames; leave t out"),
    (lambda: direction_neuron("logits", np.ones(6), y=0), UnitError, "no positions; leave x, y and t out"),
    (lambda: direction("a", np.ones((4, 5))), ObjectiveError, "4 directions were given for 3 images of 'a'"),
    (lambda: direction("a", np.ones((1, 1, 5))), UnitError, r"shape \[1, 1, 5\] were given; give \[5\], or \[3, 5\]"),
    (lambda: tensor_direction("logits", np.ones((6, 1, 1))), UnitError, "'logits' has no rows and columns"),
    (lambda: tensor_direction("a", np.ones((4, 1, 1))), UnitError, r"shape \[4, 1, 1\] were given; give \[5, h, w\]"),
    (lambda: tensor_direction("a", np.ones((5, 2))), UnitError, r"give \[5, h, w\], or \[3, 5, h, w\]"),
    (lambda: tensor_direction("a", np.ones((2, 5, 1, 1))), ObjectiveError, "2 directions were given for 3 images"),
    (lambda: whitened_direction("a", V, np.eye(4)), UnitError, r"matrix \[5, 5\], but one of shape \[4, 4\]"),
    (lambda: whitened_direction("a", V, np.ones((3, 5, 5))), UnitError, r"shape \[3, 5, 5\]"),
    (lambda: channel_weight("a", [1.0]), UnitError, r"vectors of weights of shape \[1\]"),
    (lambda: neuron_weight("a", np.ones((2, 5))), ObjectiveError, "2 vectors of weights were given for 3 images"),
    (lambda: localgroup_weight("a", V, wx=11), UnitError, r"'a' has 10 columns \(x, wx\).*1 to 10.*but 11"),
    (lambda: localgroup_weight("a", V, wy=0), UnitError, r"rows \(y, wy\).*but 0"),
    (lambda: localgroup_weight("a", V, wy=True), ObjectiveError, "but True"),
    (lambda: localgroup_weight("a", V, y=3, wy=2), UnitError, "a window of 2 begins at 0 to 2, but 3"),
    (lambda: localgroup_weight("a", V, x=-1), UnitError, "begins at 0 to 9, but -1"),
    (lambda: localgroup_weight("logits", np.ones(6)), UnitError, "no rows and columns"),
    (lambda: spatial_channel("a", 5, [[1.0]]), UnitError, "5 channels"),
    (
        lambda: spatial_channel("a", 0, [1.0]),
        UnitError,
        r"maps of shape \[1\] were given; give \[h, w\], or \[3, h, w\]",
    ),
    (lambda: spatial_channel("a", 0, np.ones((2, 4, 4))), ObjectiveError, "2 maps were given for 3 images"),
    (lambda: spatial_channel("logits", 0, [[1.0]]), UnitError, "no rows and columns"),
    (lambda: spatial_layer("a", np.ones((4, 2, 2))), UnitError, r"give \[5, h, w\]"),
    (lambda: spatial_layer("logits", np.ones((6, 1, 1))), UnitError, "no rows and columns"),
]


@pytest.mark.parametrize(("make", "kind", "words"), WRONG)
def test_what_does_not_fit_is_refused(make: Callable[[], Objective], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        make()(ACTIVATIONS)


@pytest.mark.parametrize(
    ("goal", "batch"),
    [
        (tensor_direction("a", np.ones((2, 3, 4))), None),
        (tensor_direction("a", np.ones((2, 3, 4, 5))), 2),
        (tensor_direction("a", np.ones((9, 9, 9))), None),
        (spatial_channel("a", 0, [[1.0, 2.0], [3.0, 4.0]]), None),
        (spatial_channel("a", 0, np.ones((6, 30, 30))), 6),
        (spatial_channel("a", [1, 2], np.ones((2, 3, 3))), 2),
        (spatial_layer("a", np.ones((7, 2, 3, 4))), 7),
        (whitened_direction("a", [1, 2], np.eye(2)), None),
        (whitened_direction("a", np.ones((4, 2)), np.eye(2)), 4),
        (whitened_direction("a", np.ones(99), np.eye(99)), None),
        (localgroup_weight("a", [[1, 2], [3, 4]]), 2),
        (channel_weight("a", [1, 2]), None),
    ],
)
def test_the_number_of_images_is_read_from_one_more_axis_than_one_image_needs(
    goal: Objective, batch: int | None
) -> None:
    assert goal.batch == batch
    if "array(" not in repr(goal):
        assert parse(repr(goal)).batch == batch
