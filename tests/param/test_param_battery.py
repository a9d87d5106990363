"""One battery over every param of the notation: one without an example here fails it."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call

import lucidtorch as lt
from lucidtorch.base.errors import ExpressionError
from lucidtorch.param import Param, image, parse
from lucidtorch.param.text import VOCABULARY

SMALL = np.random.default_rng(1).uniform(0.2, 0.8, size=(1, 4, 5)).astype(np.float32)
EXAMPLES: dict[str, list[tuple[Callable[[], Param], str]]] = {
    "image": [
        (lambda: image(6), "image(6)"),
        (lambda: image((6, 5), batch=2), "image([6, 5], batch=2)"),
        (lambda: image(6, fft=False), "image(6, fft=False)"),
        (lambda: image(5, batch=2, decorrelate=False), "image(5, batch=2, decorrelate=False)"),
        (lambda: image((3, 8), channels=1), "image([3, 8], channels=1)"),
        (lambda: image((5, 4), batch=2, channels=7, sd=0.5), "image([5, 4], batch=2, channels=7, sd=0.5)"),
        (lambda: image(6, decay=1.5), "image(6, decay=1.5)"),
        (lambda: image((3, 6, 5), batch=2), "image([3, 6, 5], batch=2)"),
        (lambda: image("2x5x5"), "image([2, 5, 5])"),
        (lambda: image((4, 4, 4), channels=1, fft=False), "image([4, 4, 4], channels=1, fft=False)"),
        (lambda: image((3, 5, 4), channels=7, decay=0), "image([3, 5, 4], channels=7, decay=0)"),
        (lambda: image(6, channels=4, hold={3: 1.0}), "image(6, channels=4, hold={3: 1.0})"),
        (
            lambda: image((2, 3), batch=2, channels=5, hold={4: [[0, 0.5, 1], [1, 0, 0]], 0: 0}),
            "image([2, 3], batch=2, channels=5, hold={0: 0, 4: [[0, 0.5, 1], [1, 0, 0]]})",
        ),
        (
            lambda: image((3, 4, 5), channels=2, fft=False, hold={0: 0.25}),
            "image([3, 4, 5], channels=2, fft=False, hold={0: 0.25})",
        ),
        (
            lambda: image((4, 5), channels=1, init=SMALL),
            f"image([4, 5], channels=1, init={SMALL.astype(float).tolist()})",
        ),
    ],
}
ALL = [(make, text) for examples in EXAMPLES.values() for make, text in examples]
each_param = pytest.mark.parametrize(("make", "text"), ALL, ids=[text[:40] for _, text in ALL])


def filled(make: Callable[[], Param]) -> Param:
    param = make()
    param.fill(range(10, 10 + param.batch))
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
def test_the_first_axis_of_every_number_is_the_image(make: Callable[[], Param], text: str) -> None:
    param = filled(make)
    assert all(one.shape[0] == param.batch for one in param.parameters())
    if param.batch > 1:
        before = param().detach()
        with torch.no_grad():
            for one in param.parameters():
                one[0] += 1
        assert torch.equal(param()[1:], before[1:])
        assert not torch.equal(param()[0], before[0])


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
    param = filled(make)
    (gradient,) = torch.autograd.grad(param().square().sum(), list(param.parameters()))
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0
    double = filled(make).double()
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
    double = filled(make).double()
    assert double().dtype == torch.float64
    assert torch.allclose(double().float(), plain, atol=1e-5)


@each_param
def test_it_can_be_made_for_another_number_of_images(make: Callable[[], Param], text: str) -> None:
    param = make()
    other = param.resized(batch=3)
    assert other.batch == 3
    assert (other.channels, other.size) == (param.channels, param.size)
    assert list(other.parameters()) == []
    other.fill([10, 11, 12])
    assert torch.allclose(other()[0], filled(make)()[0], atol=1e-6)


@each_param
def test_it_can_be_rendered_and_used_again(make: Callable[[], Param], text: str) -> None:
    param = make()
    goal = lt.objectives.L2(constant=0.2) - 0.01 * lt.objectives.L1()
    settings = {"param": param, "transforms": "identity()", "steps": 2, "progress": False}
    convolution = nn.Conv2d if len(param.size) == 2 else nn.Conv3d
    with torch.random.fork_rng(devices=[]):
        module = convolution(param.channels, 2, 1)
    model = lt.load_model(module, mean=0.0, std=1.0, size=param.size, channels=param.channels)
    first = lt.render(model, goal, **settings)
    assert param.numbers is None
    assert torch.equal(lt.render(model, goal, **settings).images, first.images)
    assert first.recipe["param"] == text


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
