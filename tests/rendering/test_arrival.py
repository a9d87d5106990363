"""A render whose gradient does not arrive is refused at the first step, and one that barely moves says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from small_networks import as_model
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
            compute_batch=2,
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


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_an_objective_too_small_to_move_anything_says_so(optimizer: str) -> None:
    with pytest.warns(LucidtorchWarning, match="Next to nothing moves: the gradient of image 0 is about"):
        rendered(lambda values: values, "1e-8 * first:0", steps=2, optimizer=optimizer)


def test_only_the_images_that_barely_move_are_named() -> None:
    with pytest.warns(LucidtorchWarning, match="gradient of image 1 is about"):
        rendered(lambda values: values, "each(first:0, 1e-9 * first:1)", batch=2, steps=2)
