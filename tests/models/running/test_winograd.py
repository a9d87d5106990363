"""Winograd's way gives what the convolution gives: forward, back, and whatever stands beside an image."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lucidtorch.models.running import convolutions as winograd
from lucidtorch.models.running.convolutions import WinogradConv2d, suits, with_winograd

ROUNDING = 5e-5  # of the largest value
SIZES = [(24, 24), (25, 31), (38, 24), (27, 40)]


def convolution(channels: int = 128, width: int = 256, *, bias: bool = True) -> nn.Conv2d:
    torch.manual_seed(0)
    return nn.Conv2d(channels, width, 3, padding=1, bias=bias).requires_grad_(False)


def images(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def off(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("bias", [True, False])
def test_values_and_gradients_are_the_convolutions(
    size: tuple[int, int], layout: torch.memory_format, bias: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = convolution(bias=bias)
    given = images(2, 128, *size).contiguous(memory_format=layout).requires_grad_(True)
    pull = images(2, 256, *size, seed=2)
    exact = given.detach().double().requires_grad_(True)
    expected = F.conv2d(exact, layer.weight.double(), None if layer.bias is None else layer.bias.double(), padding=1)
    (wanted,) = torch.autograd.grad(expected, exact, pull.double())
    fast = WinogradConv2d(layer)
    monkeypatch.setattr(F, "conv2d", None)  # it must not take the plain way
    found = fast(given)
    (gradient,) = torch.autograd.grad(found, given, pull)
    assert found.shape == expected.shape
    assert off(found.detach().double(), expected.detach()) < ROUNDING
    assert off(gradient.double(), wanted) < ROUNDING


def test_an_image_comes_out_the_same_at_any_place_and_beside_any_others() -> None:
    fast, given = WinogradConv2d(convolution()), images(5, 128, 26, 30)
    order = torch.tensor([3, 0, 4, 1, 2])
    assert torch.equal(fast(given)[order], fast(given[order]))
    others = torch.cat([given[:1], images(4, 128, 26, 30, seed=3)])
    assert torch.equal(fast(given)[0], fast(others)[0])


def test_a_relu_behind_it_may_work_in_place() -> None:
    for side in (24, 25):
        given = images(1, 128, side, side).requires_grad_(True)
        found = F.relu(WinogradConv2d(convolution())(given), inplace=True)
        (gradient,) = torch.autograd.grad(found.sum(), given)
        assert bool((gradient != 0).any())


@pytest.mark.parametrize(("channels", "side"), [(64, 31), (128, 15), (256, 7)])
def test_small_maps_go_the_plain_way(channels: int, side: int) -> None:
    layer, given = convolution(channels), images(1, channels, side, side)
    assert torch.equal(WinogradConv2d(layer)(given), layer(given))


def test_an_autocast_goes_the_plain_way() -> None:
    layer, given = convolution(), images(1, 128, 24, 24)
    fast = WinogradConv2d(layer)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert fast(given).dtype == torch.bfloat16
        assert torch.equal(fast(given), layer(given))


def test_which_convolutions_suit() -> None:
    assert suits(convolution())
    for other in (
        nn.Conv2d(63, 256, 3, padding=1),
        nn.Conv2d(256, 63, 3, padding=1),
        nn.Conv2d(127, 127, 3, padding=1),
        nn.Conv2d(128, 128, 3),
        nn.Conv2d(128, 128, 3, padding=1, stride=2),
        nn.Conv2d(128, 128, 3, padding=1, groups=2),
        nn.Conv2d(128, 128, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(128, 128, 5, padding=2),
        nn.Conv2d(128, 128, 3, padding=1, dtype=torch.float64),
        type("Own", (nn.Conv2d,), {})(128, 128, 3, padding=1),
    ):
        assert not suits(other)
    hooked = convolution()
    hooked.register_forward_hook(lambda *_: None)
    assert not suits(hooked)


def test_layers_are_taken_in_the_order_in_which_they_run_while_the_memory_lasts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cost = 2 * 36 * 128 * 128 * 4
    monkeypatch.setattr(winograd, "MEMORY", 2 * cost)
    network = nn.Sequential(*(convolution(128, 128) for _ in range(3)), nn.ReLU())
    with_winograd(network, ["2", "3", "0", "1"])
    assert [type(part).__name__ for part in network] == ["WinogradConv2d", "Conv2d", "WinogradConv2d", "ReLU"]
    used = sum(one.numel() * 4 for part in network for one in part.buffers())
    assert used == 2 * cost
