"""The redirected gradients against Lucid's tables, and against the plain ReLU wherever nothing is blocked."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import Tensor, nn
from transformers.activations import ACT2FN

from lucidtorch.models.running.redirect import STEPS, redirected_relu

RELUS: dict[str, Callable[[Tensor], Tensor]] = {
    "module": nn.ReLU(),
    "module in place": nn.ReLU(inplace=True),
    "F.relu": F.relu,
    "F.relu inplace=": lambda x: F.relu(x, inplace=True),
    "F.relu in place by position": lambda x: F.relu(x, True),
    "F.relu input=": lambda x: F.relu(input=x),
    "F.relu_": F.relu_,
    "torch.relu": torch.relu,
    "torch.relu_": torch.relu_,
    "x.relu()": lambda x: x.relu(),
    "x.relu_()": lambda x: x.relu_(),
}
RELU6S: dict[str, Callable[[Tensor], Tensor]] = {
    "module": nn.ReLU6(),
    "module in place": nn.ReLU6(inplace=True),
    "F.relu6": F.relu6,
    "F.relu6 in place": lambda x: F.relu6(x, inplace=True),
    "F.hardtanh": lambda x: F.hardtanh(x, 0.0, 6.0),
    "F.hardtanh by name": lambda x: F.hardtanh(x, min_val=0.0, max_val=6.0),
    "F.hardtanh_": lambda x: F.hardtanh_(x, 0.0, 6.0),
    "nn.Hardtanh": nn.Hardtanh(0.0, 6.0),
}


arrays = hnp.arrays("float64", (3, 2, 2), elements=st.sampled_from([-9.0, -1.0, -0.0, 0.0, 0.5, 3.0, 6.0, 8.0]))
slopes = hnp.arrays("float64", (3, 2, 2), elements=st.sampled_from([-2.0, -1.0, 0.0, 1.0]))

HARDSWISHES: dict[str, Callable[[Tensor], Tensor]] = {
    "module": nn.Hardswish(),
    "module in place": nn.Hardswish(inplace=True),
    "F.hardswish": F.hardswish,
    "F.hardswish in place": lambda x: F.hardswish(x, True),
    "F.hardswish input=": lambda x: F.hardswish(input=x, inplace=True),
}


def gradient(relu: Callable[[Tensor], Tensor], values: Any, of_loss: Any) -> Tensor:
    """The gradient that reaches the values, given the one of a minimized loss at the output."""
    leaf = torch.as_tensor(values, dtype=torch.float64).requires_grad_(True)
    with redirected_relu():
        out = relu(leaf * 1)
    (found,) = torch.autograd.grad(out, leaf, torch.as_tensor(of_loss, dtype=torch.float64))
    return found


def naive(values: Tensor, grads: Tensor, ceiling: float | None) -> Tensor:
    """Lucid's rule with loops: an image whose plain gradient is zero everywhere gets what does not push outward.

    A value at the very edge counts as flat, as it does for the plain gradient.
    """
    result = torch.zeros_like(grads)
    for image in range(len(values)):
        plain, opened = torch.zeros_like(grads[image]), torch.zeros_like(grads[image])
        flat = zip(values[image].flatten().tolist(), grads[image].flatten().tolist(), strict=True)
        for place, (value, grad) in enumerate(flat):
            if value > 0 and (ceiling is None or value < ceiling):
                plain.view(-1)[place] = grad
            down, up = value <= 0 and grad > 0, ceiling is not None and value >= ceiling and grad < 0
            opened.view(-1)[place] = 0 if down or up else grad
        result[image] = opened if (plain == 0).all() else plain
    return result


@pytest.mark.parametrize("relu", RELUS.values(), ids=RELUS)
@pytest.mark.parametrize(("grad", "value", "expected"), [(1, -1, 0), (-1, -1, -1), (1, 1, 1), (-1, 1, -1)])
def test_lucids_table_of_relu(relu: Callable[[Tensor], Tensor], grad: float, value: float, expected: float) -> None:
    assert gradient(relu, [[value]], [[grad]]).item() == expected


@pytest.mark.parametrize("relu", RELU6S.values(), ids=RELU6S)
@pytest.mark.parametrize(
    ("grad", "value", "expected"), [(1, -1, 0), (-1, -1, -1), (1, 1, 1), (-1, 1, -1), (1, 7, 1), (-1, 7, 0)]
)
def test_lucids_table_of_relu6(relu: Callable[[Tensor], Tensor], grad: float, value: float, expected: float) -> None:
    assert gradient(relu, [[value]], [[grad]]).item() == expected


HARDTANHS: dict[str, Callable[[Tensor], Tensor]] = {
    "module": nn.Hardtanh(),
    "module in place": nn.Hardtanh(inplace=True),
    "F.hardtanh": F.hardtanh,
    "F.hardtanh_": F.hardtanh_,
    "by position": lambda x: F.hardtanh(x, -1.0, 1.0),
    "bounds above zero": lambda x: F.hardtanh(x + 3, 2.0, 4.0) - 3,
}


@pytest.mark.parametrize("hardtanh", HARDTANHS.values(), ids=HARDTANHS)
@pytest.mark.parametrize(
    ("grad", "value", "expected"), [(1, -2, 0), (-1, -2, -1), (1, 0.5, 1), (-1, -0.5, -1), (1, 2, 1), (-1, 2, 0)]
)
def test_hardtanh_is_redirected_on_both_sides(
    hardtanh: Callable[[Tensor], Tensor], grad: float, value: float, expected: float
) -> None:
    assert gradient(hardtanh, [[value]], [[grad]]).item() == expected


@pytest.mark.parametrize("hardswish", HARDSWISHES.values(), ids=HARDSWISHES)
@pytest.mark.parametrize(
    ("grad", "value", "expected"),
    [(1, -4, 0), (-1, -4, -1), (1, -2, -1 / 6), (-1, -2, -1), (1, 0, 0.5), (-1, -3, -1), (-1, 5, -1), (1, 5, 1)],
)
def test_hardswish_is_flat_below_its_minimum(
    hardswish: Callable[[Tensor], Tensor], grad: float, value: float, expected: float
) -> None:
    assert gradient(hardswish, [[value]], [[grad]]).item() == pytest.approx(expected, abs=1e-12)


@given(arrays, slopes)
def test_hardswish_where_it_is_not_blocked_is_the_plain_one(values: Any, grads: Any) -> None:
    values, grads = torch.tensor(values), torch.tensor(grads)
    leaf = values.clone().requires_grad_(True)
    (plain,) = torch.autograd.grad(F.hardswish(leaf), leaf, grads)
    found = gradient(F.hardswish, values, grads)
    for image in range(len(values)):
        if (plain[image] != 0).any():
            assert torch.allclose(found[image], plain[image], atol=1e-12)
        else:
            below = (values[image] <= -3) & (grads[image] > 0)
            assert torch.equal(found[image], grads[image].masked_fill(below, 0))


def test_each_image_is_redirected_by_itself() -> None:
    values = [[-1.0, -2.0, -3.0], [-1.0, 2.0, -3.0], [-1.0, 2.0, -3.0]]
    grads = [[-1.0, 1.0, -0.5], [-1.0, -1.0, -1.0], [-1.0, 0.0, 1.0]]
    found = gradient(F.relu, values, grads)
    assert found.tolist() == [[-1.0, 0.0, -0.5], [0.0, -1.0, 0.0], [-1.0, 0.0, 0.0]]


@given(arrays, slopes)
def test_relu_against_the_rule_with_loops(values: Any, grads: Any) -> None:
    values, grads = torch.tensor(values), torch.tensor(grads)
    assert torch.equal(gradient(F.relu, values, grads), naive(values, grads, None))


@given(arrays, slopes)
def test_relu6_against_the_rule_with_loops(values: Any, grads: Any) -> None:
    values, grads = torch.tensor(values), torch.tensor(grads)
    assert torch.equal(gradient(F.relu6, values, grads), naive(values, grads, 6.0))


@pytest.mark.parametrize("relus", [RELUS, RELU6S, HARDSWISHES], ids=["relu", "relu6", "hardswish"])
def test_values_are_the_plain_ones(relus: dict[str, Callable[[Tensor], Tensor]]) -> None:
    values = torch.linspace(-9, 9, 31).reshape(1, 31)
    for name, relu in relus.items():
        leaf = values.clone().requires_grad_(True)
        with redirected_relu():
            found = relu(leaf * 1)
        assert torch.equal(found, relu(values.clone())), name
        assert found.dtype == values.dtype


@pytest.mark.parametrize("relu", [one for name, one in RELUS.items() if "place" in name or name.endswith(("_", "_()"))])
def test_working_in_place_is_still_in_place(relu: Callable[[Tensor], Tensor]) -> None:
    leaf = torch.tensor([[-1.0, 2.0]], requires_grad=True)
    with redirected_relu():
        values = leaf * 1
        found = relu(values)
    assert found.data_ptr() == values.data_ptr()
    assert values.tolist() == [[0.0, 2.0]]


SMOOTH: dict[str, Callable[[Tensor], Tensor]] = {
    "nn.GELU": nn.GELU(),
    "nn.GELU tanh": nn.GELU("tanh"),
    "nn.SiLU": nn.SiLU(),
    "nn.SiLU in place": nn.SiLU(inplace=True),
    "nn.Mish": nn.Mish(),
    "nn.Softplus": nn.Softplus(),
    "nn.ELU": nn.ELU(),
    "nn.ELU in place": nn.ELU(inplace=True),
    "nn.CELU": nn.CELU(),
    "nn.SELU": nn.SELU(),
    "nn.Hardswish": nn.Hardswish(),
    "F.gelu input=": lambda x: F.gelu(input=x),
    "F.elu_": F.elu_,
    "torch.celu": torch.celu,
    "torch.selu_": torch.selu_,
}


@pytest.mark.parametrize("smooth", SMOOTH.values(), ids=SMOOTH)
def test_a_smooth_rectifier_gives_sleeping_images_the_gradient_before_it(smooth: Callable[[Tensor], Tensor]) -> None:
    values = [[-5.0, -6.0, -4.5], [-5.0, 2.0, -4.5]]
    grads = torch.tensor([[-1.0, 0.0, -0.5], [-1.0, -1.0, -1.0]], dtype=torch.float64)
    leaf = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    (plain,) = torch.autograd.grad(smooth(leaf * 1), leaf, grads)
    found = gradient(smooth, values, grads)
    assert found[0].tolist() == [-1.0, 0.0, -0.5]
    assert torch.equal(found[1], plain[1])


@pytest.mark.parametrize("smooth", SMOOTH.values(), ids=SMOOTH)
def test_what_shall_become_small_keeps_its_gradient(smooth: Callable[[Tensor], Tensor]) -> None:
    leaf = torch.tensor([[-5.0, -4.0]], dtype=torch.float64, requires_grad=True)
    (plain,) = torch.autograd.grad(smooth(leaf * 1), leaf, torch.ones(1, 2, dtype=torch.float64))
    assert torch.equal(gradient(smooth, leaf.detach(), [[1.0, 1.0]]), plain)


def test_a_single_unit_that_gelu_turns_around_on_the_whole_sleeps_and_a_layer_inside_does_not() -> None:
    values = torch.full((1, 16, 4), -1.5, dtype=torch.float64)
    values[..., 0] = -0.5
    one, dense = torch.zeros_like(values), -torch.ones_like(values)
    one[:, 3] = -1
    assert torch.equal(gradient(F.gelu, values.clone(), one), one)
    values[:, 5] = 3.0
    found = gradient(F.gelu, values, dense)
    assert (found[:, :5, 1:] > 0).all()


def test_only_relus_can_be_left_out() -> None:
    leaf = torch.tensor([[-9.0]], dtype=torch.float64, requires_grad=True)
    with redirected_relu(relus=False):
        values = (F.relu(leaf), F.gelu(leaf))
    found = [torch.autograd.grad(-one.sum(), leaf)[0].item() for one in values]
    assert found == [0.0, -1.0]


def test_other_functions_are_left_alone() -> None:
    values = [[-3.0, -3.0]]
    for function in (
        lambda x: F.hardsigmoid(x),
        lambda x: x.clamp(min=0),
        lambda x: F.leaky_relu(x, 0.0),
        lambda x: torch.tanh(x) * 0,
    ):
        assert gradient(function, values, [[-1.0, -1.0]]).abs().sum() == 0


def test_afterwards_it_is_off() -> None:
    with redirected_relu():
        pass
    leaf = torch.tensor([[-1.0]], requires_grad=True)
    (grad,) = torch.autograd.grad(F.relu(leaf).sum(), leaf)
    assert grad.item() == 0


def test_it_is_off_after_an_error_too() -> None:
    with pytest.raises(KeyboardInterrupt), redirected_relu():
        raise KeyboardInterrupt
    leaf = torch.tensor([[-1.0]], requires_grad=True)
    (grad,) = torch.autograd.grad(-F.relu(leaf).sum(), leaf)
    assert grad.item() == 0


def test_without_gradients_nothing_is_recorded() -> None:
    with redirected_relu(), torch.no_grad():
        assert F.relu(torch.tensor([[-1.0, 1.0]])).tolist() == [[0.0, 1.0]]


def test_the_gradient_arrives_when_the_block_has_ended() -> None:
    leaf = torch.tensor([[-1.0]], requires_grad=True)
    with redirected_relu():
        out = F.relu(leaf)
    (grad,) = torch.autograd.grad(-out.sum(), leaf)
    assert grad.item() == -1


def test_lucid_redirects_sixteen_updates() -> None:
    assert STEPS == 16


def test_dead_layers_in_a_row_pass_the_gradient_on() -> None:
    module = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU(inplace=True), nn.Conv2d(2, 2, 1), nn.ReLU())
    with torch.no_grad():
        for part in (module[0], module[2]):
            part.weight.fill_(1.0)
            part.bias.fill_(-50.0)
    images = torch.rand(2, 3, 4, 4, requires_grad=True)
    with redirected_relu():
        value = module(images)[:, 0].mean((1, 2))
    (grad,) = torch.autograd.grad(-value.sum(), images)
    assert value.tolist() == [0.0, 0.0]
    assert (grad < 0).all()


WRITTEN: dict[str, Callable[[Tensor], Tensor]] = {
    "x * sigmoid(x)": lambda x: x * torch.sigmoid(x),
    "sigmoid(x) * x": lambda x: x.sigmoid() * x,
    "x.mul_(sigmoid(x))": lambda x: x.mul_(x.sigmoid()),
    "QuickGELU": ACT2FN["quick_gelu"],
    "NewGELU": ACT2FN["gelu_new"],
    "FastGELU": ACT2FN["gelu_fast"],
    "GELU with erf": lambda x: 0.5 * x * (1 + torch.erf(x / math.sqrt(2))),
    "x * hardsigmoid(x)": lambda x: x * F.hardsigmoid(x),
}
OTHERS: dict[str, Callable[[Tensor], Tensor]] = {
    "x * tanh(x)": lambda x: x * torch.tanh(x),
    "two gates": lambda x: torch.sigmoid(x) * (1 + torch.tanh(x)),
    "squeeze and excitation": lambda x: x * torch.sigmoid(x.mean(1, keepdim=True)),
    "a gate of another tensor": lambda x: x * torch.sigmoid(x * torch.ones(3, dtype=x.dtype)),
    "no gate": lambda x: x * (x + 1),
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_hand_written_rectifiers_are_redirected(written: Callable[[Tensor], Tensor]) -> None:
    """The first image is in the flat part everywhere, where the second is in no place; SiLU(2) has the slope 1.09."""
    found = gradient(written, [[-9.0, -9.0, -12.0], [2.0, 2.0, 2.0]], [[-1.0, 1.0, -0.5], [-1.0, -1.0, -1.0]])
    assert found[0].tolist() == pytest.approx([-1.0, 0.0, -0.5], abs=0.002)
    leaf = torch.full((1, 3), 2.0, dtype=torch.float64, requires_grad=True)
    (plain,) = torch.autograd.grad(written(leaf * 1).sum(), leaf)
    assert torch.allclose(found[1:], -plain)


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_other_products_keep_their_gradient(other: Callable[[Tensor], Tensor]) -> None:
    values = torch.tensor([[-9.0, -9.0, -12.0], [0.1, 2.0, 2.0]], dtype=torch.float64)
    leaf = values.clone().requires_grad_(True)
    (plain,) = torch.autograd.grad(other(leaf * 1), leaf, -torch.ones_like(values))
    assert torch.equal(gradient(other, values, -torch.ones_like(values)), plain)
