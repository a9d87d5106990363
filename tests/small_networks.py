"""Small networks that tests of the loop are made of."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model

SIDE = 16


def as_model(module: nn.Module, *, channels: int = 3, size: int | tuple[int, int] = SIDE) -> Model:
    """A network that takes images in [0, 1] as they are."""
    return load_model(module, mean=0.0, std=1.0, size=size, channels=channels)


def mixing(channels: int = 3, *, seed: int = 0) -> nn.Sequential:
    """Two convolutions with a ReLU that works in place, batch norm and dropout in training mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(channels, 6, 3, padding=1),
            nn.BatchNorm2d(6),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Conv2d(6, 5, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(5, 4),
        )


class Threshold(nn.Module):
    """Channel k is ReLU(sum over colours - bias[k]) at each pixel, by a 1x1 convolution called `before`."""

    def __init__(self, *biases: float, relu: Callable[[], nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.before = nn.Conv2d(3, len(biases), 1)
        self.after = relu()
        with torch.no_grad():
            self.before.weight.fill_(1.0)
            self.before.bias.copy_(-torch.tensor(biases))

    def forward(self, images: Tensor) -> Tensor:
        return self.after(self.before(images))


class Overflowing(nn.Module):
    """A convolution `a`, then `b` that is infinite for the images whose mean is above a limit, then `c`."""

    def __init__(self, limit: float) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, 4, 1)
        self.b = _Burst(limit)
        self.c = nn.Conv2d(4, 4, 1)
        with torch.no_grad():
            for number, weight in enumerate(self.parameters()):
                weight.copy_(torch.linspace(0.1, 1, weight.numel()).reshape(weight.shape) / (number + 1))

    def forward(self, images: Tensor) -> Tensor:
        self.b.brightness = images.mean((1, 2, 3), keepdim=True)
        return self.c(self.b(self.a(images)))


class _Burst(nn.Module):
    brightness: Tensor

    def __init__(self, limit: float) -> None:
        super().__init__()
        self.limit = limit

    def forward(self, values: Tensor) -> Tensor:
        return values * torch.where(self.brightness > self.limit, torch.inf, 1.0)


class Raising(nn.Module):
    """Raises at one of its forward passes."""

    def __init__(self, at: int, error: BaseException) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.last = nn.Conv2d(4, 4, 1)
        self.at = at
        self.error = error
        self.passes = 0

    def forward(self, images: Tensor) -> Tensor:
        self.passes += 1
        values = F.relu(self.conv(images), inplace=True)
        if self.passes == self.at:
            raise self.error
        return self.last(values)


class Counter:
    """Counts how often each module of a network runs, by hooks of its own."""

    def __init__(self, module: nn.Module) -> None:
        self.calls: dict[str, int] = {}
        self.learning = False
        self.handles = [part.register_forward_pre_hook(self._hook(name)) for name, part in module.named_modules()]

    def __enter__(self) -> Counter:
        return self

    def __exit__(self, *error: object) -> None:
        for handle in self.handles:
            handle.remove()

    def _hook(self, name: str) -> Callable[[nn.Module, object], None]:
        def count(module: nn.Module, inputs: object) -> None:
            self.calls[name] = self.calls.get(name, 0) + 1
            self.learning |= any(weight.requires_grad for weight in module.parameters())

        return count
