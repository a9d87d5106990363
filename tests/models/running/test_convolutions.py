"""Convolutions that go another way give what PyTorch's own give: forward, back, and under what works in place."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from small_networks import as_model
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.models.running.capture import capture
from lucidtorch.models.running.convolutions import PointwiseConv2d, StridedConv2d, is_plain, rearrange
from lucidtorch.models.running.redirect import STEPS as REDIRECTED

ROUNDING = 1e-5  # of the largest value


def convolution(*sizes: int, seed: int = 0, **more: object) -> nn.Conv2d:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Conv2d(*sizes, **more).requires_grad_(False)  # type: ignore[arg-type]


def images(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def check(layer: nn.Conv2d, fast: nn.Module, given: Tensor) -> None:
    """Compare a layer's values and its gradient with the convolution in float64."""
    given = given.detach().requires_grad_(True)
    found = fast(given)
    pull = images(*found.shape, seed=2)
    (gradient,) = torch.autograd.grad(found, given, pull)
    exact = given.detach().double().requires_grad_(True)
    bias = None if layer.bias is None else layer.bias.double()
    expected = F.conv2d(exact, layer.weight.double(), bias, layer.stride, layer.padding)
    (wanted,) = torch.autograd.grad(expected, exact, pull.double())
    for one, other in ((found.detach(), expected.detach()), (gradient, wanted)):
        assert one.shape == other.shape
        assert float((one.double() - other).abs().max()) <= ROUNDING * max(1.0, float(other.abs().max()))


@drawn(
    kernel=st.tuples(st.integers(1, 11), st.integers(1, 11)),
    stride=st.integers(2, 4),
    padding=st.tuples(st.integers(0, 5), st.integers(0, 5)),
    channels=st.integers(1, 4),
    size=st.tuples(st.integers(11, 24), st.integers(11, 24)),
    bias=st.booleans(),
    last=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_a_strided_convolution_of_an_image(
    kernel: tuple[int, int],
    stride: int,
    padding: tuple[int, int],
    channels: int,
    size: tuple[int, int],
    bias: bool,
    last: bool,
) -> None:
    layer = convolution(channels, 5, kernel, stride, padding, bias=bias)  # type: ignore[arg-type]
    layout = torch.channels_last if last else torch.contiguous_format
    check(layer, StridedConv2d(layer), images(2, channels, *size).contiguous(memory_format=layout))


@drawn(
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    size=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    widths=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    bias=st.booleans(),
    last=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_a_pointwise_convolution(
    stride: tuple[int, int], size: tuple[int, int], widths: tuple[int, int], bias: bool, last: bool
) -> None:
    layer = convolution(*widths, 1, stride, bias=bias)  # type: ignore[arg-type]
    layout = torch.channels_last if last else torch.contiguous_format
    check(layer, PointwiseConv2d(layer), images(2, widths[0], *size).contiguous(memory_format=layout))


@pytest.mark.parametrize(
    ("layer", "kind"),
    [(convolution(3, 8, 7, 2), StridedConv2d), (convolution(8, 6, 1, 2), PointwiseConv2d)],
    ids=["strided", "pointwise"],
)
def test_what_comes_behind_may_work_in_place_and_ask_twice(layer: nn.Conv2d, kind: type[nn.Module]) -> None:
    fast = kind(layer)
    given = images(2, layer.in_channels, 15, 15).requires_grad_(True)
    (found,) = torch.autograd.grad(F.relu(fast(given), inplace=True).sum(), given)
    (wanted,) = torch.autograd.grad(F.relu(layer(given)).sum(), given)
    assert torch.allclose(found, wanted, atol=1e-6)
    # A penalty on a gradient takes the gradient of one.
    seconds = []
    for one in (fast, layer):
        (slope,) = torch.autograd.grad(one(given).pow(2).sum(), given, create_graph=True)
        seconds.append(torch.autograd.grad(slope.pow(2).sum(), given)[0])
    assert torch.allclose(*seconds, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layer", [convolution(3, 8, 7, 2), convolution(8, 6, 1)], ids=["strided", "pointwise"])
def test_an_autocast_and_a_single_image_go_the_plain_way(layer: nn.Conv2d) -> None:
    network = nn.Sequential(layer)
    rearrange(network, ["0"])
    assert type(network[0]) in (StridedConv2d, PointwiseConv2d)
    given = images(2, layer.in_channels, 15, 15)
    assert torch.equal(network(given[0]), layer(given[0]))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert network(given).dtype == torch.bfloat16
        assert torch.equal(network(given), layer(given))


def test_which_convolutions_go_another_way() -> None:
    class Own(nn.Conv2d):
        """Somebody's own."""

    kept = [
        convolution(5, 8, 3, 2),  # not an image
        convolution(3, 8, 3),  # no stride
        convolution(3, 8, 3, (2, 1)),
        convolution(8, 8, 1, padding=1),
        convolution(8, 8, 1, groups=2),
        convolution(3, 8, 3, 2, dilation=2),
        convolution(3, 8, 3, 2, 1, padding_mode="reflect"),
        convolution(8, 8, 1, dtype=torch.float64),
        Own(8, 8, 1),
        nn.Conv1d(8, 8, 1),
        nn.Linear(8, 8),
    ]
    network = nn.ModuleList([convolution(8, 8, 1), convolution(3, 8, 3, 2), *kept])
    rearrange(network, [str(number) for number in range(len(network))])
    assert [type(one) for one in network[:2]] == [PointwiseConv2d, StridedConv2d]
    assert all(one is other for one, other in zip(network[2:], kept, strict=True))
    heard = convolution(8, 8, 1)
    heard.register_forward_hook(lambda *_: None)
    assert not is_plain(heard)


def test_gradients_inside_stand_in_memory_as_the_maps_do() -> None:
    """With two layouts in one sum or ReLU, every operation on the way back would be slow."""

    class Block(nn.Module):
        """A residual block with a strided shortcut."""

        def __init__(self) -> None:
            super().__init__()
            self.shortcut, self.main = nn.Conv2d(4, 6, 1, 2), nn.Conv2d(4, 6, 3, 2, 1)
            self.found: list[bool] = []

        def forward(self, maps: Tensor) -> Tensor:
            made: Tensor = self.shortcut(maps) + self.main(maps)
            for one in (maps, made) if made.requires_grad else ():
                one.register_hook(lambda gradient: self.found.append(_is_last(gradient)))
            return F.relu(made)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        block = Block()
        model = lt.load_model(nn.Sequential(nn.Conv2d(3, 4, 1), block), mean=0.0, std=1.0, size=16)
    steps = REDIRECTED + 2
    lt.render(model, "1:2", param=lt.param.image(16), steps=steps, transforms="identity()", progress=False)
    assert len(block.found) == 2 * (steps + 1)  # the last one of the finished picture
    assert all(block.found[2 * REDIRECTED :])


def _is_last(values: Tensor) -> bool:
    return values.is_contiguous(memory_format=torch.channels_last)


def test_a_gradient_comes_into_the_network_as_its_maps_stand_in_memory() -> None:
    network = nn.Sequential(convolution(3, 4, 3)).to(memory_format=torch.channels_last)
    addresses = as_model(network).addresses(["0"], (8, 8))
    given, seen = images(2, 3, 8, 8).contiguous(memory_format=torch.channels_last).requires_grad_(True), []
    with capture(network, addresses) as run:
        found = run(given)["0"]
    found.register_hook(lambda gradient: seen.append(_is_last(gradient)))
    torch.autograd.grad(found, given, images(2, 4, 6, 6))
    assert seen == [True]
