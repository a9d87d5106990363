"""Objective values against their formulas, written out with loops over plain numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from lucidtorch.base.errors import ObjectiveError, UnitError, UnknownLabelError, UnknownLayerError
from lucidtorch.objectives import (
    L1,
    L2,
    Objective,
    channel,
    deepdream,
    direction,
    diversity,
    each,
    interpolate,
    layer_mean,
    logit,
    negative,
    neuron,
    total_variation,
)

BATCH, CHANNELS, ROWS, COLUMNS = 3, 5, 4, 10
NUMBERS = np.random.default_rng(7).normal(size=(BATCH, CHANNELS, ROWS, COLUMNS))
SCORES = np.random.default_rng(8).normal(size=(BATCH, 6))
CLIPS = np.random.default_rng(6).normal(size=(BATCH, 2, 3, 4, 6))
IMAGE = np.random.default_rng(9).uniform(size=(BATCH, 3, 6, 7))
ACTIVATIONS = {"a": torch.tensor(NUMBERS), "logits": torch.tensor(SCORES), "input": torch.tensor(IMAGE)}
ACTIVATIONS |= {"clip": torch.tensor(CLIPS), "tokens": torch.zeros(BATCH, CHANNELS, 7)}


def same(
    objective: Objective, expected: list[float] | np.ndarray, activations: dict[str, torch.Tensor] | None = None
) -> None:
    found = objective(ACTIVATIONS if activations is None else activations)
    assert found.dtype == torch.float64
    assert found.shape == (len(expected),)
    np.testing.assert_allclose(found.numpy(), np.asarray(expected), rtol=0, atol=1e-10)


def naive_mean(values: np.ndarray) -> float:
    total = 0.0
    for value in values.reshape(-1).tolist():
        total += value
    return total / values.size


def naive_gram(values: np.ndarray) -> np.ndarray:
    channels = values.shape[0]
    flat = values.reshape(channels, -1)
    gram = np.zeros((channels, channels))
    for i in range(channels):
        for j in range(channels):
            gram[i, j] = sum(float(x) * float(y) for x, y in zip(flat[i], flat[j], strict=True))
    return gram / math.sqrt((gram**2).sum() + 1e-10)


def naive_diversity(values: np.ndarray) -> list[float]:
    grams = [naive_gram(one) for one in values]
    return [sum(float((grams[i] * grams[j]).sum()) for j in range(len(grams)) if j != i) for i in range(len(grams))]


def naive_variation(values: np.ndarray) -> float:
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


@pytest.mark.parametrize("index", range(CHANNELS))
def test_channel_is_the_mean_over_positions(index: int) -> None:
    same(channel("a", index), [naive_mean(one[index]) for one in NUMBERS])


def test_channel_takes_one_unit_per_image() -> None:
    same(channel("a", [4, 0, 2]), [naive_mean(NUMBERS[i][k]) for i, k in enumerate((4, 0, 2))])


def test_channel_without_space_is_the_value_itself() -> None:
    same(channel("logits", 2), SCORES[:, 2])


def test_channel_of_clips_is_the_mean_over_frames_too() -> None:
    same(channel("clip", 1), [naive_mean(one[1]) for one in CLIPS])


def test_neuron_stands_in_the_centre_with_x_the_column_and_y_the_row() -> None:
    same(neuron("a", 1), NUMBERS[:, 1, 2, 5])  # 4 x 10: row 4 // 2, column 10 // 2
    same(neuron("a", 1, x=9, y=3), NUMBERS[:, 1, 3, 9])
    same(neuron("a", 1, x=0), NUMBERS[:, 1, 2, 0])
    same(neuron("a", 1, y=0), NUMBERS[:, 1, 0, 5])
    same(neuron("a", [3, 1, 4], x=7, y=1), [NUMBERS[i, k, 1, 7] for i, k in enumerate((3, 1, 4))])
    same(neuron("logits", 3), SCORES[:, 3])
    same(neuron("clip", 1), CLIPS[:, 1, 1, 2, 3])  # 3 x 4 x 6: frame 3 // 2
    same(neuron("clip", 1, x=5, y=0, t=2), CLIPS[:, 1, 2, 0, 5])


def test_logit_is_the_score_before_the_softmax() -> None:
    same(logit(5), SCORES[:, 5])
    same(logit([5, 0, 1]), [SCORES[0, 5], SCORES[1, 0], SCORES[2, 1]])


def test_logit_says_that_it_needs_the_logits() -> None:
    assert logit(5).layers == ("logits",)


def test_layer_mean_is_the_mean_of_everything() -> None:
    same(layer_mean("a"), [naive_mean(one) for one in NUMBERS])
    same(layer_mean("logits"), [naive_mean(one) for one in SCORES])


def test_deepdream_is_the_mean_square() -> None:
    same(deepdream("a"), [naive_mean(one**2) for one in NUMBERS])
    same(deepdream("logits"), [naive_mean(one**2) for one in SCORES])


def test_diversity_is_the_sum_over_partners() -> None:
    same(diversity("a"), naive_diversity(NUMBERS))


def test_diversity_of_faint_and_silent_layers_is_kept_finite_by_lucids_epsilon() -> None:
    same(diversity("a"), naive_diversity(3e-3 * NUMBERS), {"a": torch.tensor(3e-3 * NUMBERS)})
    same(diversity("a"), [0.0, 0.0], {"a": torch.zeros(2, 3, 4, 4, dtype=torch.float64)})


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_diversity_of_identical_images_counts_the_partners(batch: int) -> None:
    alike = torch.tensor(NUMBERS[:1]).expand(batch, -1, -1, -1)
    found = diversity("a")({"a": alike})
    np.testing.assert_allclose(found.numpy(), [batch - 1] * batch, atol=1e-9)


def test_mean_of_channel_minus_diversity_is_lucids_batch_value() -> None:
    grams = [naive_gram(one) for one in NUMBERS]
    likeness = sum(float((grams[i] * grams[j]).sum()) for i in range(BATCH) for j in range(BATCH) if i != j) / BATCH
    lucid = naive_mean(NUMBERS[:, 2]) - 100 * likeness
    found = (channel("a", 2) - 100 * diversity("a"))(ACTIVATIONS).mean()
    assert found.item() == pytest.approx(lucid, abs=1e-10)


def test_total_variation_sums_steps_between_neighbours() -> None:
    same(total_variation(), [naive_variation(one) for one in IMAGE])
    same(total_variation("a"), [naive_variation(one) for one in NUMBERS])
    corner = torch.tensor([[[[1.0, 0, 0], [0, 2, 0], [0, 0, 0]]]], dtype=torch.float64)
    same(total_variation(), [10.0], {"input": corner})


def test_total_variation_refuses_a_layer_without_positions() -> None:
    with pytest.raises(ObjectiveError, match="logits"):
        total_variation("logits")(ACTIVATIONS)


def test_l1_and_l2_measure_from_a_constant() -> None:
    same(L1(), [sum(abs(x) for x in one.reshape(-1)) for one in IMAGE])
    same(L1("a", constant=0.5), [sum(abs(x - 0.5) for x in one.reshape(-1)) for one in NUMBERS])
    same(L2(constant=0.5), [math.sqrt(1e-6 + sum((x - 0.5) ** 2 for x in one.reshape(-1))) for one in IMAGE])
    same(L2("a", epsilon=0.25), [math.sqrt(0.25 + sum(x**2 for x in one.reshape(-1))) for one in NUMBERS])
    same(L1("logits"), [sum(abs(x) for x in one) for one in SCORES])


def test_l2_has_a_finite_gradient_at_distance_zero() -> None:
    values = torch.full((1, 1, 2, 2), 0.5, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(L2(constant=0.5)({"input": values}).sum(), values)
    assert gradient.isfinite().all()


def test_each_gives_every_image_its_own() -> None:
    found = each(channel("a", 1), deepdream("a"), 2 * logit(3))
    same(found, [naive_mean(NUMBERS[0, 1]), naive_mean(NUMBERS[1] ** 2), 2 * SCORES[2, 3]])


def test_on_is_zero_elsewhere() -> None:
    same(channel("a", 1).on(2), [0, 0, naive_mean(NUMBERS[2, 1])])
    same(
        channel("a", 0) - (3 * logit(1)).on(0),
        [naive_mean(NUMBERS[i, 0]) - 3 * SCORES[i, 1] * (i == 0) for i in range(BATCH)],
    )


def test_on_gives_other_images_no_gradient() -> None:
    values = torch.tensor(NUMBERS, requires_grad=True)
    (gradient,) = torch.autograd.grad(deepdream("a").on(1)({"a": values}).sum(), values)
    assert gradient[1].abs().sum() > 0
    assert gradient[0].abs().sum() == 0
    assert gradient[2].abs().sum() == 0


def test_interpolate_walks_from_the_first_to_the_last_image() -> None:
    first, last = channel("a", 0), channel("a", 3)
    expected = [
        (1 - w) * naive_mean(NUMBERS[i, 0]) + w * naive_mean(NUMBERS[i, 3]) for i, w in enumerate((0.0, 0.5, 1.0))
    ]
    same(interpolate(first, last, 3), expected)


def test_negative_turns_the_sign() -> None:
    same(negative(channel("a", 2)), [-naive_mean(one[2]) for one in NUMBERS])


def test_all_equal_activations_give_captums_numbers() -> None:
    flat = {"a": torch.full((1, 2, 1, 1), 1.3, dtype=torch.float64)}
    same(channel("a", 0), [1.3], flat)
    same(deepdream("a"), [1.69], flat)
    same(L1("a"), [2.6], flat)
    same(L2("a", epsilon=0), [math.sqrt(2 * 1.69)], flat)


WRONG_UNITS: list[tuple[Callable[[], Objective], type[Exception], str]] = [
    (lambda: channel("a", 5), UnitError, "5 channels"),
    (lambda: channel("a", -1), UnitError, "0 to 4"),
    (lambda: channel("a", 1.0), ObjectiveError, "1.0"),  # type: ignore[arg-type]
    (lambda: channel("a", True), ObjectiveError, "True"),
    (lambda: channel("a", [1, 2]), ObjectiveError, "2 channels"),
    (lambda: neuron("a", 0, x=10), UnitError, "10 columns"),
    (lambda: neuron("a", 0, y=4), UnitError, "4 rows"),
    (lambda: neuron("a", 0, y=-1), UnitError, "4 rows"),
    (lambda: neuron("logits", 0, x=0), UnitError, "no positions"),
    (lambda: neuron("a", 0, t=0), UnitError, "no frames"),
    (lambda: neuron("tokens", 0), UnitError, r"no rows and columns, but values \[3, 5, 7\]"),
    (lambda: logit("cat"), UnknownLabelError, "cat"),
    (lambda: logit(6), UnitError, "6"),
    (lambda: direction("a", [1, 2]), UnitError, "5 channels"),
    (lambda: direction("a", [[1.0] * 5] * 2), ObjectiveError, "2 directions"),
    (lambda: channel("b", 0), UnknownLayerError, "'b'"),
    (lambda: channel("a", 0).on(3), ObjectiveError, "3"),
    (lambda: each(channel("a", 0), channel("a", 1)), ObjectiveError, "2"),
    (lambda: interpolate(channel("a", 0), channel("a", 1), 2), ObjectiveError, "2 images"),
]


@pytest.mark.parametrize(("make", "kind", "words"), WRONG_UNITS)
def test_what_is_not_there_is_refused_with_its_size(
    make: Callable[[], Objective], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        make()(ACTIVATIONS)


def test_logit_without_logits_is_refused() -> None:
    with pytest.raises((ObjectiveError, UnknownLayerError), match="logits"):
        logit(0)({"a": ACTIVATIONS["a"]})


@pytest.mark.parametrize(
    "make",
    [
        lambda: channel("a", 0).on(-1),
        lambda: channel("a", 0).on(True),
        lambda: interpolate(channel("a", 0), channel("a", 1), 1),
        lambda: interpolate(channel("a", 0), 3, 2),  # type: ignore[arg-type]
        lambda: each(),
        lambda: each(channel("a", 0), 3),  # type: ignore[arg-type]
        lambda: negative(3),  # type: ignore[arg-type]
    ],
)
def test_what_has_no_meaning_is_refused_when_it_is_written(make: Callable[[], Objective]) -> None:
    with pytest.raises(ObjectiveError):
        make()


@pytest.mark.parametrize(
    ("objective", "batch"),
    [
        (channel("a", 0), None),
        (channel("a", [0, 1, 2]), 3),
        (channel("a", 0).on(2), 3),
        (each(channel("a", 0), channel("a", 1)), 2),
        (interpolate(channel("a", 0), channel("a", 1), 4), 4),
        (each(channel("a", 0), channel("a", 1)) + channel("a", 0).on(0), 2),
        (direction("a", [[1.0, 2.0], [3.0, 4.0]]), 2),
        (direction("a", [1.0, 2.0]), None),
        (direction("a", torch.ones(4, 30)), 4),
        (logit(["a", "b"]), 2),
        (diversity("a"), None),
    ],
)
def test_an_objective_knows_how_many_images_it_speaks_of(objective: Objective, batch: int | None) -> None:
    assert objective.batch == batch


@pytest.mark.parametrize(
    "make",
    [
        lambda: each(channel("a", 0), channel("a", 1)) + channel("a", [0, 1, 2]),
        lambda: each(channel("a", 0), channel("a", 1)) - channel("a", 0).on(2),
    ],
)
def test_contradictions_about_the_number_of_images_are_refused(make: Callable[[], Objective]) -> None:
    with pytest.raises(ObjectiveError):
        _ = make().batch
