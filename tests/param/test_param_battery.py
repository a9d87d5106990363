"""One battery over every word for params and parts: one without an example in param_examples.py fails it."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from param_examples import EXAMPLES
from torch import nn
from torch.func import functional_call

import lucidtorch as lt
from lucidtorch.base.defaults import record_text
from lucidtorch.base.errors import BadInputError, ExpressionError
from lucidtorch.param import Param, image, parse
from lucidtorch.param.text import VOCABULARY

ALL = [(make, text) for examples in EXAMPLES.values() for make, text in examples]
each_param = pytest.mark.parametrize(("make", "text"), ALL, ids=[text[:60] for _, text in ALL])


def filled(make: Callable[[], Param]) -> Param:
    param = make()
    param.fill(range(10, 10 + param.batch))
    return param


def stirred(make: Callable[[], Param]) -> Param:
    """A filled param with noise on every number, so that none is 0."""
    param = filled(make)
    with torch.no_grad():
        for place, numbers in enumerate(param.parameters()):
            numbers += 0.1 * torch.randn(numbers.shape, generator=torch.Generator().manual_seed(place))
    return param


def test_every_param_has_an_example() -> None:
    assert set(EXAMPLES) == set(VOCABULARY.names)


@each_param
def test_its_text_reads_back(make: Callable[[], Param], text: str) -> None:
    param = make()
    assert repr(param) == text
    again = parse(text)
    assert repr(again) == text
    assert type(again) is type(param)
    again.fill(range(10, 10 + param.batch))
    assert torch.equal(again(), filled(make)())


@each_param
def test_it_makes_images_of_its_size_in_range(make: Callable[[], Param], text: str) -> None:
    param = filled(make)
    images = param()
    assert images.shape == (param.batch, param.channels, *param.size)
    assert images.dtype == torch.float32
    assert images.min() >= 0
    assert images.max() <= 1


@each_param
def test_an_image_depends_on_the_rows_it_reads_and_on_no_other(make: Callable[[], Param], text: str) -> None:
    param = stirred(make)
    before = param().detach()
    for name, numbers in param.named_parameters():
        reads = param.reads(name)
        assert reads.shape == (len(numbers), param.batch)
        assert reads.dtype == torch.bool
        kept = numbers.detach().clone()
        for row, images in enumerate(reads):
            with torch.no_grad():
                numbers[row] += torch.randn(numbers[row].shape, generator=torch.Generator().manual_seed(row))
            changed = (param().detach() - before).flatten(1).abs().amax(1)
            with torch.no_grad():
                numbers.copy_(kept)
            assert torch.equal(changed > 0, images)


@each_param
def test_the_start_of_an_image_depends_on_its_seed_and_on_those_it_shares_with(
    make: Callable[[], Param], text: str
) -> None:
    param = filled(make)
    if "init=" in text or param.batch == 1:
        return
    before, numbers = param().detach(), [one.detach().clone() for one in param.parameters()]
    seeds = list(range(10, 10 + param.batch))
    seeds[0] = 99
    reads = [param.reads(name) for name, _ in param.named_parameters()]
    param.fill(seeds)
    beside = torch.stack([(one & one[:, :1]).any(0) for one in reads]).any(0)
    assert torch.equal(param()[~beside], before[~beside])
    changed = zip(param.parameters(), numbers, reads, strict=True)
    assert any(not torch.equal(one[read[:, 0]], other[read[:, 0]]) for one, other, read in changed)


@each_param
def test_a_replay_is_bit_identical(make: Callable[[], Param], text: str, fingerprint: Callable[[Any], Any]) -> None:
    before = fingerprint(nn.Identity())
    first, second = filled(make), filled(make)
    assert fingerprint(nn.Identity()) == before
    assert all(torch.equal(one, other) for one, other in zip(first.parameters(), second.parameters(), strict=True))
    assert torch.equal(first(), second())
    assert torch.equal(copy.deepcopy(first)(), second())
    assert torch.equal(pickle.loads(pickle.dumps(first))(), second())


@each_param
def test_its_gradient_is_right(make: Callable[[], Param], text: str) -> None:
    param = stirred(make)
    for gradient in torch.autograd.grad(param().square().sum(), list(param.parameters())):
        assert gradient.isfinite().all()
        assert gradient.abs().sum() > 0
    double = stirred(make).double()
    names = [name for name, _ in double.named_parameters()]
    numbers = tuple(one.detach().requires_grad_(True) for one in double.parameters())
    assert torch.autograd.gradcheck(
        lambda *given: functional_call(double, dict(zip(names, given, strict=True)), ()), numbers, fast_mode=True
    )


@each_param
def test_float64_stays_float64_and_autocast_changes_nothing(make: Callable[[], Param], text: str) -> None:
    param = filled(make)
    plain = param()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = param()
    assert cast.dtype == torch.float32
    assert torch.equal(cast, plain)
    for double in (filled(make).double(), make().double()):
        double.fill(range(10, 10 + param.batch))
        assert double().dtype == torch.float64
        assert torch.allclose(double().float(), plain, atol=1e-5)


@each_param
def test_it_can_be_made_for_another_number_of_images(make: Callable[[], Param], text: str) -> None:
    param = make()
    other = param.resized(batch=3 * param.batch)
    assert other.batch == 3 * param.batch
    assert (other.channels, other.size, other.alpha) == (param.channels, param.size, param.alpha)
    assert list(other.parameters()) == []
    other.fill(range(10, 10 + other.batch))
    assert repr(param.resized(batch=param.batch)) == text
    if all(len(numbers) == other.batch for numbers in other.parameters()):
        assert torch.allclose(other()[0], filled(make)()[0], atol=1e-6)


@each_param
def test_what_has_an_inverse_takes_on_any_picture(make: Callable[[], Param], text: str) -> None:
    param = filled(make)
    picture = torch.rand(param().shape, generator=torch.Generator().manual_seed(1))
    if not param.invertible:
        with pytest.raises(BadInputError, match=r"inverse|cannot"):
            param.assign(picture)
        return
    numbers = list(param.parameters())
    param.assign(picture)
    assert [id(one) for one in param.parameters()] == [id(one) for one in numbers]
    if "mask=" in text:
        return
    free = [channel for channel in range(param.channels) if channel not in param.held]
    assert (param()[:, free] - picture[:, free]).abs().max() < 1e-3
    again = param().detach()
    param.assign(again)
    assert (param() - again).abs().max() < 1e-4


@each_param
def test_its_own_size_is_a_size_it_can_be_made_at(make: Callable[[], Param], text: str) -> None:
    param = filled(make)
    assert torch.equal(param.at(param.size), param())
    assert param.is_text


@each_param
def test_it_can_be_rendered_and_used_again(make: Callable[[], Param], text: str) -> None:
    param = make()
    goal = lt.objectives.L2(constant=0.2) - 0.01 * lt.objectives.L1()
    transforms = "background()" if param.alpha else "identity()"
    settings = {"param": param, "transforms": transforms, "steps": 2, "progress": False}
    channels = param.channels - param.alpha
    convolution = nn.Conv2d if len(param.size) == 2 else nn.Conv3d
    with torch.random.fork_rng(devices=[]):
        module = convolution(channels, 2, 1)
    model = lt.load_model(module, mean=0.0, std=1.0, size=param.size, channels=channels)
    first = lt.render(model, goal, **settings)
    assert list(param.parameters()) == []
    assert torch.equal(lt.render(model, goal, **settings).images, first.images)
    assert first.recipe["param"] == record_text(param)


def test_a_large_start_image_stands_beside_the_text(tmp_path: Path) -> None:
    start = torch.rand(3, 9, 8)
    param = image((9, 8), init=start)
    assert "init=array('" in repr(param)
    (array,) = param.arrays
    array.save(tmp_path)
    again = parse(repr(param), tmp_path)
    assert repr(again) == repr(param)
    assert torch.equal(again(), param())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "image()",
        "image(0)",
        "image('a')",
        "imag(3)",
        "5",
        "image(3) + image(3)",
        "image(3) + 1",
        "1 + image(3)",
        "stack(image(3), image(3)) + pixels()",
        "pixels()",
        "pixels() + pixels()",
        "image(3) - pixels()",
        "stack()",
        "stack(image(3), image(4))",
        "image(3, banana=1)",
        "image([3, 4, 5, 6])",
        "image(3, hold={3: 1.0})",
        "image(3, hold={'a': 1.0})",
        "image(3, hold={0: 1, 0: 1})",
        "image(3, hold=[1, 0])",
        "image(3, hold={0: 'a'})",
        "image",
        "conv:3",
    ],
)
def test_texts_that_are_no_params_are_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)


def test_a_size_may_be_written_as_text() -> None:
    assert image("16x6x9").size == (16, 6, 9)
    assert image("6x9").size == (6, 9)
    assert image("12").size == (12, 12)
