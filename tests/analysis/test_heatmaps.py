from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lucidtorch.analysis import grad_cam, grad_cam_plus_plus, layer_cam, upscaled
from lucidtorch.base.errors import BadInputError

Method: TypeAlias = Callable[[Tensor, Tensor], Tensor]
METHODS: dict[str, Method] = {
    "grad_cam": grad_cam,
    "grad_cam_plus_plus": grad_cam_plus_plus,
    "layer_cam": layer_cam,
}


def drawn(seed: int, shape: tuple[int, ...] = (2, 3, 4, 5)) -> tuple[Tensor, Tensor]:
    """Activations from 0 up, some of them 0, and gradients of both signs, some of them 0."""
    generator = torch.Generator().manual_seed(seed)
    activations = torch.randn(shape, generator=generator, dtype=torch.float64).relu()
    gradients = torch.randn(shape, generator=generator, dtype=torch.float64)
    return activations, gradients * (torch.rand(shape, generator=generator) > 0.2)


def by_loops(method: str, activations: Tensor, gradients: Tensor) -> Tensor:
    """The papers' formulas, place by place."""
    images, channels, height, width = activations.shape
    found = torch.zeros(images, height, width, dtype=torch.float64)
    places = [(row, column) for row in range(height) for column in range(width)]
    for image in range(images):
        for row, column in places:
            total = 0.0
            for channel in range(channels):
                own, slope = activations[image, channel], gradients[image, channel]
                if method == "grad_cam":
                    weight = sum(float(slope[at]) for at in places) / len(places)
                elif method == "layer_cam":
                    weight = max(0.0, float(slope[row, column]))
                else:
                    mass = sum(float(own[at]) for at in places)
                    weight = 0.0
                    for at in places:
                        second, third = float(slope[at]) ** 2, float(slope[at]) ** 3
                        below = 2 * second + mass * third
                        alpha = second / below if below != 0 else 0.0
                        weight += alpha * max(0.0, float(slope[at]))
                total += weight * float(own[row, column])
            found[image, row, column] = max(0.0, total)
    return found


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("seed", range(4))
def test_a_map_is_the_formula_written_with_loops(name: str, seed: int) -> None:
    activations, gradients = drawn(seed)
    wanted = by_loops(name, activations, gradients)
    assert wanted.max() > 0
    torch.testing.assert_close(METHODS[name](activations, gradients), wanted)


def test_grad_cam_of_a_linear_layer_over_means_is_the_class_activation_map() -> None:
    activations, _ = drawn(7, (1, 6, 5, 7))
    weights = torch.randn(3, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    leaf = activations.clone().requires_grad_(True)
    score = (weights @ leaf.mean((2, 3))[0])[1]
    gradients = torch.autograd.grad(score, leaf)[0]
    cam = sum(float(weights[1, channel]) * activations[:, channel] for channel in range(6))
    torch.testing.assert_close(grad_cam(activations, gradients), torch.as_tensor(cam).clamp(min=0) / (5 * 7))


@pytest.mark.parametrize("name", METHODS)
@given(seed=st.integers(0, 10**6))
def test_a_map_is_finite_from_zero_up_and_of_each_image_alone(name: str, seed: int) -> None:
    activations, gradients = drawn(seed, (2, 3, 2, 3))
    found = METHODS[name](activations, gradients)
    assert found.shape == (2, 2, 3)
    assert bool((found >= 0).all())
    assert bool(found.isfinite().all())
    torch.testing.assert_close(found[1:], METHODS[name](activations[1:], gradients[1:]))


def test_no_gradient_is_no_heat_and_a_zero_below_divides_nothing() -> None:
    activations, _ = drawn(0)
    for method in METHODS.values():
        assert not bool(method(activations, torch.zeros_like(activations)).any())
    below = torch.tensor([[[[-2.0, 0.0]]]])  # 2 + Σ A · g is 0 where g is 1
    assert grad_cam_plus_plus(below, torch.tensor([[[[1.0, 0.0]]]])).tolist() == [[[0.0, 0.0]]]


def test_a_class_of_one_place_and_one_of_many_weigh_the_same_in_grad_cam_plus_plus_only() -> None:
    activations = torch.zeros(1, 2, 4, 4)
    activations[0, 0, 0, 0] = 1.0
    activations[0, 1, 1:, :] = 1.0
    gradients = torch.full_like(activations, 1e-3) * (activations > 0)
    plain, plus = grad_cam(activations, gradients)[0], grad_cam_plus_plus(activations, gradients)[0]
    assert float(plain[3, 3] / plain[0, 0]) == pytest.approx(12)
    assert float(plus[3, 3] / plus[0, 0]) == pytest.approx(12, rel=0.01)  # the small slopes leave alpha near 1/2
    steep = gradients * 1e4
    plus = grad_cam_plus_plus(activations, steep)[0]
    assert float(plus[3, 3] / plus[0, 0]) == pytest.approx((12 * 10 / 122) / (10 / 12))


def test_cells_are_even_shares_of_the_picture() -> None:
    found = upscaled(torch.tensor([[[0.0, 1.0]]]), (1, 8))
    wanted = [0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1]  # the middles of the cells are at 2 and 6
    torch.testing.assert_close(found, torch.tensor([[wanted]]))


@pytest.mark.parametrize("name", METHODS)
def test_shapes_that_do_not_fit_are_refused(name: str) -> None:
    with pytest.raises(BadInputError, match=r"\[B, C, H, W\] .* but a tensor \[2, 3\]"):
        METHODS[name](torch.zeros(2, 3), torch.zeros(2, 3))
    with pytest.raises(BadInputError, match="rows and columns"):
        METHODS[name](torch.zeros(1, 2, 3, 3), torch.zeros(1, 2, 3, 4))
    with pytest.raises(BadInputError, match=r"\[B, H, W\]"):
        upscaled(torch.zeros(3, 3), (6, 6))
