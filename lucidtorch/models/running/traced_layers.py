"""The layers of a traced view: the network's modules without their forward passes, and a layer for each operation."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

from torch import nn


class TracedLayer(nn.Module):
    """One operation of a traced view, through which the operation's value passes, or a part that holds some.

    Args:
        original: The network's module whose parameters, buffers and mode these are; None for a functional operation.
        kind: What it is: the class of a module, the name of a function or method.
    """

    fed_by: str | None = None  # the one layer whose value the operation takes; None where it takes several, or none

    def __init__(self, original: nn.Module | None, kind: str) -> None:
        self.__dict__["_original"] = original  # beside `_modules`: hooks must not find it under a second name
        super().__init__()
        self.kind = kind
        if original is not None:
            self.__dict__["_parameters"] = original._parameters
            self.__dict__["_buffers"] = original._buffers
            self.__dict__["_non_persistent_buffers_set"] = original._non_persistent_buffers_set

    @property
    def original(self) -> nn.Module | None:
        """The network's module whose parameters these are."""
        original: nn.Module | None = self.__dict__["_original"]
        return original

    @property
    def training(self) -> bool:
        """Whether the module is in training mode; a functional operation remembers what it was told."""
        return bool(self.__dict__["_mode"] if self.original is None else self.original.training)

    @training.setter
    def training(self, mode: bool) -> None:
        """Put the module into a mode."""
        if self.original is None:
            self.__dict__["_mode"] = mode
        elif "kind" in self.__dict__:  # not while this layer is being made: making it changes nothing
            self.original.training = mode

    def forward(self, value: Any) -> Any:
        """Pass a value on."""
        return value


def layers_of(module: nn.Module, called: Container[str], is_leaf: Callable[[nn.Module, str], bool]) -> TracedLayer:
    """Make a layer for a network and for all modules inside it that the tracer goes through or calls."""

    def layer_of(part: nn.Module, path: str) -> TracedLayer:
        layer = TracedLayer(part, type(part).__name__)
        for name, inner in part._modules.items():
            inner_path = f"{path}.{name}" if path else name
            is_own = inner is None or path in called or (inner_path not in called and is_leaf(inner, inner_path))
            layer._modules[name] = inner if is_own or inner is None else layer_of(inner, inner_path)
        return layer

    return layer_of(module, "")


def place(root: nn.Module, name: str, original: nn.Module | None, kind: str) -> TracedLayer:
    """Put the layer of an operation where its name says.

    Layers are put in directly, since a name such as `float` or `class_token` may be a method or a parameter as well.
    """
    *parents, last = name.split(".")
    for parent in parents:
        root = _part(root, parent)
    layer = root._modules.get(last)
    if not isinstance(layer, TracedLayer) or (original is not None and layer.original is not original):
        # torchvision counts names anew, so that a layer's name may be that of another module
        parts = {} if layer is None else layer._modules
        layer = TracedLayer(original, kind)
        layer._modules.update(parts)
        root._modules[last] = layer
    layer.kind = kind
    return layer


def _part(root: nn.Module, name: str) -> TracedLayer:
    present = root._modules.get(name)
    if isinstance(present, TracedLayer):
        return present
    layer = TracedLayer(present, type(present).__name__)
    if present is not None:
        layer._modules.update(present._modules)
    root._modules[name] = layer
    return layer
