"""A render whose gradient does not arrive is refused at the first step, and one that barely moves says so."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from small_networks import Threshold, as_model
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.errors import LucidtorchWarning, RenderError


def without_gradients(values: Tensor) -> Tensor:
    with torch.no_grad():
        return values * 2


CUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "no_grad": without_gradients,
    "detach": lambda values: values.detach(),
    "argmax": lambda values: values.argmax(1, keepdim=True).float(),
    "round": lambda values: values.round(),
    "floor": lambda values: torch.floor(values),
    "threshold": lambda values: (values > 0).float(),
    "uint8": lambda values: (values * 255).to(torch.uint8).float() / 255,
}


class Cut(nn.Module):
    """The layer that cuts."""

    def __init__(self, how: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.how = how

    def forward(self, values: Tensor) -> Tensor:
        return self.how(values)


class Chain(nn.Module):
    """A convolution, what cuts, a convolution that takes any number of channels, and a ReLU."""

    def __init__(self, how: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 1)
        self.cut = Cut(how)
        self.last = nn.Conv2d(1, 4, 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.last(self.cut(self.first(images)).mean(1, keepdim=True))


def rendered(how: Callable[[Tensor], Tensor], goal: str, *, batch: int = 1, **more: object) -> lt.Rendering:
    param = lt.param.image(8, batch=batch)
    return lt.render(as_model(Chain(how)), goal, param=param, transforms="identity()", progress=False, **more)


@pytest.mark.parametrize("goal", ["last:0", "cut:0", "last:0 - total_variation()", "first:0 + last:0"])
@pytest.mark.parametrize("how", CUTS.values(), ids=CUTS)
def test_a_layer_without_a_way_back_is_refused_and_the_one_that_cuts_named(
    how: Callable[[Tensor], Tensor], goal: str
) -> None:
    with pytest.raises(RenderError, match=r"No gradient arrives at the image from '(last|cut)': it ends at 'cut'"):
        rendered(how, goal, steps=2)


@pytest.mark.parametrize("how", CUTS.values(), ids=CUTS)
def test_a_layer_before_the_cut_renders(how: Callable[[Tensor], Tensor]) -> None:
    found = rendered(how, "first:0", steps=5)
    assert found.values.item() > found.history["objective"][0, 0]


def test_it_is_refused_before_more_work_also_where_images_go_through_a_few_at_a_time() -> None:
    calls: list[int] = []
    with pytest.raises(RenderError, match="it ends at 'cut'"):
        rendered(
            CUTS["detach"],
            "last:0",
            batch=4,
            steps=2,
            engine=lt.Engine(compute_batch=2),
            callbacks=[lambda step: calls.append(step.number)],
        )
    assert calls == []


def test_transforms_that_cut_are_refused() -> None:
    with pytest.raises(RenderError, match="the transforms cut it off"):
        lt.render(
            as_model(Chain(lambda values: values)),
            "first:0",
            param=lt.param.image(8),
            transforms=[lambda images: images.detach()],
            steps=2,
            progress=False,
        )


SMALL = "Little or nothing moves: the gradient of image 0 is about"


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "sgd(momentum=0.9)"])
def test_an_objective_too_small_to_move_anything_says_so(optimizer: str) -> None:
    with pytest.warns(LucidtorchWarning, match=SMALL):
        rendered(lambda values: values, "1e-8 * first:0", steps=2, optimizer=optimizer)


@pytest.mark.parametrize(("optimizer", "small", "enough"), [("adam", 0.9e-8, 1.1e-8), ("sgd", 7.5e-5, 7.8e-5)])
def test_a_gradient_is_small_by_what_its_optimizer_makes_of_it(optimizer: str, small: float, enough: float) -> None:
    """Adam's first step is `lr * g / (g + 1e-8)`; 512 plain ones go `512 * 0.05 * g`, which is to be 0.5 / 255.

    The objective is the sum of all numbers over 64 places, and the sigmoid's slope is 1 / 4 at the start.
    """
    param = lt.param.image(8, fft=False, decorrelate=False, init=torch.full((3, 8, 8), 0.5))

    def render(gradient: float) -> None:
        goal = f"{256 * gradient!r} * before:0"
        model = as_model(Threshold(0.0))
        lt.render(model, goal, param=param, transforms="identity()", steps=1, optimizer=optimizer, progress=False)

    render(enough)
    with pytest.warns(LucidtorchWarning, match=SMALL):
        render(small)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_an_objective_that_is_large_enough_says_nothing(optimizer: str) -> None:
    rendered(lambda values: values, "first:0", steps=2, optimizer=optimizer)


@pytest.mark.slow
@pytest.mark.parametrize(("optimizer", "small", "enough"), [("adam", "1e-8", "1e-6"), ("sgd", "1e-6", "1e-4")])
def test_an_objective_too_small_for_a_real_network_says_so(
    test_data: Path, optimizer: str, small: str, enough: str
) -> None:
    """Gradients of Fourier coefficients spread over several powers of ten."""
    model = lt.load_model(
        "squeezenet1_0", weights=test_data / "weights" / "squeezenet1_0_imagenet.safetensors", device="cpu"
    )

    def says_so(factor: str) -> bool:
        goal = f"{factor} * features.12:3"
        with warnings.catch_warnings(record=True) as caught:  # in so few steps the unit may sleep on
            warnings.simplefilter("always")
            lt.render(model, goal, param=lt.param.image(64), steps=4, optimizer=optimizer, progress=False)
        return any(str(one.message).startswith(SMALL) for one in caught)

    assert [says_so(small), says_so(enough), says_so("1")] == [True, False, False]


def test_only_the_images_that_barely_move_are_named() -> None:
    with pytest.warns(LucidtorchWarning, match="gradient of image 1 is about"):
        rendered(lambda values: values, "each(first:0, 1e-9 * first:1)", batch=2, steps=2)
