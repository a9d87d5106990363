"""The rules of the way back against the papers' formulas, written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from small_networks import Raising, as_model
from torch import Tensor, nn
from torch.overrides import _get_current_function_mode_stack

from lucidtorch.models.backward import BackwardRule, backward, deconvnet, guided, saliency

RULES = {
    "deconvnet": deconvnet,
    "without switches": lambda: deconvnet(switches=False),
    "guided": guided,
    "saliency": saliency,
}
RELUS: dict[str, Callable[[Tensor], Tensor]] = {
    "module": nn.ReLU(),
    "module in place": nn.ReLU(inplace=True),
    "F.relu": F.relu,
    "F.relu in place": lambda x: F.relu(x, inplace=True),
    "torch.relu_": torch.relu_,
    "x.relu()": lambda x: x.relu(),
    "nn.ReLU6": nn.ReLU6(),
    "nn.ReLU6 in place": nn.ReLU6(inplace=True),
}
POOLINGS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "plain": (nn.MaxPool2d, {"kernel_size": 2}),
    "overlapping": (nn.MaxPool2d, {"kernel_size": 3, "stride": 2}),
    "padded": (nn.MaxPool2d, {"kernel_size": 3, "stride": 2, "padding": 1}),
    "up to the end": (nn.MaxPool2d, {"kernel_size": 2, "stride": 2, "ceil_mode": True}),
    "with holes": (nn.MaxPool2d, {"kernel_size": 2, "stride": 1, "dilation": 2}),
    "of two sides": (nn.MaxPool2d, {"kernel_size": (3, 1), "stride": (2, 3)}),
    "adaptive": (nn.AdaptiveMaxPool2d, {"output_size": (3, 2)}),
}


def down(network: Callable[[Tensor], Any], values: Tensor, signal: Tensor, rule: BackwardRule) -> Tensor:
    """What of a signal at the output arrives at the input."""
    leaf = values.clone().requires_grad_(True)
    with rule:
        out = network(leaf * 1)
        out = out if isinstance(out, Tensor) else out[0]
        (found,) = torch.autograd.grad(out, leaf, signal)
    return found


@pytest.mark.parametrize("relu", RELUS.values(), ids=RELUS)
@pytest.mark.parametrize(
    ("rule", "arriving"),
    # by (value on the way up, signal): (+, +), (+, -), (-, +), (-, -)
    [(deconvnet, [2, 0, 2, 0]), (guided, [2, 0, 0, 0]), (saliency, [2, -3, 0, 0])],
    ids=["deconvnet", "guided", "saliency"],
)
def test_the_four_cases_of_a_relu(relu: Callable[[Tensor], Tensor], rule: Any, arriving: list[float]) -> None:
    values, signal = torch.tensor([1.0, 1, -1, -1]), torch.tensor([2.0, -3, 2, -3])
    assert down(relu, values, signal, rule()).tolist() == arriving


def test_above_its_ceiling_a_relu6_is_shut_too() -> None:
    values, signal = torch.tensor([7.0, 7, 5]), torch.tensor([2.0, -3, 2])
    found = {name: down(F.relu6, values, signal, rule()).tolist() for name, rule in RULES.items() if "out" not in name}
    assert found == {"deconvnet": [2, 0, 2], "guided": [0, 0, 2], "saliency": [0, 0, 2]}


@pytest.mark.parametrize("name", POOLINGS)
def test_switches_lead_to_where_the_maximum_was(name: str) -> None:
    pooling, words = POOLINGS[name]
    values = torch.randn(2, 3, 7, 7, generator=torch.Generator().manual_seed(0))
    pooled, places = pooling(return_indices=True, **words)(values)
    signal = torch.rand(pooled.shape, generator=torch.Generator().manual_seed(1))
    expected = torch.zeros(2, 3, 49).scatter_add_(2, places.flatten(2), signal.flatten(2)).reshape(values.shape)
    for rule in (deconvnet, guided, saliency):
        assert torch.equal(down(pooling(**words), values, signal, rule()), expected)
        assert torch.equal(down(pooling(return_indices=True, **words), values, signal, rule()), expected)


@pytest.mark.parametrize(
    ("name", "rows", "columns"),
    [
        ("plain", [0, 2, 4], [0, 2, 4]),
        ("overlapping", [1, 3, 5], [1, 3, 5]),
        ("padded", [0, 2, 4, 6], [0, 2, 4, 6]),
        ("up to the end", [0, 2, 4, 6], [0, 2, 4, 6]),
        ("with holes", [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]),
        ("of two sides", [1, 3, 5], [0, 3, 6]),
        ("adaptive", [1, 3, 5], [1, 4]),  # windows of rows 0-2, 2-4, 4-6 and columns 0-3, 3-6
    ],
)
@pytest.mark.parametrize("indices", [False, True])
def test_without_switches_the_signal_goes_to_a_fixed_place(
    name: str, rows: list[int], columns: list[int], indices: bool
) -> None:
    pooling, words = POOLINGS[name]
    values = torch.randn(2, 3, 7, 7, generator=torch.Generator().manual_seed(0))
    signal = torch.rand(2, 3, len(rows), len(columns), generator=torch.Generator().manual_seed(1))
    expected = torch.zeros(2, 3, 7, 7)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            expected[:, :, row, column] += signal[:, :, i, j]
    found = down(pooling(return_indices=indices, **words), values, signal, deconvnet(switches=False))
    assert torch.equal(found, expected)


def test_a_fixed_place_in_the_padding_moves_inside_and_shared_places_add_up() -> None:
    pooling = nn.MaxPool1d(2, stride=1, padding=1)  # windows of places (-1, 0), (0, 1), (1, 2), (2, 3)
    found = down(pooling, torch.rand(1, 1, 3), torch.tensor([[[1.0, 2, 4, 8]]]), deconvnet(switches=False))
    assert found.tolist() == [[[3, 4, 8]]]


@pytest.mark.parametrize("pool", [lambda x: F.max_pool2d(x, 2), lambda x: torch.max_pool2d(x, [2, 2])])
@pytest.mark.parametrize("volume", [False, True])
def test_functions_and_volumes_pool_likewise(pool: Callable[[Tensor], Tensor], volume: bool) -> None:
    values = torch.rand(1, 2, 4, 4, 4) if volume else torch.rand(1, 2, 4, 4)
    shape = (1, 2, 2, 2, 2) if volume else (1, 2, 2, 2)
    found = down(nn.MaxPool3d(2) if volume else pool, values, torch.ones(shape), deconvnet(switches=False))
    expected = torch.zeros(values.shape)
    expected[(..., *[slice(None, None, 2)] * (len(shape) - 2))] = 1
    assert torch.equal(found, expected)


@pytest.mark.parametrize("name", ["deconvnet", "without switches"])
def test_a_network_of_two_layers_by_hand(name: str) -> None:
    rng = np.random.default_rng(0)
    first, second = rng.standard_normal((4, 3, 3, 3)), rng.standard_normal((2, 4, 2, 2))
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Conv2d(4, 2, 2))
    network = network.double()
    with torch.no_grad():
        for layer, weight in ((network[0], first), (network[3], second)):
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.copy_(torch.linspace(-0.2, 0.3, len(weight)))
    image = rng.random((3, 8, 8))
    bias = np.linspace(-0.2, 0.3, 4).astype(np.float32)
    rectified = np.maximum(correlated(image, first) + bias[:, None, None], 0)
    signal = np.zeros((2, 2, 2))
    signal[1, 0, 1] = 1
    arrived = transposed(signal, second)  # [4, 3, 3], at the pooled map
    unpooled = np.zeros((4, 6, 6))
    for c, i, j in np.ndindex(4, 3, 3):
        window = rectified[c, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        at = np.unravel_index(window.argmax(), (2, 2)) if name == "deconvnet" else (0, 0)
        unpooled[c, 2 * i + at[0], 2 * j + at[1]] += arrived[c, i, j]
    expected = transposed(np.maximum(unpooled, 0), first)
    model = as_model(network, size=8)
    found = backward(
        model, torch.from_numpy(image)[None], lambda seen: seen["3"][:, 1, 0, 1], ["3"], rule=RULES[name]()
    )
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(found.gradients["input"][0].numpy(), expected, atol=1e-6)


def correlated(image: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """A convolution without padding, written out."""
    out, _, k, _ = weight.shape
    side = image.shape[1] - k + 1
    return np.array(
        [
            [[(image[:, i : i + k, j : j + k] * weight[o]).sum() for j in range(side)] for i in range(side)]
            for o in range(out)
        ]
    )


def transposed(signal: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The transposed convolution: each number lays the filter down where it looked."""
    _, into, k, _ = weight.shape
    found = np.zeros((into, signal.shape[1] + k - 1, signal.shape[2] + k - 1))
    for o, i, j in np.ndindex(signal.shape):
        found[:, i : i + k, j : j + k] += signal[o, i, j] * weight[o]
    return found


