"""Penalties: their values by hand, gradients where they are flat, and what is refused."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lucidtorch.base.errors import ExpressionError, ObjectiveError
from lucidtorch.objectives import parse
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.penalties import (
    L1,
    L2,
    Linf,
    Lp,
    alpha_coverage,
    alpha_norm,
    blur_alpha,
    blur_input,
    blurred,
    boundary_complexity,
    contrast_bound,
    total_variation,
    tv_beta,
)

EXTREMES = torch.tensor([-4.0, 4.0, 4.0, -4.0], dtype=torch.float64).reshape(1, 1, 2, 2)
numbers = st.lists(st.floats(-100, 100, allow_subnormal=False), min_size=1, max_size=12)


def value(goal: Objective, values: Tensor) -> float:
    return goal({"input": values}).item()


def test_they_give_xpliques_numbers() -> None:
    assert value(Lp(p=1), EXTREMES) == pytest.approx(4, abs=1e-12)
    assert value(2 * Lp(p=2), EXTREMES) == pytest.approx(8, abs=1e-12)
    assert value(10 * Linf(), EXTREMES) == pytest.approx(40, abs=1e-12)


def test_they_give_captums_numbers() -> None:
    equal = torch.full((1, 2, 1, 1), 1.3, dtype=torch.float64)
    assert value(L1(), equal) == pytest.approx(2.6, abs=1e-12)
    assert value(L2(epsilon=0), equal) == pytest.approx((2 * 1.69) ** 0.5, abs=1e-12)
    assert value(alpha_norm(alpha=2, mean=0), equal) == pytest.approx(2 * 1.69, abs=1e-12)


@given(numbers, st.floats(1, 12), st.floats(0.01, 50))
def test_lp_grows_with_its_values_and_lies_between_the_mean_and_the_largest(
    values: list[float], power: float, factor: float
) -> None:
    image = torch.tensor([values], dtype=torch.float64)
    found = value(Lp(p=power), image)
    assert value(Lp(p=1), image) - 1e-9 <= found <= value(Linf(), image) + 1e-9
    assert value(Lp(p=power), factor * image) == pytest.approx(factor * found, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_lp_of_a_high_power_stays_in_the_range_of_the_numbers(kind: torch.dtype) -> None:
    image = torch.tensor([[-300.0, 200.0, 0.0, 1.0]], dtype=kind, requires_grad=True)
    found = Lp(p=200)({"input": image})
    (gradient,) = torch.autograd.grad(found.sum(), image)
    assert found.item() == pytest.approx(300 / 4 ** (1 / 200), rel=1e-2)
    assert gradient.isfinite().all()


def test_lp_has_no_gradient_at_distance_zero() -> None:
    flat = torch.full((1, 3, 2, 2), 0.5, dtype=torch.float64, requires_grad=True)
    for power in (1, 1.5, 2, 6):
        (gradient,) = torch.autograd.grad(Lp(p=power, constant=0.5)({"input": flat}).sum(), flat)
        assert torch.equal(gradient, torch.zeros_like(flat))


@given(st.lists(st.floats(0.05, 0.95), min_size=1, max_size=9))
def test_contrast_is_free_inside_the_band(values: list[float]) -> None:
    assert value(contrast_bound(), torch.tensor([values], dtype=torch.float64)) == pytest.approx(0, abs=1e-30)


def test_contrast_beyond_the_band_is_pushed_back() -> None:
    image = torch.tensor([[0.0, 0.3, 1.0]], dtype=torch.float64, requires_grad=True)
    found = contrast_bound(bound=0.3)({"input": image})
    (gradient,) = torch.autograd.grad(found.sum(), image)
    assert found.item() == pytest.approx(0.2**2 + 0.2**2, abs=1e-12)
    torch.testing.assert_close(gradient, torch.tensor([[-0.4, 0, 0.4]], dtype=torch.float64))


def test_clips_and_vectors_are_measured_as_maps_are() -> None:
    flat = torch.linspace(-2, 2, 48, dtype=torch.float64).reshape(2, 24)
    for goal in (L1(), L2(), Lp(), Linf(), alpha_norm(), contrast_bound()):
        as_clip, as_map = flat.reshape(2, 3, 2, 2, 2), flat.reshape(2, 3, 2, 4)
        torch.testing.assert_close(goal({"input": as_clip}), goal({"input": flat}), rtol=0, atol=1e-12)
        torch.testing.assert_close(goal({"input": as_map}), goal({"input": flat}), rtol=0, atol=1e-12)


@pytest.mark.parametrize("text", ["Lp(p=0.5)", "alpha_norm(alpha=0)", "contrast_bound(bound=-0.1)"])
def test_arguments_without_a_meaning_are_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match=r"=\) takes a number from [01], but (0.5|0|-0.1) was given"):
        parse(text)


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


def test_other_arguments_without_a_meaning_are_refused() -> None:
    with pytest.raises(ObjectiveError, match=r"but 0.5 was given"):
        tv_beta(beta=0.5)({"input": noise(1, 3, 4, 4)})
    for width in (0, True):
        with pytest.raises(ObjectiveError, match=rf"whole number from 1, but {width} was given"):
            boundary_complexity(width=width)


IMAGE = torch.rand((2, 4, 6, 5), generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def test_coverage_runs_from_nothing_to_all() -> None:
    image = IMAGE.clone()
    image[0, -1], image[1, -1] = 0, 1
    torch.testing.assert_close(alpha_coverage()({"input": image}), torch.tensor([0.0, 1.0], dtype=torch.float64))


@pytest.mark.parametrize("goal", [alpha_coverage(), blur_alpha()])
def test_only_the_last_channel_counts(goal: object) -> None:
    other = IMAGE.clone()
    other[:, :-1] = 0.25
    assert torch.equal(goal({"input": IMAGE}), goal({"input": other}))
    grey = IMAGE[:, -2:]
    assert torch.equal(goal({"input": grey}), goal({"input": IMAGE}))


def test_blur_alpha_is_blur_input_of_the_opacity() -> None:
    assert torch.equal(blur_alpha()({"input": IMAGE}), blur_input()({"input": IMAGE[:, -1:]}))


@pytest.mark.parametrize("goal", [alpha_coverage(), blur_alpha()])
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_without_opacity_are_refused(goal: object, channels: int) -> None:
    with pytest.raises(ObjectiveError, match=f"2 or 4 channels, but 'input' has {channels}; .*alpha=True"):
        goal({"input": IMAGE[:, :channels]})
