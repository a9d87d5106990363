"""A network held still: evaluation mode, no weight gradients, and everything given back afterwards."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from lucidtorch.base.surroundings import one_at_a_time

Thing = TypeVar("Thing")


@contextlib.contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Hold a network still while the block runs.

    Every module is in evaluation mode and no weight asks for a gradient; afterwards, after an error or an interrupt
    too, each training flag, each `requires_grad` and each buffer is what it was. Blocks may overlap, in several threads
    too: flags are given back at the end of the last one.
    """
    parts = list(module.modules())
    weights = [one for one in module.parameters() if not one.is_inference()]  # these never ask for a gradient
    with one_at_a_time():
        buffers = [_Buffers(one) for one in parts if one._buffers]
        _TRAINING.hold(parts)
        _LEARNING.hold(weights)
    try:
        yield
    finally:
        with one_at_a_time():
            _TRAINING.release(parts)
            _LEARNING.release(weights)
            for kept in buffers:
                kept.restore()


class _Held(Generic[Thing]):
    """A flag that is off on everything that any block holds.

    Args:
        read: Whether it is on.
        write: Turns it on or off.
    """

    def __init__(self, read: Callable[[Thing], bool], write: Callable[[Thing, bool], object]) -> None:
        self._read = read
        self._write = write
        self._lock = threading.Lock()
        self._blocks: dict[int, int] = {}  # how many hold a thing, by its id: they keep it alive
        self._was: dict[int, bool] = {}

    def hold(self, things: Iterable[Thing]) -> None:
        with self._lock:
            for one in things:
                if id(one) not in self._blocks:
                    self._was[id(one)] = self._read(one)
                self._blocks[id(one)] = self._blocks.get(id(one), 0) + 1
                if self._read(one):
                    self._write(one, False)

    def release(self, things: Iterable[Thing]) -> None:
        with self._lock:
            for one in things:
                self._blocks[id(one)] -= 1
                if not self._blocks[id(one)]:
                    del self._blocks[id(one)]
                    if self._was.pop(id(one)):
                        self._write(one, True)


def _set_training(module: nn.Module, on: bool) -> None:
    module.training = on


def _set_learning(weight: Tensor, on: bool) -> None:
    weight.requires_grad_(on)


_TRAINING = _Held[nn.Module](lambda module: module.training, _set_training)
_LEARNING = _Held[Tensor](lambda weight: weight.requires_grad, _set_learning)


class _Buffers:
    """The buffers of one module as they were: some networks count, cache or observe in them while they run."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.own = dict(module._buffers)
        self.copies = {name: one.clone() for name, one in self.own.items() if one is not None and _is_plain(one)}

    def restore(self) -> None:
        self.module._buffers.update(self.own)
        for name, copy in self.copies.items():
            buffer = self.own[name]
            # Compared by contents, since fused observers write without counting a new version.
            if buffer is None or torch.equal(buffer, copy):
                continue
            if buffer.shape != copy.shape:  # observers of each channel begin with none
                buffer.data = copy
            else:
                buffer.data.copy_(copy)  # no new version, so that the caller's own graphs stay valid


def _is_plain(buffer: Tensor) -> bool:
    """Whether a buffer holds numbers that can be compared."""
    return buffer.layout is torch.strided and not buffer.is_meta
