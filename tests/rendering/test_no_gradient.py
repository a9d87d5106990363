"""Units that no gradient comes back from: each is woken, reported as dead, or named in a warning."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from small_networks import Threshold, as_model
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.errors import LucidtorchWarning

# A pixel's colours sum to 1.5 at the grey start and to 3 at most: 1.6 can be woken, 100 cannot; -100 is far above.
ASLEEP, DEAD, FULL = 1.6, 100.0, -100.0
NOTHING = "No gradient: that of image {} is exactly zero"


class Function(nn.Module):
    """A layer that is a function."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, values: Tensor) -> Tensor:
        return self.function(values)


def network(function: Callable[[Tensor], Tensor], *biases: float) -> lt.Model:
    return as_model(Threshold(*biases, relu=lambda: Function(function)))


def rendered(model: Any, goal: Any, *, batch: int = 1, steps: int = 20, **more: Any) -> lt.Rendering:
    settings = {"param": lt.param.image(8, batch=batch), "transforms": "identity()", "lr": 0.1} | more
    return lt.render(model, goal, steps=steps, progress=False, **settings)


def shifted(values: Tensor) -> Tensor:
    return F.relu(values) - 0.4


def star(values: Tensor) -> Tensor:
    """StarReLU."""
    return 0.9 * F.relu(values) ** 2 - 0.4


def hardtanh_above(values: Tensor) -> Tensor:
    return F.hardtanh(values, 0.0, 1.0) + 0.5


WOKEN: list[tuple[Callable[[Tensor], Tensor], float]] = [(shifted, ASLEEP), (F.hardtanh, 2.8), (hardtanh_above, ASLEEP)]
REPORTED: list[Callable[[Tensor], Tensor]] = [shifted, F.hardtanh, hardtanh_above, F.hardsigmoid, F.relu6, F.elu]
SATURATED: list[tuple[Callable[[Tensor], Tensor], float]] = [
    *((one, FULL) for one in (F.hardtanh, F.relu6, F.hardsigmoid, torch.sigmoid)),
    *((star, one) for one in (ASLEEP, DEAD)),
    (lambda values: values.clamp(0, 1), FULL),
    (lambda values: values.clamp(min=0.5), DEAD),
    (lambda values: values * 0 + 1, ASLEEP),
]


@pytest.mark.parametrize(("function", "bias"), WOKEN)
def test_a_unit_in_the_flat_part_of_a_shifted_rectifier_is_woken(
    function: Callable[[Tensor], Tensor], bias: float
) -> None:
    found = rendered(network(function, bias), "after:0")
    assert found.dead == (False,)
    assert found.values.item() > found.history["objective"][0, 0] + 0.05


@pytest.mark.parametrize("function", REPORTED)
def test_a_unit_that_stays_in_the_flat_part_is_dead_whatever_its_value(function: Callable[[Tensor], Tensor]) -> None:
    with pytest.warns(LucidtorchWarning, match="Dead: image 0 of") as caught:
        found = rendered(network(function, DEAD), "after:0", steps=2)
    assert (found.dead, len(caught)) == ((True,), 1)


@pytest.mark.parametrize(("function", "bias"), SATURATED)
def test_a_unit_that_no_gradient_comes_back_from_is_named_and_not_dead(
    function: Callable[[Tensor], Tensor], bias: float
) -> None:
    with pytest.warns(LucidtorchWarning, match=NOTHING.format(0)) as caught:
        found = rendered(network(function, bias), "after:0", steps=2)
    assert (found.dead, len(caught)) == ((False,), 1)


def test_it_is_named_although_a_penalty_of_the_image_moves_the_picture() -> None:
    with pytest.warns(LucidtorchWarning, match=NOTHING.format(0)):
        rendered(network(star, DEAD), "after:0 - total_variation()", steps=2)


@pytest.mark.parametrize("function", [F.hardtanh, F.relu6, F.hardsigmoid, lambda values: values.clamp(0, 1)])
def test_a_unit_that_has_come_to_its_maximum_is_neither(function: Callable[[Tensor], Tensor]) -> None:
    """The pre-activation starts at 0 and ends far above the upper bound at every pixel."""
    module = Threshold(1.5, relu=lambda: Function(function))
    with torch.no_grad():
        module.before.weight.mul_(100)
        module.before.bias.mul_(100)
    start = torch.full((3, 8, 8), 0.5005)
    param = lt.param.image(8, init=start, fft=False, decorrelate=False)
    assert rendered(as_model(module), "after:0", param=param).dead == (False,)


def test_a_unit_that_has_come_down_to_nothing_as_it_should_is_neither() -> None:
    start = torch.full((3, 8, 8), 0.52)
    param = lt.param.image(8, init=start, fft=False, decorrelate=False)
    found = rendered(network(lambda values: -F.relu(values), 1.5), "after:0", param=param)
    assert (found.values.item(), found.dead) == (0, (False,))


@pytest.mark.parametrize(
    ("goal", "batch", "named"),
    [
        ("after:[1, 0]", 2, "0"),
        ("each(after:1, after:1)", 2, "0, 1"),
        ("after:1.on(0) + after:0.on(1)", 2, "0"),
        ("after:0.on(0)", 2, None),  # image 1 is left as it is by whoever says so
        ("after:0 + after:1", 1, None),
        ("after:1 - after:1 + after:0", 1, None),
        ("0 * after:1", 1, None),  # nor does anything else follow from a weight of 0
        ("0 * after:0 + after:1", 1, "0"),
        ("-total_variation()", 1, None),
        ("deepdream('after')", 1, None),
    ],
)
def test_images_are_named_one_by_one(goal: str, batch: int, named: str | None) -> None:
    """Channel 0 lies between the bounds, and channel 1 above them."""
    model = network(lambda values: values.clamp(0, 2), 1.0, FULL)
    warns = pytest.warns(LucidtorchWarning, match=NOTHING.format(named))
    warned = contextlib.nullcontext() if named is None else warns
    with warned:  # other warnings are errors
        rendered(model, goal, batch=batch, steps=2)


def test_a_small_gradient_is_one() -> None:
    with pytest.warns(LucidtorchWarning, match="Little or nothing moves") as caught:
        rendered(network(F.relu, 1.0), "after:0 * 1e-30", steps=2)
    assert len(caught) == 1


def test_updates_from_outside_name_them_at_the_end() -> None:
    updates = lt.optimize(network(torch.sigmoid, FULL), "after:0", param=lt.param.image(8), transforms=[], steps=2)
    assert [next(updates).number, next(updates).number] == [1, 2]
    with pytest.warns(LucidtorchWarning, match=NOTHING.format(0)):
        assert list(updates) == []
    for _ in lt.optimize(network(F.relu, DEAD), "after:0", param=lt.param.image(8), transforms=[], steps=2):
        pass


def test_one_gradient_in_any_step_is_enough() -> None:
    """From 1.8 of 3 on the function is flat: the unit is moved there by the first steps, and stays."""
    model = network(lambda values: values.clamp(max=0.05), 1.5)
    param = lt.param.image(8, init=torch.full((3, 8, 8), 0.5), fft=False)
    found = rendered(model, "after:0", param=param, stop="plateau(patience=3)")
    assert found.values.item() == pytest.approx(0.05)
    assert found.dead == (False,)
