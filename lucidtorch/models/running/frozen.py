"""A network held still: evaluation mode, no weight gradients, no checkpoints, everything restored afterwards."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Generic, TypeVar

import torch
import torch.utils.checkpoint as torch_checkpoint
from torch import Tensor, nn

from lucidtorch.base.errors import LucidtorchError
from lucidtorch.base.surroundings import one_at_a_time

Thing = TypeVar("Thing")
OLD_STYLE = "CheckpointFunction"
NEW_STYLE = next(  # torch 2.14 renamed it
    name
    for name in ("_checkpoint_without_reentrant_generator_impl", "_checkpoint_without_reentrant_generator")
    if hasattr(torch_checkpoint, name)
)
_own = threading.local()  # other threads may train their checkpointed networks meanwhile
_lock = threading.Lock()
_users: list[int] = []
_kept: dict[str, Any] = {}
LONGEST_REASON = 200


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


@contextlib.contextmanager
def without_checkpoints() -> Iterator[None]:
    """Let checkpointed segments of networks that this thread runs in the block run as they are."""
    depth = getattr(_own, "depth", 0)
    with _lock:
        if not _users:
            for name, straight in ((OLD_STYLE, _Straight), (NEW_STYLE, _straight)):
                _kept[name] = getattr(torch_checkpoint, name)
                setattr(torch_checkpoint, name, straight)
        _users.append(depth)
    _own.depth = depth + 1
    try:
        yield
    finally:
        _own.depth = depth
        with _lock:
            _users.remove(depth)
            for name, own in _kept.items() if not _users else ():
                setattr(torch_checkpoint, name, own)


class _Straight:
    """Stands for torch's function of the old style."""

    @staticmethod
    def apply(function: Any, preserve: bool, *arguments: Any) -> Any:
        if getattr(_own, "depth", 0):
            return function(*arguments)
        return _kept[OLD_STYLE].apply(function, preserve, *arguments)


def _straight(*arguments: Any, **words: Any) -> Iterator[None]:
    """Stands for torch's generator of the new style, which is advanced before the segment runs and after it."""
    if getattr(_own, "depth", 0):
        yield
    else:
        yield from _kept[NEW_STYLE](*arguments, **words)


class Attempt(contextlib.AbstractContextManager["Attempt"]):
    """Lets a network's forward pass raise whatever it likes, and keeps the reason instead.

    A network is the user's own code: no list of exceptions covers it. Interrupts, exhausted memory and our own errors
    pass through.
    """

    def __init__(self) -> None:
        self.reason: str | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        ours = (MemoryError, torch.cuda.OutOfMemoryError, LucidtorchError)
        if not isinstance(error, Exception) or isinstance(error, ours):
            return False
        lines = str(error).strip().splitlines() or ["no reason given"]
        said = " ".join(lines[: 2 if lines[0].endswith(":") else 1])  # of a compiler's message the next line says it
        self.reason = f"{type(error).__name__}: {said[:LONGEST_REASON]}"
        return True


@contextlib.contextmanager
def probing(module: nn.Module) -> Iterator[Attempt]:
    """Let the block run a network once: in eval mode, without gradients, whatever it raises.

    Weights, buffers, flags and the global random state are afterwards what they were.
    """
    places = {tensor.device for tensor in (*module.parameters(), *module.buffers()) if tensor.is_cuda}
    random_state = torch.random.fork_rng(devices=list(places))
    with one_at_a_time(), random_state, frozen(module), torch.no_grad(), without_checkpoints(), Attempt() as attempt:
        yield attempt
