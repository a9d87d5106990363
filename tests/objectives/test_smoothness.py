"""Penalties on roughness: published numbers, the blur, borders, clips and refusals."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lucidtorch.base.errors import ObjectiveError
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.penalties import blur_input, blurred, boundary_complexity, total_variation, tv_beta

KIND = torch.float64


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=KIND)


def gradient(goal: Objective, image: Tensor) -> Tensor:
    image = image.clone().requires_grad_(True)
    return torch.autograd.grad(goal({"input": image}).sum(), image)[0]


def test_total_variation_gives_xpliques_number() -> None:
    corner = torch.tensor([[[[1.0, 0, 0], [0, 2, 0], [0, 0, 0]]]], dtype=KIND)
    assert total_variation()({"input": corner}).item() == 10


def test_tv_beta_leaves_out_the_last_row_and_column() -> None:
    corner = torch.tensor([[[[1.0, 0, 0], [0, 2, 0], [0, 0, 0]]]], dtype=KIND)
    # right and down, place by place: (-1, -1), (0, 2); (2, 0), (-2, -2)
    assert tv_beta()({"input": corner}).item() == pytest.approx(2 + 4 + 4 + 8, abs=1e-12)
    assert tv_beta(beta=4)({"input": corner}).item() == pytest.approx(4 + 16 + 16 + 64, abs=1e-12)


def test_tv_beta_of_a_clip_has_a_square_for_the_next_frame() -> None:
    clip = noise(1, 1, 2, 2, 2)
    here = clip[0, 0, 0, 0, 0]
    steps = [clip[0, 0, 1, 0, 0] - here, clip[0, 0, 0, 1, 0] - here, clip[0, 0, 0, 0, 1] - here]
    expected = sum(step**2 for step in steps) ** 0.5
    torch.testing.assert_close(tv_beta(beta=1)({"input": clip})[0], expected)


@pytest.mark.parametrize("beta", [1, 1.5, 2, 3])
def test_a_flat_picture_is_smooth_and_has_no_gradient(beta: float) -> None:
    flat = torch.full((2, 3, 4, 5), 0.3, dtype=KIND)
    goal = tv_beta(beta=beta) + total_variation() + blur_input()
    assert goal({"input": flat}).abs().max() < 1e-28
    assert gradient(goal, flat).abs().max() < 1e-14


def test_the_narrow_blur_of_a_point_is_a_fifth_in_the_middle_and_a_tenth_around_it() -> None:
    point = torch.zeros(1, 1, 5, 7, dtype=KIND)
    point[..., 2, 3] = 1
    expected = torch.zeros_like(point)
    expected[..., 1:4, 2:5] = 0.1
    expected[..., 2, 3] = 0.2
    torch.testing.assert_close(blurred(point, 3), expected)


def test_the_broad_blur_of_a_point_weighs_its_rim_half() -> None:
    point = torch.zeros(1, 1, 9, 9, dtype=KIND)
    point[..., 4, 4] = 1
    expected = torch.zeros_like(point)
    expected[..., 2:7, 2:7] = 0.5 / 17
    expected[..., 3:6, 3:6] = 1 / 17
    torch.testing.assert_close(blurred(point, 5), expected)


@pytest.mark.parametrize("width", [3, 5])
@pytest.mark.parametrize("shape", [(2, 3, 6, 5), (1, 2, 3, 6, 4), (1, 1, 1, 1)])
def test_the_blur_of_a_constant_is_that_constant_up_to_the_edge(width: int, shape: tuple[int, ...]) -> None:
    flat = torch.full(shape, 0.7, dtype=KIND)
    torch.testing.assert_close(blurred(flat, width), flat)


def test_subtracting_blur_input_moves_a_picture_toward_its_blur() -> None:
    image, share = noise(2, 3, 6, 5), 0.25
    moved = image + gradient(-share * blur_input(), image)
    torch.testing.assert_close(moved, (1 - share) * image + share * blurred(image, 3))


def test_only_the_boundary_is_complex() -> None:
    image = torch.full((1, 3, 12, 14), 0.5, dtype=KIND)
    image[..., 5:7, 5:9] = 1
    assert boundary_complexity(width=3)({"input": image}).item() == pytest.approx(0, abs=1e-28)
    slope = gradient(boundary_complexity(width=2), noise(1, 3, 12, 14))
    assert slope[..., :2, :].abs().min() > 0
    assert slope[..., 4:-4, 4:-4].abs().max() == 0  # the blur reaches two places beyond the border


def test_a_border_wider_than_the_picture_is_all_of_it() -> None:
    image = noise(2, 3, 6, 5)
    wide, just = boundary_complexity()({"input": image}), boundary_complexity(width=3)({"input": image})
    assert torch.equal(wide, just)


@pytest.mark.parametrize("make", [total_variation, tv_beta, blur_input, boundary_complexity])
def test_a_layer_without_positions_is_refused(make: type) -> None:
    with pytest.raises(ObjectiveError, match="'logits' has no positions"):
        make("logits")({"logits": noise(2, 5)})


def test_arguments_without_a_meaning_are_refused() -> None:
    with pytest.raises(ObjectiveError, match=r"but 0.5 was given"):
        tv_beta(beta=0.5)({"input": noise(1, 3, 4, 4)})
    for width in (0, True):
        with pytest.raises(ObjectiveError, match=rf"whole number from 1, but {width} was given"):
            boundary_complexity(width=width)
