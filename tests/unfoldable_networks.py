"""Networks whose batch normalization is no part of the convolution before it, each for a reason of its own."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from normalized_networks import Pair
from torch import Tensor, nn
from torch.nn.utils import parametrizations


class Residual(Pair):
    def between(self, images: Tensor) -> Tensor:
        found = self.conv(images)
        return self.norm(found) + found


class Read(Pair):
    def between(self, images: Tensor) -> Tensor:
        found = self.conv(images)
        return self.norm(found) * (found[0, 0, 0, 0] > 0)


class InPlace(Pair):
    def between(self, images: Tensor) -> Tensor:
        found = self.conv(images)
        found.mul_(2)
        return self.norm(found)


class Twice(Pair):
    def between(self, images: Tensor) -> Tensor:
        return self.norm(self.conv(images)) + self.conv(images)


class OneForTwo(Pair):
    def between(self, images: Tensor) -> Tensor:
        return self.norm(self.conv(images)) + self.norm(images.mean((1, 2, 3), keepdim=True).expand(-1, 6, 1, 1))


class Changed(Pair):
    def between(self, images: Tensor) -> Tensor:
        return self.norm(-self.conv(images))


class ByName(Pair):
    def between(self, images: Tensor) -> Tensor:
        return self.norm(input=self.conv(images))


class BorrowedWeight(Pair):
    def between(self, images: Tensor) -> Tensor:
        return self.norm(self.conv(images)) + F.conv2d(images, self.conv.weight)


class _Doubling(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, values: Tensor) -> Tensor:
        return values * 2

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        return gradient * 2


class OwnFunction(Pair):
    def between(self, images: Tensor) -> Tensor:
        found = self.conv(images)
        return self.norm(found) + _Doubling.apply(found)


class Activating(nn.BatchNorm2d):
    """A normalization that does more, as timm's does."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input).relu()


class Padded(nn.Conv2d):
    """A convolution that does more."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(F.pad(input, (1, 1, 1, 1)))


def with_parts(**parts: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        module = Pair()
        for name, part in parts.items():
            setattr(module, name, part())
        return module

    return make


def weight_norm() -> nn.Module:
    module = Pair()
    parametrizations.weight_norm(module.conv)
    return module


def spectral_norm() -> nn.Module:
    module = Pair()
    parametrizations.spectral_norm(module.conv)
    return module


def tied() -> nn.Module:
    module = nn.Sequential(nn.Conv2d(3, 3, 1, bias=False), nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1, bias=False))
    module[2].weight = module[0].weight
    return module


def own_forward() -> nn.Module:
    module = Pair()
    weight, bias = module.conv.weight, module.conv.bias
    module.conv.forward = lambda images: F.conv2d(images, weight, bias)  # type: ignore[method-assign, assignment]
    return module


LEFT: dict[str, Callable[[], nn.Module]] = {
    "the sum with what was not normalized": Residual,
    "a number of it": Read,
    "changed in place": InPlace,
    "a convolution called twice": Twice,
    "a normalization called twice": OneForTwo,
    "something between": Changed,
    "given by its name": ByName,
    "a weight that others read": BorrowedWeight,
    "a function of one's own": OwnFunction,
    "a class made of a normalization": with_parts(norm=lambda: Activating(6)),
    "a class made of a convolution": with_parts(conv=lambda: Padded(3, 6, 3)),
    "no statistics of its own": with_parts(norm=lambda: nn.BatchNorm2d(6, track_running_stats=False)),
    "no batch normalization": with_parts(norm=lambda: nn.GroupNorm(2, 6)),
    "transposed": with_parts(conv=lambda: nn.ConvTranspose2d(3, 6, 3)),
    "weight norm": weight_norm,
    "spectral norm": spectral_norm,
    "tied weights": tied,
    "a forward of its own": own_forward,
}
