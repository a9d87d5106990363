"""One battery over every transform of the notation: one without an example here fails it."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
import torch
from torch import Tensor

from lucidtorch.base.errors import BadInputError, ExpressionError
from lucidtorch.base.seeds import generators
from lucidtorch.transforms import Pipeline, crop_or_pad_to, identity, jitter, pad, parse, rotate, scale, standard
from lucidtorch.transforms.text import VOCABULARY
from lucidtorch.transforms.transform import Transform

EXAMPLES: dict[str, list[tuple[Transform | Pipeline, str]]] = {
    "pad": [(pad(3), "pad(3)"), (pad(2, value=0.25), "pad(2, value=0.25)"), (pad(2, 0), "pad(2, value=0)")],
    "jitter": [(jitter(4), "jitter(4)"), (jitter(5), "jitter(5)")],
    "scale": [(scale(0.7, 1.3), "scale(0.7, 1.3)"), (scale(low=1, high=2), "scale(1, 2)")],
    "rotate": [(rotate(-20, 35), "rotate(-20, 35)"), (rotate(-0.5, 0.5), "rotate(-0.5, 0.5)")],
    "crop_or_pad_to": [(crop_or_pad_to(5, 14), "crop_or_pad_to(5, 14)")],
    "identity": [(identity(), "identity()")],
    "standard": [(standard(), "pad(12) | jitter(8) | scale(0.9, 1.1) | rotate(-10, 10) | jitter(4)")],
}
ALL = [(one, text) for examples in EXAMPLES.values() for one, text in examples]
each_transform = pytest.mark.parametrize(("transform", "text"), ALL, ids=[text for _, text in ALL])
SEEDS = (3, 8)


def applied(transform: Transform | Pipeline, images: Tensor, seeds: tuple[int, ...] = SEEDS) -> Tensor:
    draws = transform.sample(images.shape, generators(seeds, "transforms"))
    return transform.apply(images, draws)


def test_every_transform_has_an_example() -> None:
    assert set(EXAMPLES) == set(VOCABULARY.names)


@each_transform
def test_its_text_reads_back(transform: Transform | Pipeline, text: str) -> None:
    assert repr(transform) == text
    again = parse(text)
    assert again == Pipeline.of(transform)
    assert hash(again) == hash(Pipeline.of(transform))
    assert repr(again) == text


@each_transform
def test_it_is_a_value(transform: Transform | Pipeline, text: str) -> None:
    for again in (copy.deepcopy(transform), pickle.loads(pickle.dumps(transform))):
        assert again == transform
        assert hash(again) == hash(transform)
        assert repr(again) == text
    with pytest.raises((FrozenInstanceError, AttributeError)):
        transform.anything = 3  # type: ignore[union-attr]


@each_transform
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(3, 9, 12), (7, 11, 5), (1, 1, 1), (3, 4, 9, 12), (7, 5, 3, 8), (1, 1, 6, 6)])
def test_dtype_shape_and_device_are_kept(
    transform: Transform | Pipeline, text: str, kind: torch.dtype, shape: tuple[int, ...]
) -> None:
    images = torch.rand(2, *shape, dtype=kind)
    found = applied(transform, images)
    assert found.dtype == kind
    assert found.device == images.device
    assert found.shape == (2, shape[0], *transform.output_size(shape[1:]))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(applied(transform, images), found)


@each_transform
def test_all_frames_of_a_clip_are_moved_alike(transform: Transform | Pipeline, text: str) -> None:
    clips = torch.rand(2, 3, 5, 9, 12)
    found = applied(transform, clips)
    assert found.shape[2] == 5
    for frame in range(5):
        assert torch.equal(found[:, :, frame], applied(transform, clips[:, :, frame]))
    assert transform.output_size((5, 9, 12)) == (5, *transform.output_size((9, 12)))
    still = applied(transform, clips[:, :, :1].expand(-1, -1, 5, -1, -1))
    assert torch.equal(still, still[:, :, :1].expand_as(still))


@each_transform
def test_a_replay_is_bit_identical_and_global_dice_stay(
    transform: Transform | Pipeline, text: str, fingerprint: Callable[[Any], dict[str, object]]
) -> None:
    images = torch.rand(2, 3, 9, 12)
    before = fingerprint(torch.nn.Identity())
    first = applied(transform, images)
    assert fingerprint(torch.nn.Identity()) == before
    torch.rand(5)
    assert torch.equal(applied(transform, images), first)
    draws = transform.sample(images.shape, generators(SEEDS, "transforms"))
    assert torch.equal(transform.apply(images, draws), transform.apply(images, draws))


@each_transform
def test_the_images_that_go_in_stay_as_they_are(transform: Transform | Pipeline, text: str) -> None:
    images = torch.rand(2, 3, 9, 12)
    kept = images.clone()
    out = applied(transform, images)
    assert torch.equal(images, kept)
    assert out.isfinite().all()


@each_transform
@pytest.mark.parametrize("shape", [(1, 5, 6), (1, 3, 5, 6)])
def test_its_gradient_is_right(transform: Transform | Pipeline, text: str, shape: tuple[int, ...]) -> None:
    images = torch.rand(2, *shape, dtype=torch.float64, requires_grad=True)
    draws = transform.sample(images.shape, generators(SEEDS, "transforms"))
    assert torch.autograd.gradcheck(lambda one: transform.apply(one, draws), images, fast_mode=True)
    (gradient,) = torch.autograd.grad(applied(transform, images).square().sum(), images)
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0


@each_transform
def test_it_joins_with_others(transform: Transform | Pipeline, text: str) -> None:
    joined = transform | pad(1)
    assert isinstance(joined, Pipeline)
    assert joined == Pipeline.of([transform, pad(1)])
    assert (pad(1) | transform).steps[0] == pad(1)
    assert joined.output_size((9, 12)) == tuple(side + 2 for side in transform.output_size((9, 12)))


def test_a_pipeline_gives_its_steps_their_draws_in_order() -> None:
    """What the first steps draw does not depend on what comes behind them."""
    shape = (2, 3, 9, 12)
    short = (jitter(4) | scale(0.5, 2)).sample(shape, generators(SEEDS, "x"))
    long = (jitter(4) | scale(0.5, 2) | rotate(-9, 9)).sample(shape, generators(SEEDS, "x"))
    assert all(torch.equal(one, other) for one, other in zip(short, long, strict=False))


@pytest.mark.parametrize(
    "make",
    [
        lambda: pad(-1),
        lambda: pad(1.5),  # type: ignore[arg-type]
        lambda: pad(True),
        lambda: pad("3"),  # type: ignore[arg-type]
        lambda: pad(3, value="grey"),  # type: ignore[arg-type]
        lambda: pad(3, value=float("nan")),
        lambda: jitter(-2),
        lambda: jitter(0.5),  # type: ignore[arg-type]
        lambda: scale(0, 1),
        lambda: scale(-1, 1),
        lambda: scale(1.1, 0.9),
        lambda: scale(0.9, float("inf")),
        lambda: scale(float("nan"), float("nan")),
        lambda: rotate(10, -10),
        lambda: rotate(0, float("inf")),
        lambda: rotate(float("nan"), 3),
        lambda: rotate("a", "b"),  # type: ignore[arg-type]
        lambda: crop_or_pad_to(0, 5),
        lambda: crop_or_pad_to(5, 2.5),  # type: ignore[arg-type]
        lambda: Pipeline.of(5),  # type: ignore[arg-type]
        lambda: Pipeline.of("pad(3)"),
        lambda: Pipeline.of([pad(3), None]),  # type: ignore[list-item]
    ],
)
def test_arguments_that_do_not_fit_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(BadInputError):
        make()


@pytest.mark.parametrize(
    "text",
    ["", "pad(", "pad(12) +  jitter(8)", "blur(3)", "pad(12) | 5", "5", "pad", "pad('a')", "conv1_1:3", "pad(3).on(0)"],
)
def test_texts_that_are_no_transforms_are_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)


def test_foreign_functions_have_no_text() -> None:
    assert (pad(3) | jitter(2)).is_text
    assert not (pad(3) | torch.nn.Identity()).is_text
