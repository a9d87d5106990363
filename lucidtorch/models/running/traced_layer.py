"""A layer of a traced view: a module of the network without its forward pass, or an operation."""

from __future__ import annotations

from typing import Any

from torch import nn


class TracedLayer(nn.Module):
    """One operation of a traced view, through which its value passes, or a part that holds operations.

    It has the parameters, buffers and mode of the network's own module, unless the operation is functional.
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
