"""One battery over every constraint of the notation: one without an example here fails it."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest
import torch
from constraint_oracles import blurred, cleared, decayed, in_cube, in_sphere
from torch import Tensor

from lucidtorch.base.arrays import Array
from lucidtorch.constraints import (
    Constraint,
    Constraints,
    Moment,
    blur,
    clip_contribution,
    clip_norm,
    decay,
    l2_ball,
    linf_ball,
    parse,
    yosinski,
)
from lucidtorch.constraints.text import VOCABULARY

CENTRE = np.random.default_rng(4).uniform(size=(3, 6, 7))  # too many numbers for a text
SMALL = [[[0.5, 0.25], [0.125, 1.0]]]  # one channel of 2 x 2
# By word: the constraint, its text, and what it makes of (images, zero, gradient, step) by the naive formula.
EXAMPLES = {
    "decay": [(decay(0.3), "decay(0.3)", decayed(0.3)), (decay(rate=1), "decay(1)", decayed(1))],
    "blur": [
        (blur(0.5), "blur(0.5)", blurred(0.5, 4)),
        (blur(1.7, every=1), "blur(1.7, every=1)", blurred(1.7, 1)),
    ],
    "clip_norm": [
        (clip_norm(50), "clip_norm(50)", cleared(50)),
        (clip_norm(12.5), "clip_norm(12.5)", cleared(12.5)),
    ],
    "clip_contribution": [
        (clip_contribution(90), "clip_contribution(90)", cleared(90, by_gradient=True)),
        (clip_contribution(33), "clip_contribution(33)", cleared(33, by_gradient=True)),
    ],
    "l2_ball": [
        (l2_ball(0.5), "l2_ball(0.5)", in_sphere(0.5)),
        (l2_ball(100), "l2_ball(100)", in_sphere(100)),
        (l2_ball(0), "l2_ball(0)", in_sphere(0)),
    ],
    "linf_ball": [(linf_ball(0.1), "linf_ball(0.1)", in_cube(0.1)), (linf_ball(0), "linf_ball(0)", in_cube(0))],
    "yosinski": [
        (yosinski(1), "blur(0.5) | clip_norm(50)", lambda *a: cleared(50)(blurred(0.5, 4)(*a), *a[1:])),
        (yosinski(2), "decay(0.3) | clip_norm(20)", lambda *a: cleared(20)(decayed(0.3)(*a), *a[1:])),
        (yosinski(3), "decay(0.0001) | blur(1.0)", lambda *a: blurred(1.0, 4)(decayed(0.0001)(*a), *a[1:])),
        (
            yosinski(4),
            "blur(0.5) | clip_contribution(90)",
            lambda *a: cleared(90, by_gradient=True)(blurred(0.5, 4)(*a), *a[1:]),
        ),
    ],
}
ALL = [example for examples in EXAMPLES.values() for example in examples]
each_example = pytest.mark.parametrize(("constraint", "text", "by_hand"), ALL, ids=[one[1] for one in ALL])
each_constraint = pytest.mark.parametrize("constraint", [one[0] for one in ALL], ids=[one[1] for one in ALL])
SHAPES = [(3, 6, 7), (1, 65, 65), (7, 9, 12), (3, 64, 96), (1, 1, 1), (3, 4, 6, 7), (7, 3, 9, 5)]


def given(shape: tuple[int, ...], kind: torch.dtype = torch.float64, step: int = 1) -> tuple[Tensor, Moment]:
    """Two images, and what is known when they are constrained."""
    dice = torch.Generator().manual_seed(sum(shape))
    images = torch.rand(2, *shape, generator=dice, dtype=torch.float64).to(kind)
    gradient = torch.randn(2, *shape, generator=dice, dtype=torch.float64).to(kind)
    return images, Moment(step, torch.linspace(0.3, 0.6, shape[0], dtype=kind), gradient)


def test_every_constraint_has_an_example() -> None:
    assert set(EXAMPLES) == set(VOCABULARY.names)


@each_example
@pytest.mark.parametrize("shape", [(3, 6, 7), (1, 5, 4), (7, 5, 3), (2, 3, 4, 5)])
@pytest.mark.parametrize("step", [1, 2, 4, 5])
def test_its_value_by_hand(
    constraint: Constraint | Constraints, text: str, by_hand: object, shape: tuple[int, ...], step: int
) -> None:
    images, moment = given(shape, step=step)
    expected = by_hand(images.numpy(), moment.zero.numpy(), moment.gradient.numpy(), step)  # type: ignore[operator]
    np.testing.assert_allclose(constraint.apply(images, moment).numpy(), expected, rtol=0, atol=1e-10)


@each_example
def test_its_text_reads_back(constraint: Constraint | Constraints, text: str, by_hand: object) -> None:
    assert repr(constraint) == text
    again = parse(text)
    assert again == Constraints.of(constraint)
    assert hash(again) == hash(Constraints.of(constraint))
    assert repr(again) == text


@each_constraint
def test_it_is_a_value(constraint: Constraint | Constraints) -> None:
    for again in (copy.deepcopy(constraint), pickle.loads(pickle.dumps(constraint))):
        assert again == constraint
        assert hash(again) == hash(constraint)
        assert repr(again) == repr(constraint)
    with pytest.raises((FrozenInstanceError, AttributeError)):
        constraint.anything = 3  # type: ignore[union-attr]


@each_constraint
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_kind_shape_range_and_device_are_kept(
    constraint: Constraint | Constraints, kind: torch.dtype, shape: tuple[int, ...]
) -> None:
    images, moment = given(shape, kind)
    found = constraint.apply(images, moment)
    assert found.dtype == kind
    assert found.shape == images.shape
    assert found.device == images.device
    assert found.min() >= 0
    assert found.max() <= 1
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(constraint.apply(images, moment), found)


@pytest.mark.parametrize("constraint", [decay(0.3), clip_norm(50), clip_contribution(90), l2_ball(1), linf_ball(0.1)])
def test_images_on_another_device_stay_there(constraint: Constraint) -> None:
    """The device that holds no numbers stands for any other one; convolutions do not run there."""
    images, moment = given((3, 6, 7))
    there = Moment(1, moment.zero.to("meta"), moment.gradient.to("meta"))
    assert constraint.apply(images.to("meta"), there).device.type == "meta"


@each_constraint
@pytest.mark.parametrize("shape", [(3, 64, 96), (1, 65, 65), (3, 4, 6, 7)])
def test_each_image_stands_on_its_own(constraint: Constraint | Constraints, shape: tuple[int, ...]) -> None:
    images, moment = given(shape, torch.float32)
    together = constraint.apply(images, moment)
    swapped = constraint.apply(images.flip(0), Moment(moment.step, moment.zero, moment.gradient.flip(0)))
    assert torch.equal(swapped.flip(0), together)
    for place in range(2):
        own = slice(place, place + 1)
        alone = constraint.apply(images[own], Moment(moment.step, moment.zero, moment.gradient[own]))
        torch.testing.assert_close(alone, together[own], rtol=0, atol=1e-6)


@each_constraint
def test_a_replay_is_bit_identical_and_the_images_that_go_in_stay(constraint: Constraint | Constraints) -> None:
    images, moment = given((3, 64, 96), torch.float32)
    kept, dice = images.clone(), torch.get_rng_state()
    first = constraint.apply(images, moment)
    assert torch.equal(constraint.apply(images, moment), first)
    assert torch.equal(images, kept)
    assert torch.equal(torch.get_rng_state(), dice)


@each_constraint
def test_frames_of_a_still_clip_stay_alike(constraint: Constraint | Constraints) -> None:
    images, moment = given((3, 9, 12))
    count = 4
    clip = images[:, :, None].expand(-1, -1, count, -1, -1)
    gradient = moment.gradient[:, :, None].expand_as(clip)
    found = constraint.apply(clip, Moment(1, moment.zero, gradient))
    assert torch.equal(found, found[:, :, :1].expand_as(found))


@each_constraint
def test_it_joins_with_others(constraint: Constraint | Constraints) -> None:
    images, moment = given((3, 6, 7))
    joined = constraint | decay(0.5)
    assert joined == Constraints.of([constraint, decay(0.5)])
    assert repr(joined) == f"{constraint!r} | decay(0.5)"
    assert torch.equal(joined.apply(images, moment), decay(0.5).apply(constraint.apply(images, moment), moment))
    assert (decay(0.5) | constraint).steps[0] == decay(0.5)


@each_constraint
def test_what_needs_no_gradient_works_without(constraint: Constraint | Constraints) -> None:
    images, moment = given((3, 6, 7))
    bare = Moment(moment.step, moment.zero)
    if not constraint.needs_gradient:
        assert torch.equal(constraint.apply(images, bare), constraint.apply(images, moment))
        return
    with pytest.raises(ValueError, match="needs the gradient"):
        constraint.apply(images, bare)


@pytest.mark.parametrize(
    "constraint", [decay(0), blur(0), clip_norm(0), clip_contribution(0), l2_ball(1e3), linf_ball(1)]
)
@pytest.mark.parametrize("shape", [(3, 6, 7), (1, 65, 65), (3, 4, 6, 7)])
def test_of_no_strength_it_leaves_images_as_they_are(constraint: Constraint, shape: tuple[int, ...]) -> None:
    images, moment = given(shape)
    torch.testing.assert_close(constraint.apply(images, moment), images, rtol=0, atol=1e-12)


@pytest.mark.parametrize("ball", [l2_ball, linf_ball])
@pytest.mark.parametrize("centre", [CENTRE, CENTRE[None].repeat(2, 0)])
def test_a_ball_lies_around_its_centre(ball: type[l2_ball | linf_ball], centre: np.ndarray, tmp_path: Path) -> None:
    images, moment = given((3, 6, 7))
    constraint = ball(0.2, centre=centre)
    oracle = in_sphere if ball is l2_ball else in_cube
    kept = np.broadcast_to(centre.astype(np.float32).astype(np.float64), images.shape)
    found = constraint.apply(images, moment).numpy()
    np.testing.assert_allclose(found, oracle(0.2, kept)(images.numpy(), None, None, 1), rtol=0, atol=1e-10)
    (array,) = (constraint | decay(0.1)).arrays
    assert array == Array.of(centre)
    array.save(tmp_path)
    assert parse(repr(constraint), tmp_path) == Constraints((constraint,))


def test_a_small_centre_stands_in_the_text() -> None:
    constraint = linf_ball(0.25, centre=SMALL)
    assert repr(constraint) == "linf_ball(0.25, centre=[[[0.5, 0.25], [0.125, 1.0]]])"
    assert parse(repr(constraint)) == Constraints((constraint,))
    found = constraint.apply(torch.zeros(2, 1, 2, 2), Moment(1, torch.zeros(1)))
    assert torch.equal(found[1], torch.tensor([[[0.25, 0.0], [0.0, 0.75]]]))


def test_a_ball_of_radius_zero_gives_the_centre_and_no_nan() -> None:
    centre = torch.full((1, 2, 2), 0.5)
    found = l2_ball(0, centre=centre).apply(centre[None].clone(), Moment(1, torch.zeros(1)))
    assert torch.equal(found, centre[None])
