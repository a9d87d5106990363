"""A network held still: evaluation mode, no weight gradients, and everything given back afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import nn


@contextlib.contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Hold a network still while the block runs.

    Every module is in evaluation mode and no weight asks for a gradient; afterwards, after an error or an interrupt
    too, each training flag, each `requires_grad` and each buffer is what it was.

    Args:
        module: The network.

    Yields:
        Nothing.
    """
    training = [one for one in module.modules() if one.training]
    learning = [weight for weight in module.parameters() if weight.requires_grad]
    buffers = [_Buffers(one) for one in module.modules() if one._buffers]
    try:
        for one in training:
            one.training = False
        for weight in learning:
            weight.requires_grad_(False)
        yield
    finally:
        for one in training:
            one.training = True
        for weight in learning:
            weight.requires_grad_(True)
        for kept in buffers:
            kept.restore()


class _Buffers:
    """The buffers of one module as they were: some networks count or cache in them while they run."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.own = dict(module._buffers)
        self.copies = {name: (one._version, one.clone()) for name, one in self.own.items() if one is not None}

    def restore(self) -> None:
        self.module._buffers.update(self.own)
        for name, (version, copy) in self.copies.items():
            buffer = self.own[name]
            if buffer is not None and buffer._version != version:
                with torch.no_grad():
                    buffer.copy_(copy)
