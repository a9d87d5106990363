from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision import models as torchvision_models
from torchvision.models.feature_extraction import get_graph_node_names

from lucidtorch.base.errors import BadInputError
from lucidtorch.models.running.frozen import frozen
from lucidtorch.models.sources.traced import traced

OPTIONS = {"googlenet": {"aux_logits": False, "init_weights": False, "transform_input": True}}


def network(name: str) -> nn.Module:
    torch.manual_seed(0)
    return torchvision_models.get_model(name, weights=None, **OPTIONS.get(name, {}))


def seen(module: nn.Module, *inputs: Tensor, **named: Tensor) -> list[tuple[str, object]]:
    """What plain hooks see: the name and output of each call, as it was when the call returned."""
    calls: list[tuple[str, object]] = []
    handles = [
        part.register_forward_hook(
            lambda *args, name=name: calls.append((name, args[2].clone() if isinstance(args[2], Tensor) else args[2]))
        )
        for name, part in module.named_modules()
    ]
    with torch.no_grad():
        module(*inputs, **named)
    for handle in handles:
        handle.remove()
    return calls


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("resnet18", 32), ("squeezenet1_1", 32), ("mobilenet_v3_small", 32),
        *(pytest.param(name, side, marks=pytest.mark.slow) for name, side in (
            ("googlenet", 32), ("vit_b_16", 224), ("swin_t", 64), ("densenet121", 32), ("regnet_y_400mf", 32),
            ("efficientnet_b0", 32), ("shufflenet_v2_x0_5", 32),
        )),
    ],
)  # fmt: skip
def test_every_operation_fires_once_under_torchvisions_name(name: str, side: int) -> None:
    net = network(name).eval()
    images = torch.rand(1, 3, side, side)
    view = traced(net)
    calls = [call for call, _ in seen(view, images)]
    for node in get_graph_node_names(net, suppress_diff_warning=True)[1]:
        assert calls.count(node) == 1, node
    with torch.no_grad():
        assert torch.equal(view(images), net(images))
    assert list(view.state_dict()) == list(net.state_dict())
    assert {id(weight) for weight in view.parameters()} == {id(weight) for weight in net.parameters()}
    assert {id(value) for value in view.buffers()} == {id(value) for value in net.buffers()}


def test_calls_of_one_module_are_the_nodes_that_plain_hooks_see() -> None:
    net = network("resnet50").eval()
    images = torch.rand(1, 3, 64, 64)
    hooked = [value for name, value in seen(net, images) if name == "layer1.0.relu"]
    nodes = dict(seen(traced(net), images))
    assert len(hooked) == 3
    assert not torch.equal(hooked[0], hooked[1])
    for number, value in enumerate(hooked):
        assert torch.equal(nodes[f"layer1.0.relu{f'_{number}' if number else ''}"], value)
    assert torch.equal(F.relu(nodes["layer1.0.add"]), hooked[2])


class Odd(nn.Module):
    """Names that are methods and parameters, a shared module, a constant, defaults, a module that never runs."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_1 = nn.Conv2d(3, 3, 1)
        self.conv_2 = nn.Conv2d(3, 3, 1)
        self.add = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))
        self.scale = nn.Parameter(torch.rand(1, 3, 1, 1))
        self.register_buffer("shift", torch.rand(1, 3, 1, 1))
        self.drop = nn.Dropout(0.5)
        self.never = nn.Linear(2, 2)

    def forward(self, images: Tensor, mask: Tensor | None = None, *, power: float = 2.0) -> Tensor:
        values = self.conv_1(self.conv_2(self.conv_1(images))).float() + self.add(images)
        if mask is not None:
            values = values * mask
        values = values * self.scale + self.shift + torch.tensor([0.5])
        return self.drop(values**power)


@torch.no_grad()
def test_odd_names_constants_and_defaults_are_kept() -> None:
    torch.manual_seed(0)
    net = Odd()
    attributes = set(vars(net))
    view, images, mask = traced(net), torch.rand(2, 3, 4, 4), torch.rand(2, 1, 4, 4)
    assert set(vars(net)) == attributes
    assert list(view.state_dict()) == list(net.state_dict())
    nodes = dict(seen(view.eval(), images))
    assert torch.equal(nodes["float"], net.conv_1(net.conv_2(net.conv_1(images))))
    assert torch.equal(nodes["scale"], net.scale)
    assert type(view.get_submodule("float")).__name__ == "TracedLayer"
    assert torch.equal(view(images), net(images))
    assert list(inspect.signature(view.forward).parameters) == ["images"]
    masked = traced(net, inputs=["mask"])
    assert list(inspect.signature(masked.forward).parameters) == ["images", "mask"]
    assert torch.equal(masked(images, mask=mask), net(images, mask))
    with pytest.raises(AttributeError, match="no layer 'nothing'"):
        view.get_submodule("nothing")


def test_each_layer_says_what_it_is_and_has_the_weights_of_its_module() -> None:
    net = Odd()
    layers = dict(traced(net).named_modules())
    kinds = {"conv": "Conv2d", "add_1": "add", "float": "float", "add.1": "BatchNorm2d", "scale": "parameter"}
    kinds["images"] = "input"
    assert {name: layers[name].kind for name in kinds} == kinds
    calls = [name for name, _ in seen(traced(net).eval(), torch.rand(1, 3, 4, 4)) if name.startswith("conv")]
    weights = [{id(one) for one in layers[name].parameters()} for name in calls]
    first, second = ({id(one) for one in conv.parameters()} for conv in (net.conv_1, net.conv_2))
    assert weights == [first, second, first]
    assert not list(layers["float"].parameters())


def test_modes_reach_the_network_and_nothing_is_left_on_it(fingerprint: Callable[[nn.Module], object]) -> None:
    net = Odd()
    net.drop.eval()
    before = fingerprint(net)
    view = traced(net)
    assert fingerprint(net) == before
    assert [view.training, view.get_submodule("drop").training] == [True, False]
    with frozen(view):
        assert not any(part.training for part in net.modules() if part is not net.never)
        assert not any(weight.requires_grad for weight in net.parameters())
    assert fingerprint(net) == before
    view.eval()
    assert not any(part.training for part in net.modules())


def test_gradients_and_types_pass_through() -> None:
    net = Odd().eval()
    view = traced(net).double()
    assert {value.dtype for value in net.state_dict().values()} == {torch.float64, torch.int64}
    net.float()
    assert next(view.parameters()).dtype == torch.float32
    first, second = (torch.ones(1, 3, 4, 4, requires_grad=True) for _ in range(2))
    view(first).sum().backward()
    net(second).sum().backward()
    assert torch.equal(first.grad, second.grad)
    assert first.grad.abs().sum() > 0


class Choosing(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images if images.mean() > 0 else -images


def test_what_cannot_be_traced_says_what_to_do_instead() -> None:
    with pytest.raises(BadInputError, match=r"Choosing cannot be traced \(TraceError: .*without trace=True"):
        traced(Choosing())
