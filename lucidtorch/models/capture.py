"""Looking inside a network: the only place that hooks into a forward pass to take activations."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from lucidtorch.base.errors import RenderError
from lucidtorch.models.address import Address

Run: TypeAlias = Callable[[Tensor], dict[str, Tensor]]


class _Stop(BaseException):
    """Ends a forward pass once everything asked for is there; no network's own `except Exception` can swallow it."""

    def __init__(self, hooks: _Hooks) -> None:
        super().__init__()
        self.hooks = hooks


@contextlib.contextmanager
def capture(module: nn.Module, addresses: Mapping[str, Address]) -> Iterator[Run]:
    """Hook into the named layers while the block runs.

    Inside the block, calling what is yielded runs the network on a normalized input up to the deepest named layer and
    gives the layers' own outputs, also where the next operation works in place. The hooks are gone afterwards, after
    an error or an interrupt too.

    Args:
        module: The network.
        addresses: The name under which each layer's output is given, and where it is.

    Yields:
        A function from the network's input `[B, C, H, W]` to the outputs by name.
    """
    hooks = _Hooks(module, addresses)
    try:
        hooks.attach()
        yield hooks.run
    finally:
        hooks.detach()


class _Hooks:
    """The hooks of one `capture` and what the present forward pass has given so far."""

    def __init__(self, module: nn.Module, addresses: Mapping[str, Address]) -> None:
        self.module = module
        self.addresses = addresses
        self.handles: list[RemovableHandle] = []
        self.calls: dict[str, int] = {}
        self.taken: dict[Address, Tensor] = {}
        self.running = False
        self.wanted = {Address(one.module, one.call) for one in addresses.values()}

    def attach(self) -> None:
        for name in sorted({one.module for one in self.wanted}):
            layer = self.module.get_submodule(name)
            self.handles.append(layer.register_forward_hook(self._hook_of(name)))

    def detach(self) -> None:
        for handle in self.handles:
            handle.remove()
        self.handles.clear()
        self.taken.clear()

    def run(self, images: Tensor) -> dict[str, Tensor]:
        self.calls.clear()
        self.taken.clear()
        if self.wanted:
            self._forward(images)
        found = {name: self._given(name, address) for name, address in self.addresses.items()}
        self.taken.clear()
        return found

    def _forward(self, images: Tensor) -> None:
        self.running = True
        try:
            self.module(images)
        except _Stop as stop:
            if stop.hooks is not self:
                raise
        finally:
            self.running = False

    def _hook_of(self, name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(layer: nn.Module, inputs: object, output: object) -> None:
            if not self.running:  # somebody else's forward pass
                return
            address = Address(name, self.calls.get(name, 0))
            self.calls[name] = address.call + 1
            if address in self.wanted:
                self._take(address, output)

        return hook

    def _take(self, address: Address, output: object) -> None:
        if not isinstance(output, Tensor):
            kind = type(output).__name__
            raise RenderError(f"Layer {address.module!r} gives a {kind}, not one tensor; name a layer inside it.")
        last = len(self.taken) + 1 == len(self.wanted)
        self.taken[address] = output if last else output.clone()  # the network may go on and work on it in place
        if last:
            raise _Stop(self)

    def _given(self, name: str, address: Address) -> Tensor:
        values = self.taken.get(Address(address.module, address.call))
        if values is None:
            raise RenderError(
                f"Layer {name!r} was not reached in this forward pass; it may depend on the input or its size."
            )
        return torch.softmax(values, dim=1) if address.softmax else values
