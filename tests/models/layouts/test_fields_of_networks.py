"""Receptive fields of whole networks, against the gradients of copies that let everything through."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision import models as torchvision_models

import lucidtorch.models as models
from lucidtorch.models.layouts.field_tracer import FieldTracer
from lucidtorch.models.layouts.receptive_field import Axis, Field
from lucidtorch.models.networks.inceptionv1 import SameMaxPool2d


class _SameAverage(nn.Module):
    """An average pool with TensorFlow's SAME padding, in place of a max pool with it."""

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.stride = stride

    def forward(self, values: Tensor) -> Tensor:
        padding: list[int] = []
        for side in reversed(values.shape[2:]):
            total = max((math.ceil(side / self.stride) - 1) * self.stride + self.kernel - side, 0)
            padding += [total // 2, total - total // 2]
        return F.avg_pool2d(F.pad(values, padding), self.kernel, self.stride)


def open_copy(net: nn.Module) -> nn.Module:
    """Average instead of max pools, positive weights and no norms: every path of numbers leaves its gradient."""
    for module in list(net.modules()):
        for name, child in module.named_children():
            if isinstance(child, SameMaxPool2d):
                setattr(module, name, _SameAverage(child.kernel_size, child.stride))
            elif isinstance(child, nn.MaxPool2d):
                pool = nn.AvgPool2d(child.kernel_size, child.stride, child.padding, ceil_mode=child.ceil_mode)
                setattr(module, name, pool)
            elif isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
    for weight in net.parameters():
        nn.init.constant_(weight, 1 / weight[0].numel() if weight.dim() > 1 else 0.0)
    return net.double().eval().requires_grad_(False)


def outputs_of(net: nn.Module, images: Tensor, names: list[str]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for name in names:
        layer = net.get_submodule(name)
        layer.register_forward_hook(lambda _, __, output, name=name: found.__setitem__(name, output.clone()))
    with torch.autograd.set_grad_enabled(images.requires_grad):
        net(images)
    return found


def traced_fields(net: nn.Module, images: Tensor, names: list[str]) -> dict[str, Field]:
    found: dict[str, Field] = {}
    tracer = FieldTracer(images)
    hooks = [
        net.get_submodule(name).register_forward_hook(
            lambda _, __, output, name=name: found.__setitem__(name, tracer.field(output) or ())
        )
        for name in names
    ]
    with torch.no_grad(), tracer:
        net(images)
    for hook in hooks:
        hook.remove()
    return found


ALEXNET = [f"features.{place}" for place in (0, 3, 6, 8, 10)]
VGG = [f"features.{place}" for place in (0, 7, 16, 25, 34)]
RESNET = ["maxpool", "layer1", "layer2", "layer3", "layer4"]
INCEPTION = [f"mixed{name}" for name in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("build", "side", "names", "sizes"),
    [
        (
            torchvision_models.alexnet,
            (481, 65),
            [f"features.{place}" for place in (0, 3, 6, 8, 10)],
            [11, 51, 99, 131, 163],
        ),
        (
            torchvision_models.vgg19,
            (481, 33),
            [f"features.{place}" for place in (0, 7, 16, 25, 34)],
            [3, 14, 48, 116, 252],
        ),
        (torchvision_models.resnet50, (641, 33), RESNET, [11, 35, 91, 267, 427]),
        (
            lambda: models.load_model("inceptionv1", weights="random", device="cpu").module,
            (961, 33),
            INCEPTION,
            [59, 91, 171, 235, 299, 363, 427, 587, 715],
        ),
    ],
    ids=["alexnet", "vgg19", "resnet50", "inceptionv1"],
)
def test_fields_are_where_the_gradients_of_whole_networks_are(
    build: Callable[[], nn.Module], side: tuple[int, int], names: list[str], sizes: list[int]
) -> None:
    net = open_copy(build())  # a narrow image: one axis of a field needs no more
    images = torch.ones(1, 3, *side, dtype=torch.float64)
    fields = traced_fields(net, images, names)
    assert [fields[name][0].size for name in names] == sizes
    images.requires_grad_(True)
    found = outputs_of(net, images, names)
    for name in names:
        rows = found[name].shape[2]
        unit = found[name][0, :, rows // 2].sum()
        (gradient,) = torch.autograd.grad(unit, images, retain_graph=True)
        seen = gradient.abs().sum(dim=(0, 1, 3)).nonzero().flatten()
        axis: Axis = fields[name][0]
        first = axis.start + rows // 2 * axis.stride
        assert (int(seen.min()), int(seen.max())) == (first, first + axis.size - 1), name
