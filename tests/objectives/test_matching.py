"""Objectives that compare with a picture: their ends, cut maps, gradients and refusals."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lucidtorch.base.errors import ImageError, ObjectiveError, UnknownLayerError
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.matching import (
    activation_difference,
    caricature,
    input_difference,
    inversion,
    spatial_match,
    style,
)
from lucidtorch.objectives.references import reference

PICTURE = torch.rand((3, 6, 8), generator=torch.Generator().manual_seed(1))
COMPARISONS = [inversion, caricature, spatial_match, activation_difference, style]
DISTANCES = [inversion("a", PICTURE), activation_difference("a", PICTURE), style("a", PICTURE)]


def noise(*shape: int, seed: int = 2) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def mapping(found: Tensor, given: Tensor) -> dict[str, Tensor]:
    return {"a": found, reference("a", PICTURE): given}


@pytest.mark.parametrize("goal", DISTANCES, ids=lambda goal: goal.name)
def test_a_distance_is_positive_and_zero_for_the_picture_itself(goal: Objective) -> None:
    given = noise(1, 4, 3, 5)
    found = goal(mapping(torch.cat([given, given + noise(1, 4, 3, 5, seed=3)]), given))
    assert found[0] == 0
    assert found[1] > 0


def test_inversion_of_a_silent_layer_is_one_and_scale_does_not_count() -> None:
    found, given = noise(2, 4, 3, 5), noise(1, 4, 3, 5, seed=3)
    torch.testing.assert_close(
        inversion("a", PICTURE)(mapping(torch.zeros_like(found), given)), torch.ones(2, dtype=torch.float64)
    )
    torch.testing.assert_close(
        inversion("a", PICTURE)(mapping(1e3 * found, 1e3 * given)), inversion("a", PICTURE)(mapping(found, given))
    )


def test_a_picture_that_leaves_a_layer_silent_gives_finite_values() -> None:
    silent = mapping(noise(2, 4, 3, 5).requires_grad_(True), torch.zeros(1, 4, 3, 5, dtype=torch.float64))
    for make in COMPARISONS:
        found = make("a", PICTURE)(silent)
        (gradient,) = torch.autograd.grad(found.sum(), silent["a"])
        assert found.isfinite().all()
        assert gradient.isfinite().all()


def test_caricature_measures_in_lengths_of_the_pictures_whole_layer() -> None:
    given = noise(1, 4, 3, 5)
    square = given.square().sum()
    torch.testing.assert_close(caricature("a", PICTURE)(mapping(2 * given, given))[0], 2 * square)
    torch.testing.assert_close(
        caricature("a", PICTURE, cossim_pow=2)(mapping(2 * given, given))[0],
        2 * square * (2 * square / (1e-6 + square.sqrt())) ** 2,
    )


def test_caricature_of_what_is_unlike_the_picture_still_pulls() -> None:
    given = noise(1, 4, 3, 5)
    found = (-given).requires_grad_(True)
    value = caricature("a", PICTURE, cossim_pow=1)(mapping(found, given))
    (gradient,) = torch.autograd.grad(value.sum(), found)
    torch.testing.assert_close(value[0], -0.1 * given.square().sum())
    torch.testing.assert_close(gradient, 0.1 * given)


def test_spatial_match_counts_channels_at_places_and_not_their_strength() -> None:
    given = noise(1, 4, 3, 5)
    strength = torch.linspace(1, 9, 15, dtype=torch.float64).reshape(3, 5)
    found = spatial_match("a", PICTURE)(mapping(torch.cat([strength * given, -given]), given))
    torch.testing.assert_close(found, torch.tensor([1.0, -1.0], dtype=torch.float64), rtol=0, atol=2e-3)
    turned = spatial_match("a", PICTURE)(mapping(given.flip(3), given))
    assert turned.item() < 0.9


def test_the_larger_map_is_cut_to_its_middle() -> None:
    found, given = noise(2, 4, 7, 4), noise(1, 4, 4, 9, seed=3)
    rows, columns = slice(1, 5), slice(2, 6)  # (7 - 4) // 2 = 1, (9 - 4) // 2 = 2
    for make in (inversion, caricature, spatial_match, activation_difference):
        goal = make("a", PICTURE)
        cut = goal(mapping(found[:, :, rows], given[..., columns]))
        assert torch.equal(goal(mapping(found, given)), cut)


def test_each_image_is_compared_with_its_own_picture() -> None:
    two = torch.stack([PICTURE, 1 - PICTURE])
    found, given = noise(2, 4, 3, 5), noise(2, 4, 3, 5, seed=3)
    for make in COMPARISONS:
        goal = make("a", two)
        assert goal.batch == 2
        together = goal({"a": found, reference("a", two): given})
        apart = [make("a", PICTURE)(mapping(found[i : i + 1], given[i : i + 1])) for i in (0, 1)]
        torch.testing.assert_close(together, torch.cat(apart))


@pytest.mark.parametrize("make", COMPARISONS)
def test_the_picture_gets_no_gradient(make: type) -> None:
    found, given = noise(2, 4, 3, 5).requires_grad_(True), noise(1, 4, 3, 5, seed=3).requires_grad_(True)
    value = make("a", PICTURE)(mapping(found, given)).sum()
    of_found, of_given = torch.autograd.grad(value, [found, given], allow_unused=True)
    assert of_found.abs().sum() > 0
    assert of_given is None


def test_input_difference_compares_with_the_picture_itself() -> None:
    image = torch.stack([PICTURE, PICTURE + 0.25]).double()
    found = input_difference(PICTURE)({"input": image})
    torch.testing.assert_close(found, torch.tensor([0, 0.25], dtype=torch.float64))


def test_input_difference_has_no_gradient_at_the_picture() -> None:
    image = PICTURE[None].double().requires_grad_(True)
    (gradient,) = torch.autograd.grad(input_difference(PICTURE)({"input": image}).sum(), image)
    assert gradient.abs().max() == 0


def test_a_picture_of_another_size_is_refused_by_input_difference() -> None:
    with pytest.raises(ObjectiveError, match="the picture has 6 x 8 and the render 6 x 9"):
        input_difference(PICTURE)({"input": noise(1, 3, 6, 9)})


@pytest.mark.parametrize("make", COMPARISONS)
def test_what_does_not_fit_is_refused(make: type) -> None:
    three = torch.stack([PICTURE] * 3)
    with pytest.raises(ObjectiveError, match="3 pictures were given for 2 images"):
        make("a", three)({"a": noise(2, 4, 3, 5), reference("a", three): noise(3, 4, 3, 5)})
    with pytest.raises(ObjectiveError, match="channels"):
        make("a", PICTURE)(mapping(noise(2, 4, 3, 5), noise(1, 1, 3, 5)))
    with pytest.raises(UnknownLayerError, match="'a' for the given picture"):
        make("a", PICTURE)({"a": noise(2, 4, 3, 5)})
    with pytest.raises(ImageError, match="divide by 255"):
        make("a", 255 * PICTURE)({"a": noise(2, 4, 3, 5)})
