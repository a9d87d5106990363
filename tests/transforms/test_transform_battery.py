"""One battery over every word of the notation of transforms: one without an example fails it."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable, Sequence
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from transforms.examples import EXAMPLES as ON_IMAGES
from transforms.examples import GROUPS, Example
from transforms.meshes.examples import EXAMPLES as ON_MESHES

import lucidtorch.transforms
from lucidtorch.base.seeds import generators
from lucidtorch.transforms import Pipeline, Transform, pad, parse
from lucidtorch.transforms.text import VOCABULARY
from lucidtorch.transforms.transform import Draws

EXAMPLES = {**ON_IMAGES, **ON_MESHES}
ALL = [one for examples in EXAMPLES.values() for one in examples]
each_example = pytest.mark.parametrize("example", ALL, ids=[one.text[:60] for one in ALL])
keeping_size = pytest.mark.parametrize(
    "example", [one for one in ALL if one.size_kept], ids=[one.text[:60] for one in ALL if one.size_kept]
)
SEEDS = (3, 8)
SIZES = [(9, 12), (11, 5), (4, 4), (1, 1), (64, 96), (65, 65)]


def drawn(example: Example, images: Tensor, seeds: Sequence[int] = SEEDS) -> Draws:
    return example.pipeline.sample(images.shape, generators(seeds, "transforms"))


def applied(example: Example, images: Tensor, seeds: Sequence[int] = SEEDS) -> Tensor:
    return example.pipeline.apply(images, drawn(example, images, seeds))


def test_every_word_has_an_example() -> None:
    assert set(EXAMPLES) | set(GROUPS) == set(VOCABULARY.names)
    assert set(VOCABULARY.names) <= set(dir(lucidtorch.transforms))
    sources = [one.read_text(encoding="utf-8") for one in Path(lucidtorch.transforms.__file__).parent.rglob("*.py")]
    marked = re.compile(r"^class (\w+)\(.*# a word of the notation$", re.MULTILINE)
    assert set(VOCABULARY.names) >= {name for source in sources for name in marked.findall(source)} >= {"pad", "span"}


@pytest.mark.parametrize("name", VOCABULARY.names)
def test_every_word_says_its_formula_and_where_it_is_from(name: str) -> None:
    lines = (VOCABULARY.names[name].__doc__ or "").splitlines()
    starts = [line.strip().split(" ")[0] for line in lines]
    assert starts.index("Formula:") < starts.index("Source:")
    assert "Args:" not in starts or starts.index("Source:") < starts.index("Args:")


@each_example
def test_its_value_is_the_one_by_hand(example: Example) -> None:
    for channels in example.channels:
        images = torch.tensor(np.random.default_rng(channels).uniform(0.05, 0.95, size=(2, channels, 9, 12)))
        draws = drawn(example, images)
        found = example.pipeline.apply(images, draws).numpy()
        for place, image in enumerate(images.numpy()):
            expected = example.by_hand(image, [one[place].tolist() for one in draws])
            np.testing.assert_allclose(found[place], expected, atol=1e-7)


@keeping_size
@pytest.mark.parametrize(("kind", "tolerance"), [(torch.float64, 1e-6), (torch.float32, 1e-4)])
@pytest.mark.parametrize("size", SIZES)
def test_draws_of_zero_change_nothing(
    example: Example, kind: torch.dtype, tolerance: float, size: tuple[int, int]
) -> None:
    for channels in example.channels:
        images = torch.rand(2, channels, *size, dtype=kind)
        zeros = tuple(torch.zeros_like(one) for one in drawn(example, images))
        assert (example.pipeline.apply(images, zeros) - images).abs().max() <= tolerance


@each_example
def test_its_text_reads_back(example: Example) -> None:
    assert repr(example.transform) == example.text
    again = parse(example.text)
    assert again == example.pipeline
    assert hash(again) == hash(example.pipeline)
    assert repr(again) == example.text


@each_example
def test_it_is_a_value(example: Example) -> None:
    for again in (copy.deepcopy(example.transform), pickle.loads(pickle.dumps(example.transform))):
        assert again == example.transform
        assert hash(again) == hash(example.transform)
        assert repr(again) == example.text
    with pytest.raises((FrozenInstanceError, AttributeError)):
        example.transform.anything = 3  # type: ignore[union-attr]


@each_example
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [*SIZES, (4, 9, 12), (5, 4, 8), (1, 6, 6)])
def test_dtype_shape_and_device_are_kept(example: Example, kind: torch.dtype, size: tuple[int, ...]) -> None:
    if min(size[-2:]) < example.smallest:
        pytest.skip("nothing would be left")
    if len(size) > 2 and not example.clips:
        pytest.skip("it takes no clips")
    for channels in example.channels:
        images = torch.rand(2, channels, *size, dtype=kind)
        found = applied(example, images)
        assert found.dtype == kind
        assert found.device == images.device
        assert found.isfinite().all()
        assert found.shape[1] == example.transform.output_channels(channels)
        assert tuple(found.shape[2:]) == example.transform.output_size(size)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert torch.equal(applied(example, images), found)


@each_example
def test_its_draws_are_a_row_of_numbers_per_image(example: Example) -> None:
    images = torch.rand(2, example.channels[-1], 9, 12)
    for one in drawn(example, images):
        assert one.ndim == len(one) == 2
        assert one.dtype == torch.float64
        assert one.device.type == "cpu"


@each_example
def test_its_views_are_known_and_it_has_a_form_at_any_time(example: Example) -> None:
    assert example.transform.views == example.views
    for progress in (0.0, 0.3, 1.0):
        then = example.transform.at(progress)
        assert isinstance(then, Transform | Pipeline)
        assert then.output_size((9, 12)) == example.transform.output_size((9, 12))
        assert then.views == example.views
        assert parse(repr(then)) == Pipeline.of(then)


@each_example
def test_all_frames_of_a_clip_are_moved_alike(example: Example) -> None:
    if not example.clips:
        pytest.skip("it takes no clips")
    for channels in example.channels:
        clips = torch.rand(2, channels, 5, 9, 12)
        found = applied(example, clips)
        assert found.shape[2] == 5
        for frame in range(5):
            alone = applied(example, clips[:, :, frame])
            assert torch.allclose(found[:, :, frame], alone, atol=1e-6)
        still = applied(example, clips[:, :, :1].expand(-1, -1, 5, -1, -1))
        assert torch.allclose(still, still[:, :, :1].expand_as(still), atol=1e-6)
    assert example.transform.output_size((5, 9, 12)) == (5, *example.transform.output_size((9, 12)))


@each_example
def test_a_replay_is_bit_identical_and_global_dice_stay(
    example: Example, fingerprint: Callable[[Any], dict[str, object]]
) -> None:
    images = torch.rand(2, example.channels[-1], 9, 12)
    before = fingerprint(torch.nn.Identity())
    first = applied(example, images)
    assert fingerprint(torch.nn.Identity()) == before
    torch.rand(5)
    assert torch.equal(applied(example, images), first)
    draws = drawn(example, images)
    assert torch.equal(example.pipeline.apply(images, draws), example.pipeline.apply(images, draws))


@each_example
def test_the_images_and_draws_that_go_in_stay_as_they_are(example: Example) -> None:
    images = torch.rand(2, example.channels[-1], 9, 12)
    draws = drawn(example, images)
    kept, numbers = images.clone(), [one.clone() for one in draws]
    example.pipeline.apply(images, draws)
    assert torch.equal(images, kept)
    assert all(torch.equal(one, other) for one, other in zip(draws, numbers, strict=True))


@each_example
@pytest.mark.parametrize("size", [(6, 5), (3, 5, 6)])
def test_its_gradient_is_right(example: Example, size: tuple[int, ...]) -> None:
    if len(size) > 2 and not example.clips:
        pytest.skip("it takes no clips")
    images = torch.rand(2, example.channels[-1], *size, dtype=torch.float64).mul(0.5).add(0.2).requires_grad_()
    draws = drawn(example, images)
    if not example.evens_gradient:
        assert torch.autograd.gradcheck(lambda one: example.pipeline.apply(one, draws), images, fast_mode=True)
    (gradient,) = torch.autograd.grad(applied(example, images).square().sum(), images)
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0


@each_example
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_its_gradient_is_finite_on_one_colour(example: Example, value: float) -> None:
    images = torch.full((2, example.channels[-1], 6, 5), value, requires_grad=True)
    (gradient,) = torch.autograd.grad(applied(example, images).square().sum(), images)
    assert gradient.isfinite().all()


@each_example
def test_an_image_depends_on_its_own_generator_only(example: Example) -> None:
    images = torch.rand(4, example.channels[-1], 14, 17)
    found = applied(example, images, [5, 9, 5, 1])
    for place, seed in enumerate((5, 9, 5, 1)):
        assert torch.allclose(applied(example, images[place : place + 1], [seed])[0], found[place], atol=1e-6)
    others = applied(example, torch.cat([images[:1], torch.rand_like(images[1:])]), [5, 70, 71, 72])
    assert torch.equal(others[0], found[0])


@each_example
def test_it_joins_with_others(example: Example) -> None:
    joined = example.transform | pad(1)
    assert isinstance(joined, Pipeline)
    assert joined == Pipeline.of([example.transform, pad(1)])
    assert (pad(1) | example.transform).steps[0] == pad(1)
    assert joined.views == example.views
    assert joined.output_size((9, 12)) == tuple(side + 2 for side in example.transform.output_size((9, 12)))


@pytest.mark.parametrize("name", GROUPS)
def test_groups_stand_for_their_numbers(name: str) -> None:
    for group, text, numbers in GROUPS[name]:
        assert repr(group) == text
        assert list(group.numbers) == pytest.approx(numbers)
        assert pickle.loads(pickle.dumps(group)) == group
        assert parse(f"rotate([{text}])").steps[0] == lucidtorch.transforms.rotate([group])


def test_a_pipeline_gives_its_steps_their_draws_in_order() -> None:
    """What the first steps draw does not depend on what comes behind them."""
    shape = (2, 3, 9, 12)
    short = parse("jitter(4) | scale(0.5, 2)").sample(shape, generators(SEEDS, "x"))
    long = parse("jitter(4) | scale(0.5, 2) | rotate(-9, 9)").sample(shape, generators(SEEDS, "x"))
    assert all(torch.equal(one, other) for one, other in zip(short, long, strict=False))