class Branching(nn.Module):
    """Batch norm, a residual sum, and a concatenation; each step is written out in the test."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.one, self.two = nn.Conv2d(3, 3, 1, bias=False), nn.Conv2d(3, 2, 1, bias=False)
        self.relu = nn.ReLU(inplace=True)
        self.last = nn.Conv2d(5, 1, 1, bias=False)
        for number, weight in enumerate(self.parameters()):
            nn.init.normal_(weight, generator=torch.Generator().manual_seed(number))
        self.norm.running_var.fill_(4.0)
        self.norm.running_mean.fill_(0.3)

    def forward(self, images: Tensor) -> Tensor:
        normed = self.norm(images)
        same = self.relu(normed + self.relu(self.one(normed)))
        return self.last(torch.cat([same, self.two(normed)], 1))


@pytest.mark.parametrize("name", ["deconvnet", "guided", "saliency"])
def test_batch_norm_a_residual_sum_and_a_concatenation(name: str) -> None:
    network = Branching().double()
    network.train()
    image = torch.randn(1, 3, 4, 4, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    scale = network.norm.weight / (4.0 + network.norm.eps) ** 0.5
    one, two, last = (layer.weight.flatten(1) for layer in (network.one, network.two, network.last))

    def through(signal: Tensor, up: Tensor) -> Tensor:
        mask = torch.ones_like(up) if name == "deconvnet" else (up > 0).to(up)
        return mask * (signal if name == "saliency" else signal.clamp(min=0))

    with torch.no_grad():
        pixels = image.clamp(0, 1)
        normed = (pixels - 0.3) * scale[:, None, None] + network.norm.bias[:, None, None]
        inner = torch.einsum("oc,bchw->bohw", one, normed)
        signal = last.reshape(5)[:, None, None].expand(5, 4, 4)[None]
        at_sum = through(signal[:, :3], inner.clamp(min=0) + normed)
        expected = at_sum + torch.einsum("oc,bohw->bchw", one, through(at_sum, inner))
        expected = (expected + torch.einsum("oc,bohw->bchw", two, signal[:, 3:])) * scale[:, None, None]
    model = as_model(network, size=4)
    found = backward(model, pixels, lambda seen: seen["last"].sum((1, 2, 3)), ["last"], rule=RULES[name]())
    torch.testing.assert_close(found.gradients["input"], expected)
    assert network.training


def mixed() -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.LocalResponseNorm(3),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.Conv2d(6, 5, 3),
            nn.Hardswish(),
            nn.AvgPool2d(2),
            nn.ReLU6(),
        )


@pytest.mark.parametrize("name", RULES)
def test_no_rule_changes_the_way_up_or_the_network(name: str) -> None:
    model = as_model(mixed())
    images = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    plain = backward(model, images, lambda seen: seen["7"].mean((1, 2, 3)), ["7"], ["4", "input"])
    rule = RULES[name]()
    found = backward(model, images, lambda seen: seen["7"].mean((1, 2, 3)), ["7"], ["4", "input"], rule=rule)
    assert torch.equal(found.score, plain.score)
    assert all(torch.equal(found.activations[one], plain.activations[one]) for one in ("4", "7"))
    assert torch.equal(found.gradients["input"], plain.gradients["input"]) == (name == "saliency")
    assert (rule.relus, rule.max_poolings) == (2, 1)
    assert all(weight.grad is None and weight.requires_grad for weight in model.module.parameters())


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize(
    "other", [nn.Hardswish(), nn.LeakyReLU(), nn.GELU(), nn.SiLU(), nn.Hardtanh(), nn.ELU(), nn.LocalResponseNorm(2)]
)
def test_all_else_has_its_true_gradient(name: str, other: nn.Module) -> None:
    values, signal = torch.randn(2, 4, 3, 3), torch.randn(2, 4, 3, 3)
    leaf = values.clone().requires_grad_(True)
    (plain,) = torch.autograd.grad(other(leaf), leaf, signal)
    assert torch.equal(down(other, values, signal, RULES[name]()), plain)


@pytest.mark.parametrize("name", RULES)
def test_nothing_is_left_after_an_error(name: str) -> None:
    network = Raising(3, RuntimeError("in the middle"))
    model = as_model(network)
    images = torch.rand(1, 3, 16, 16)
    assert model.layers["last"].channels == 4  # the dry run
    before = _get_current_function_mode_stack()
    network.at = network.passes + 1
    with pytest.raises(RuntimeError, match="in the middle"):
        backward(model, images, lambda seen: seen["last"].sum((1, 2, 3)), ["last"], rule=RULES[name]())
    assert _get_current_function_mode_stack() == before
    assert all(not part._forward_hooks for part in network.modules())
    assert all(weight.requires_grad for weight in network.parameters())
    values = torch.tensor([-1.0, 1.0], requires_grad=True)
    (found,) = torch.autograd.grad(F.relu(values).sum(), values)
    assert found.tolist() == [0, 1]
