"""Networks that are not easily copied, or go wrong where they are."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from normalized_networks import Pair
from torch import Tensor, nn


class Tied(Pair):
    """A convolution whose weights stand under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.also = nn.Conv2d(3, 6, 3)
        self.also.weight = self.conv.weight

    def between(self, images: Tensor) -> Tensor:
        return self.norm(self.conv(images)) + self.also(images)


class Listed(Pair):
    """Its parts stand in a plain list, in a mapping, and as a method kept in an attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = [self.conv, [self.norm]]
        self.by_name = {"conv": self.conv}
        self.step = self.norm.__call__

    def between(self, images: Tensor) -> Tensor:
        first: Any = self.parts[0]
        return self.step(first(images)) + self.by_name["conv"](images)


class Flattening(Pair):
    """It flattens maps by `view`, which needs them laid out as they usually are."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(6 * 14 * 14, 4)  # type: ignore[assignment]

    def forward(self, images: Tensor) -> Tensor:
        found = self.between(images)
        return self.last(found.view(len(found), -1))


class Keeping(Pair):
    """It goes on with what a hook of its own kept."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = torch.zeros(0)
        self.norm.register_forward_hook(self._keep)

    def _keep(self, layer: nn.Module, inputs: object, output: Tensor) -> None:
        self.kept = output

    def between(self, images: Tensor) -> Tensor:
        self.norm(self.conv(images))
        return self.kept


class KeepingInPart(Keeping):
    """The same by a partial method."""

    def __init__(self) -> None:
        super().__init__()
        self.norm._forward_hooks.clear()
        self.norm.register_forward_hook(partial(self._keep_as, "kept"))

    def _keep_as(self, name: str, layer: nn.Module, inputs: object, output: Tensor) -> None:
        setattr(self, name, output)


class Enclosing(Pair):
    """It goes on with what a function kept that knows only the network itself."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = torch.zeros(0)
        self.norm.register_forward_hook(lambda layer, inputs, output: setattr(self, "kept", output))

    def between(self, images: Tensor) -> Tensor:
        self.norm(self.conv(images))
        return self.kept


class Locked(Pair):
    """A lock cannot be copied."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def between(self, images: Tensor) -> Tensor:
        with self.lock:
            return super().between(images)


class Refusing(Pair):
    """It says that it cannot be copied."""

    def __deepcopy__(self, memo: object) -> Refusing:
        raise TypeError("there is one of me")


class ItsOwnCopy(Pair):
    """It says that it is its own copy."""

    def __deepcopy__(self, memo: object) -> ItsOwnCopy:
        return self


class Sharing(Pair):
    """A part of it says that it is its own copy."""

    def __init__(self) -> None:
        super().__init__()
        self.part = ItsOwnCopy()

    def between(self, images: Tensor) -> Tensor:
        return self.part.between(images) + super().between(images)


class Fixed(Pair):
    """It refuses to be put into eval mode, as exported programs do."""

    def eval(self) -> Fixed:
        raise NotImplementedError

    def train(self, mode: bool = True) -> Fixed:
        raise NotImplementedError


def scripted() -> nn.Module:
    """A network of which a part is a program of TorchScript."""
    module = Pair().eval()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch would rather have another tool used
        module.conv = torch.jit.trace(module.conv, torch.rand(1, 3, 16, 16))  # type: ignore[assignment]
    return module


COPIED: dict[str, Callable[[], nn.Module]] = {
    "tied weights": Tied,
    "parts in lists": Listed,
    "a hook of its own": Keeping,
    "a partial hook of its own": KeepingInPart,
    "flattened by view": Flattening,
}
NOT_COPIED: dict[str, Callable[[], nn.Module]] = {
    "a lock": Locked,
    "an error": Refusing,
    "itself": ItsOwnCopy,
    "a part that is itself": Sharing,
    "a hook that knows the network": Enclosing,
}
